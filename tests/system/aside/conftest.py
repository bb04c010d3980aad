"""An installation of these tests' own: what is entered here stands in no experiment's journal."""

import os
from collections.abc import Iterator

import pytest

from tests.harness.servers import Servers
from tests.harness.suite import Suite
from tests.system.conftest import watched

HERE = "tests/system/aside/"
# Nothing but what is shipped is known to the first; the second wants tables that hardly anything has filled yet; the
# last enters whatever can be entered, and more than once.
PLACES = {"test_foreign_client.py": -2, "test_fresh_county.py": -1, "test_conformance.py": 1}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [place for place, item in enumerate(items) if item.nodeid.startswith(HERE)]
    ordered = sorted((items[place] for place in here), key=lambda item: PLACES.get(item.path.name, 0))
    for place, item in zip(here, ordered, strict=True):
        items[place] = item


@pytest.fixture(scope="package")
def suite(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """One for all tests in this folder, and gone after the last of them: an idle one would slow the others down."""
    with (
        Suite(servers, tmp_path_factory.mktemp("aside"), name=f"lianxin_aside{os.getpid()}") as suite,
        watched(suite),
    ):
        yield suite
