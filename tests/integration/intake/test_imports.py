"""Imports into PostgreSQL: repeats, dry runs, crashes in between, leases, broken files, bounded reports."""

import gzip
import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake import tasks
from services.intake.handlers import import_runs, imports, issues
from services.intake.handlers.import_runs import ImportSettings
from services.intake.handlers.retention import CLASSES
from services.intake.importing import chunks, cli
from services.intake.importing.spool import Upload, stored_name
from services.intake.settings import IntakeSettings
from services.intake.storage.imports import ImportRun
from shared.database import Pool
from shared.errors import Transient
from shared.identifiers import new_id
from shared.reach import Reach
from shared.retention.jobs import run as retain
from shared.schedule import load_schedule
from tests.unit.intake.workbooks import workbook

pytestmark = pytest.mark.integration

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HEADER = (
    "source_number,type,category,channel,urgency,title,description,received_at,respond_by,due_at,organisation_code,"
    "staff_number,responded_at,closed_at,outcome,reply,contact_source_number,"
    "subject_staff_number,citizen_name,citizen_phone"
)
DATA = Path(os.environ.get("LIANXIN_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
Ask = Callable[..., list[tuple[Any, ...]]]


def issue(number: str, *, title: str = "路灯不亮", closed_at: str = "", unit: str = "town") -> str:
    outcome, reply = ("resolved", "已修复") if closed_at else ("", "")
    return (
        f"{number},help,道路,phone,,{title},,2026-01-05T09:00:00+08:00,,,{unit},S1,,{closed_at},{outcome},{reply},,,,"
    )


def text_of(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


@pytest.fixture
def settings(tmp_path: Path) -> ImportSettings:
    return ImportSettings(directory=tmp_path / "spool", most_bytes=1 << 30)


@pytest.fixture
def stored(registered: Pool, settings: ImportSettings) -> Callable[..., ImportRun]:
    """Put a file into the spool and ask for its import, as the door does."""

    def store(
        data: bytes, *, profile: str = "lianxin-issues", dry_run: bool = False, key: str | None = None
    ) -> ImportRun:
        run_id = new_id()
        upload = Upload(settings.directory, stored_name(run_id), settings.most_bytes)
        upload.write(data)
        upload.finish()
        request = imports.ImportRequest(
            id=run_id,
            profile=profile,
            dry_run=dry_run,
            file_name="../../etc/工单.csv",
            storage_name=upload.name,
            sha256=upload.sha256,
            byte_count=upload.byte_count,
            requested_by="test",
            reach=Reach(kind="everywhere", account_id=new_id(), actor="test"),
            correlation_id="import-of-the-test",
            idempotency_key=key,
        )
        return imports.request_import(registered, request, now=NOW)[0]

    return store


@pytest.fixture
def finished(registered: Pool, settings: ImportSettings, stored: Callable[..., ImportRun]) -> Callable[..., ImportRun]:
    """Import a file to its end and give the run as it stands then."""

    def run(data: bytes, **how: Any) -> ImportRun:
        asked = stored(data, **how)
        imports.run_import(registered, asked.id, settings)
        return imports.get_import(registered, asked.id)

    return run


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    return (run.created_count, run.changed_count, run.unchanged_count, run.refused_count)


def findings(pool: Pool, run: ImportRun) -> list[tuple[int, str]]:
    return [(found.line, found.code) for found in imports.list_findings(pool, run.id, after_id=0, limit=1_000)]


def test_a_file_is_imported_and_the_same_file_again_changes_nothing(finished, ask: Ask):
    data = text_of(issue("A1"), issue("A2", closed_at="2026-01-07T09:00:00+08:00"))

    first = finished(gzip.compress(data))
    events = ask("SELECT count(*) FROM outbox")
    second = finished(data)

    assert (first.state, counts(first)) == ("done", (2, 0, 0, 0))
    assert (second.state, counts(second)) == ("done", (0, 0, 2, 0))
    assert ask("SELECT count(*) FROM outbox") == events
    assert ask("SELECT DISTINCT source, status FROM issue ORDER BY 2") == [
        ("lianxin-files", "assigned"),
        ("lianxin-files", "closed"),
    ]


def test_a_later_export_brings_an_issue_up_to_date(finished):
    finished(text_of(issue("A1"), issue("A2")))

    again = finished(text_of(issue("A1"), issue("A2", closed_at="2026-01-07T09:00:00+08:00")))

    assert counts(again) == (0, 1, 1, 0)


def test_a_finished_run_is_not_run_again(registered: Pool, settings: ImportSettings, finished):
    run = finished(text_of(issue("A1")))

    assert imports.run_import(registered, run.id, settings) is None
    assert imports.get_import(registered, run.id) == run
    assert not any(settings.directory.iterdir())


def test_a_dry_run_counts_the_same_and_keeps_nothing(finished, ask: Ask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 2)
    data = text_of(
        issue("A1"), issue("A1"), issue("A2", unit="nowhere"), issue("A3"), issue("A1", title="别的"), "half,a"
    )

    rehearsed = finished(data, dry_run=True)
    kept = ask("SELECT (SELECT count(*) FROM issue), (SELECT count(*) FROM outbox WHERE aggregate = 'issue')")
    real = finished(data)

    assert kept == [(0, 0)]
    assert counts(rehearsed) == counts(real) == (2, 0, 2, 2)
    assert rehearsed.tallies == real.tallies == {
        "error:unknown-organisation": 1,
        "error:too-few-columns": 1,
        "flag:named-twice": 1,
    }  # fmt: skip


def test_good_rows_go_in_and_bad_ones_are_named(registered: Pool, finished, ask: Ask):
    run = finished(
        text_of(
            issue("A1"),
            issue("A2", title="\x07"),
            "half,a,row",
            issue("A3", title='"never closed'),
            issue("A4", title="=HYPERLINK(1)"),
            issue("A5", unit="nowhere"),
            issue("A6", closed_at="2025-01-01T00:00:00+08:00"),
        )
        + b"\xff\xfe,broken\n"
        + issue("A7").encode()
    )

    assert run.state == "done"
    assert counts(run) == (4, 0, 0, 5)
    assert sorted(findings(registered, run)) == [
        (3, "control-character"),
        (4, "too-few-columns"),
        (5, "unclosed-quote"),
        (7, "unknown-organisation"),
        (8, "closed-before-received"),
        (9, "bad-encoding"),
    ]
    standing = [issues.get_issue(registered, row[0]) for row in ask("SELECT id FROM issue ORDER BY source_number")]
    assert [(record.source_number, record.title) for record in standing] == [
        ("A1", "路灯不亮"),
        ("A4", "=HYPERLINK(1)"),
        ("A6", "路灯不亮"),
        ("A7", "路灯不亮"),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"number,name\n1,2\n", "wrong-header"),
        (text_of(issue("A1")).decode().encode("utf-16"), "utf-16"),
        (gzip.compress(HEADER.encode() + b"\n" + b"0" * (64 << 20)), "gzip-ratio"),
    ],
    ids=["empty", "header", "utf-16", "bomb"],
)
def test_a_file_that_cannot_be_read_is_refused_and_kept_for_a_while(
    registered: Pool, settings: ImportSettings, finished, data: bytes, code: str
):
    run = finished(data)

    assert (run.state, run.reason_code) == ("failed", code)
    for days, swept in ((6, 0), (8, 1)):
        later = datetime.now(UTC) + timedelta(days=days)
        retain(registered, load_schedule(), CLASSES, now=later)
        assert imports.sweep_files(registered, settings.directory, now=later) == swept
    assert not any(settings.directory.iterdir())


def test_what_comes_before_the_damage_stays_in(finished, ask: Ask):
    rows = [issue(f"A{number}", title=hashlib.sha256(str(number).encode()).hexdigest()) for number in range(5_000)]

    run = finished(gzip.compress(text_of(*rows))[:-2_000])

    assert (run.state, run.reason_code) == ("failed", "gzip-truncated")
    assert run.created_count == ask("SELECT count(*) FROM issue")[0][0] > 4_000


def test_an_import_that_dies_between_chunks_goes_on_and_counts_nothing_twice(
    registered: Pool, settings: ImportSettings, stored, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 10)
    run = stored(text_of(*(issue(f"A{number}") for number in range(50)), "half,a,row"))
    committed: list[object] = []
    commit = import_runs.ImportWork._commit

    def die(work: Any, chunk: Any) -> Any:
        state = commit(work, chunk)
        committed.append(state)
        if len(committed) == 3:
            raise KeyboardInterrupt  # as sudden as a kill: nothing is tidied up in the database
        return state

    monkeypatch.setattr(import_runs.ImportWork, "_commit", die)
    with pytest.raises(KeyboardInterrupt):
        imports.run_import(registered, run.id, settings)
    half_way = imports.get_import(registered, run.id)
    later = datetime.now(UTC) + import_runs.LEASE

    assert imports.run_import(registered, run.id, settings) is None  # the lease still holds
    assert imports.list_waiting_imports(registered, now=later) == [run.id]
    assert imports.run_import(registered, run.id, settings, clock=lambda: later) == "done"

    whole = imports.get_import(registered, run.id)
    assert (half_way.state, half_way.rows_read) == ("running", 30)
    assert (counts(whole), whole.rows_read, whole.attempts) == ((50, 0, 0, 1), 51, 2)
    assert ask("SELECT count(*), count(DISTINCT aggregate_id) FROM outbox WHERE aggregate = 'issue'") == [(50, 50)]


@pytest.mark.parametrize("size", [1, 3, 2_000])
def test_a_run_goes_on_where_it_was_however_chunks_are_cut_since(
    registered: Pool, settings: ImportSettings, stored, monkeypatch: pytest.MonkeyPatch, size: int
):
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 4)
    rows = [issue(f"A{number}") for number in range(6)]
    run = stored(text_of(*rows[:3], "half,a,row", *rows[3:], rows[0]))

    assert imports.run_import(registered, run.id, settings, turn_seconds=0) == "due"
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", size)
    assert imports.run_import(registered, run.id, settings) == "done"

    whole = imports.get_import(registered, run.id)
    assert (counts(whole), whole.rows_read) == ((6, 0, 1, 1), 8)
    assert findings(registered, whole) == [(5, "too-few-columns")]


