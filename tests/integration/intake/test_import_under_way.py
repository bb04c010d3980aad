"""Chunks of contacts entered while the ones before them are: in their order, each once, whatever goes wrong."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.handlers import import_runs, imports
from services.intake.handlers.import_runs import ImportSettings, ImportWork
from services.intake.importing import chunks
from services.intake.importing.spool import Upload, stored_name
from shared.database import Pool
from shared.errors import Transient
from shared.identifiers import new_id
from shared.reach import Reach
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
HEADER = (
    "source_number,staff_number,organisation_code,kind,occurred_at,recorded_at,duration_minutes,population_group,"
    "people_count,place_code,note"
)
ROWS = 50
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "PLAIN_ROWS_A_CHUNK", 10)


@pytest.fixture
def settings(tmp_path: Path) -> ImportSettings:
    return ImportSettings(directory=tmp_path / "spool", most_bytes=1 << 30)


@pytest.fixture
def run_id(county, pool: Pool, settings: ImportSettings) -> Any:
    """An import of fifty contacts, in five chunks, that is asked for; the last row cannot be read."""
    assert county
    rows = [f"C{number},S1,street,visit,2026-03-01T09:00:00+08:00,,45,farmers,3,,走访" for number in range(ROWS - 1)]
    asked = new_id()
    upload = Upload(settings.directory, stored_name(asked), settings.most_bytes)
    upload.write("\n".join([HEADER, *rows, "half,a,row"]).encode())
    upload.finish()
    request = imports.ImportRequest(
        id=asked,
        profile="lianxin-contacts",
        dry_run=False,
        file_name="contacts.csv",
        storage_name=upload.name,
        sha256=upload.sha256,
        byte_count=upload.byte_count,
        requested_by="test",
        reach=Reach(kind="everywhere", account_id=new_id(), actor="test"),
        correlation_id="import-of-the-test",
    )
    imports.request_import(pool, request, now=NOW)
    return asked


@pytest.fixture
def is_whole(pool: Pool, run_id: Any, ask: Ask) -> Callable[[], None]:
    """Make sure that all of the file is in, once, with its events."""

    def check() -> None:
        run = imports.get_import(pool, run_id)
        assert (run.state, run.rows_read, run.created_count, run.refused_count) == ("done", ROWS, ROWS - 1, 1)
        told = "SELECT count(*), count(DISTINCT aggregate_id) FROM outbox WHERE correlation_id = 'import-of-the-test'"
        assert ask("SELECT count(*) FROM contact WHERE source = 'lianxin-files'") == [(ROWS - 1,)]
        assert ask(told) == [(ROWS - 1, ROWS - 1)]
        assert [(found.line, found.code) for found in imports.list_findings(pool, run_id, after_id=0, limit=9)] == [
            (ROWS + 1, "too-few-columns")
        ]

    return check


def delay(monkeypatch: pytest.MonkeyPatch, wrapped: str, before: Callable[[Any], object]) -> None:
    """Have something done with a chunk before a step of it is."""
    step = getattr(ImportWork, wrapped)

    def do(work: Any, *told: Any) -> Any:
        before(told)
        return step(work, *told)

    monkeypatch.setattr(ImportWork, wrapped, do)


def test_two_chunks_are_under_way_at_once_and_commit_in_their_order(
    pool: Pool, settings: ImportSettings, run_id: Any, is_whole, monkeypatch: pytest.MonkeyPatch
):
    both = threading.Barrier(2, timeout=20)
    lines: list[int] = []
    delay(monkeypatch, "_apply", lambda told: both.wait() if told[1].chunk.last_line <= 21 else None)
    delay(monkeypatch, "_record", lambda told: lines.append(told[1].last_line))

    assert imports.run_import(pool, run_id, settings) == "done"

    assert lines == sorted(lines)
    assert len(lines) > 4
    is_whole()


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_chunk_that_fails_takes_the_one_behind_it_along_and_both_go_in(
    pool: Pool, settings: ImportSettings, run_id: Any, is_whole, monkeypatch: pytest.MonkeyPatch, failing: int
):
    tries: list[int] = []

    def fail(told: Any) -> None:
        tries.append(told[1].last_line)
        if len(tries) == failing:
            time.sleep(0.3)  # so that the one behind it has been entered, and waits
            raise Transient("the database went away")

    delay(monkeypatch, "_record", fail)

    assert imports.run_import(pool, run_id, settings) == "done"

    assert len(tries) > len(set(tries))
    is_whole()


def test_commits_of_unknown_outcome_are_looked_up_and_not_done_again(
    pool: Pool, settings: ImportSettings, run_id: Any, is_whole, monkeypatch: pytest.MonkeyPatch
):
    commit = ImportWork._commit

    def lose_the_answer(work: Any, *told: Any) -> Any:
        commit(work, *told)
        raise Transient("the connection was lost during the commit")

    monkeypatch.setattr(ImportWork, "_commit", lose_the_answer)

    assert imports.run_import(pool, run_id, settings) == "done"

    is_whole()


@pytest.mark.parametrize("dying", [1, 2, 3])
def test_what_dies_with_two_under_way_goes_on_and_counts_nothing_twice(
    pool: Pool, settings: ImportSettings, run_id: Any, is_whole, monkeypatch: pytest.MonkeyPatch, dying: int
):
    seen: list[int] = []

    def die(told: Any) -> None:
        seen.append(told[1].last_line)
        if len(seen) == dying:
            raise KeyboardInterrupt  # as sudden as a kill: nothing is tidied up in the database

    with monkeypatch.context() as patch:
        delay(patch, "_record", die)
        with pytest.raises(KeyboardInterrupt):
            imports.run_import(pool, run_id, settings)
    later = datetime.now(NOW.tzinfo) + import_runs.LEASE + timedelta(seconds=1)

    assert imports.get_import(pool, run_id).rows_read == 10 * (dying - 1)
    assert imports.run_import(pool, run_id, settings, clock=lambda: later) == "done"
    is_whole()


def test_a_worker_that_was_taken_for_dead_writes_nothing_more(
    pool: Pool, settings: ImportSettings, run_id: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    def overtake(told: Any) -> None:
        later = datetime.now(NOW.tzinfo) + import_runs.LEASE * 2
        if told[1].last_line == 11:
            with pool.connection() as other:
                other.execute("UPDATE import_run SET attempts = attempts + 1, lease_until = %s", [later])

    delay(monkeypatch, "_record", overtake)
    with pytest.raises(import_runs.LeaseLost):
        imports.run_import(pool, run_id, settings)

    assert ask("SELECT count(*) FROM contact WHERE source = 'lianxin-files'") == [(0,)]


def test_turns_end_between_chunks(pool: Pool, settings: ImportSettings, run_id: Any, is_whole):
    turns: list[str | None] = []
    while not turns or turns[-1] == "due":
        turns.append(imports.run_import(pool, run_id, settings, turn_seconds=0))

    assert turns[-1] == "done"
    assert 3 <= len(turns) <= 6
    is_whole()


@pytest.mark.parametrize("size", [1, 7, 33, 4_000])
def test_a_run_goes_on_where_it_was_however_chunks_are_cut_since(
    pool: Pool, settings: ImportSettings, run_id: Any, is_whole, monkeypatch: pytest.MonkeyPatch, size: int
):
    assert imports.run_import(pool, run_id, settings, turn_seconds=0) == "due"
    monkeypatch.setattr(chunks, "PLAIN_ROWS_A_CHUNK", size)

    assert imports.run_import(pool, run_id, settings) == "done"

    run = imports.get_import(pool, run_id)
    assert run.unchanged_count == 0
    is_whole()
