"""Secrets of second factors, encrypted, and digests of recovery codes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    account_id: UUID
    secret: bytes
    proposed_at: datetime
    confirmed_at: datetime | None
    last_counter: int


def propose_second_factor(connection: Connection, account_id: UUID, secret: bytes, *, at: datetime) -> bool:
    """Replace what was only proposed; return False where one is confirmed already."""
    return (
        connection.execute(
            """
            INSERT INTO second_factor AS present (account_id, secret, proposed_at)
            VALUES (%s, %s, %s)
                ON CONFLICT (account_id) DO UPDATE
               SET secret = excluded.secret,
                   proposed_at = excluded.proposed_at,
                   last_counter = 0
             WHERE present.confirmed_at IS NULL
            """,
            [account_id, secret, at],
        ).rowcount
        == 1
    )


def find_second_factor(connection: Connection, account_id: UUID) -> SecondFactor | None:
    with connection.cursor(row_factory=class_row(SecondFactor)) as cursor:
        return cursor.execute(
            """
            SELECT account_id, secret, proposed_at, confirmed_at, last_counter
              FROM second_factor
             WHERE account_id = %s
            """,
            [account_id],
        ).fetchone()


def use_counter(connection: Connection, account_id: UUID, counter: int) -> bool:
    """Return False where this code, or a later one, was used before: of two at once one wins."""
    return (
        connection.execute(
            "UPDATE second_factor SET last_counter = %s WHERE account_id = %s AND last_counter < %s",
            [counter, account_id, counter],
        ).rowcount
        == 1
    )


def set_confirmed(connection: Connection, account_id: UUID, *, at: datetime) -> bool:
    return (
        connection.execute(
            "UPDATE second_factor SET confirmed_at = %s WHERE account_id = %s AND confirmed_at IS NULL",
            [at, account_id],
        ).rowcount
        == 1
    )


def replace_recovery_codes(connection: Connection, account_id: UUID, digests: list[bytes]) -> None:
    connection.execute("DELETE FROM recovery_code WHERE account_id = %s", [account_id])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO recovery_code (account_id, digest) VALUES (%s, %s)",
            [(account_id, digest) for digest in digests],
        )


def use_recovery_code(connection: Connection, account_id: UUID, digest: bytes) -> bool:
    """Return whether there was such a code; now there is none."""
    return (
        connection.execute(
            "DELETE FROM recovery_code WHERE account_id = %s AND digest = %s", [account_id, digest]
        ).rowcount
        == 1
    )


def delete_second_factor(connection: Connection, account_id: UUID) -> bool:
    connection.execute("DELETE FROM recovery_code WHERE account_id = %s", [account_id])
    return connection.execute("DELETE FROM second_factor WHERE account_id = %s", [account_id]).rowcount == 1


def put_roles(connection: Connection, roles: Collection[str]) -> None:
    """Let exactly the holders of these need a second factor."""
    connection.execute("DELETE FROM second_factor_role WHERE role <> ALL (%s)", [sorted(roles)])
    connection.execute(
        "INSERT INTO second_factor_role (role) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", [sorted(roles)]
    )