def test_a_workbook_goes_the_way_of_a_csv_file(
    registered: Pool, settings: ImportSettings, finished, stored, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 2)
    rows = [issue(f"A{number}").split(",") for number in range(5)]
    data = workbook([["某县工单"], HEADER.split(","), *rows, [123456789012345678, *rows[0][1:]]])

    rehearsed = finished(data, dry_run=True)
    run = stored(data)
    turns = [imports.run_import(registered, run.id, settings, turn_seconds=0) for _ in range(4)]
    as_text = finished(text_of(*(issue(f"A{number}") for number in range(5))))

    whole = imports.get_import(registered, run.id)
    assert turns == ["due", "due", "due", "done"]
    assert counts(rehearsed) == counts(whole) == (5, 0, 0, 1)
    assert findings(registered, whole) == [(8, "imprecise-number")]
    assert counts(as_text) == (0, 0, 5, 0)
    assert ask("SELECT count(*) FROM issue") == [(5,)]


def test_a_workbook_with_macros_is_refused_whole(finished):
    run = finished(workbook([HEADER.split(",")], **{"xl/vbaProject.bin": b"x"}))

    assert (run.state, run.reason_code, run.rows_read) == ("failed", "sheet-macros", 0)


def test_a_commit_of_unknown_outcome_is_looked_up_and_not_done_again(
    registered: Pool, settings: ImportSettings, stored, monkeypatch: pytest.MonkeyPatch
):
    run = stored(text_of(issue("A1"), issue("A2")))
    commit = import_runs.ImportWork._commit

    def lose_the_answer(work: Any, chunk: Any) -> Any:
        commit(work, chunk)
        raise Transient("the connection was lost during the commit")

    monkeypatch.setattr(import_runs.ImportWork, "_commit", lose_the_answer)

    assert imports.run_import(registered, run.id, settings) == "done"
    assert counts(imports.get_import(registered, run.id)) == (2, 0, 0, 0)


