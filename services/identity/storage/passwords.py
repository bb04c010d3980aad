"""Hashes of passwords, the present one and the last few."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    account_id: UUID
    hash: str
    set_at: datetime
    must_change: bool
    valid_until: datetime | None


def find_password(connection: Connection, account_id: UUID) -> Password | None:
    with connection.cursor(row_factory=class_row(Password)) as cursor:
        return cursor.execute(
            "SELECT account_id, hash, set_at, must_change, valid_until FROM password WHERE account_id = %s",
            [account_id],
        ).fetchone()


def put_password(connection: Connection, password: Password, *, remembered: int) -> None:
    """Replace the present one, which becomes a former one; of those the newest few are remembered."""
    connection.execute(
        """
        INSERT INTO former_password (account_id, set_at, hash)
        SELECT account_id, set_at, hash FROM password WHERE account_id = %s
            ON CONFLICT (account_id, set_at) DO NOTHING
        """,
        [password.account_id],
    )
    connection.execute(
        """
        INSERT INTO password (account_id, hash, set_at, must_change, valid_until)
        VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (account_id) DO UPDATE
           SET hash = excluded.hash,
               set_at = excluded.set_at,
               must_change = excluded.must_change,
               valid_until = excluded.valid_until
        """,
        [password.account_id, password.hash, password.set_at, password.must_change, password.valid_until],
    )
    connection.execute(
        """
        DELETE FROM former_password
         WHERE account_id = %s
           AND set_at NOT IN (SELECT set_at FROM former_password WHERE account_id = %s ORDER BY set_at DESC LIMIT %s)
        """,
        [password.account_id, password.account_id, remembered],
    )


def set_hash(connection: Connection, account_id: UUID, *, old: str, new: str) -> bool:
    """The same password at another cost; return whether the old hash still stood."""
    return (
        connection.execute(
            "UPDATE password SET hash = %s WHERE account_id = %s AND hash = %s", [new, account_id, old]
        ).rowcount
        == 1
    )


def list_former_hashes(connection: Connection, account_id: UUID) -> list[str]:
    rows = connection.execute(
        "SELECT hash FROM former_password WHERE account_id = %s ORDER BY set_at DESC", [account_id]
    ).fetchall()
    return [str(row[0]) for row in rows]
