"""Deliveries as they are worked on: claimed under a lease, with the attempt entered before it is made, and answered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.deliveries import Outgoing
from shared.database import Connection


def settle_hopeless(connection: Connection, *, now: datetime, attempts_max: int) -> tuple[int, int]:
    """End what waits, or whose lease has run out, and is too old or was tried too often: so many expired and failed."""
    expired = connection.execute(
        """
        UPDATE delivery
           SET status = 'expired',
               settled_at = %s,
               reason = left('expired' || coalesce(', last: ' || reason, ''), 200)
         WHERE id IN (SELECT id
                        FROM delivery
                       WHERE status IN ('due', 'claimed')
                         AND valid_until <= %s
                         AND (status = 'due' OR next_attempt_at <= %s)
                         FOR UPDATE SKIP LOCKED)
        """,
        [now, now, now],
    ).rowcount
    failed = connection.execute(
        """
        UPDATE delivery
           SET status = 'failed',
               settled_at = %s,
               reason = left('attempts exhausted' || coalesce(', last: ' || reason, ''), 200)
         WHERE id IN (SELECT id
                        FROM delivery
                       WHERE status IN ('due', 'claimed')
                         AND next_attempt_at <= %s
                         AND attempts - attempts_before >= %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [now, now, attempts_max],
    ).rowcount
    return expired, failed


def list_waiting_endpoints(connection: Connection, *, now: datetime) -> list[tuple[str, str]]:
    """Every channel and endpoint for which something is due. On the partial index delivery_open."""
    rows = connection.execute(
        """
        SELECT DISTINCT channel, endpoint
          FROM delivery
         WHERE status IN ('due', 'claimed')
           AND next_attempt_at <= %s
         ORDER BY endpoint
        """,
        [now],
    ).fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]


def count_under_way(connection: Connection, endpoint: str, *, now: datetime) -> int:
    row = connection.execute(
        "SELECT count(*) FROM delivery WHERE endpoint = %s AND status = 'claimed' AND next_attempt_at > %s",
        [endpoint, now],
    ).fetchone()
    return int(str(row[0])) if row else 0


def has_due(connection: Connection, endpoint: str, *, now: datetime) -> bool:
    row = connection.execute(
        """
        SELECT EXISTS (SELECT 1
                         FROM delivery
                        WHERE endpoint = %s
                          AND status IN ('due', 'claimed')
                          AND next_attempt_at <= %s)
        """,
        [endpoint, now],
    ).fetchone()
    return row is not None and bool(row[0])


def claim_due(connection: Connection, endpoint: str, *, now: datetime, lease: timedelta, limit: int) -> list[Outgoing]:
    """Claim what is due for one endpoint, or whose lease ran out unheard, and enter the attempts before they are made.

    On the partial index delivery_open.
    """
    with connection.cursor(row_factory=class_row(Outgoing)) as cursor:
        return cursor.execute(
            """
              WITH claimed AS (
                      UPDATE delivery
                         SET status = 'claimed',
                             attempts = attempts + 1,
                             next_attempt_at = %(until)s
                       WHERE id IN (SELECT id
                                      FROM delivery
                                     WHERE endpoint = %(endpoint)s
                                       AND status IN ('due', 'claimed')
                                       AND next_attempt_at <= %(now)s
                                     ORDER BY next_attempt_at
                                     LIMIT %(limit)s
                                       FOR UPDATE SKIP LOCKED)
                   RETURNING id, digest_id, attempts, message_id, recipient_name, address, subject, text_body,
                             html_body),
                   lost AS (
                      UPDATE delivery_attempt
                         SET outcome = 'lost',
                             ended_at = %(now)s
                        FROM claimed
                       WHERE delivery_attempt.delivery_id = claimed.id
                         AND delivery_attempt.outcome IS NULL),
                   begun AS (
                      INSERT INTO delivery_attempt (delivery_id, number, begun_at)
                      SELECT id, attempts, %(now)s FROM claimed)
            SELECT claimed.id AS delivery_id, claimed.attempts AS attempt, claimed.message_id, claimed.recipient_name,
                   claimed.address, digest.language, coalesce(claimed.subject, digest.subject) AS subject,
                   coalesce(claimed.text_body, digest.text_body) AS text_body,
                   coalesce(claimed.html_body, digest.html_body) AS html_body,
                   digest.composed_at, digest.correlation_id
              FROM claimed
              JOIN digest ON digest.id = claimed.digest_id
             ORDER BY claimed.id
            """,
            {"until": now + lease, "endpoint": endpoint, "now": now, "limit": limit},
        ).fetchall()


