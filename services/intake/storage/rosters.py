"""The results of annual appraisals that cadre files told of."""

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
