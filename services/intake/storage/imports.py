"""Import runs in the database: what was asked for, how far it is, and what was found on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection
from shared.errors import NotFound

State = Literal["due", "running", "done", "failed"]
Severity = Literal["error", "flag"]


class ImportNotFound(NotFound):
    code = "import-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    id: UUID
    profile: str
    file_name: str
    storage_name: str | None
    sha256: bytes
    byte_count: int
    dry_run: bool
    requested_by: str
    reach: dict[str, Any] | None
    idempotency_key: str | None
    correlation_id: str
    state: State
    attempts: int
    last_line: int
    rows_read: int
    created_count: int
    changed_count: int
    unchanged_count: int
    refused_count: int
    flagged_count: int
    tallies: dict[str, int]
    reason_code: str | None
    reason: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come, in all."""

    last_line: int = 0
    rows_read: int = 0
    created_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    refused_count: int = 0
    flagged_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    id: int
    line: int
    severity: Severity
    code: str
    column_name: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    organisations: set[str]
    cadres: set[str]


def insert_run(connection: Connection, run: ImportRun, *, lease_until: datetime | None = None) -> bool:
    """Return whether the run is new: a repeat of the same key of the same caller is not."""
    cursor = connection.execute(
        """
        INSERT INTO import_run (id, profile, file_name, storage_name, sha256, byte_count, dry_run, requested_by, reach,
                                idempotency_key, correlation_id, state, attempts, lease_until, created_at, started_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT DO NOTHING
        """,
        [
            run.id,
            run.profile,
            run.file_name,
            run.storage_name,
            run.sha256,
            run.byte_count,
            run.dry_run,
            run.requested_by,
            None if run.reach is None else orjson.dumps(run.reach).decode(),
            run.idempotency_key,
            run.correlation_id,
            run.state,
            run.attempts,
            lease_until,
            run.created_at,
            run.started_at,
        ],
    )
    return cursor.rowcount == 1


def get_run(connection: Connection, run_id: UUID) -> ImportRun:
    """Raises ImportNotFound."""
    with connection.cursor(row_factory=class_row(ImportRun)) as cursor:
        run = cursor.execute(
            """
            SELECT id, profile, file_name, storage_name, sha256, byte_count, dry_run, requested_by, reach,
                   idempotency_key, correlation_id, state, attempts, last_line, rows_read, created_count, changed_count,
                   unchanged_count, refused_count, flagged_count, tallies, reason_code, reason, created_at,
                   started_at, finished_at
              FROM import_run
             WHERE id = %s
            """,
            [run_id],
        ).fetchone()
    if run is None:
        raise ImportNotFound("there is no such import")
    return run


def find_run_id_by_key(connection: Connection, *, requested_by: str, idempotency_key: str) -> UUID | None:
    row = connection.execute(
        "SELECT id FROM import_run WHERE requested_by = %s AND idempotency_key = %s", [requested_by, idempotency_key]
    ).fetchone()
    return UUID(str(row[0])) if row else None