def test_an_outage_of_the_database_is_waited_out_within_the_turn(
    registered: Pool, settings: ImportSettings, stored, monkeypatch: pytest.MonkeyPatch
):
    run = stored(text_of(issue("A1"), issue("A2")))
    commit, read_run = import_runs.ImportWork._commit, import_runs._read_run
    refusals = {"commit": 3, "look up": 2}

    def away(what: str) -> None:
        refusals[what] -= 1
        if refusals[what] >= 0:
            raise Transient("the database is away")

    def try_commit(work: Any, chunk: Any) -> Any:
        away("commit")
        return commit(work, chunk)

    def try_read_run(pool: Any, run_id: Any) -> Any:
        away("look up")
        return read_run(pool, run_id)

    monkeypatch.setattr(import_runs.ImportWork, "_commit", try_commit)
    monkeypatch.setattr("services.intake.handlers.import_runs.time.sleep", lambda _: None)
    with monkeypatch.context() as patch:
        patch.setattr(import_runs, "_read_run", try_read_run)
        state = imports.run_import(registered, run.id, settings)

    assert state == "done"
    assert counts(imports.get_import(registered, run.id)) == (2, 0, 0, 0)
    assert max(refusals.values()) < 0  # every refusal was met, and survived


def test_a_worker_that_was_taken_for_dead_writes_nothing_more(
    registered: Pool, settings: ImportSettings, stored, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    run = stored(text_of(issue("A1")))
    record = import_runs.ImportWork._record

    def be_overtaken(work: Any, connection: Any, *told: Any) -> Any:
        monkeypatch.setattr(import_runs.ImportWork, "_record", record)
        later = datetime.now(UTC) + import_runs.LEASE * 2
        with registered.connection() as other:
            other.execute("UPDATE import_run SET attempts = attempts + 1, lease_until = %s", [later])
        return record(work, connection, *told)

    monkeypatch.setattr(import_runs.ImportWork, "_record", be_overtaken)
    with pytest.raises(import_runs.LeaseLost):
        imports.run_import(registered, run.id, settings)

    assert ask("SELECT count(*) FROM issue") == [(0,)]


def test_a_long_import_takes_turns_and_an_endless_one_is_given_up(
    registered: Pool, settings: ImportSettings, stored, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 1)
    run = stored(text_of(issue("A1"), issue("A2")))

    states = [imports.run_import(registered, run.id, settings, turn_seconds=0) for _ in range(3)]
    assert states == ["due", "due", "done"]
    assert imports.get_import(registered, run.id).attempts == 1

    other = stored(text_of(issue("A3")))
    with registered.connection() as connection:
        connection.execute("UPDATE import_run SET attempts = 5 WHERE id = %s", [other.id])
    assert imports.run_import(registered, other.id, settings) == "failed"
    assert imports.get_import(registered, other.id).reason_code == "gave-up"


def test_findings_are_all_counted_and_only_so_many_kept(registered: Pool, finished, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_runs, "KEPT_A_CODE", 10)
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 7)

    run = finished(text_of(*("half,a,row" for _ in range(50))))

    assert run.tallies == {"error:too-few-columns": 50}
    assert len(findings(registered, run)) == 10


