"""Webhook deliveries as they are worked on: endpoints that are ready, what is claimed of them, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.attempts import Outcome
from services.notify.domain.endpoints import DeliveryKind, WebhookDeliveryStatus
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
