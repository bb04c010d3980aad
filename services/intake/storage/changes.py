"""Events in the order in which they can be followed without a gap."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    written_by: int
    id: int
    event_id: UUID
    event_type: str
    aggregate: str
    aggregate_id: UUID
    sequence: int
    recorded_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """Every transaction before `settled` has ended; none from `next` on has begun."""

    settled: int
    next: int


def get_horizon(connection: Connection) -> Horizon:
    row = connection.execute(
        """
        SELECT pg_snapshot_xmin(snapshot)::text, pg_snapshot_xmax(snapshot)::text
          FROM pg_current_snapshot() AS snapshot
        """
    ).fetchone()
    if row is None:
        raise RuntimeError("there is always a snapshot")
    return Horizon(settled=int(str(row[0])), next=int(str(row[1])))


def list_changes(
    connection: Connection, *, after: tuple[int, int], before: int, aggregates: Collection[str], limit: int
) -> list[Change]:
    """List what was written after this place by transactions that have all ended. On the index outbox_followed.

    The first event of an aggregate stays after its time, emptied: there is nothing in it to be told any more.
    """
    with connection.cursor(row_factory=class_row(Change)) as cursor:
        return cursor.execute(
            """
            SELECT written_by::text::bigint AS written_by, id, event_id, event_type, aggregate, aggregate_id, sequence,
                   recorded_at, payload
              FROM outbox
             WHERE (written_by, id) > (%(transaction)s::text::xid8, %(event)s)
               AND written_by < %(before)s::text::xid8
               AND aggregate = ANY(%(aggregates)s)
               AND payload <> '{}'
             ORDER BY written_by, id
             LIMIT %(limit)s
            """,
            {
                "transaction": str(after[0]),
                "event": after[1],
                "before": str(before),
                "aggregates": list(aggregates),
                "limit": limit,
            },
        ).fetchall()


def renumber_restored(connection: Connection) -> int:
    """In a database restored from a dump transactions are counted anew: give what it brought a place before all new.

    Returns how many events that were. Their order among themselves stays, since it is that of their ids.
    """
    return connection.execute(
        """
        UPDATE outbox
           SET written_by = pg_current_xact_id()
         WHERE EXISTS (SELECT 1 FROM outbox WHERE written_by > pg_current_xact_id())
        """
    ).rowcount