def test_a_key_stands_for_one_import(stored):
    first = stored(text_of(issue("A1")), key="monday")

    assert stored(text_of(issue("A1")), key="monday").id == first.id
    with pytest.raises(imports.KeyReused):
        stored(text_of(issue("A2")), key="monday")


def test_the_name_of_a_file_is_shown_and_never_used(stored):
    assert stored(text_of(issue("A1"))).file_name == "工单.csv"


def test_the_command_reports_and_tells_by_its_exit_code(
    registered: Pool, settings: ImportSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def run(data: bytes, *more: str) -> int:
        file = tmp_path / "issues.csv"
        file.write_bytes(data)
        return cli.main(
            ["--profile", "lianxin-issues", str(file), *more],
            lambda path, profile, dry_run, report: imports.import_for_command(
                registered, path, profile, settings, dry_run=dry_run, report=report
            ),
        )

    codes = [run(text_of(issue("A1"))), run(text_of(issue("A1"), "half,a"), "--dry-run"), run(b"a,b\n1,2\n")]
    shown = capsys.readouterr().out

    assert codes == [0, 1, 2]
    assert "created 1" in shown
    assert "too-few-columns" in shown
    assert "the header lacks source_number" in shown


@pytest.mark.skipif(
    not (DATA / "boston311-2015.csv.gz").is_file(),
    reason="The 311 export of the City of Boston is not here; LIANXIN_TEST_DATA names its folder.",
)
def test_a_part_of_a_real_years_export_goes_in_whole(finished, ask: Ask):
    lines = gzip.decompress((DATA / "boston311-2015.csv.gz").read_bytes()).split(b"\n")[:6_001]

    run = finished(gzip.compress(b"\n".join(lines)), profile="boston311")

    assert (run.state, counts(run)) == ("done", (6_000, 0, 0, 0))
    assert ask("SELECT count(*) FROM issue WHERE organisation_id IS NULL OR cadre_id IS NULL") == [(0,)]
    assert ask("SELECT count(*) FROM post") == ask(
        "SELECT count(*) FROM cadre WHERE staff_number LIKE 'boston-team-%%'"
    )
    said = sum(b",OVERDUE,Closed," in line for line in lines)
    assert ask("SELECT count(*) FROM issue WHERE closed_at > due_at")[0][0] >= said > 0


def test_the_task_runs_an_import_by_its_id(registered: Pool, settings: ImportSettings, stored):
    run = stored(text_of(issue("A1")))
    url = "postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused"
    tasks.wire(
        registered,
        IntakeSettings(
            mode="test",
            database_url=url,
            broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
            import_directory=settings.directory,
        ),
    )

    tasks.run_import(import_id=str(run.id))

    assert imports.get_import(registered, run.id).state == "done"
