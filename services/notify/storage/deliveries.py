"""Deliveries as state: due, claimed under a lease, sent or failed. The row is the truth, a task only a nudge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.deliveries import Channel, DeliveryStatus, Mail
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    id: UUID
    digest_id: UUID
    channel: Channel
    recipient_name: str
    address: str | None
    message_id: str
    status: DeliveryStatus
    created_at: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    id: UUID
    digest_id: UUID
    subscription: str
    channel: Channel
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime
    valid_until: datetime
    reason: str | None
    created_at: datetime
    settled_at: datetime | None


def insert_delivery(connection: Connection, delivery: NewDelivery) -> None:
    settled_at = delivery.created_at if delivery.status == "sent" else None
    connection.execute(
        """
        INSERT INTO delivery (id, digest_id, channel, recipient_name, address, message_id, status, next_attempt_at,
                              valid_until, created_at, settled_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            delivery.id,
            delivery.digest_id,
            delivery.channel,
            delivery.recipient_name,
            delivery.address,
            delivery.message_id,
            delivery.status,
            delivery.created_at,
            delivery.valid_until,
            delivery.created_at,
            settled_at,
        ],
    )


def abandon_hopeless(connection: Connection, *, now: datetime, attempts_max: int) -> int:
    """Give up what is due, or whose lease has run out, and is too old or was tried too often; return how many."""
    return connection.execute(
        """
        UPDATE delivery
           SET status = 'failed',
               settled_at = %s,
               reason = left(CASE WHEN valid_until <= %s THEN 'expired' ELSE 'attempts exhausted' END
                             || coalesce(', last: ' || reason, ''), 200)
         WHERE id IN (SELECT id
                        FROM delivery
                       WHERE status IN ('due', 'claimed')
                         AND next_attempt_at <= %s
                         AND (valid_until <= %s OR attempts >= %s)
                         FOR UPDATE SKIP LOCKED)
        """,
        [now, now, now, now, attempts_max],
    ).rowcount


def claim_due_mails(connection: Connection, *, now: datetime, lease: timedelta, limit: int) -> list[Mail]:
    """Claim mails that are due, or whose lease ran out unheard; count the attempt before it is made.

    On the partial index delivery_open.
    """
    with connection.cursor(row_factory=class_row(Mail)) as cursor:
        return cursor.execute(
            """
              WITH claimed AS (
                      UPDATE delivery
                         SET status = 'claimed',
                             attempts = attempts + 1,
                             next_attempt_at = %s
                       WHERE id IN (SELECT id
                                      FROM delivery
                                     WHERE status IN ('due', 'claimed')
                                       AND next_attempt_at <= %s
                                       AND channel = 'email'
                                     ORDER BY next_attempt_at
                                     LIMIT %s
                                       FOR UPDATE SKIP LOCKED)
                   RETURNING id, digest_id, attempts, message_id, recipient_name, address)
            SELECT claimed.id AS delivery_id, claimed.attempts AS attempt, claimed.message_id, claimed.recipient_name,
                   claimed.address, digest.language, digest.subject, digest.text_body, digest.html_body,
                   digest.composed_at, digest.correlation_id
              FROM claimed
              JOIN digest ON digest.id = claimed.digest_id
             ORDER BY claimed.id
            """,
            [now + lease, now, limit],
        ).fetchall()


def set_sent(connection: Connection, delivery_id: UUID, *, at: datetime) -> bool:
    """Sent is sent, even where the lease had run out and somebody else has claimed the delivery since."""
    return (
        connection.execute(
            "UPDATE delivery SET status = 'sent', settled_at = %s, reason = NULL WHERE id = %s AND status <> 'sent'",
            [at, delivery_id],
        ).rowcount
        == 1
    )


def set_failed(connection: Connection, mail: Mail, *, at: datetime, reason: str | None) -> bool:
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
            [at, reason, mail.delivery_id, mail.attempt],
        ).rowcount
        == 1
    )


def set_due_again(connection: Connection, mail: Mail, *, next_attempt_at: datetime, reason: str | None) -> bool:
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
            [next_attempt_at, reason, mail.delivery_id, mail.attempt],
        ).rowcount
        == 1
    )


def release(connection: Connection, mails: Sequence[Mail], *, now: datetime) -> int:
    """Give back claims whose attempt was not made, and do not count it."""
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
        [now, [mail.delivery_id for mail in mails], [mail.attempt for mail in mails]],
    ).rowcount


def list_deliveries(
    connection: Connection, *, status: DeliveryStatus | None, before: UUID | None, limit: int
) -> list[Delivery]:
    """List the newest first; ids are ordered by time."""
    with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(
            """
            SELECT delivery.id, delivery.digest_id, subscription.name AS subscription, delivery.channel,
                   delivery.status, delivery.attempts, delivery.next_attempt_at, delivery.valid_until, delivery.reason,
                   delivery.created_at, delivery.settled_at
              FROM delivery
              JOIN digest ON digest.id = delivery.digest_id
              JOIN subscription ON subscription.id = digest.subscription_id
             WHERE (%s::text IS NULL OR delivery.status = %s)
               AND (%s::uuid IS NULL OR delivery.id < %s)
             ORDER BY delivery.id DESC
             LIMIT %s
            """,
            [status, status, before, before, limit],
        ).fetchall()


def measure_backlog(connection: Connection) -> tuple[int, float]:
    """How many deliveries have neither arrived nor failed, and the age of the oldest in seconds."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
          FROM delivery
         WHERE status IN ('due', 'claimed')
        """
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)
