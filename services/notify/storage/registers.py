"""Organisations, and who has which issue, as events tell of them: the highest sequence wins, whenever it arrives."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.notify.domain.holdings import Holding
from shared.database import Connection

Row = dict[str, Any]


def upsert_organisations(connection: Connection, rows: Sequence[Row]) -> None:
    """Their paths are not right before `set_paths`."""
    connection.execute(
        """
        INSERT INTO organisation AS known (id, code, name, parent_id, ended_on, path, change, sequence)
        SELECT organisation_id, code, name, parent_id, ended_on, ARRAY[organisation_id], 0, sequence
          FROM json_to_recordset(%s::json)
            AS row (organisation_id uuid, code text, name text, parent_id uuid, ended_on date, sequence integer)
         ORDER BY organisation_id
            ON CONFLICT (id) DO UPDATE
           SET code = excluded.code,
               name = excluded.name,
               parent_id = excluded.parent_id,
               ended_on = excluded.ended_on,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def set_paths(connection: Connection, organisation_ids: Sequence[object]) -> None:
    """Set the paths of these and of all below them, as far up as their parents are known by now."""
    connection.execute(
        """
        WITH RECURSIVE touched AS (
             SELECT id FROM organisation WHERE id = ANY (%s::uuid[])
              UNION
             SELECT organisation.id FROM organisation JOIN touched ON organisation.parent_id = touched.id),
        step (id, at, depth) AS (
             SELECT id, id, 1 FROM touched
              UNION ALL
             SELECT step.id, organisation.parent_id, depth + 1
               FROM step
               JOIN organisation ON organisation.id = step.at
              WHERE organisation.parent_id IS NOT NULL
                AND depth < 32),
        upward AS (
             SELECT id, array_agg(at ORDER BY depth DESC) AS path FROM step GROUP BY id),
        whole AS (
             SELECT upward.id,
                    coalesce(top.path[:cardinality(top.path) - 1], '{}') || upward.path AS path
               FROM upward
               LEFT JOIN organisation AS top ON top.id = upward.path[1] AND top.sequence = 0)
        UPDATE organisation
           SET path = whole.path[greatest(1, cardinality(whole.path) - 31):]
          FROM whole
         WHERE whole.id = organisation.id
           AND organisation.sequence > 0
           AND organisation.path IS DISTINCT FROM whole.path
        """,
        [list(organisation_ids)],
    )


def list_holdings(connection: Connection, issue_ids: Sequence[UUID]) -> list[Holding]:
    with connection.cursor(row_factory=class_row(Holding)) as cursor:
        return cursor.execute(
            """
            SELECT id AS issue_id, organisation_id, cadre_id, assignment_sequence, assisting_ids, assisting_sequence,
                   is_closed, closure_sequence
              FROM issue
             WHERE id = ANY (%s)
             ORDER BY id
               FOR NO KEY UPDATE
            """,
            [list(issue_ids)],
        ).fetchall()


def find_holdings(connection: Connection, issue_ids: Sequence[UUID]) -> dict[UUID, Holding]:
    """As they stand, for whoever only reads."""
    with connection.cursor(row_factory=class_row(Holding)) as cursor:
        found = cursor.execute(
            """
            SELECT id AS issue_id, organisation_id, cadre_id, assignment_sequence, assisting_ids, assisting_sequence,
                   is_closed, closure_sequence
              FROM issue
             WHERE id = ANY (%s)
            """,
            [list(issue_ids)],
        ).fetchall()
    return {holding.issue_id: holding for holding in found}


def find_shareable(connection: Connection, issue_ids: Sequence[UUID]) -> set[UUID]:
    """Those that are known to be neither a complaint nor a report."""
    rows = connection.execute("SELECT id FROM shareable_issue WHERE id = ANY (%s)", [list(issue_ids)]).fetchall()
    return {UUID(str(row[0])) for row in rows}


