"""Webhook deliveries as state: made out of the log, due, claimed under a lease, settled. The row is the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.attempts import Outcome
from services.notify.domain.endpoints import DeliveryKind, WebhookDeliveryStatus
from services.notify.storage.passing import PASSES
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An endpoint that something may go to, with what its agreement says of it."""

    endpoint_id: UUID
    agreement_id: UUID
    url: str
    status: str
    endpoint_types: list[str]
    endpoint_organisation_id: UUID | None
    agreed_types: list[str]
    agreed_organisation_id: UUID | None
    content: str
    is_behind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What decides how much of an endpoint's may be under way, read under its lock."""

    status: str
    position: int
    rate_per_minute: int | None
    free_at: datetime | None
    failures: int
    failing_since: datetime | None
    probe_at: datetime | None
    hold_until: datetime | None
    last_success_at: datetime | None
    open_count: int
    in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """One attempt about to be made. `attempt` tells a late answer to an earlier attempt from the answer to this one.

    Without an envelope the event is not kept any more; a test has none.
    """

    delivery_id: int
    kind: DeliveryKind
    attempt: int
    tries: int
    event_id: UUID
    event_type: str
    subject: str
    created_at: datetime
    first_attempt_at: datetime
    envelope: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """What became of one attempt, to be written down with all others of the moment."""

    delivery_id: int
    attempt: int
    status: WebhookDeliveryStatus
    outcome: Outcome
    tries: int
    next_attempt_at: datetime | None
    settled_at: datetime | None
    started_at: datetime
    milliseconds: int
    http_status: int | None
    reason: str | None


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


def list_ready(connection: Connection, *, now: datetime, busy: Sequence[UUID]) -> list[Ready]:
    """Endpoints under an agreement in force that are behind the log or have something due; tests go to any of them.

    `busy` are those that this process has its hands full with.
    """
    with connection.cursor(row_factory=class_row(Ready)) as cursor:
        return cursor.execute(
            """
            SELECT endpoint.id AS endpoint_id, agreement.id AS agreement_id, endpoint.url, endpoint.status,
                   endpoint.event_types AS endpoint_types, endpoint.organisation_id AS endpoint_organisation_id,
                   agreement.event_types AS agreed_types, agreement.organisation_id AS agreed_organisation_id,
                   agreement.content,
                   endpoint.position < (SELECT coalesce(max(position), 0) FROM event) AS is_behind
              FROM webhook_endpoint AS endpoint
              JOIN agreement ON agreement.id = endpoint.agreement_id
             WHERE agreement.status = 'agreed'
               AND agreement.valid_from <= %(now)s
               AND agreement.valid_until > %(now)s
               AND endpoint.id <> ALL (%(busy)s)
               AND ((endpoint.status = 'active'
                     AND (endpoint.hold_until IS NULL OR endpoint.hold_until <= %(now)s)
                     AND (endpoint.probe_at IS NULL OR endpoint.probe_at <= %(now)s)
                     AND (endpoint.free_at IS NULL OR endpoint.free_at <= %(now)s)
                     AND (endpoint.position < (SELECT coalesce(max(position), 0) FROM event)
                          OR EXISTS (SELECT 1
                                       FROM webhook_delivery AS delivery
                                      WHERE delivery.endpoint_id = endpoint.id
                                        AND delivery.status IN ('due', 'claimed')
                                        AND delivery.next_attempt_at <= %(now)s)))
                    OR (endpoint.status IN ('active', 'paused', 'disabled')
                        AND EXISTS (SELECT 1
                                      FROM webhook_delivery AS delivery
                                     WHERE delivery.endpoint_id = endpoint.id
                                       AND delivery.status IN ('due', 'claimed')
                                       AND delivery.kind = 'test'
                                       AND delivery.next_attempt_at <= %(now)s)))
             ORDER BY endpoint.id
            """,
            {"now": now, "busy": list(busy)},
        ).fetchall()


def lock_state(connection: Connection, endpoint_id: UUID, *, now: datetime) -> State | None:
    """None where another process has it, or it is gone: claims of one endpoint are made one after the other."""
    with connection.cursor(row_factory=class_row(State)) as cursor:
        return cursor.execute(
            """
              WITH locked AS (
                      SELECT id, status, position, rate_per_minute, free_at, failures, failing_since, probe_at,
                             hold_until, last_success_at
                        FROM webhook_endpoint
                       WHERE id = %(id)s
                         FOR UPDATE SKIP LOCKED)
            SELECT locked.status, locked.position, rate_per_minute, free_at, failures, failing_since, probe_at,
                   hold_until, last_success_at, count(delivery.id) AS open_count,
                   count(delivery.id) FILTER (WHERE delivery.status = 'claimed' AND next_attempt_at > %(now)s)
                       AS in_flight
              FROM locked
              LEFT JOIN webhook_delivery AS delivery
                     ON delivery.endpoint_id = locked.id AND delivery.status IN ('due', 'claimed')
             GROUP BY locked.status, locked.position, rate_per_minute, free_at, failures, failing_since, probe_at,
                      hold_until, last_success_at
            """,
            {"id": endpoint_id, "now": now},
        ).fetchone()


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


