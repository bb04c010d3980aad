"""How far each look at duties that are not met has come, and whose posts are to be looked at next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from services.assessment.domain.reminders import Look
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """An organisation with the cadres who hold a post there."""

    organisation_id: UUID
    cadre_ids: list[UUID]


def find_open(connection: Connection, looks: Sequence[Look]) -> list[Look]:
    """Those of these that were not gone through to their end yet."""
    rows = connection.execute(
        """
        SELECT per, period_start, days_before
          FROM duty_look
         WHERE done_at IS NOT NULL
           AND period_start = ANY (%s)
        """,
        [[look.period.start for look in looks]],
    ).fetchall()
    done = {(row[0], row[1], row[2]) for row in rows}
    return [look for look in looks if (look.period.kind, look.period.start, look.days_before) not in done]


def begin(connection: Connection, look: Look, *, now: datetime) -> None:
    connection.execute(
        """
        INSERT INTO duty_look (per, period_start, days_before, begun_at)
        VALUES (%s, %s, %s, %s)
            ON CONFLICT DO NOTHING
        """,
        [look.period.kind, look.period.start, look.days_before, now],
    )


def lock(connection: Connection, look: Look) -> UUID | None:
    """Up to which organisation it has come. None where it is done, or somebody else is at it."""
    row = connection.execute(
        """
        SELECT looked_until
          FROM duty_look
         WHERE per = %s AND period_start = %s AND days_before = %s
           AND done_at IS NULL
           FOR UPDATE SKIP LOCKED
        """,
        [look.period.kind, look.period.start, look.days_before],
    ).fetchone()
    return UUID(str(row[0])) if row else None


def set_looked(connection: Connection, look: Look, until: UUID) -> None:
    connection.execute(
        "UPDATE duty_look SET looked_until = %s WHERE per = %s AND period_start = %s AND days_before = %s",
        [until, look.period.kind, look.period.start, look.days_before],
    )


def set_done(connection: Connection, look: Look, *, now: datetime) -> None:
    connection.execute(
        "UPDATE duty_look SET done_at = %s WHERE per = %s AND period_start = %s AND days_before = %s",
        [now, look.period.kind, look.period.start, look.days_before],
    )


def list_staff(connection: Connection, *, after: UUID, on: date, limit: int) -> list[Staff]:
    """The next organisations in which anybody holds a post on a day, on post_organisation."""
    with connection.cursor(row_factory=class_row(Staff)) as cursor:
        return cursor.execute(
            """
            SELECT organisation_id, array_agg(DISTINCT cadre_id) AS cadre_ids
              FROM post
             WHERE organisation_id > %s
               AND from_on <= %s
               AND (until_on IS NULL OR until_on >= %s)
             GROUP BY organisation_id
             ORDER BY organisation_id
             LIMIT %s
            """,
            [after, on, on, limit],
        ).fetchall()
