"""Sessions and familiar devices, by the SHA-256 of an identifier that only the browser holds."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.identity.domain.sessions import EndReason, SessionMethod
from shared.database import Connection
from shared.retention.jobs import Step, measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    id: UUID
    account_id: UUID
    digest: bytes
    method: SessionMethod
    created_at: datetime
    last_seen_at: datetime
    idle_seconds: int
    expires_at: datetime
    stepped_up_at: datetime | None


def insert_session(connection: Connection, session: Session) -> None:
    connection.execute(
        """
        INSERT INTO session (id, account_id, digest, method, created_at, last_seen_at, idle_seconds, expires_at,
                             stepped_up_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            session.id,
            session.account_id,
            session.digest,
            session.method,
            session.created_at,
            session.last_seen_at,
            session.idle_seconds,
            session.expires_at,
            session.stepped_up_at,
        ],
    )


def list_open_sessions(connection: Connection, account_id: UUID, *, now: datetime) -> list[Session]:
    """Newest first. Uses session_open."""
    with connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(
            """
            SELECT id, account_id, digest, method, created_at, last_seen_at, idle_seconds, expires_at, stepped_up_at
              FROM session
             WHERE account_id = %s
               AND ended_at IS NULL
               AND expires_at > %s
               AND last_seen_at + make_interval(secs => idle_seconds) > %s
             ORDER BY created_at DESC, id DESC
            """,
            [account_id, now, now],
        ).fetchall()


def find_open_session(connection: Connection, session_id: UUID, *, now: datetime) -> Session | None:
    with connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(
            """
            SELECT id, account_id, digest, method, created_at, last_seen_at, idle_seconds, expires_at, stepped_up_at
              FROM session
             WHERE id = %s
               AND ended_at IS NULL
               AND expires_at > %s
               AND last_seen_at + make_interval(secs => idle_seconds) > %s
            """,
            [session_id, now, now],
        ).fetchone()


def end_session_by_digest(connection: Connection, digest: bytes, *, reason: EndReason, at: datetime) -> bool:
    return (
        connection.execute(
            "UPDATE session SET ended_at = %s, end_reason = %s WHERE digest = %s AND ended_at IS NULL",
            [at, reason, digest],
        ).rowcount
        == 1
    )


def end_session(connection: Connection, session_id: UUID, *, reason: EndReason, at: datetime) -> bool:
    return (
        connection.execute(
            "UPDATE session SET ended_at = %s, end_reason = %s WHERE id = %s AND ended_at IS NULL",
            [at, reason, session_id],
        ).rowcount
        == 1
    )


def end_sessions(
    connection: Connection, account_id: UUID, *, reason: EndReason, at: datetime, kept: UUID | None = None
) -> int:
    """End every open session of the account but the one that is kept; return how many."""
    return connection.execute(
        """
        UPDATE session
           SET ended_at = %s,
               end_reason = %s
         WHERE account_id = %s AND ended_at IS NULL AND id IS DISTINCT FROM %s
        """,
        [at, reason, account_id, kept],
    ).rowcount


def end_oldest_sessions(connection: Connection, account_id: UUID, *, kept: int, at: datetime) -> int:
    """Under the account's lock. Uses session_open."""
    return connection.execute(
        """
        UPDATE session
           SET ended_at = %s,
               end_reason = 'displaced'
         WHERE id IN (SELECT id
                        FROM session
                       WHERE account_id = %s AND ended_at IS NULL
                       ORDER BY created_at DESC, id DESC
                      OFFSET %s)
        """,
        [at, account_id, kept],
    ).rowcount


def rotate_session(
    connection: Connection, session_id: UUID, *, new_digest: bytes, stepped_up_at: datetime | None
) -> bool:
    """Let the session go on under another identifier; the old one is dead. Return whether it was still open."""
    return (
        connection.execute(
            """
            UPDATE session
               SET digest = %s,
                   stepped_up_at = coalesce(%s, stepped_up_at)
             WHERE id = %s AND ended_at IS NULL
            """,
            [new_digest, stepped_up_at, session_id],
        ).rowcount
        == 1
    )


def measure_over(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    """Uses session_by_end."""
    return measured(
        connection.execute("SELECT count(*), min(expires_at) FROM session WHERE expires_at < %s", [before]).fetchone()
    )


def delete_over(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    removed = connection.execute(
        """
        DELETE FROM session
         WHERE id IN (SELECT id
                        FROM session
                       WHERE expires_at < %s
                         AND NOT is_held('account', account_id::text)
                       ORDER BY expires_at
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def insert_device(connection: Connection, digest: bytes, account_id: UUID, *, expires_at: datetime) -> None:
    connection.execute(
        "INSERT INTO familiar_device (digest, account_id, expires_at) VALUES (%s, %s, %s)",
        [digest, account_id, expires_at],
    )


def find_device_account_name(connection: Connection, digest: bytes, *, now: datetime) -> str | None:
    """Of whose account the device is familiar, if it is of any."""
    row = connection.execute(
        """
        SELECT account.name
          FROM familiar_device
          JOIN account ON account.id = familiar_device.account_id
         WHERE familiar_device.digest = %s AND familiar_device.expires_at > %s
        """,
        [digest, now],
    ).fetchone()
    return str(row[0]) if row else None


def delete_devices(connection: Connection, *, account_id: UUID) -> int:
    return connection.execute("DELETE FROM familiar_device WHERE account_id = %s", [account_id]).rowcount


def delete_expired_devices(connection: Connection, *, now: datetime) -> int:
    return connection.execute("DELETE FROM familiar_device WHERE expires_at <= %s", [now]).rowcount