def claim_due(
    connection: Connection, endpoint_id: UUID, *, limit: int, only_tests: bool, now: datetime, lease_until: datetime
) -> list[Claimed]:
    """Claim what is due and has nothing before it of the same subject; count the attempt before it is made.

    On the partial indexes webhook_delivery_open and webhook_delivery_subject.
    """
    with connection.cursor(row_factory=class_row(Claimed)) as cursor:
        return cursor.execute(
            """
              WITH chosen AS (
                      SELECT delivery.id, delivery.status = 'claimed' AS was_lost, delivery.attempts,
                             delivery.last_attempt_at
                        FROM webhook_delivery AS delivery
                       WHERE delivery.endpoint_id = %(endpoint)s
                         AND delivery.status IN ('due', 'claimed')
                         AND delivery.next_attempt_at <= %(now)s
                         AND (NOT %(only_tests)s OR delivery.kind = 'test')
                         AND NOT EXISTS (SELECT 1
                                           FROM webhook_delivery AS earlier
                                          WHERE earlier.endpoint_id = delivery.endpoint_id
                                            AND earlier.subject = delivery.subject
                                            AND earlier.id < delivery.id
                                            AND earlier.status IN ('due', 'claimed'))
                       ORDER BY delivery.id
                       LIMIT %(limit)s
                         FOR UPDATE SKIP LOCKED),
                   lost AS (
                      INSERT INTO webhook_attempt (delivery_id, number, started_at, outcome)
                      SELECT id, attempts, coalesce(last_attempt_at, %(now)s), 'unknown'
                        FROM chosen
                       WHERE was_lost
                          ON CONFLICT DO NOTHING),
                   claimed AS (
                      UPDATE webhook_delivery AS delivery
                         SET status = 'claimed',
                             attempts = delivery.attempts + 1,
                             first_attempt_at = coalesce(first_attempt_at, %(now)s),
                             last_attempt_at = %(now)s,
                             next_attempt_at = %(lease_until)s
                        FROM chosen
                       WHERE delivery.id = chosen.id
                   RETURNING delivery.id, kind, delivery.attempts, tries, position, event_id, event_type, subject,
                             created_at, first_attempt_at)
            SELECT claimed.id AS delivery_id, claimed.kind, claimed.attempts AS attempt, claimed.tries,
                   claimed.event_id, claimed.event_type, claimed.subject, claimed.created_at, claimed.first_attempt_at,
                   event.envelope
              FROM claimed
              LEFT JOIN event ON event.position = claimed.position AND event.event_id = claimed.event_id
             ORDER BY claimed.id
            """,
            {
                "endpoint": endpoint_id,
                "limit": limit,
                "only_tests": only_tests,
                "now": now,
                "lease_until": lease_until,
            },
        ).fetchall()


def settle(connection: Connection, results: Sequence[Settling]) -> set[int]:
    """Write down what became of attempts; return the deliveries whose attempt was still theirs to settle.

    An answer that comes after the lease has run out and another attempt was claimed is kept in the log alone; where it
    was a success, that is what counts.
    """
    columns = {
        "ids": [item.delivery_id for item in results],
        "attempts": [item.attempt for item in results],
        "statuses": [item.status for item in results],
        "outcomes": [item.outcome for item in results],
        "tries": [item.tries for item in results],
        "next": [item.next_attempt_at for item in results],
        "settled": [item.settled_at for item in results],
        "started": [item.started_at for item in results],
        "milliseconds": [item.milliseconds for item in results],
        "http": [item.http_status for item in results],
        "reasons": [item.reason for item in results],
    }
    rows = connection.execute(
        """
          WITH result AS (
                  SELECT *
                    FROM unnest(%(ids)s::bigint[], %(attempts)s::integer[], %(statuses)s::text[],
                                %(outcomes)s::text[], %(tries)s::integer[], %(next)s::timestamptz[],
                                %(settled)s::timestamptz[], %(started)s::timestamptz[], %(milliseconds)s::integer[],
                                %(http)s::integer[], %(reasons)s::text[])
                      AS item (id, attempt, status, outcome, tries, next_attempt_at, settled_at, started_at,
                               milliseconds, http_status, reason)),
               logged AS (
                  INSERT INTO webhook_attempt AS attempt
                         (delivery_id, number, started_at, milliseconds, outcome, http_status, reason)
                  SELECT id, result.attempt, started_at, milliseconds, outcome, http_status, left(reason, 200)
                    FROM result
                   WHERE outcome <> 'unused'
                      ON CONFLICT (delivery_id, number) DO UPDATE
                     SET milliseconds = excluded.milliseconds,
                         outcome = excluded.outcome,
                         http_status = excluded.http_status,
                         reason = excluded.reason
                   WHERE attempt.outcome = 'unknown')
           UPDATE webhook_delivery AS delivery
              SET status = result.status,
                  tries = result.tries,
                  attempts = delivery.attempts - CASE WHEN result.outcome = 'unused' THEN 1 ELSE 0 END,
                  next_attempt_at = coalesce(result.next_attempt_at, delivery.next_attempt_at),
                  settled_at = result.settled_at,
                  http_status = coalesce(result.http_status, delivery.http_status),
                  reason = CASE WHEN result.outcome = 'unused' THEN delivery.reason ELSE left(result.reason, 200) END
             FROM result
            WHERE delivery.id = result.id
              AND delivery.status IN ('due', 'claimed')
              AND (result.outcome = 'delivered'
                   OR (delivery.status = 'claimed' AND delivery.attempts = result.attempt))
        RETURNING delivery.id
        """,
        columns,
    ).fetchall()
    return {int(str(row[0])) for row in rows}


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
