"""Sign-ins that are under way: the first proof was given, something is still needed."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.identity.domain.sessions import TRIES, UnfinishedSignIn
from shared.database import Connection


def insert_unfinished(connection: Connection, digest: bytes, begun: UnfinishedSignIn, *, at: datetime) -> None:
    connection.execute(
        """
        INSERT INTO unfinished_sign_in (digest, account_id, method, code_given, failed_tries, created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [digest, begun.account_id, begun.method, begun.code_given, begun.failed_tries, at, begun.expires_at],
    )


def lock_unfinished(connection: Connection, digest: bytes, *, now: datetime) -> UnfinishedSignIn | None:
    """Two steps at once of the same sign-in wait for one another. What had its tries is over."""
    with connection.cursor(row_factory=class_row(UnfinishedSignIn)) as cursor:
        return cursor.execute(
            """
            SELECT account_id, method, code_given, failed_tries, expires_at
              FROM unfinished_sign_in
             WHERE digest = %s AND expires_at > %s AND failed_tries < %s
               FOR UPDATE
            """,
            [digest, now, TRIES],
        ).fetchone()


def count_failed_try(connection: Connection, digest: bytes) -> None:
    connection.execute(
        "UPDATE unfinished_sign_in SET failed_tries = failed_tries + 1 WHERE digest = %s AND failed_tries < %s",
        [digest, TRIES],
    )


def set_code_given(connection: Connection, digest: bytes, *, new_digest: bytes) -> None:
    """A further proof was given: from here on it goes on under another identifier."""
    connection.execute(
        "UPDATE unfinished_sign_in SET code_given = true, digest = %s WHERE digest = %s", [new_digest, digest]
    )


def delete_unfinished(connection: Connection, digest: bytes) -> None:
    connection.execute("DELETE FROM unfinished_sign_in WHERE digest = %s", [digest])


def delete_unfinished_of(connection: Connection, account_id: UUID) -> None:
    connection.execute("DELETE FROM unfinished_sign_in WHERE account_id = %s", [account_id])


def delete_expired_unfinished(connection: Connection, *, now: datetime) -> int:
    return connection.execute("DELETE FROM unfinished_sign_in WHERE expires_at <= %s", [now]).rowcount
