"""One suite for all tests here, since it takes seconds to start; a failure shows the last lines of every process.

It ends with the last of them: what an idle one takes of the processor would be missing to all tests that follow.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.experiment import Experiment
from tests.harness.servers import Servers
from tests.harness.suite import Suite

# Of a second installation: there nobody is told of anything, and no sign-in grows old.
UNASKED = ("identity-keep", "notify-push", "notify-serve", "notify-work")

HERE = "tests/system/"
# On an installation of its own, while the one that the others share does not run yet, and takes nothing.
FIRST = "test_real_file.py"

_running: list[Suite] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [place for place, item in enumerate(items) if item.nodeid.startswith(HERE)]
    ordered = sorted((items[place] for place in here), key=lambda item: item.path.name != FIRST)
    for place, item in zip(here, ordered, strict=True):
        item.add_marker(pytest.mark.system)
        items[place] = item


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed and Path(__file__).parent in item.path.parents:  # type: ignore[attr-defined] # a wrapper's result
        for suite in _running:
            for name, lines in suite.logs():
                report.sections.append((f"last lines of {suite.names.prefix} {name}", lines))  # type: ignore[attr-defined] # same
    return report


@contextmanager
def watched(suite: Suite) -> Iterator[None]:
    """A failure meanwhile shows the last lines of this suite."""
    _running.append(suite)
    try:
        yield
    finally:
        _running.remove(suite)


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers of these tests alone, because they get killed."""
    servers = Servers(tmp_path_factory.mktemp("servers"))
    servers.start()
    yield servers
    servers.remove()


@pytest.fixture(scope="package")
def suite(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    with (
        Suite(servers, tmp_path_factory.mktemp("suite"), name=f"lianxin_test{os.getpid()}") as suite,
        watched(suite),
    ):
        yield suite


@pytest.fixture(scope="package")
def experiment(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiment]:
    experiment = Experiment(suite, tmp_path_factory.mktemp("journal") / "journal.jsonl")
    yield experiment
    experiment.close()


@pytest.fixture(scope="module")
def american_suite(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A second installation on the same servers, for a city whose months begin at another time: what scores it."""
    with (
        Suite(
            servers,
            tmp_path_factory.mktemp("american"),
            name=f"lianxin_boston{os.getpid()}",
            settings={"LIANXIN_ASSESSMENT_TIME_ZONE": "America/New_York"},
            without=UNASKED,
        ) as suite,
        watched(suite),
    ):
        yield suite
