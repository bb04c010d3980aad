"""Browsers on their way to a provider and back, and who somebody is there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.identity.domain.provider_visits import ProviderVisit
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderIdentity:
    issuer: str
    subject: str
    account_id: UUID
    linked_at: datetime


def insert_visit(
    connection: Connection, visit: ProviderVisit, *, state_digest: bytes, browser_digest: bytes, expires_at: datetime
) -> None:
    connection.execute(
        """
        INSERT INTO provider_visit (state_digest, browser_digest, nonce, code_verifier, purpose, session_id, next_path,
                                    started_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            state_digest,
            browser_digest,
            visit.nonce,
            visit.code_verifier,
            visit.purpose,
            visit.session_id,
            visit.next_path,
            visit.started_at,
            expires_at,
        ],
    )


def take_visit(
    connection: Connection, *, state_digest: bytes, browser_digest: bytes, now: datetime
) -> ProviderVisit | None:
    """Once: of two who come back with the same state, one finds it. Another browser finds nothing."""
    with connection.cursor(row_factory=class_row(ProviderVisit)) as cursor:
        return cursor.execute(
            """
               DELETE FROM provider_visit
                WHERE state_digest = %s AND browser_digest = %s AND expires_at > %s
            RETURNING nonce, code_verifier, purpose, session_id, next_path, started_at
            """,
            [state_digest, browser_digest, now],
        ).fetchone()


def delete_expired_visits(connection: Connection, *, now: datetime) -> int:
    return connection.execute("DELETE FROM provider_visit WHERE expires_at <= %s", [now]).rowcount


def insert_identity(connection: Connection, identity: ProviderIdentity) -> bool:
    """Return whether it is new; what is linked stays linked where it is."""
    return (
        connection.execute(
            """
            INSERT INTO provider_identity (issuer, subject, account_id, linked_at)
            VALUES (%s, %s, %s, %s)
                ON CONFLICT (issuer, subject) DO NOTHING
            """,
            [identity.issuer, identity.subject, identity.account_id, identity.linked_at],
        ).rowcount
        == 1
    )


def find_linked_account(connection: Connection, issuer: str, subject: str) -> UUID | None:
    row = connection.execute(
        "SELECT account_id FROM provider_identity WHERE issuer = %s AND subject = %s", [issuer, subject]
    ).fetchone()
    return UUID(str(row[0])) if row else None


def delete_identities(connection: Connection, account_id: UUID, issuer: str) -> int:
    return connection.execute(
        "DELETE FROM provider_identity WHERE account_id = %s AND issuer = %s", [account_id, issuer]
    ).rowcount
