"""Importing files: asking for an import, doing it, looking at it, and finding again what was left undone."""

import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from services.intake.handlers.import_runs import LEASE, Clock, ImportSettings, ImportWork, Report, now_utc
from services.intake.importing.profile import load_profile
from services.intake.importing.sheets import SheetLimits
from services.intake.importing.spool import digest_file, display_name, list_older_than, remove_stored, stored_file
from services.intake.settings import IntakeSettings
from services.intake.storage import imports as storage
from shared import crash
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.errors import Forbidden, Rejected, Transient
from shared.identifiers import new_id
from shared.observability import new_correlation_id
from shared.reach import Reach

MOST_ATTEMPTS = 5
MOST_OPEN_RUNS = 50
ORPHANS_KEPT = timedelta(days=1)


class TooManyImports(Transient):
    code = "too-many-imports"


class KeyReused(Rejected):
    code = "key-reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A file that lies in the spool already, and how it is to be read."""

    id: UUID
    profile: str
    dry_run: bool
    file_name: str
    storage_name: str | None
    sha256: bytes
    byte_count: int
    requested_by: str
    correlation_id: str
    reach: Reach | None = None  # absent for a command, which acts for the operator of the whole
    idempotency_key: str | None = None


def settings_of(settings: IntakeSettings) -> ImportSettings:
    return ImportSettings(
        directory=settings.import_directory,
        most_bytes=settings.import_max_bytes,
        profile_directories=(settings.import_profiles,) if settings.import_profiles is not None else (),
        sheets=SheetLimits(
            most_bytes=settings.import_sheet_max_bytes,
            most_rows=settings.import_sheet_max_rows,
            most_columns=settings.import_sheet_max_columns,
        ),
    )


def is_of_contacts(profile: str, settings: ImportSettings) -> bool:
    """Whether it reads contacts alone, which know no deadlines. Raises ProfileUnknown and ProfileRefused."""
    return load_profile(profile, settings.profile_directories).target == "contact"


def check_import(pool: Pool, profile: str, settings: ImportSettings, reach: Reach | None) -> None:
    """What can be refused before the first byte is received.

    Raises ProfileUnknown, ProfileRefused, TooManyImports, and Forbidden where it takes a role that holds everywhere.
    """
    loaded = load_profile(profile, settings.profile_directories)
    if loaded.is_for_everywhere and (reach is None or reach.kind == "scoped"):
        raise Forbidden("this profile writes registers or ratings, which a role in one organisation may not")
    with transaction(pool) as connection:
        if storage.count_open_runs(connection) >= MOST_OPEN_RUNS:
            raise TooManyImports(f"{MOST_OPEN_RUNS} imports are waiting already")


def request_import(pool: Pool, request: ImportRequest, *, now: datetime) -> tuple[storage.ImportRun, bool]:
    """Enter a run as due; also say whether it is new. A repeated key gives the first run. Raises KeyReused."""
    run = _new_run(request, now=now)
    with transaction(pool) as connection:
        if storage.insert_run(connection, run):
            _note(connection, "import.requested", run.id, profile=run.profile, dry_run=run.dry_run)
            crash.point("intake.before_import_requested")
            return run, True
        key = request.idempotency_key or ""
        run_id = storage.find_run_id_by_key(connection, requested_by=request.requested_by, idempotency_key=key)
        first = storage.get_run(connection, run_id or request.id)
    if (first.sha256, first.profile, first.dry_run) != (request.sha256, request.profile, request.dry_run):
        raise KeyReused("the idempotency key stood for another import")
    return first, False


def get_import(pool: Pool, run_id: UUID) -> storage.ImportRun:
    """Raises ImportNotFound."""
    with transaction(pool) as connection:
        return storage.get_run(connection, run_id)


def list_findings(pool: Pool, run_id: UUID, *, after_id: int, limit: int) -> list[storage.StoredFinding]:
    """Raises ImportNotFound."""
    with transaction(pool) as connection:
        storage.get_run(connection, run_id)
        return storage.list_findings(connection, run_id, after_id=after_id, limit=limit)


