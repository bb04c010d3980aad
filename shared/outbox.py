"""Events written in the transaction of the change they tell of, and read back by the relay in order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

import orjson
from psycopg.errors import UniqueViolation

from shared.contracts.base import Event
from shared.database import Connection
from shared.errors import Conflict
from shared.identifiers import new_id

PLACES = "outbox_aggregate_order"


class IdTaken(Conflict):
    """The id is that of another aggregate, which has events of its own under it."""

    code = "id-taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEvent:
    """An event and its place among the events of its aggregate: 1, 2, 3 ... assigned under the aggregate's row lock."""

    event: Event
    sequence: int
    event_id: UUID | None = None
    correlation_id: str | None = None  # its own, where one transaction serves several requests


class UnsentEvent(NamedTuple):
    id: int
    event_id: UUID
    event_type: str
    routing_key: str
    aggregate: str
    aggregate_id: UUID
    sequence: int
    recorded_at: datetime
    correlation_id: str
    payload: str


def append(
    connection: Connection, events: Sequence[OutgoingEvent], *, recorded_at: datetime, correlation_id: str
) -> None:
    """Write any number of events in one statement. Raises IdTaken."""
    if not events:
        return
    rows = [
        {
            "event_id": outgoing.event_id or new_id(),
            "event_type": outgoing.event.type,
            "routing_key": outgoing.event.key,
            "aggregate": outgoing.event.aggregate,
            "aggregate_id": outgoing.event.aggregate_id,
            "sequence": outgoing.sequence,
            "correlation_id": outgoing.correlation_id or correlation_id,
            "payload": orjson.Fragment(outgoing.event.model_dump_json(exclude_none=True)),
        }
        for outgoing in events
    ]
    with refusing_taken_ids():
        connection.execute(
            """
            INSERT INTO outbox (event_id, event_type, routing_key, aggregate, aggregate_id, sequence,
                                recorded_at, correlation_id, payload)
            SELECT event_id, event_type, routing_key, aggregate, aggregate_id, sequence, %s, correlation_id, payload
              FROM json_to_recordset(%s::json)
                AS row (event_id uuid, event_type text, routing_key text, aggregate text, aggregate_id uuid,
                        sequence integer, correlation_id text, payload jsonb)
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        )


@contextmanager
def refusing_taken_ids() -> Iterator[None]:
    """Around whatever writes events. Raises IdTaken."""
    try:
        yield
    except UniqueViolation as error:
        if error.diag.constraint_name != PLACES:
            raise
        raise IdTaken("the id belongs to something else already") from None


def list_unsent(connection: Connection, *, limit: int) -> list[UnsentEvent]:
    """List the oldest unsent events, on the partial index outbox_unsent.

    By the unsent mark and never by the last id seen: a transaction that began earlier may commit later.
    """
    rows = connection.execute(
        """
        SELECT id, event_id, event_type, routing_key, aggregate, aggregate_id, sequence, recorded_at, correlation_id,
               payload::text
          FROM outbox
         WHERE sent_at IS NULL
         ORDER BY id
         LIMIT %s
        """,
        [limit],
    ).fetchall()
    return [UnsentEvent._make(row) for row in rows]


def mark_sent(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute("UPDATE outbox SET sent_at = now() WHERE id = ANY(%s)", [list(ids)])


def measure_backlog(connection: Connection) -> tuple[int, float]:
    """Return how many events wait to be sent, and how many seconds the oldest has waited."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM now() - min(recorded_at)), 0)::float8
          FROM outbox
         WHERE sent_at IS NULL
        """
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)


def measure_sent(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    """How many events were sent before then and are here with what they said, and when the oldest was."""
    row = connection.execute(
        """
        SELECT count(*), min(sent_at)
          FROM outbox
         WHERE sent_at < %s
           AND (sequence > 1 OR payload <> '{}')
        """,
        [before],
    ).fetchone()
    return (int(str(row[0])), cast("datetime | None", row[1])) if row else (0, None)


def remove_sent(connection: Connection, before: datetime, batch: int, after: int) -> tuple[int, int, int]:
    """Remove sent events in the order of their entry; return how many, how many were looked at, and the last of these.

    The first event of an aggregate stays, emptied: as long as its place is taken no other aggregate can take its id.
    """
    row = connection.execute(
        """
          WITH looked_at AS (SELECT id, sequence, payload = '{}' AS is_empty
                               FROM outbox
                              WHERE id > %s
                                AND sent_at < %s
                              ORDER BY id
                              LIMIT %s),
               deleted AS (DELETE FROM outbox
                            WHERE id IN (SELECT id FROM looked_at WHERE sequence > 1)
                        RETURNING 1),
               emptied AS (UPDATE outbox
                              SET payload = '{}'
                            WHERE id IN (SELECT id FROM looked_at WHERE sequence = 1 AND NOT is_empty)
                        RETURNING 1)
        SELECT (SELECT count(*) FROM deleted) + (SELECT count(*) FROM emptied),
               (SELECT count(*) FROM looked_at),
               (SELECT coalesce(max(id), 0) FROM looked_at)
        """,
        [after, before, batch],
    ).fetchone()
    return (int(str(row[0])), int(str(row[1])), int(str(row[2]))) if row else (0, 0, 0)
