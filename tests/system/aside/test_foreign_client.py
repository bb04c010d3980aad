"""A client of Open311 that somebody else wrote, against its door."""

from typing import Any

import pytest
from georeport import GeoReport

from tests.harness.suite import Suite


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