def list_waiting_imports(pool: Pool, *, now: datetime, limit: int = 100) -> list[UUID]:
    with transaction(pool) as connection:
        storage.fail_interrupted(connection, now=now)
        return storage.list_waiting_ids(connection, now=now, limit=limit)


def run_import(
    pool: Pool, run_id: UUID, settings: ImportSettings, *, clock: Clock = now_utc, turn_seconds: float = 600
) -> storage.State | None:
    """Run a stored import, or go on with it; return its state, or None where somebody else is at it.

    A run that takes longer than one turn is given back as due. A repeat of a finished run does nothing.
    """
    started = clock()
    with transaction(pool) as connection:
        if not storage.claim_run(connection, run_id, now=started, lease_until=started + LEASE):
            return None
        run = storage.get_run(connection, run_id)
        if run.dry_run and run.rows_read:
            storage.forget_progress(connection, run_id)
            run = storage.get_run(connection, run_id)
    work = ImportWork(pool, run, settings, clock=clock, end_of_turn=time.monotonic() + turn_seconds)
    if run.attempts > MOST_ATTEMPTS:
        return work.finish(("gave-up", f"the import was begun {MOST_ATTEMPTS} times and never came to its end"))
    if run.reach is None:
        return work.finish(("nobodys", "the run says for whom it acts nowhere; upload the file again"))
    file = stored_file(settings.directory, run.storage_name or "")
    if not file.is_file():
        return work.finish(("file-missing", "the stored file is gone; upload it again"))
    state = work.do(file)
    if state == "done":
        remove_stored(settings.directory, file.name)
    return state


def import_for_command(
    pool: Pool,
    file: Path,
    profile: str,
    settings: ImportSettings,
    *,
    dry_run: bool,
    report: Report,
) -> storage.ImportRun:
    """Import a file where it lies, in this process. Raises ProfileUnknown, ProfileRefused and OSError beforehand."""
    load_profile(profile, settings.profile_directories)
    sha256, byte_count = digest_file(file)
    request = ImportRequest(
        id=new_id(),
        profile=profile,
        dry_run=dry_run,
        file_name=file.name,
        storage_name=None,
        sha256=sha256,
        byte_count=byte_count,
        requested_by="command line",
        correlation_id=new_correlation_id(),
    )
    now = now_utc()
    run = replace(_new_run(request, now=now), state="running", attempts=1, started_at=now)
    with transaction(pool) as connection:
        storage.insert_run(connection, run, lease_until=now + LEASE)
        _note(connection, "import.requested", run.id, profile=run.profile, dry_run=run.dry_run)
    ImportWork(pool, run, settings, clock=now_utc, report=report).do(file)
    return get_import(pool, run.id)


def sweep_files(pool: Pool, directory: Path, *, now: datetime) -> int:
    """Remove stored files that no run wants any more, and uploads that broke off; return how many went."""
    with transaction(pool) as connection:
        wanted = storage.list_stored_names(connection)
    removed = 0
    for name in list_older_than(directory, (now - ORPHANS_KEPT).timestamp()):
        if name not in wanted:
            (directory / name).unlink(missing_ok=True)
            removed += 1
    return removed


def _note(connection: Connection, action: str, run_id: UUID, **details: str | bool) -> None:
    note(connection, Line(action=action, object_type="import", object_id=run_id, details=details))


def _new_run(request: ImportRequest, *, now: datetime) -> storage.ImportRun:
    return storage.ImportRun(
        id=request.id,
        profile=request.profile,
        file_name=display_name(request.file_name),
        storage_name=request.storage_name,
        sha256=request.sha256,
        byte_count=request.byte_count,
        dry_run=request.dry_run,
        requested_by=request.requested_by,
        reach=None if request.reach is None else asdict(request.reach),
        idempotency_key=request.idempotency_key,
        correlation_id=request.correlation_id,
        state="due",
        attempts=0,
        last_line=0,
        rows_read=0,
        created_count=0,
        changed_count=0,
        unchanged_count=0,
        refused_count=0,
        flagged_count=0,
        tallies={},
        reason_code=None,
        reason=None,
        created_at=now,
        started_at=None,
        finished_at=None,
    )
