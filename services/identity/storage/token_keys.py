"""Token keys, in SQL. What is stored of a private key is its encrypted form."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from services.identity.domain.token_keys import KeyLife
from shared.database import Connection

ROTATION_LOCK = 0x6B657973


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    kid: str
    issuer: str
    public_key: bytes
    sealed_private_key: bytes
    created_at: datetime
    signs_from: datetime
    not_after: datetime

    @property
    def life(self) -> KeyLife:
        return KeyLife(kid=self.kid, issuer=self.issuer, signs_from=self.signs_from, not_after=self.not_after)


def lock_rotation(connection: Connection) -> None:
    """Until the end of the transaction: two that rotate at once would leave two new keys."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROTATION_LOCK])


def list_keys(connection: Connection, *, now: datetime) -> list[StoredKey]:
    """Those whose tokens are accepted, oldest first."""
    with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        return cursor.execute(
            """
            SELECT kid, issuer, public_key, sealed_private_key, created_at, signs_from, not_after
              FROM token_key
             WHERE not_after > %s
             ORDER BY signs_from, kid
            """,
            [now],
        ).fetchall()


def insert_key(connection: Connection, key: StoredKey) -> None:
    connection.execute(
        """
        INSERT INTO token_key (kid, issuer, public_key, sealed_private_key, created_at, signs_from, not_after)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [
            key.kid,
            key.issuer,
            key.public_key,
            key.sealed_private_key,
            key.created_at,
            key.signs_from,
            key.not_after,
        ],
    )


def end_keys(connection: Connection, *, but: str, not_after: datetime) -> int:
    """Let all other keys end when their last token has ended, where they do not end sooner."""
    return connection.execute(
        """
        UPDATE token_key
           SET not_after = %(end)s
         WHERE kid <> %(but)s
           AND not_after > %(end)s
        """,
        {"end": not_after, "but": but},
    ).rowcount


def delete_keys(connection: Connection, *, but: str) -> int:
    """Let all other keys end now, those that wait for their turn included."""
    return connection.execute("DELETE FROM token_key WHERE kid <> %s", [but]).rowcount


def delete_ended(connection: Connection, *, before: datetime) -> int:
    return connection.execute("DELETE FROM token_key WHERE not_after < %s", [before]).rowcount
