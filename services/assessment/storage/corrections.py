"""What came late after a closing, how it would have counted, and the corrections that tell of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.assessment.domain.periods import Period, PeriodKind
from services.assessment.domain.scores import SubjectKind
from shared.database import Connection

CORRECTION_LOCK = 0x436F7272


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenEvent:
    """An event of the log, with its place in it."""

    position: int
    event_id: UUID
    event_type: str
    aggregate_id: UUID
    sequence: int
    occurred_at: datetime | None
    recorded_at: datetime
    correlation_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    issue_id: UUID
    organisation_id: UUID
    cadre_id: UUID
    month: date
    differences: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A publication, and the last correction of it where there is one."""

    subject_code: str
    organisation_id: UUID | None
    inputs: str
    document: str
    number: int
    last_inputs_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    place: int
    subject_kind: SubjectKind
    subject_code: str
    period_kind: PeriodKind
    period_start: date
    period_end: date
    number: int
    known_at: datetime
    cause: dict[str, Any]
    changes: dict[str, Any]
    composite_was: Decimal | None
    composite_would_be: Decimal | None
    document: str
    content_hash: bytes


def try_lock_corrections(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [CORRECTION_LOCK]).fetchone()
    return row is not None and row[0] is True


def find_progress(connection: Connection) -> int:
    row = connection.execute("SELECT position FROM correction_progress").fetchone()
    return int(str(row[0])) if row is not None else 0


def set_progress(connection: Connection, position: int) -> None:
    connection.execute(
        """
        INSERT INTO correction_progress (position)
        VALUES (%s)
            ON CONFLICT (is_only) DO UPDATE
           SET position = excluded.position
        """,
        [position],
    )


def find_counted_position(connection: Connection, through: date) -> int | None:
    """Up to where the log is counted in the tallies of these months. None while anything of them waits to be counted.

    One statement, and so of one moment: what is taken in marks what it makes due in the same commit.
    """
    row = connection.execute(
        """
        SELECT coalesce(max(position), 0)
          FROM event
        HAVING NOT EXISTS (SELECT FROM tally_due WHERE month <= %s)
           AND NOT EXISTS (SELECT FROM subject_due)
        """,
        [through],
    ).fetchone()
    return int(str(row[0])) if row is not None else None


def list_late(
    connection: Connection,
    *,
    between: tuple[int, int],
    happened_until: datetime,
    types: Sequence[str],
    undated: Sequence[str],
    limit: int,
) -> list[TakenEvent]:
    """Events of these types that came between two places of the log and happened before an instant; of `undated` types
    all, whenever they were decided. On event_position.
    """
    with connection.cursor(row_factory=class_row(TakenEvent)) as cursor:
        return cursor.execute(
            """
            SELECT position, event_id, event_type, aggregate_id, sequence, occurred_at, recorded_at, correlation_id,
                   payload
              FROM event
             WHERE position > %(after)s AND position <= %(until)s
               AND event_type = ANY(%(types)s)
               AND (occurred_at IS NULL OR occurred_at <= %(happened_until)s OR event_type = ANY(%(undated)s))
             ORDER BY position
             LIMIT %(limit)s
            """,
            {
                "after": between[0],
                "until": between[1],
                "happened_until": happened_until,
                "types": list(types),
                "undated": list(undated),
                "limit": limit,
            },
            prepare=False,
        ).fetchall()


def list_whole_lives(connection: Connection, aggregate_ids: Sequence[UUID]) -> list[TakenEvent]:
    """Everything that was told of these, on event_aggregate_order."""
    with connection.cursor(row_factory=class_row(TakenEvent)) as cursor:
        return cursor.execute(
            """
            SELECT position, event_id, event_type, aggregate_id, sequence, occurred_at, recorded_at, correlation_id,
                   payload
              FROM event
             WHERE aggregate_id = ANY(%s)
             ORDER BY aggregate_id, sequence
            """,
            [list(aggregate_ids)],
            prepare=False,
        ).fetchall()


def replace_effects(connection: Connection, issue_ids: Sequence[UUID], rows: Sequence[dict[str, Any]]) -> None:
    connection.execute("DELETE FROM late_effect WHERE issue_id = ANY(%s)", [list(issue_ids)])
    connection.execute(
        """
        INSERT INTO late_effect (period_kind, period_start, period_end, issue_id, organisation_id, cadre_id, month,
                                 differences)
        SELECT period_kind, period_start, period_end, issue_id, organisation_id, cadre_id, month, differences
          FROM json_to_recordset(%s::json)
            AS row (period_kind text, period_start date, period_end date, issue_id uuid, organisation_id uuid,
                    cadre_id uuid, month date, differences jsonb)
        """,
        [orjson.dumps(rows).decode()],
    )


