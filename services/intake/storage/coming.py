"""Changes of registers that begin on a day to come, in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection

ChangeKind = Literal["organisation", "organisation_end", "cadre", "cadre_departure", "category"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingChange:
    """`refusal` says why it could not be entered on its day; without one it waits."""

    id: UUID
    kind: ChangeKind
    code: str
    from_on: date
    content: Mapping[str, Any]
    recorded_at: datetime
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueChange:
    id: UUID
    kind: ChangeKind
    content: Mapping[str, Any]
    correlation_id: str


def note_change(connection: Connection, row: Mapping[str, Any], *, recorded_at: datetime) -> tuple[UUID, bool] | None:
    """Note a change, or another content of one that waits; return its id and whether it is new, None for a repeat."""
    found = connection.execute(
        """
        INSERT INTO coming_change AS known (id, kind, code, from_on, content, correlation_id, recorded_at)
        SELECT id, kind, code, from_on, content, correlation_id, %s
          FROM json_to_record(%s::json)
            AS item (id uuid, kind text, code text, from_on date, content jsonb, correlation_id text)
            ON CONFLICT (kind, code, from_on) WHERE entered_at IS NULL DO UPDATE
           SET content = excluded.content, correlation_id = excluded.correlation_id,
               recorded_at = excluded.recorded_at, refusal = NULL
         WHERE known.content <> excluded.content OR known.refusal IS NOT NULL
        RETURNING id, (xmax = 0)
        """,
        [recorded_at, orjson.dumps(row).decode()],
    ).fetchone()
    return None if found is None else (found[0], bool(found[1]))  # type: ignore[return-value] # psycopg types it as objects


def list_coming(connection: Connection, *, limit: int) -> list[ComingChange]:
    """On coming_change_waiting."""
    with connection.cursor(row_factory=class_row(ComingChange)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, code, from_on, content, recorded_at, refusal
              FROM coming_change
             WHERE entered_at IS NULL
             ORDER BY from_on, recorded_at, id
             LIMIT %s
            """,
            [limit],
        ).fetchall()


def claim_due(connection: Connection, *, today: date, limit: int) -> list[DueChange]:
    """Hold what has come and was not tried yet, in the order of the days and of entering."""
    with connection.cursor(row_factory=class_row(DueChange)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, content, correlation_id
              FROM coming_change
             WHERE entered_at IS NULL
               AND refusal IS NULL
               AND from_on <= %s
             ORDER BY from_on, recorded_at, id
             LIMIT %s
               FOR UPDATE
            """,
            [today, limit],
        ).fetchall()


def set_tried(connection: Connection, refusals: Mapping[UUID, str | None], *, at: datetime) -> None:
    ids: Sequence[UUID] = list(refusals)
    connection.execute(
        """
        UPDATE coming_change
           SET entered_at = CASE WHEN item.refusal IS NULL THEN %s END, refusal = item.refusal
          FROM unnest(%s::uuid[], %s::text[]) AS item (id, refusal)
         WHERE coming_change.id = item.id
        """,
        [at, ids, list(refusals.values())],
    )


def withdraw(connection: Connection, change_id: UUID) -> bool:
    """Whether it stood and is gone: what was entered stays."""
    return (
        connection.execute("DELETE FROM coming_change WHERE id = %s AND entered_at IS NULL", [change_id]).rowcount == 1
    )


def measure_refused(connection: Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM coming_change WHERE entered_at IS NULL AND refusal IS NOT NULL"
    ).fetchone()
    return int(str(row[0])) if row else 0
