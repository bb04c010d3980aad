"""Machine clients and what proves them, in SQL."""

from datetime import date, datetime
from uuid import UUID

from psycopg import errors
from psycopg.rows import class_row

from services.identity.domain.clients import Client, Credential, CredentialKind, Registration
from shared.database import Connection


def put_client(
    connection: Connection,
    registration: Registration,
    *,
    new_id: UUID,
    proposed_by: str,
    approved_by: str,
    now: datetime,
) -> tuple[UUID, bool]:
    """Register, or register anew with other rights; return the id and whether it is new. It is active afterwards."""
    row = connection.execute(
        """
           INSERT INTO machine_client
                  (id, client_id, name, purpose, scopes, organisation_codes, allowed_networks, requests_per_minute,
                   proposed_by, approved_by, created_at, changed_at, expires_at)
           VALUES (%(id)s, %(client_id)s, %(name)s, %(purpose)s, %(scopes)s, %(organisations)s, %(networks)s, %(rate)s,
                   %(proposed_by)s, %(approved_by)s, %(now)s, %(now)s, %(expires_at)s)
               ON CONFLICT (client_id) DO UPDATE
              SET name = excluded.name, purpose = excluded.purpose, scopes = excluded.scopes,
                  organisation_codes = excluded.organisation_codes, allowed_networks = excluded.allowed_networks,
                  requests_per_minute = excluded.requests_per_minute, status = 'active',
                  proposed_by = excluded.proposed_by, approved_by = excluded.approved_by,
                  changed_at = excluded.changed_at, expires_at = excluded.expires_at
        RETURNING id, id = %(id)s
        """,
        {
            "id": new_id,
            "client_id": registration.client_id,
            "name": registration.name,
            "purpose": registration.purpose,
            "scopes": list(registration.scopes),
            "organisations": list(registration.organisation_codes),
            "networks": list(registration.allowed_networks),
            "rate": registration.requests_per_minute,
            "proposed_by": proposed_by,
            "approved_by": approved_by,
            "now": now,
            "expires_at": registration.expires_at,
        },
    ).fetchone()
    if row is None:
        raise LookupError("an INSERT with DO UPDATE always returns its row")
    return UUID(str(row[0])), bool(row[1])


def find_client(connection: Connection, client_id: str) -> Client | None:
    with connection.cursor(row_factory=class_row(Client)) as cursor:
        return cursor.execute(
            """
            SELECT id, client_id, name, purpose, scopes, organisation_codes, allowed_networks, requests_per_minute,
                   status, created_at, expires_at
              FROM machine_client
             WHERE client_id = %s
            """,
            [client_id],
        ).fetchone()


def list_clients(connection: Connection, *, after: str, limit: int) -> list[Client]:
    with connection.cursor(row_factory=class_row(Client)) as cursor:
        return cursor.execute(
            """
            SELECT id, client_id, name, purpose, scopes, organisation_codes, allowed_networks, requests_per_minute,
                   status, created_at, expires_at
              FROM machine_client
             WHERE client_id > %s
             ORDER BY client_id
             LIMIT %s
            """,
            [after, limit],
        ).fetchall()


def disable_client(connection: Connection, client_id: str, *, now: datetime) -> bool:
    """Whether it was active until now."""
    return (
        connection.execute(
            """
            UPDATE machine_client
               SET status = 'disabled', changed_at = %s
             WHERE client_id = %s
               AND status = 'active'
            """,
            [now, client_id],
        ).rowcount
        == 1
    )


def list_credentials(
    connection: Connection, machine_client_id: UUID, *, now: datetime, kind: CredentialKind | None = None
) -> list[Credential]:
    """Those that still work."""
    with connection.cursor(row_factory=class_row(Credential)) as cursor:
        return cursor.execute(
            """
            SELECT id, machine_client_id, kind, slot, secret_digest, kid, algorithm, public_key, created_at, created_by,
                   expires_at, last_used_on
              FROM client_credential
             WHERE machine_client_id = %(client)s
               AND revoked_at IS NULL
               AND expires_at > %(now)s
               AND (%(kind)s::text IS NULL OR kind = %(kind)s)
             ORDER BY created_at, id
            """,
            {"client": machine_client_id, "now": now, "kind": kind},
        ).fetchall()


def insert_credential(connection: Connection, credential: Credential) -> bool:
    """Whether there was room: false where another took the slot, or the key's id, at the same moment."""
    try:
        with connection.transaction():
            connection.execute(
                """
                INSERT INTO client_credential
                       (id, machine_client_id, kind, slot, secret_digest, kid, algorithm, public_key, created_at,
                        created_by, expires_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                """,
                [
                    credential.id,
                    credential.machine_client_id,
                    credential.kind,
                    credential.slot,
                    credential.secret_digest,
                    credential.kid,
                    credential.algorithm,
                    credential.public_key,
                    credential.created_at,
                    credential.created_by,
                    credential.expires_at,
                ],
            )
    except errors.UniqueViolation:
        return False
    return True


def revoke_expired(connection: Connection, machine_client_id: UUID, *, now: datetime) -> int:
    """Make room: an expired credential holds no slot."""
    return connection.execute(
        """
        UPDATE client_credential
           SET revoked_at = %(now)s
         WHERE machine_client_id = %(client)s
           AND revoked_at IS NULL
           AND expires_at <= %(now)s
        """,
        {"client": machine_client_id, "now": now},
    ).rowcount


def revoke_credential(connection: Connection, machine_client_id: UUID, credential_id: UUID, *, now: datetime) -> bool:
    return (
        connection.execute(
            """
            UPDATE client_credential
               SET revoked_at = %s
             WHERE id = %s
               AND machine_client_id = %s
               AND revoked_at IS NULL
            """,
            [now, credential_id, machine_client_id],
        ).rowcount
        == 1
    )


def note_use(connection: Connection, credential_id: UUID, *, on: date) -> None:
    """Once a day is enough to tell which of two credentials nobody uses any more."""
    connection.execute(
        """
        UPDATE client_credential
           SET last_used_on = %(on)s
         WHERE id = %(id)s
           AND last_used_on IS DISTINCT FROM %(on)s
        """,
        {"on": on, "id": credential_id},
    )


def use_assertion(connection: Connection, machine_client_id: UUID, digest: bytes, *, expires_at: datetime) -> bool:
    """Whether it is the first use. Of two at once the second waits for the first, and loses."""
    return (
        connection.execute(
            """
            INSERT INTO used_assertion (machine_client_id, assertion_digest, expires_at)
            VALUES (%s, %s, %s)
                ON CONFLICT DO NOTHING
            """,
            [machine_client_id, digest, expires_at],
        ).rowcount
        == 1
    )


def forget_assertions(connection: Connection, *, before: datetime, limit: int) -> int:
    return connection.execute(
        """
        DELETE FROM used_assertion
         WHERE (machine_client_id, assertion_digest) IN (SELECT machine_client_id, assertion_digest
                                                           FROM used_assertion
                                                          WHERE expires_at < %s
                                                          LIMIT %s
                                                            FOR UPDATE SKIP LOCKED)
        """,
        [before, limit],
    ).rowcount
