"""Which epoch each citizen's key lies under."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from shared.database import Connection


def lock_wrapped_before(connection: Connection, *, epoch: int, limit: int) -> list[tuple[UUID, bytes]]:
    """Hold some keys of earlier epochs, on the index citizen_key_epoch. Waits for those that are being erased."""
    rows = connection.execute(
        """
        SELECT citizen_ref, wrapped
          FROM citizen_key
         WHERE epoch < %s
         ORDER BY epoch, citizen_ref
         LIMIT %s
           FOR UPDATE
        """,
        [epoch, limit],
    )
    return [(row[0], row[1]) for row in rows]  # type: ignore[misc] # psycopg types a row as a tuple of objects


def set_wrapped(connection: Connection, rows: Sequence[Mapping[str, Any]], *, epoch: int) -> None:
    if not rows:
        return
    connection.execute(
        """
        UPDATE citizen_key
           SET wrapped = item.wrapped, epoch = %s
          FROM json_to_recordset(%s::json) AS item (citizen_ref uuid, wrapped bytea)
         WHERE citizen_key.citizen_ref = item.citizen_ref
        """,
        [epoch, orjson.dumps(rows).decode()],
    )


def list_epochs(connection: Connection) -> set[int]:
    """List the epochs that keys lie under."""
    return {int(str(row[0])) for row in connection.execute("SELECT DISTINCT epoch FROM citizen_key")}
