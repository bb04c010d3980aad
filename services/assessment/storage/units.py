"""Sums of organisations by the month: their own cells and what stood below them, and who that was."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.assessment.storage.arrays import to_array
from services.assessment.storage.tallies import COLUMNS, list_columns
from shared.database import Connection

# Under which parent an organisation stood on a day, as parent_on has it, which takes many times as long.
_PARENT_ON: Final = """
    (SELECT parent_id
       FROM parentage
      WHERE parentage.organisation_id = {organisation}
      ORDER BY from_on <= {day} DESC, CASE WHEN from_on <= {day} THEN from_on END DESC, from_on, sequence DESC
      LIMIT 1)
"""
_ANCESTRY: Final = (
    sql.SQL(
        """
        WITH RECURSIVE line AS (
            SELECT organisation_id, on_day, {parent} AS parent_id
              FROM unnest(%s::uuid[], %s::date[]) AS own (one, on_day)
              JOIN organisation ON organisation_id = one
             UNION
            SELECT above.organisation_id, on_day, {grandparent}
              FROM line
              JOIN organisation AS above ON above.organisation_id = line.parent_id
        )
        SELECT organisation_id, on_day, parent_id
          FROM line
    """
    )
    .format(
        parent=sql.SQL(_PARENT_ON).format(organisation=sql.SQL("organisation.organisation_id"), day=sql.SQL("on_day")),
        grandparent=sql.SQL(_PARENT_ON).format(organisation=sql.SQL("above.organisation_id"), day=sql.SQL("on_day")),
    )
    .as_bytes()
)
# Who stood below is found first: asked of every organisation there is, it would cost more than all the sums. Own cells
# are read an organisation at a time, whose months lie together; not by a hash beside the whole table.
_TALLY_ORGANISATIONS: Final = (
    sql.SQL(
        """
        WITH own AS MATERIALIZED (
            SELECT organisation_id, month
              FROM unnest(%s::uuid[], %s::date[]) AS row (organisation_id, month)
        ), below AS MATERIALIZED (
            SELECT DISTINCT ON (organisation_id, month) organisation_id, month, parent_id
              FROM parentage
             CROSS JOIN (SELECT DISTINCT month FROM own) AS asked
             WHERE organisation_id IN (SELECT known.organisation_id
                                         FROM own
                                         JOIN parentage AS known ON known.parent_id = own.organisation_id)
             ORDER BY organisation_id, month, from_on <= month DESC, CASE WHEN from_on <= month THEN from_on END DESC,
                      from_on, sequence DESC
        )
        INSERT INTO organisation_tally AS known (organisation_id, month, {columns})
        SELECT organisation_id, month, {sums}
          FROM (SELECT organisation_id, month, {nothing}
                  FROM own
                 UNION ALL
                SELECT organisation_id, month, {columns}
                  FROM (SELECT organisation_id, array_agg(month) AS months FROM own GROUP BY organisation_id) AS unit
                 CROSS JOIN LATERAL (
                           SELECT month, {sums_named}
                             FROM tally
                            WHERE tally.organisation_id = unit.organisation_id
                              AND month = ANY(months)
                            GROUP BY month) AS cells
                 UNION ALL
                SELECT own.organisation_id, own.month, {columns}
                  FROM own
                  JOIN below
                    ON below.parent_id = own.organisation_id
                   AND below.month = own.month
                   AND below.organisation_id <> own.organisation_id
                 CROSS JOIN LATERAL (
                           SELECT {columns}
                             FROM organisation_tally
                            WHERE organisation_tally.organisation_id = below.organisation_id
                              AND organisation_tally.month = below.month
                           OFFSET 0) AS row) AS part
         GROUP BY organisation_id, month
            ON CONFLICT (organisation_id, month) DO UPDATE
           SET ({columns}) = ROW({excluded})
         WHERE ({known}) <> ({excluded})
     RETURNING organisation_id, month
    """
    )
    .format(
        columns=list_columns("{name}", COLUMNS),
        nothing=list_columns("0::bigint AS {name}", COLUMNS),
        sums=list_columns("whole_sum({name})", COLUMNS),
        sums_named=list_columns("whole_sum({name}) AS {name}", COLUMNS),
        excluded=list_columns("excluded.{name}", COLUMNS),
        known=list_columns("known.{name}", COLUMNS),
    )
    .as_bytes()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """Under which parent an organisation stood on a day."""

    organisation_id: UUID
    on_day: date
    parent_id: UUID | None


def list_ancestry(connection: Connection, places: Sequence[tuple[UUID, date]]) -> list[Ancestry]:
    """These organisations on these days, each with all that stood above it then.

    UNION drops repeats, so that a circle in the register ends.
    """
    with connection.cursor(row_factory=class_row(Ancestry)) as cursor:
        return cursor.execute(
            _ANCESTRY, [to_array(one for one, _ in places), to_array(day for _, day in places)]
        ).fetchall()


def tally_organisations(connection: Connection, rows: Sequence[tuple[UUID, date]]) -> list[tuple[UUID, date]]:
    """Sum organisations of one depth from their own cells and the rows of their children, which must be up to date.

    A month is whole: it belongs to the parent of its first day, so that no move takes facts of earlier days along.
    Return those that came out otherwise than they stood.
    """
    if not rows:
        return []
    changed = connection.execute(
        _TALLY_ORGANISATIONS, [to_array(one for one, _ in rows), to_array(month for _, month in rows)], prepare=False
    ).fetchall()
    return [(row[0], row[1]) for row in changed]  # type: ignore[misc] # the driver reads uuid and date as such


def list_with_children(connection: Connection, organisation_ids: Collection[UUID]) -> set[UUID]:
    """Those of these below which an organisation stands, or ever stood."""
    if not organisation_ids:
        return set()
    rows = connection.execute(
        "SELECT one FROM unnest(%s::uuid[]) AS one WHERE EXISTS (SELECT FROM parentage WHERE parent_id = one)",
        [to_array(organisation_ids)],
        prepare=False,
    ).fetchall()
    return {UUID(str(row[0])) for row in rows}


def list_months_of_organisations(connection: Connection, organisation_ids: Sequence[UUID]) -> list[tuple[UUID, date]]:
    """Of what is or was below them too: an organisation may become known after its children were counted."""
    rows = connection.execute(
        """
        SELECT organisation_id, month
          FROM organisation_tally
         WHERE organisation_id = ANY(%(ids)s)
         UNION
        SELECT organisation_id, month
          FROM tally
         WHERE organisation_id = ANY(%(ids)s)
         UNION
        SELECT child.parent_id, month
          FROM parentage AS child
          JOIN organisation_tally AS below USING (organisation_id)
         WHERE child.parent_id = ANY(%(ids)s)
        """,
        {"ids": list(organisation_ids)},
    ).fetchall()
    return [(UUID(str(row[0])), row[1]) for row in rows if isinstance(row[1], date)]
