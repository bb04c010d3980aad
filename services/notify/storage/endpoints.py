"""Webhook endpoints and the keys that sign for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.attempts import Health
from services.notify.domain.endpoints import DisabledBecause, Endpoint, EndpointStatus, EndpointWish
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    id: UUID
    endpoint_id: UUID
    kind: Literal["v1", "v1a"]
    sealed: bytes = field(repr=False)
    public_key: str | None
    created_at: datetime
    created_by: str
    retires_at: datetime | None


def insert_endpoint(
    connection: Connection,
    endpoint_id: UUID,
    agreement_id: UUID,
    wish: EndpointWish,
    *,
    by: Sequence[str],
    now: datetime,
) -> None:
    connection.execute(
        """
        INSERT INTO webhook_endpoint (id, agreement_id, url, event_types, organisation_id, proposed_by,
                                      proposer_person_id, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [endpoint_id, agreement_id, wish.url, list(wish.event_types), wish.organisation_id, *by, now],
    )


def find_endpoint(connection: Connection, endpoint_id: UUID) -> Endpoint | None:
    with connection.cursor(row_factory=class_row(Endpoint)) as cursor:
        return cursor.execute(
            """
            SELECT id, agreement_id, url, event_types, organisation_id, status, version, position, rate_per_minute,
                   failures, failing_since, probe_at, hold_until, last_success_at, handshakes, handshake_fault,
                   disabled_because, owner_told_at, proposed_by, proposer_person_id, created_at
              FROM webhook_endpoint
             WHERE id = %s
            """,
            [endpoint_id],
        ).fetchone()


def lock_endpoint(connection: Connection, endpoint_id: UUID) -> Endpoint | None:
    with connection.cursor(row_factory=class_row(Endpoint)) as cursor:
        return cursor.execute(
            """
            SELECT id, agreement_id, url, event_types, organisation_id, status, version, position, rate_per_minute,
                   failures, failing_since, probe_at, hold_until, last_success_at, handshakes, handshake_fault,
                   disabled_because, owner_told_at, proposed_by, proposer_person_id, created_at
              FROM webhook_endpoint
             WHERE id = %s
               FOR UPDATE
            """,
            [endpoint_id],
        ).fetchone()


def list_endpoints(
    connection: Connection, *, status: EndpointStatus | None, before: UUID | None, limit: int
) -> list[Endpoint]:
    """The newest first; ids are ordered by time."""
    with connection.cursor(row_factory=class_row(Endpoint)) as cursor:
        return cursor.execute(
            """
            SELECT id, agreement_id, url, event_types, organisation_id, status, version, position, rate_per_minute,
                   failures, failing_since, probe_at, hold_until, last_success_at, handshakes, handshake_fault,
                   disabled_because, owner_told_at, proposed_by, proposer_person_id, created_at
              FROM webhook_endpoint
             WHERE (%(status)s::text IS NULL OR status = %(status)s)
               AND (%(before)s::uuid IS NULL OR id < %(before)s)
             ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"status": status, "before": before, "limit": limit},
        ).fetchall()


def is_proposed(connection: Connection, agreement_id: UUID, wish: EndpointWish) -> bool:
    """Whether the same is proposed already. Two who ask at once ask one after the other.

    Of one agreement there are few: by webhook_endpoint_agreement.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"webhook_endpoint/{agreement_id}"])
    row = connection.execute(
        """
        SELECT 1
          FROM webhook_endpoint
         WHERE agreement_id = %s
           AND status = 'proposed'
           AND url = %s
           AND event_types = %s::text[]
           AND organisation_id IS NOT DISTINCT FROM %s
         LIMIT 1
        """,
        [agreement_id, wish.url, list(wish.event_types), wish.organisation_id],
    ).fetchone()
    return row is not None


def count_endpoints(connection: Connection, agreement_id: UUID) -> int:
    row = connection.execute(
        "SELECT count(*) FROM webhook_endpoint WHERE agreement_id = %s AND status NOT IN ('refused', 'removed')",
        [agreement_id],
    ).fetchone()
    return int(str(row[0])) if row else 0


def set_decided(
    connection: Connection,
    endpoint_id: UUID,
    status: EndpointStatus,
    *,
    by: Sequence[str],
    reason: str | None,
    now: datetime,
) -> None:
    """What happens from now on is told, and nothing before."""
    connection.execute(
        """
        UPDATE webhook_endpoint
           SET status = %s,
               decided_by = %s,
               decider_person_id = %s,
               decided_at = %s,
               reason = %s,
               version = version + 1
         WHERE id = %s
        """,
        [status, *by, now, reason, endpoint_id],
    )


def set_position_to_end(connection: Connection, endpoint_id: UUID) -> None:
    """Read from the log and not from its counter: that one's lock belongs to whoever writes the log."""
    connection.execute(
        "UPDATE webhook_endpoint SET position = coalesce((SELECT max(position) FROM event), 0) WHERE id = %s",
        [endpoint_id],
    )


def set_status(connection: Connection, endpoint_id: UUID, status: EndpointStatus) -> None:
    """By a person or the owner: whatever was wrong with it is forgotten."""
    connection.execute(
        """
        UPDATE webhook_endpoint
           SET status = %s,
               disabled_because = NULL,
               disabled_at = NULL,
               owner_told_at = NULL,
               failures = 0,
               failing_since = NULL,
               probe_at = NULL,
               hold_until = NULL,
               handshakes = 0,
               version = version + 1
         WHERE id = %s
        """,
        [status, endpoint_id],
    )


