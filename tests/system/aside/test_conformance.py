"""The running services against their own OpenAPI documents, and a foreign client against the Open311 door."""

import re
from typing import Any

import pytest
from georeport import GeoReport

from tests.conformance.running import QUICK, Door, check_door, lets_in
from tests.harness.suite import Suite

# Of each service the role that may do most; all roles with `make schemathesis`. The four together take two minutes of
# the processor, the suite's beginning included.
DOORS = (
    ("intake", "machine_client"),
    pytest.param("assessment", "department_officer", marks=pytest.mark.slow),
    pytest.param("notify", "department_officer", marks=pytest.mark.slow),
    pytest.param("identity", "machine_client", marks=pytest.mark.slow),
)


@pytest.mark.parametrize(("service", "role"), DOORS)
def test_a_service_does_what_its_document_says(suite: Suite, service: str, role: str):
    door = Door(
        port=suite.ports[f"{service}-api"],
        role=role,
        credential=suite.credential(service, role),
        reader=suite.credential(service, "machine_client"),
    )

    told = check_door(door, QUICK, lambda operation: lets_in(operation, role))

    selected = re.search(r"Selected: (\d+)/\d+\s+Tested: (\d+)\b", told)  # a failure has been raised before
    assert selected is not None
    assert selected[1] == selected[2] != "0", told


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_foreign_open311_client_files_nothing_amiss(suite: Suite, form: str):
    root = f"http://127.0.0.1:{suite.ports['intake-api']}/open311/v2"
    key = suite.client("intake", "machine_client").post("/v1/open311/keys", {}).document["api_key"]
    filed = [_file(suite, key) for _ in range(2)]
    city = GeoReport(root, api_key=key, output_format=form)

    services = {service["service_code"] for service in city.get_service_list()}
    definition = city.get_service_definition("roads")
    listed = {request["service_request_id"] for request in city.get_service_requests()}
    one: Any = city.get_service_request(filed[0])

    assert {"roads", "street_lights"} <= services
    assert definition["service_code"] == "roads"
    assert set(filed) <= listed
    assert filed[0] in str(one)


def _file(suite: Suite, key: str) -> str:
    form = f"api_key={key}&service_code=street_lights&lat=31.2&long=121.5".encode()
    client = suite.client("intake", "machine_client")
    answer = client.send(
        "POST",
        "/open311/v2/requests.json",
        form,
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    return str(answer.document[0]["service_request_id"])
