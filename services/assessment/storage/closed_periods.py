"""Closed periods under their hash, and the days that somebody asked for beside those of the calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from services.assessment.domain.periods import Period, PeriodKind, custom_period
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPeriod:
    period: Period
    scheme_name: str
    scheme_version: int
    definition_hash: bytes
    parameters: str
    publication_count: int
    content_hash: bytes
    log_position: int
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationLine:
    """What one publication adds to the hash of its period."""

    subject_kind: str
    subject_id: UUID
    inputs_hash: bytes | None
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPublication:
    subject_kind: str
    subject_id: UUID
    inputs: str | None
    inputs_hash: bytes | None
    document: str
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    period_kind: PeriodKind
    period_start: date
    period_end: date
    scheme_name: str
    scheme_version: int
    definition_hash: bytes
    parameters: str
    publication_count: int
    content_hash: bytes
    log_position: int
    closed_at: datetime


def insert_closed_period(connection: Connection, closed: ClosedPeriod) -> None:
    connection.execute(
        """
        INSERT INTO closed_period (period_kind, period_start, period_end, scheme_name, scheme_version, definition_hash,
                                   parameters, publication_count, content_hash, log_position, closed_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            closed.period.kind,
            closed.period.start,
            closed.period.end,
            closed.scheme_name,
            closed.scheme_version,
            closed.definition_hash,
            closed.parameters,
            closed.publication_count,
            closed.content_hash,
            closed.log_position,
            closed.closed_at,
        ],
    )


def find_closed_period(connection: Connection, period: Period) -> ClosedPeriod | None:
    return next((one for one in list_closed_periods(connection) if one.period == period), None)


def list_closed_periods(connection: Connection) -> list[ClosedPeriod]:
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(
            """
            SELECT period_kind, period_start, period_end, scheme_name, scheme_version, definition_hash, parameters,
                   publication_count, content_hash, log_position, closed_at
              FROM closed_period
             ORDER BY period_end DESC, period_start DESC, period_kind
            """
        ).fetchall()
    return [
        ClosedPeriod(
            period=Period(
                kind=row.period_kind,
                start=row.period_start,
                last=row.period_end if row.period_kind == "custom" else None,
            ),
            scheme_name=row.scheme_name,
            scheme_version=row.scheme_version,
            definition_hash=row.definition_hash,
            parameters=row.parameters,
            publication_count=row.publication_count,
            content_hash=row.content_hash,
            log_position=row.log_position,
            closed_at=row.closed_at,
        )
        for row in rows
    ]


def stream_lines(connection: Connection, period: Period) -> Iterator[PublicationLine]:
    """In the order of their keys, which no collation has a say in."""
    with connection.cursor(row_factory=class_row(PublicationLine)) as cursor:
        yield from cursor.execute(
            """
            SELECT subject_kind, subject_id, inputs_hash, content_hash
              FROM publication
             WHERE period_kind = %s AND period_start = %s AND period_end = %s
             ORDER BY subject_kind COLLATE "C", subject_id
            """,
            [period.kind, period.start, period.end],
        )


def list_frozen(
    connection: Connection, period: Period, *, after: tuple[str, UUID] | None, limit: int
) -> list[FrozenPublication]:
    """A page of a period in the order of the keys."""
    with connection.cursor(row_factory=class_row(FrozenPublication)) as cursor:
        return cursor.execute(
            """
            SELECT subject_kind, subject_id, inputs, inputs_hash, document, content_hash
              FROM publication
             WHERE period_kind = %(kind)s AND period_start = %(start)s AND period_end = %(end)s
               AND (%(after_kind)s::text IS NULL
                    OR (subject_kind COLLATE "C", subject_id) > (%(after_kind)s, %(after_id)s::uuid))
             ORDER BY subject_kind COLLATE "C", subject_id
             LIMIT %(limit)s
            """,
            {
                "kind": period.kind,
                "start": period.start,
                "end": period.end,
                "after_kind": after[0] if after else None,
                "after_id": after[1] if after else None,
                "limit": limit,
            },
            prepare=False,
        ).fetchall()


def find_log_position(connection: Connection) -> int:
    """The place of the last event that was taken in; 0 before the first."""
    row = connection.execute("SELECT coalesce(max(position), 0) FROM event").fetchone()
    return int(str(row[0])) if row is not None else 0


def insert_custom_period(connection: Connection, period: Period, *, asked_by: str, asked_at: datetime) -> bool:
    """Return whether it was new."""
    return (
        connection.execute(
            """
            INSERT INTO custom_period (first_on, last_on, asked_by, asked_at)
            VALUES (%s, %s, %s, %s)
                ON CONFLICT DO NOTHING
            """,
            [period.start, period.end, asked_by, asked_at],
        ).rowcount
        == 1
    )


def list_custom_periods(connection: Connection) -> list[Period]:
    rows = connection.execute("SELECT first_on, last_on FROM custom_period ORDER BY last_on, first_on").fetchall()
    return [_custom(row) for row in rows]


def find_custom_to_close(connection: Connection) -> Period | None:
    """The first one whose last month is closed, and which is not."""
    row = connection.execute(
        """
        SELECT first_on, last_on
          FROM custom_period
         WHERE last_on < (SELECT max(month) + interval '1 month' FROM closing)
           AND NOT EXISTS (SELECT FROM closed_period
                            WHERE period_kind = 'custom' AND period_start = first_on AND period_end = last_on)
         ORDER BY last_on, first_on
         LIMIT 1
        """
    ).fetchone()
    return None if row is None else _custom(row)


def _custom(row: tuple[object, ...]) -> Period:
    first_on, last_on = row
    if not isinstance(first_on, date) or not isinstance(last_on, date):
        raise TypeError("a period has days")
    return custom_period(first_on, last_on)
