"""The log of everything that was heard, in an order in which it can be read without a gap."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.notify.domain.events import HeardEvent
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    event_id: UUID
    source: str
    type: str
    aggregate: str
    aggregate_id: UUID
    sequence: int
    organisation_ids: tuple[UUID, ...]
    concerns_all: bool
    occurred_at: datetime | None
    recorded_at: datetime
    correlation_id: str
    envelope: str


def append_events(connection: Connection, events: Sequence[NewEvent], *, heard_at: datetime) -> int:
    """Give them the next positions, in the order in which they stand; return the last.

    Others wait here until this transaction ends: that is what keeps the order free of gaps.
    """
    row = connection.execute(
        "UPDATE event_position SET last_position = last_position + %s RETURNING last_position", [len(events)]
    ).fetchone()
    if row is None:
        raise RuntimeError("the position of the events is missing: the migrations have not run")
    last = int(str(row[0]))
    rows = [asdict(event) | {"position": position} for position, event in enumerate(events, last - len(events) + 1)]
    connection.execute(
        """
        INSERT INTO event (position, event_id, source, type, aggregate, aggregate_id, sequence, organisation_ids,
                           concerns_all, occurred_at, recorded_at, heard_at, correlation_id, envelope)
        SELECT position, event_id, source, type, aggregate, aggregate_id, sequence, organisation_ids,
               concerns_all, occurred_at, recorded_at, %s, correlation_id, envelope::json
          FROM json_to_recordset(%s::json)
            AS row (position bigint, event_id uuid, source text, type text, aggregate text, aggregate_id uuid,
                    sequence integer, organisation_ids uuid[], concerns_all boolean, occurred_at timestamptz,
                    recorded_at timestamptz, correlation_id text, envelope text)
        """,
        [heard_at, orjson.dumps(rows).decode()],
    )
    return last


def list_events(connection: Connection, *, after: int, limit: int) -> list[HeardEvent]:
    with connection.cursor(row_factory=class_row(HeardEvent)) as cursor:
        return cursor.execute(
            """
            SELECT position, event_id, source, type, aggregate, aggregate_id, sequence, organisation_ids, concerns_all,
                   occurred_at, recorded_at, heard_at, correlation_id, envelope::text AS envelope
              FROM event
             WHERE position > %s
             ORDER BY position
             LIMIT %s
            """,
            [after, limit],
        ).fetchall()


def get_last_position(connection: Connection) -> int:
    """Where the log ends now; for processes alone, since it counts what is out of reach."""
    row = connection.execute("SELECT last_position FROM event_position").fetchone()
    return int(str(row[0])) if row else 0