def set_filter(
    connection: Connection, endpoint_id: UUID, *, event_types: Sequence[str], organisation_id: UUID | None
) -> None:
    connection.execute(
        "UPDATE webhook_endpoint SET event_types = %s, organisation_id = %s, version = version + 1 WHERE id = %s",
        [list(event_types), organisation_id, endpoint_id],
    )


def set_disabled(connection: Connection, endpoint_id: UUID, because: DisabledBecause, *, now: datetime) -> bool:
    return (
        connection.execute(
            """
            UPDATE webhook_endpoint
               SET status = 'disabled',
                   disabled_because = %s,
                   disabled_at = %s,
                   owner_told_at = NULL,
                   version = version + 1
             WHERE id = %s
               AND status IN ('unverified', 'active', 'paused')
            """,
            [because, now, endpoint_id],
        ).rowcount
        == 1
    )


def set_health(connection: Connection, endpoint_id: UUID, health: Health, *, succeeded_at: datetime | None) -> None:
    connection.execute(
        """
        UPDATE webhook_endpoint
           SET failures = %s,
               failing_since = %s,
               probe_at = %s,
               hold_until = %s,
               last_success_at = coalesce(%s, last_success_at)
         WHERE id = %s
        """,
        [
            health.failures,
            health.failing_since,
            health.probe_at,
            health.hold_until,
            succeeded_at,
            endpoint_id,
        ],
    )


def set_free_at(connection: Connection, endpoint_id: UUID, free_at: datetime) -> None:
    connection.execute("UPDATE webhook_endpoint SET free_at = %s WHERE id = %s", [free_at, endpoint_id])


def claim_handshakes(
    connection: Connection, *, now: datetime, lease_until: datetime, limit: int
) -> list[tuple[UUID, str, int]]:
    """Endpoints whose receivers are to be asked whether they want us, with how often they were asked before."""
    rows = connection.execute(
        """
           UPDATE webhook_endpoint
              SET probe_at = %s,
                  handshakes = handshakes + 1
            WHERE id IN (SELECT webhook_endpoint.id
                           FROM webhook_endpoint
                           JOIN agreement ON agreement.id = agreement_id
                          WHERE webhook_endpoint.status = 'unverified'
                            AND (probe_at IS NULL OR probe_at <= %s)
                            AND agreement.status = 'agreed'
                            AND agreement.valid_until > %s
                          ORDER BY webhook_endpoint.id
                          LIMIT %s
                            FOR UPDATE OF webhook_endpoint SKIP LOCKED)
        RETURNING id, url, handshakes - 1
        """,
        [lease_until, now, now, limit],
    ).fetchall()
    return [(UUID(str(row[0])), str(row[1]), int(str(row[2]))) for row in rows]


def set_verified(connection: Connection, endpoint_id: UUID, *, rate_per_minute: int | None) -> bool:
    """The receiver wants us. False where somebody took it out of the way meanwhile."""
    return (
        connection.execute(
            """
            UPDATE webhook_endpoint
               SET status = 'active',
                   rate_per_minute = %s,
                   handshake_fault = NULL,
                   handshakes = 0,
                   probe_at = NULL,
                   version = version + 1
             WHERE id = %s
               AND status = 'unverified'
            """,
            [rate_per_minute, endpoint_id],
        ).rowcount
        == 1
    )


def set_handshake_failed(connection: Connection, endpoint_id: UUID, *, fault: str, again_at: datetime) -> None:
    connection.execute(
        "UPDATE webhook_endpoint SET handshake_fault = %s, probe_at = %s WHERE id = %s AND status = 'unverified'",
        [fault[:200], again_at, endpoint_id],
    )


def insert_key(connection: Connection, key: StoredKey) -> None:
    connection.execute(
        """
        INSERT INTO webhook_key (id, endpoint_id, kind, sealed, public_key, created_at, created_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [key.id, key.endpoint_id, key.kind, key.sealed, key.public_key, key.created_at, key.created_by],
    )


def retire_key(connection: Connection, endpoint_id: UUID, kind: str, *, at: datetime) -> None:
    """The one of this kind that signs now goes on doing so until then."""
    connection.execute(
        """
        UPDATE webhook_key
           SET retires_at = greatest(%s, created_at)
         WHERE endpoint_id = %s
           AND kind = %s
           AND retires_at IS NULL
        """,
        [at, endpoint_id, kind],
    )


def list_keys(connection: Connection, endpoint_ids: Sequence[UUID], *, now: datetime) -> list[StoredKey]:
    """Those that sign, the newest first."""
    with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        return cursor.execute(
            """
            SELECT id, endpoint_id, kind, sealed, public_key, created_at, created_by, retires_at
              FROM webhook_key
             WHERE endpoint_id = ANY (%s)
               AND (retires_at IS NULL OR retires_at > %s)
             ORDER BY created_at DESC, id DESC
            """,
            [list(endpoint_ids), now],
        ).fetchall()


def delete_retired_keys(connection: Connection, endpoint_id: UUID, *, now: datetime) -> int:
    return connection.execute(
        "DELETE FROM webhook_key WHERE endpoint_id = %s AND retires_at <= %s", [endpoint_id, now]
    ).rowcount
