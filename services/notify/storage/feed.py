"""The log as another system may read it: a stretch of it, and what of that passes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from services.notify.storage.passing import PASSES
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    position: int
    event_id: UUID
    envelope: dict[str, Any] = field(repr=False)


def get_ends(connection: Connection) -> tuple[int, int]:
    """The first and the last position of the log, whoever asks: numbers tell nothing."""
    row = connection.execute("SELECT start_of_log(), end_of_log()").fetchone()
    return (int(str(row[0])), int(str(row[1]))) if row else (1, 0)


def list_passing(
    connection: Connection, *, after: int, through: int, passing: Mapping[str, object], limit: int
) -> list[Passed]:
    """What lies behind `after` up to `through`, within reach, and passes. On the primary key."""
    with connection.cursor(row_factory=class_row(Passed)) as cursor:
        return cursor.execute(
            b"""
            SELECT position, event_id, envelope
              FROM event
             WHERE position > %(after)s
               AND position <= %(through)s
            """
            + PASSES
            + b" ORDER BY position LIMIT %(limit)s",
            {"after": after, "through": through, "limit": limit, **passing},
        ).fetchall()
