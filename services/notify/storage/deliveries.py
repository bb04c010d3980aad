"""Deliveries as state, as they come to be and as people look at them. How they are worked on is in `claims`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.deliveries import DeliveryStatus
from services.notify.domain.messages import Rendering
from shared.database import Connection
from shared.gateways.receipts import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    id: UUID
    digest_id: UUID
    channel: str
    endpoint: str
    recipient_name: str
    address: str | None
    message_id: str
    status: DeliveryStatus
    created_at: datetime
    valid_until: datetime
    rendering: Rendering | None = None  # None: what the digest says


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    id: UUID
    digest_id: UUID
    subscription: str | None  # None: for a person
    channel: str
    endpoint: str
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime
    valid_until: datetime
    reason: str | None
    created_at: datetime
    settled_at: datetime | None
    receipt: Receipt | None
    receipt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    number: int
    begun_at: datetime
    ended_at: datetime | None
    outcome: Literal["sent", "retry", "failed", "lost"] | None  # None: nobody has heard yet
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Exactly what a delivery said; empty once its time is over."""

    subject: str
    text_body: str
    html_body: str


def insert_delivery(connection: Connection, delivery: NewDelivery) -> None:
    insert_deliveries(connection, [delivery])


def insert_deliveries(connection: Connection, made: Sequence[NewDelivery]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO delivery (id, digest_id, channel, endpoint, recipient_name, address, message_id, status,
                                  next_attempt_at, valid_until, created_at, settled_at, subject, text_body, html_body)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    delivery.id,
                    delivery.digest_id,
                    delivery.channel,
                    delivery.endpoint,
                    delivery.recipient_name,
                    delivery.address,
                    delivery.message_id,
                    delivery.status,
                    delivery.created_at,
                    delivery.valid_until,
                    delivery.created_at,
                    delivery.created_at if delivery.status == "sent" else None,
                    delivery.rendering.subject if delivery.rendering else None,
                    delivery.rendering.text_body if delivery.rendering else None,
                    delivery.rendering.html_body if delivery.rendering else None,
                )
                for delivery in made
            ],
        )


def list_deliveries(
    connection: Connection, *, status: DeliveryStatus | None, before: UUID | None, limit: int
) -> list[Delivery]:
    """List the newest first; ids are ordered by time."""
    with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(
            """
            SELECT delivery.id, delivery.digest_id, subscription.name AS subscription, delivery.channel,
                   delivery.endpoint, delivery.status, delivery.attempts, delivery.next_attempt_at,
                   delivery.valid_until, delivery.reason, delivery.created_at, delivery.settled_at, delivery.receipt,
                   delivery.receipt_at
              FROM delivery
              JOIN digest ON digest.id = delivery.digest_id
              LEFT JOIN subscription ON subscription.id = digest.subscription_id
             WHERE (%s::text IS NULL OR delivery.status = %s)
               AND (%s::uuid IS NULL OR delivery.id < %s)
             ORDER BY delivery.id DESC
             LIMIT %s
            """,
            [status, status, before, before, limit],
        ).fetchall()


def find_delivery(connection: Connection, delivery_id: UUID) -> Delivery | None:
    with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(
            """
            SELECT delivery.id, delivery.digest_id, subscription.name AS subscription, delivery.channel,
                   delivery.endpoint, delivery.status, delivery.attempts, delivery.next_attempt_at,
                   delivery.valid_until, delivery.reason, delivery.created_at, delivery.settled_at, delivery.receipt,
                   delivery.receipt_at
              FROM delivery
              JOIN digest ON digest.id = delivery.digest_id
              LEFT JOIN subscription ON subscription.id = digest.subscription_id
             WHERE delivery.id = %s
            """,
            [delivery_id],
        ).fetchone()


def list_attempts(connection: Connection, delivery_id: UUID) -> list[Attempt]:
    with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        return cursor.execute(
            """
            SELECT number, begun_at, ended_at, outcome, reason
              FROM delivery_attempt
             WHERE delivery_id = %s
             ORDER BY number
            """,
            [delivery_id],
        ).fetchall()


def find_said(connection: Connection, delivery_id: UUID) -> Said | None:
    with connection.cursor(row_factory=class_row(Said)) as cursor:
        return cursor.execute(
            """
            SELECT coalesce(delivery.subject, digest.subject) AS subject,
                   coalesce(delivery.text_body, digest.text_body) AS text_body,
                   coalesce(delivery.html_body, digest.html_body) AS html_body
              FROM delivery
              JOIN digest ON digest.id = delivery.digest_id
             WHERE delivery.id = %s
            """,
            [delivery_id],
        ).fetchone()


def set_due_by_hand(connection: Connection, delivery_id: UUID, *, now: datetime, valid_until: datetime) -> bool:
    """Have it tried anew. False where it is under way or arrived, or has forgotten where it went."""
    return (
        connection.execute(
            """
            UPDATE delivery
               SET status = 'due',
                   settled_at = NULL,
                   next_attempt_at = %s,
                   valid_until = %s,
                   attempts_before = attempts,
                   reason = NULL,
                   receipt = NULL,
                   receipt_at = NULL
             WHERE id = %s
               AND address IS NOT NULL
               AND recipient_name <> ''
               AND (status IN ('failed', 'expired') OR receipt = 'undelivered')
            """,
            [now, valid_until, delivery_id],
        ).rowcount
        == 1
    )


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


def measure_channels(connection: Connection) -> dict[str, tuple[int, float]]:
    """By channel how many deliveries wait, and the age of the oldest in seconds."""
    rows = connection.execute(
        """
        SELECT channel, count(*), extract(epoch FROM now() - min(created_at))::float8
          FROM delivery
         WHERE status IN ('due', 'claimed')
         GROUP BY channel
        """
    ).fetchall()
    return {str(row[0]): (int(str(row[1])), max(0.0, float(str(row[2])))) for row in rows}
