"""Who the persons of cadre files are, and the results of their annual appraisals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenResult:
    id: UUID
    cadre_id: UUID
    year: int
    sequence: int


def insert_matches(connection: Connection, rows: Mapping[str, UUID], *, recorded_at: datetime) -> set[bytes]:
    """Insert the persons that stand nowhere yet; return which these were."""
    inserted = connection.execute(
        """
        INSERT INTO roster_match (person, cadre_id, recorded_at)
        SELECT person::bytea, cadre_id, %s
          FROM unnest(%s::text[], %s::uuid[]) AS row (person, cadre_id)
            ON CONFLICT DO NOTHING
        RETURNING person
        """,
        [recorded_at, list(rows), list(rows.values())],
    ).fetchall()
    return {bytes(row[0]) for row in inserted}  # type: ignore[call-overload] # psycopg types a row as objects


def list_matches(connection: Connection, persons: Sequence[bytes]) -> dict[bytes, UUID]:
    rows = connection.execute(
        "SELECT person, cadre_id FROM roster_match WHERE person = ANY(%s)", [list(set(persons))]
    ).fetchall()
    return {bytes(person): UUID(str(cadre_id)) for person, cadre_id in rows}  # type: ignore[call-overload] # as above


def upsert_results(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> dict[tuple[UUID, int], WrittenResult]:
    """Write what is new or other than it stands; return that by cadre and year."""
    with connection.cursor(row_factory=class_row(WrittenResult)) as cursor:
        written = cursor.execute(
            """
            INSERT INTO appraisal_result AS standing (id, cadre_id, year, grade, sequence, recorded_at)
            SELECT id, cadre_id, year, grade, 1, %s
              FROM json_to_recordset(%s::json) AS row (id uuid, cadre_id uuid, year integer, grade text)
             ORDER BY cadre_id, year
                ON CONFLICT (cadre_id, year) DO UPDATE
               SET grade = excluded.grade, sequence = standing.sequence + 1, recorded_at = excluded.recorded_at
             WHERE standing.grade <> excluded.grade
            RETURNING id, cadre_id, year, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()
    return {(row.cadre_id, row.year): row for row in written}
