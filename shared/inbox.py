"""Which events a consumer has taken effect of: the inbox row is committed together with the effect."""

from collections.abc import Sequence
from uuid import UUID

from shared.database import Connection, Pool, transaction


def claim_new(connection: Connection, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Enter the events in the inbox and return those that this consumer had not seen before."""
    rows = connection.execute(
        """
           INSERT INTO inbox (consumer, event_id)
           SELECT %s, event_id
             FROM unnest(%s::uuid[]) AS incoming (event_id)
            ORDER BY event_id
               ON CONFLICT DO NOTHING
        RETURNING event_id
        """,
        [consumer, list(event_ids)],
    ).fetchall()
    return {UUID(str(row[0])) for row in rows}


MOST_COUNTED = 1_000  # as in the migrations; whoever fails more often than that, or is one of many without a name


def record_failure(connection: Connection, consumer: str, message_id: str, reason: str) -> int:
    """Count one failed processing of a message and return how many there have been, up to a bound.

    A message may carry any id, even none: what it is called must never be what stops the consumer.
    """
    row = connection.execute(
        """
           INSERT INTO processing_failure AS failure
                  (consumer, message_id, attempts, reason, first_seen_at, last_seen_at)
           VALUES (%s, %s, 1, %s, now(), now())
               ON CONFLICT (consumer, message_id) DO UPDATE
              SET attempts = least(failure.attempts + 1, %s),
                  reason = excluded.reason,
                  last_seen_at = now()
        RETURNING attempts
        """,
        [consumer, _storable(message_id), reason[:500], MOST_COUNTED],
    ).fetchone()
    return int(str(row[0])) if row else 1


def forget_failures(connection: Connection, consumer: str, message_ids: Sequence[str]) -> None:
    connection.execute(
        "DELETE FROM processing_failure WHERE consumer = %s AND message_id = ANY(%s)",
        [consumer, [_storable(message_id) for message_id in message_ids]],
    )


def _storable(message_id: str) -> str:
    return message_id[:200].replace("\0", "?")


class FailureBook:
    """Failed processings of one consumer, each counted in a transaction of its own."""

    def __init__(self, pool: Pool, consumer: str) -> None:
        self._pool = pool
        self._consumer = consumer

    def record(self, message_id: str, reason: str) -> int:
        """Count a failure and return how many there have been."""
        with transaction(self._pool) as connection:
            return record_failure(connection, self._consumer, message_id, reason)

    def forget(self, message_ids: Sequence[str]) -> None:
        with transaction(self._pool) as connection:
            forget_failures(connection, self._consumer, message_ids)