def count_open_runs(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM import_run WHERE state IN ('due', 'running')").fetchone()
    return int(str(row[0])) if row else 0


def claim_run(connection: Connection, run_id: UUID, *, now: datetime, lease_until: datetime) -> bool:
    """Take a stored run that is due or whose worker is gone. The number of the attempt is the claim's own mark."""
    cursor = connection.execute(
        """
        UPDATE import_run
           SET state = 'running', lease_until = %s, attempts = attempts + 1, started_at = coalesce(started_at, %s)
         WHERE id = %s
           AND storage_name IS NOT NULL
           AND (state = 'due' OR (state = 'running' AND lease_until < %s))
        """,
        [lease_until, now, run_id, now],
    )
    return cursor.rowcount == 1


def set_progress(
    connection: Connection, run: ImportRun, progress: Progress, tallies: dict[str, int], *, lease_until: datetime
) -> bool:
    """Return whether the run is still ours; a worker that was thought dead must not write any more."""
    cursor = connection.execute(
        """
        UPDATE import_run
           SET lease_until = %s, last_line = %s, rows_read = %s, created_count = %s, changed_count = %s,
               unchanged_count = %s, refused_count = %s, flagged_count = %s, tallies = %s::jsonb
         WHERE id = %s
           AND state = 'running'
           AND attempts = %s
        """,
        [
            lease_until,
            progress.last_line,
            progress.rows_read,
            progress.created_count,
            progress.changed_count,
            progress.unchanged_count,
            progress.refused_count,
            progress.flagged_count,
            orjson.dumps(tallies).decode(),
            run.id,
            run.attempts,
        ],
    )
    return cursor.rowcount == 1


def extend_lease(connection: Connection, run: ImportRun, *, lease_until: datetime) -> bool:
    cursor = connection.execute(
        "UPDATE import_run SET lease_until = %s WHERE id = %s AND state = 'running' AND attempts = %s",
        [lease_until, run.id, run.attempts],
    )
    return cursor.rowcount == 1


def finish_run(connection: Connection, run: ImportRun, *, now: datetime, reason: tuple[str, str] | None) -> bool:
    """Mark a run of ours done, or failed where there is a reason: its code and a sentence."""
    code, sentence = reason if reason is not None else (None, None)
    cursor = connection.execute(
        """
        UPDATE import_run
           SET state = %s, lease_until = NULL, finished_at = %s, reason_code = %s, reason = %s
         WHERE id = %s
           AND state = 'running'
           AND attempts = %s
        """,
        ["done" if reason is None else "failed", now, code, sentence, run.id, run.attempts],
    )
    return cursor.rowcount == 1


def release_run(connection: Connection, run: ImportRun) -> None:
    """Give a run back unfinished; such a turn does not count as an attempt that went wrong."""
    connection.execute(
        """
        UPDATE import_run
           SET state = 'due', lease_until = NULL, attempts = attempts - 1
         WHERE id = %s
           AND state = 'running'
           AND attempts = %s
        """,
        [run.id, run.attempts],
    )


def forget_progress(connection: Connection, run_id: UUID) -> None:
    """A dry run that was cut short left nothing behind, so it starts from the beginning."""
    connection.execute("DELETE FROM import_finding WHERE run_id = %s", [run_id])
    connection.execute(
        """
        UPDATE import_run
           SET last_line = 0, rows_read = 0, created_count = 0, changed_count = 0, unchanged_count = 0,
               refused_count = 0, flagged_count = 0, tallies = '{}'
         WHERE id = %s
        """,
        [run_id],
    )


def list_waiting_ids(connection: Connection, *, now: datetime, limit: int) -> list[UUID]:
    """List stored runs that are due or were left behind, oldest first, on the partial index import_run_open."""
    rows = connection.execute(
        """
        SELECT id
          FROM import_run
         WHERE state IN ('due', 'running')
           AND storage_name IS NOT NULL
           AND (state = 'due' OR lease_until < %s)
         ORDER BY created_at
         LIMIT %s
        """,
        [now, limit],
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def fail_interrupted(connection: Connection, *, now: datetime) -> int:
    """Close the runs of commands that ended without a word; nobody else has their file."""
    return connection.execute(
        """
        UPDATE import_run
           SET state = 'failed', lease_until = NULL, finished_at = %s, reason_code = 'interrupted',
               reason = 'the command that ran the import ended early; run it again, what is in stays in'
         WHERE state = 'running'
           AND storage_name IS NULL
           AND lease_until < %s
        """,
        [now, now],
    ).rowcount


def list_stored_names(connection: Connection) -> set[str]:
    """List the stored files that are still wanted: of open runs, and of failed ones until retention lets them go."""
    rows = connection.execute(
        """
        SELECT storage_name
          FROM import_run
         WHERE storage_name IS NOT NULL
           AND state IN ('due', 'running', 'failed')
        """
    ).fetchall()
    return {str(row[0]) for row in rows}


def insert_findings(connection: Connection, run_id: UUID, findings: Sequence[tuple[int, str, str, str, str]]) -> None:
    """Each finding is its line, severity, code, column and detail."""
    if not findings:
        return
    lines, severities, codes, columns, details = (list(part) for part in zip(*findings, strict=True))
    connection.execute(
        """
        INSERT INTO import_finding (run_id, line, severity, code, column_name, detail)
        SELECT %s, line, severity, code, column_name, detail
          FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
            AS row (line, severity, code, column_name, detail)
        """,
        [run_id, lines, severities, codes, columns, details],
    )


def list_findings(connection: Connection, run_id: UUID, *, after_id: int, limit: int) -> list[StoredFinding]:
    """On the index import_finding_run."""
    with connection.cursor(row_factory=class_row(StoredFinding)) as cursor:
        return cursor.execute(
            """
            SELECT id, line, severity, code, column_name, detail
              FROM import_finding
             WHERE run_id = %s
               AND id > %s
             ORDER BY id
             LIMIT %s
            """,
            [run_id, after_id, limit],
        ).fetchall()


def find_known_names(connection: Connection, *, codes: Sequence[str], staff_numbers: Sequence[str]) -> KnownNames:
    """Find which of these organisations and cadres are registered."""
    organisations = connection.execute("SELECT code FROM organisation WHERE code = ANY(%s)", [list(codes)]).fetchall()
    cadres = connection.execute(
        "SELECT staff_number FROM cadre WHERE staff_number = ANY(%s)", [list(staff_numbers)]
    ).fetchall()
    return KnownNames(organisations={str(row[0]) for row in organisations}, cadres={str(row[0]) for row in cadres})