def set_sent(
    connection: Connection, delivery_id: UUID, *, at: datetime, reference: str | None = None, attempt: int | None = None
) -> bool:
    """Sent is sent, even where the lease had run out and somebody else has claimed the delivery since.

    With an attempt its end is entered in the same round trip, as in `end_attempt`.
    """
    return (
        connection.execute(
            """
              WITH ended AS (
                      UPDATE delivery_attempt
                         SET ended_at = %(at)s, outcome = 'sent', reason = NULL
                       WHERE delivery_id = %(id)s
                         AND number = %(attempt)s::integer
                         AND (outcome IS NULL OR outcome = 'lost'))
            UPDATE delivery
               SET status = 'sent', settled_at = %(at)s, reason = NULL, reference = coalesce(%(reference)s, reference)
             WHERE id = %(id)s
               AND status <> 'sent'
            """,
            {"at": at, "id": delivery_id, "attempt": attempt, "reference": reference},
        ).rowcount
        == 1
    )


def set_failed(connection: Connection, item: Outgoing, *, at: datetime, reason: str | None) -> bool:
    """False where another attempt has been claimed since, or the delivery is settled: this answer comes too late."""
    return (
        connection.execute(
            """
            UPDATE delivery
               SET status = 'failed',
                   settled_at = %s,
                   reason = %s
             WHERE id = %s
               AND status = 'claimed'
               AND attempts = %s
            """,
            [at, reason, item.delivery_id, item.attempt],
        ).rowcount
        == 1
    )


def set_due_again(connection: Connection, item: Outgoing, *, next_attempt_at: datetime, reason: str | None) -> bool:
    """False where another attempt has been claimed since, or the delivery is settled."""
    return (
        connection.execute(
            """
            UPDATE delivery
               SET status = 'due',
                   next_attempt_at = %s,
                   reason = coalesce(%s, reason)
             WHERE id = %s
               AND status = 'claimed'
               AND attempts = %s
            """,
            [next_attempt_at, reason, item.delivery_id, item.attempt],
        ).rowcount
        == 1
    )


def end_attempt(connection: Connection, item: Outgoing, *, at: datetime, outcome: str, reason: str | None) -> None:
    """Enter what became of an attempt, late or not: what was lost may still be heard."""
    connection.execute(
        """
        UPDATE delivery_attempt
           SET ended_at = %s, outcome = %s, reason = left(%s, 200)
         WHERE delivery_id = %s
           AND number = %s
           AND (outcome IS NULL OR outcome = 'lost')
        """,
        [at, outcome, reason, item.delivery_id, item.attempt],
    )


def release(connection: Connection, items: Sequence[Outgoing], *, now: datetime) -> int:
    """Give back claims whose attempt was not made, and do not count it."""
    keys = [[item.delivery_id for item in items], [item.attempt for item in items]]
    connection.execute(
        """
        DELETE FROM delivery_attempt
         USING unnest(%s::uuid[], %s::integer[]) AS claim (id, attempt)
         WHERE delivery_attempt.delivery_id = claim.id
           AND delivery_attempt.number = claim.attempt
           AND delivery_attempt.outcome IS NULL
        """,
        keys,
    )
    return connection.execute(
        """
        UPDATE delivery
           SET status = 'due',
               attempts = delivery.attempts - 1,
               next_attempt_at = %s
          FROM unnest(%s::uuid[], %s::integer[]) AS claim (id, attempt)
         WHERE delivery.id = claim.id
           AND delivery.status = 'claimed'
           AND delivery.attempts = claim.attempt
        """,
        [now, *keys],
    ).rowcount
