"""A real city's cases go the whole way, and the numbers at the end are those of the file."""

from pathlib import Path

import pytest

from tests.harness import boston
from tests.harness.boston import Count
from tests.harness.deaths import KILLED, arm
from tests.harness.evidence import Evidence, read_evidence
from tests.harness.experiment import require
from tests.harness.oracles import judge
from tests.harness.quiescence import wait_until_quiet
from tests.harness.suite import Suite
from tests.harness.waiting import wait_for

ROWS = 6_500  # four pieces
CHUNK_POINT = {"intake-work": ["intake.after_import_chunk_commit"]}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole = boston.find_file()
    if whole is None:
        pytest.skip(f"{boston.FILE} is not here; LIANXIN_TEST_DATA names the folder it lies in")
    return boston.write_slice(whole, tmp_path_factory.mktemp("boston") / "slice.csv.gz", ROWS)


@pytest.fixture(scope="module")
def count(file: Path) -> Count:
    return boston.count_directly(file)


@pytest.fixture(scope="module")
def imported(file: Path, american_suite: Suite) -> Evidence:
    """The import is cut short twice: its worker dies after the first piece, and later after a second one more."""
    suite = american_suite
    worker = suite.processes["intake-work"]
    arm(suite, CHUNK_POINT, hit=1)
    import_id = boston.start_import(suite, file)
    wait_for(lambda: worker.deaths == [KILLED], "the first death of the worker")
    arm(suite, CHUNK_POINT, hit=2)
    resume(suite, import_id)
    wait_for(lambda: worker.deaths == [KILLED, KILLED], "the second death of the worker")
    suite.wait_until_ready()
    resume(suite, import_id)
    run = boston.wait_for_import(suite, import_id, timeout_seconds=120)
    assert (run["state"], run["rows_read"], run["errors"]) == ("done", ROWS, 0)
    wait_until_quiet(suite)
    return read_evidence(suite)


def resume(suite: Suite, import_id: str) -> None:
    suite.end_leases()
    suite.nudge("intake", "intake.run_import", import_id=import_id)


def test_every_case_is_there_and_counted_once(count: Count, imported: Evidence) -> None:
    require(judge(count.history(), imported))
    assert len(imported.issues) == len(count.cases) == imported.counted["issues"] == ROWS


@pytest.mark.usefixtures("imported")
def test_timeliness_of_every_queue_agrees_with_a_direct_count(american_suite: Suite, count: Count) -> None:
    assert boston.read_timeliness(american_suite) == (dict(count.on_time), dict(count.late))
    assert set(count.stated) <= {("on time", "ONTIME"), ("late", "OVERDUE"), ("late", "")}


@pytest.mark.usefixtures("imported")
def test_the_scores_over_http_show_the_same_numbers(american_suite: Suite, count: Count) -> None:
    officer = american_suite.client("assessment", "department_officer")
    shown: dict[str, int] = {}
    cursor: str | None = ""
    while cursor is not None:
        following = f"&cursor={cursor}" if cursor else ""
        page = officer.get(f"/v1/scores?subject=organisation&period=2015&sort=code&limit=200{following}").document
        for item in page["items"]:
            numerators = {row["key"]: row["numerator"] for row in item["indicators"]}
            shown[item["subject"]["name"]] = numerators["on_time_closure_rate"]
        cursor = page["next_cursor"]

    assert {queue: shown[queue] for queue in count.on_time} == dict(count.on_time)
    assert shown["City of Boston"] == count.on_time.total()


def test_the_same_file_again_changes_nothing(file: Path, american_suite: Suite, imported: Evidence) -> None:
    run = boston.wait_for_import(american_suite, boston.start_import(american_suite, file), timeout_seconds=120)
    wait_until_quiet(american_suite)

    after = read_evidence(american_suite)

    assert (run["state"], run["created"], run["changed"]) == ("done", 0, 0)
    assert run["unchanged"] == ROWS
    assert sorted(event.event_id for event in after.outbox) == sorted(event.event_id for event in imported.outbox)
    assert after.counted == imported.counted
