"""What categories of issues are called: every version of each, and the name that an issue was filed under."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from shared.database import Connection


def insert_versions(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    connection.execute(
        """
        INSERT INTO category_version (category_id, sequence, organisation_id, code, name, from_on)
        SELECT category_id, sequence, organisation_id, code, name, coalesce(from_on, '1900-01-01')
          FROM json_to_recordset(%s::json)
            AS row (category_id uuid, sequence integer, organisation_id uuid, code text, name text, from_on date)
            ON CONFLICT DO NOTHING
        """,
        [orjson.dumps(rows).decode()],
    )


def list_names(connection: Connection, issue_ids: Sequence[UUID], *, time_zone: str) -> dict[UUID, str]:
    """By issue, what its category was called in its place when it came in; on category_version_code.

    Of a day before the first version the first one, as intake has it. Nothing of what no category names.
    """
    rows = connection.execute(
        """
        SELECT issue_id, named.name
          FROM issue_fact AS fact
         CROSS JOIN LATERAL (SELECT (received_at AT TIME ZONE %(time_zone)s::text)::date AS received_on) AS came
         CROSS JOIN LATERAL (
                   SELECT name
                     FROM category_version AS version
                    CROSS JOIN LATERAL scope_distance(fact.organisation_id, version.organisation_id, received_on)
                       AS distance
                    WHERE version.code = fact.category
                      AND distance IS NOT NULL
                    ORDER BY distance,
                             from_on <= received_on DESC,
                             CASE WHEN from_on <= received_on THEN from_on END DESC,
                             from_on,
                             sequence DESC
                    LIMIT 1) AS named
         WHERE issue_id = ANY(%(ids)s)
        """,
        {"ids": list(issue_ids), "time_zone": time_zone},
        prepare=False,
    ).fetchall()
    return {UUID(str(row[0])): str(row[1]) for row in rows}
