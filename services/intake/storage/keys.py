"""Idempotency keys: which request a caller's key stood for first."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from services.intake.domain.commands.base import IdempotencyKey
from shared.database import Connection

Claim = tuple[IdempotencyKey, UUID]


def claim_keys(connection: Connection, claims: Sequence[Claim], *, created_at: datetime) -> set[tuple[str, str]]:
    """Take keys for their first requests and return those taken. Waits for a transaction that takes the same key."""
    rows = [
        {"caller": key.caller, "key": key.key, "fingerprint": "\\x" + key.fingerprint.hex(), "record_id": record_id}
        for key, record_id in claims
    ]
    cursor = connection.execute(
        """
        INSERT INTO idempotency_key (caller, key, fingerprint, record_id, created_at)
        SELECT caller, key, fingerprint, record_id, %s
          FROM ROWS FROM (json_to_recordset(%s::json)
              AS (caller text, key text, fingerprint bytea, record_id uuid)) WITH ORDINALITY AS item
         ORDER BY caller, key, ordinality
            ON CONFLICT DO NOTHING
        RETURNING caller, key
        """,
        [created_at, orjson.dumps(rows).decode()],
    )
    return set(cursor.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def list_keys(connection: Connection, keys: Sequence[IdempotencyKey]) -> dict[tuple[str, str], tuple[bytes, UUID]]:
    rows = connection.execute(
        """
        SELECT stored.caller, stored.key, stored.fingerprint, stored.record_id
          FROM idempotency_key AS stored
          JOIN unnest(%s::text[], %s::text[]) AS wanted (caller, key)
            ON wanted.caller = stored.caller AND wanted.key = stored.key
        """,
        [[key.caller for key in keys], [key.key for key in keys]],
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}  # type: ignore[misc] # as above


def set_records(connection: Connection, claims: Sequence[Claim]) -> None:
    """Name the records that stood already when the keys were taken."""
    connection.execute(
        """
        UPDATE idempotency_key
           SET record_id = item.record_id
          FROM unnest(%s::text[], %s::text[], %s::uuid[]) AS item (caller, key, record_id)
         WHERE idempotency_key.caller = item.caller
           AND idempotency_key.key = item.key
        """,
        [
            [key.caller for key, _ in claims],
            [key.key for key, _ in claims],
            [record_id for _, record_id in claims],
        ],
    )


def release_keys(connection: Connection, keys: Sequence[IdempotencyKey]) -> None:
    """Give back the keys of requests that came to nothing, so that a corrected request may use them."""
    connection.execute(
        """
        DELETE FROM idempotency_key
         USING unnest(%s::text[], %s::text[]) AS wanted (caller, key)
         WHERE idempotency_key.caller = wanted.caller AND idempotency_key.key = wanted.key
        """,
        [[key.caller for key in keys], [key.key for key in keys]],
    )


def keep_answer(connection: Connection, key: IdempotencyKey, sealed: str | None) -> None:
    if sealed is not None:
        connection.execute(
            "UPDATE idempotency_key SET answer = %s WHERE caller = %s AND key = %s", [sealed, key.caller, key.key]
        )


def get_answer(connection: Connection, key: IdempotencyKey) -> bytes | None:
    row = connection.execute(
        "SELECT answer FROM idempotency_key WHERE caller = %s AND key = %s", [key.caller, key.key]
    ).fetchone()
    return row[0] if row else None  # type: ignore[return-value] # bytea, or nothing
