"""Webhook deliveries as they come to be and as people look at them. How they are worked on is in `webhook_claims`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.endpoints import DeliveryKind, WebhookDeliveryStatus
from services.notify.storage.passing import PASSES
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDelivery:
    id: int
    kind: DeliveryKind
    position: int | None
    event_id: UUID
    event_type: str
    subject: str
    status: WebhookDeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    settled_at: datetime | None
    http_status: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAttempt:
    number: int
    started_at: datetime
    milliseconds: int | None
    outcome: str
    http_status: int | None
    reason: str | None


def make_deliveries(
    connection: Connection,
    endpoint_id: UUID,
    *,
    after: int,
    window: int,
    passing: Mapping[str, object],
    now: datetime,
) -> int:
    """Take the next stretch of the log, owe what of it passes, and move the endpoint's position behind it.

    Returns how many deliveries that made. `passing` are `types` and `within`. The log has no gaps, so a stretch is as
    long as its numbers say.
    """
    return connection.execute(
        b"""
          WITH stretch AS (
                  SELECT least(%(after)s + %(window)s, coalesce(max(position), 0)) AS last FROM event),
               moved AS (
                  UPDATE webhook_endpoint
                     SET position = greatest(position, (SELECT last FROM stretch))
                   WHERE id = %(endpoint)s)
        INSERT INTO webhook_delivery (endpoint_id, kind, position, event_id, event_type, subject, created_at,
                                      next_attempt_at)
        SELECT %(endpoint)s, 'event', event.position, event.event_id, event.type,
               event.aggregate || '/' || event.aggregate_id, %(now)s, %(now)s
          FROM event
         WHERE event.position > %(after)s
           AND event.position <= (SELECT last FROM stretch)
        """
        + PASSES
        + b" ORDER BY event.position",
        {"endpoint": endpoint_id, "after": after, "window": window, "now": now, **passing},
    ).rowcount


def replay_range(
    connection: Connection,
    endpoint_id: UUID,
    *,
    span: Mapping[str, object],
    passing: Mapping[str, object],
    now: datetime,
) -> tuple[int, int | None]:
    """Owe again what passes of a range of the log, but for what is owed anyway; return how many, and the last position.

    `span` are `from_position` and `to_position`, `from_at` and `until_at` (of hearing), each or none, `only_failed`,
    and `most`.
    """
    row = connection.execute(
        b"""
          WITH made AS (
                  INSERT INTO webhook_delivery (endpoint_id, kind, position, event_id, event_type, subject, created_at,
                                                next_attempt_at)
                  SELECT %(endpoint)s, 'replay', event.position, event.event_id, event.type,
                         event.aggregate || '/' || event.aggregate_id, %(now)s, %(now)s
                    FROM event
                   WHERE event.position >= coalesce(%(from_position)s::bigint, 0)
                     AND event.position <= (SELECT position FROM webhook_endpoint WHERE id = %(endpoint)s)
                     AND (%(to_position)s::bigint IS NULL OR event.position <= %(to_position)s)
                     AND (%(from_at)s::timestamptz IS NULL OR event.heard_at >= %(from_at)s)
                     AND (%(until_at)s::timestamptz IS NULL OR event.heard_at < %(until_at)s)
                     AND NOT EXISTS (SELECT 1
                                       FROM webhook_delivery AS owed
                                      WHERE owed.endpoint_id = %(endpoint)s
                                        AND owed.status IN ('due', 'claimed')
                                        AND owed.subject = event.aggregate || '/' || event.aggregate_id
                                        AND owed.position = event.position)
                     AND (NOT %(only_failed)s
                          OR 'failed' = (SELECT last.status
                                           FROM webhook_delivery AS last
                                          WHERE last.endpoint_id = %(endpoint)s
                                            AND last.position = event.position
                                          ORDER BY last.id DESC
                                          LIMIT 1))
        """
        + PASSES
        + b"""
                   ORDER BY event.position
                   LIMIT %(most)s
               RETURNING position)
        SELECT count(*), max(position) FROM made
        """,
        {"endpoint": endpoint_id, "now": now, **span, **passing},
    ).fetchone()
    return (int(str(row[0])), None if row[1] is None else int(str(row[1]))) if row else (0, None)


def insert_test(connection: Connection, endpoint_id: UUID, event_id: UUID, event_type: str, *, now: datetime) -> int:
    row = connection.execute(
        """
           INSERT INTO webhook_delivery (endpoint_id, kind, event_id, event_type, subject, created_at, next_attempt_at)
           VALUES (%s, 'test', %s, %s, %s, %s, %s)
        RETURNING id
        """,
        [endpoint_id, event_id, event_type, f"webhook_endpoint/{event_id}", now, now],
    ).fetchone()
    return int(str(row[0])) if row else 0


def bring_forward(connection: Connection, endpoint_id: UUID, *, now: datetime) -> int:
    """The endpoint is back: what waits for a later attempt waits no longer."""
    return connection.execute(
        """
        UPDATE webhook_delivery
           SET next_attempt_at = %(now)s
         WHERE endpoint_id = %(endpoint)s
           AND status = 'due'
           AND next_attempt_at > %(now)s
        """,
        {"endpoint": endpoint_id, "now": now},
    ).rowcount


def start_anew(connection: Connection, endpoint_id: UUID, *, now: datetime) -> int:
    """Of an endpoint that is switched on again: what is open begins its schedule from the start."""
    return connection.execute(
        """
        UPDATE webhook_delivery
           SET next_attempt_at = %(now)s,
               tries = 0,
               first_attempt_at = NULL
         WHERE endpoint_id = %(endpoint)s
           AND status = 'due'
        """,
        {"endpoint": endpoint_id, "now": now},
    ).rowcount


def withdraw_open(connection: Connection, endpoint_id: UUID, *, reason: str, now: datetime) -> int:
    return connection.execute(
        """
        UPDATE webhook_delivery
           SET status = 'withdrawn',
               settled_at = %s,
               reason = %s
         WHERE endpoint_id = %s
           AND status IN ('due', 'claimed')
        """,
        [now, reason, endpoint_id],
    ).rowcount


def withdraw_of_agreement(connection: Connection, agreement_id: UUID, *, reason: str, now: datetime) -> int:
    return connection.execute(
        """
        UPDATE webhook_delivery
           SET status = 'withdrawn',
               settled_at = %s,
               reason = %s
         WHERE endpoint_id IN (SELECT id FROM webhook_endpoint WHERE agreement_id = %s)
           AND status IN ('due', 'claimed')
        """,
        [now, reason, agreement_id],
    ).rowcount


def list_deliveries(
    connection: Connection, endpoint_id: UUID, *, status: WebhookDeliveryStatus | None, before: int | None, limit: int
) -> list[ShownDelivery]:
    """The newest first. On the index webhook_delivery_listed."""
    with connection.cursor(row_factory=class_row(ShownDelivery)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, position, event_id, event_type, subject, status, attempts,
                   CASE WHEN status = 'due' THEN next_attempt_at END AS next_attempt_at, created_at, settled_at,
                   http_status, reason
              FROM webhook_delivery
             WHERE endpoint_id = %(endpoint)s
               AND (%(status)s::text IS NULL OR status = %(status)s)
               AND (%(before)s::bigint IS NULL OR id < %(before)s)
             ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"endpoint": endpoint_id, "status": status, "before": before, "limit": limit},
        ).fetchall()


def find_delivery(connection: Connection, endpoint_id: UUID, delivery_id: int) -> ShownDelivery | None:
    with connection.cursor(row_factory=class_row(ShownDelivery)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, position, event_id, event_type, subject, status, attempts,
                   CASE WHEN status = 'due' THEN next_attempt_at END AS next_attempt_at, created_at, settled_at,
                   http_status, reason
              FROM webhook_delivery
             WHERE endpoint_id = %s
               AND id = %s
            """,
            [endpoint_id, delivery_id],
        ).fetchone()


def list_attempts(connection: Connection, delivery_id: int) -> list[ShownAttempt]:
    with connection.cursor(row_factory=class_row(ShownAttempt)) as cursor:
        return cursor.execute(
            """
            SELECT number, started_at, milliseconds, outcome, http_status, reason
              FROM webhook_attempt
             WHERE delivery_id = %s
             ORDER BY number
            """,
            [delivery_id],
        ).fetchall()


def measure_backlog(connection: Connection) -> tuple[int, float]:
    """How many deliveries are open that somebody waits for, and the age of the oldest in seconds."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM now() - min(delivery.created_at)), 0)::float8
          FROM webhook_delivery AS delivery
          JOIN webhook_endpoint AS endpoint ON endpoint.id = delivery.endpoint_id
          JOIN agreement ON agreement.id = endpoint.agreement_id
         WHERE delivery.status IN ('due', 'claimed')
           AND endpoint.status = 'active'
           AND agreement.status = 'agreed'
           AND agreement.valid_until > now()
        """
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)
