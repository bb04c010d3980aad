"""The running services against their own OpenAPI documents."""

import re

import pytest

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