def upsert_holdings(connection: Connection, holdings: Sequence[Holding]) -> None:
    """Each part by its own sequence, since another process may have written meanwhile what was not there to lock."""
    if not holdings:
        return
    connection.execute(
        """
        INSERT INTO issue AS known (id, organisation_id, cadre_id, assignment_sequence, assisting_ids,
                                    assisting_sequence, is_closed, closure_sequence)
        SELECT issue_id, organisation_id, cadre_id, assignment_sequence, assisting_ids, assisting_sequence,
               is_closed, closure_sequence
          FROM json_to_recordset(%s::json)
            AS row (issue_id uuid, organisation_id uuid, cadre_id uuid, assignment_sequence integer,
                    assisting_ids uuid[], assisting_sequence integer, is_closed boolean, closure_sequence integer)
         ORDER BY issue_id
            ON CONFLICT (id) DO UPDATE
           SET (organisation_id, cadre_id) = (
                   SELECT CASE WHEN later THEN excluded.organisation_id ELSE known.organisation_id END,
                          CASE WHEN later THEN excluded.cadre_id ELSE known.cadre_id END
                     FROM (SELECT excluded.assignment_sequence > known.assignment_sequence) AS told (later)),
               assignment_sequence = greatest(known.assignment_sequence, excluded.assignment_sequence),
               assisting_ids = CASE WHEN excluded.assisting_sequence > known.assisting_sequence
                                    THEN excluded.assisting_ids
                                    ELSE known.assisting_ids END,
               assisting_sequence = greatest(known.assisting_sequence, excluded.assisting_sequence),
               is_closed = CASE WHEN excluded.closure_sequence > known.closure_sequence
                                THEN excluded.is_closed
                                ELSE known.is_closed END,
               closure_sequence = greatest(known.closure_sequence, excluded.closure_sequence)
        """,
        [orjson.dumps([asdict(holding) for holding in holdings]).decode()],
    )


def find_places(connection: Connection, aggregate_ids: Sequence[UUID]) -> dict[tuple[str, UUID], UUID]:
    rows = connection.execute(
        "SELECT aggregate, aggregate_id, organisation_id FROM place WHERE aggregate_id = ANY (%s)",
        [list(aggregate_ids)],
    ).fetchall()
    return {(str(row[0]), UUID(str(row[1]))): UUID(str(row[2])) for row in rows}


def upsert_places(connection: Connection, places: Sequence[tuple[str, UUID, UUID]]) -> None:
    if not places:
        return
    aggregates, aggregate_ids, organisation_ids = zip(*places, strict=True)
    connection.execute(
        """
        INSERT INTO place (aggregate, aggregate_id, organisation_id)
        SELECT * FROM unnest(%s::text[], %s::uuid[], %s::uuid[])
            ON CONFLICT (aggregate, aggregate_id) DO UPDATE
           SET organisation_id = excluded.organisation_id
        """,
        [list(aggregates), list(aggregate_ids), list(organisation_ids)],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An organisation with the codes of all above it, root first, itself last."""

    id: UUID
    code: str
    name: str | None
    codes: list[str]


def list_units(connection: Connection, organisation_ids: Sequence[UUID]) -> list[Unit]:
    with connection.cursor(row_factory=class_row(Unit)) as cursor:
        return cursor.execute(
            """
            SELECT organisation.id, organisation.code, organisation.name,
                   array(SELECT above.code
                           FROM organisation AS above
                          WHERE above.id = ANY (organisation.path)
                          ORDER BY array_position(organisation.path, above.id)) AS codes
              FROM organisation
             WHERE organisation.id = ANY (%s)
            """,
            [list(organisation_ids)],
        ).fetchall()


def find_within_reach(connection: Connection, code: str) -> UUID | None:
    row = connection.execute("SELECT id FROM organisation WHERE code = %s AND is_within_reach(id)", [code]).fetchone()
    return UUID(str(row[0])) if row else None
