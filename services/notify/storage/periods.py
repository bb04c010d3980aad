"""What the log of events says of each unit over a period, and which periods have been gone through."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCounts:
    """Of a unit and all below it, issues and not events: one that is closed twice was closed."""

    id: UUID
    code: str
    name: str | None
    assigned: int
    closed: int
    missed: int
    escalated: int


def is_done(connection: Connection, period: str) -> bool:
    return connection.execute("SELECT 1 FROM reader WHERE name = %s", [f"period/{period}"]).fetchone() is not None


def set_done(connection: Connection, period: str) -> bool:
    """Return whether nobody was faster."""
    return (
        connection.execute(
            "INSERT INTO reader (name, position) VALUES (%s, 0) ON CONFLICT DO NOTHING", [f"period/{period}"]
        ).rowcount
        == 1
    )


def list_counts(connection: Connection, *, begin: datetime, end: datetime) -> list[UnitCounts]:
    """Units of which nothing was heard in the period are left out. On the index event_heard."""
    with connection.cursor(row_factory=class_row(UnitCounts)) as cursor:
        return cursor.execute(
            """
              WITH happened AS (
                   SELECT DISTINCT type, aggregate_id, unnest(organisation_ids) AS organisation_id
                     FROM event
                    WHERE heard_at >= %(begin)s
                      AND occurred_at >= %(begin)s
                      AND occurred_at < %(end)s
                      AND type IN ('cn.lianxin.issue.assigned.v1', 'cn.lianxin.issue.closed.v1',
                                   'cn.lianxin.issue.deadline_missed.v1', 'cn.lianxin.issue.escalated.v1')),
                   above AS (
                   SELECT DISTINCT happened.type, happened.aggregate_id, unnest(organisation.path) AS unit_id
                     FROM happened
                     JOIN organisation ON organisation.id = happened.organisation_id)
            SELECT organisation.id, organisation.code, organisation.name,
                   count(*) FILTER (WHERE type = 'cn.lianxin.issue.assigned.v1') AS assigned,
                   count(*) FILTER (WHERE type = 'cn.lianxin.issue.closed.v1') AS closed,
                   count(*) FILTER (WHERE type = 'cn.lianxin.issue.deadline_missed.v1') AS missed,
                   count(*) FILTER (WHERE type = 'cn.lianxin.issue.escalated.v1') AS escalated
              FROM above
              JOIN organisation ON organisation.id = above.unit_id
             WHERE organisation.ended_on IS NULL
             GROUP BY organisation.id
             ORDER BY organisation.id
            """,
            {"begin": begin, "end": end},
        ).fetchall()