def list_effects_of(connection: Connection, issue_ids: Sequence[UUID]) -> list[Effect]:
    with connection.cursor(row_factory=class_row(Effect)) as cursor:
        return cursor.execute(
            """
            SELECT DISTINCT issue_id, organisation_id, cadre_id, month, differences
              FROM late_effect
             WHERE issue_id = ANY(%s)
            """,
            [list(issue_ids)],
        ).fetchall()


def list_effects(connection: Connection, period: Period) -> list[Effect]:
    with connection.cursor(row_factory=class_row(Effect)) as cursor:
        return cursor.execute(
            """
            SELECT issue_id, organisation_id, cadre_id, month, differences
              FROM late_effect
             WHERE period_start = %s AND period_end = %s AND period_kind = %s
            """,
            [period.start, period.end, period.kind],
        ).fetchall()


def list_cadres_with_posts(connection: Connection, post_kinds: Sequence[str]) -> list[UUID]:
    rows = connection.execute(
        "SELECT DISTINCT cadre_id FROM post WHERE post_kind = ANY(%s)", [list(post_kinds)]
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def list_organisations_of(connection: Connection, cadre_ids: Sequence[UUID]) -> list[UUID]:
    """Where these cadres ever held a post."""
    rows = connection.execute(
        "SELECT DISTINCT organisation_id FROM post WHERE cadre_id = ANY(%s)", [list(cadre_ids)]
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def find_standing(connection: Connection, kind: SubjectKind, subject_id: UUID, period: Period) -> Standing | None:
    """None where nothing was published, or nothing with its inputs."""
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        return cursor.execute(
            """
            SELECT publication.subject_code, publication.organisation_id, publication.inputs, publication.document,
                   coalesce(last.number, 0) AS number, coalesce(last.inputs_hash, publication.inputs_hash)
                   AS last_inputs_hash
              FROM publication
              LEFT JOIN LATERAL (
                       SELECT number, inputs_hash
                         FROM correction
                        WHERE correction.subject_kind = publication.subject_kind
                          AND correction.subject_id = publication.subject_id
                          AND correction.period_start = publication.period_start
                          AND correction.period_end = publication.period_end
                          AND correction.period_kind = publication.period_kind
                        ORDER BY number DESC
                        LIMIT 1) AS last
                ON true
             WHERE publication.subject_kind = %s
               AND publication.subject_id = %s
               AND publication.period_kind = %s
               AND publication.period_start = %s
               AND publication.period_end = %s
               AND publication.inputs IS NOT NULL
            """,
            [kind, subject_id, period.kind, period.start, period.end],
        ).fetchone()


def insert_correction(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(
        """
        INSERT INTO correction (subject_kind, subject_id, subject_code, organisation_id, period_kind, period_start,
                                period_end, number, known_at, cause, changes, composite_was, composite_would_be,
                                inputs, inputs_hash, document, content_hash)
        VALUES (%(subject_kind)s, %(subject_id)s, %(subject_code)s, %(organisation_id)s, %(period_kind)s,
                %(period_start)s, %(period_end)s, %(number)s, %(known_at)s, %(cause)s::jsonb, %(changes)s::jsonb,
                %(composite_was)s::numeric, %(composite_would_be)s::numeric, %(inputs)s, %(inputs_hash)s, %(document)s,
                %(content_hash)s)
        """,
        row | {name: orjson.dumps(row[name]).decode() for name in ("cause", "changes")},
    )


def list_corrections(
    connection: Connection,
    kind: SubjectKind,
    *,
    code: str | None,
    period: Period | None,
    before: int | None,
    limit: int,
) -> list[Correction]:
    """The newest first."""
    with connection.cursor(row_factory=class_row(Correction)) as cursor:
        return cursor.execute(
            """
            SELECT place, subject_kind, subject_code, period_kind, period_start, period_end, number, known_at, cause,
                   changes, composite_was, composite_would_be, document, content_hash
              FROM correction
             WHERE subject_kind = %(kind)s
               AND (%(code)s::text IS NULL OR subject_code = %(code)s)
               AND (%(period_kind)s::text IS NULL
                    OR (period_kind, period_start, period_end)
                     = (%(period_kind)s, %(period_start)s::date, %(period_end)s::date))
               AND (%(before)s::bigint IS NULL OR place < %(before)s)
             ORDER BY place DESC
             LIMIT %(limit)s
            """,
            {
                "kind": kind,
                "code": code,
                "period_kind": period.kind if period else None,
                "period_start": period.start if period else None,
                "period_end": period.end if period else None,
                "before": before,
                "limit": limit,
            },
            prepare=False,
        ).fetchall()
