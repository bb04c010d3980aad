"""Cadres and their dated posts, as events tell of them: the highest sequence wins, whenever it arrives."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from shared.database import Connection

Row = dict[str, Any]


def upsert_cadres(connection: Connection, rows: Sequence[Row]) -> None:
    if not rows:
        return
    connection.execute(
        """
        INSERT INTO cadre AS known (id, staff_number, name, sequence)
        SELECT cadre_id, staff_number, name, sequence
          FROM json_to_recordset(%s::json) AS row (cadre_id uuid, staff_number text, name text, sequence integer)
         ORDER BY cadre_id
            ON CONFLICT (id) DO UPDATE
           SET staff_number = excluded.staff_number,
               name = excluded.name,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def upsert_posts(connection: Connection, rows: Sequence[Row]) -> None:
    if not rows:
        return
    connection.execute(
        """
        INSERT INTO post AS known (id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence)
        SELECT post_id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence
          FROM json_to_recordset(%s::json)
            AS row (post_id uuid, cadre_id uuid, organisation_id uuid, post_kind text, post_level text, from_on date,
                    until_on date, sequence integer)
         ORDER BY post_id
            ON CONFLICT (id) DO UPDATE
           SET cadre_id = excluded.cadre_id,
               organisation_id = excluded.organisation_id,
               post_kind = excluded.post_kind,
               post_level = excluded.post_level,
               from_on = excluded.from_on,
               until_on = excluded.until_on,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def find_serving(connection: Connection, cadre_ids: Sequence[UUID], *, on: date) -> dict[UUID, set[UUID]]:
    """Of each cadre the organisations of the posts held on a day."""
    rows = connection.execute(
        """
        SELECT cadre_id, array_agg(DISTINCT organisation_id)
          FROM post
         WHERE cadre_id = ANY (%s)
           AND from_on <= %s
           AND (until_on IS NULL OR until_on >= %s)
         GROUP BY cadre_id
        """,
        [list(cadre_ids), on, on],
    ).fetchall()
    return {UUID(str(row[0])): set(row[1]) for row in rows if isinstance(row[1], list)}


def find_staff_numbers(connection: Connection, cadre_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = connection.execute("SELECT id, staff_number FROM cadre WHERE id = ANY (%s)", [list(cadre_ids)]).fetchall()
    return {UUID(str(row[0])): str(row[1]) for row in rows}
