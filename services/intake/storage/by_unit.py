"""Lists of what belongs to units, for whoever reaches a part of them: a page is merged of those of each unit.

Row policies say who sees a row, and the planner cannot know of a policy how little it leaves: in the order of the whole
list it asks of every row until a page is full. The unit that stands on a row finds rows faster, and shows nobody any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import sql

from shared.database import Connection

# Each unit is planned for anew, its row policies too: of more of them the next row is found sooner in the order of all.
MOST_MERGED: Final = 8

Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Rows of one table in an order. Its policies let see those of `owner_organisation_id` within reach.

    `is_own_seen` where they let a cadre see own records besides, wherever these belong to. `may_lack_unit` where a row
    without a unit may be anybody's, so that its policy is asked.
    """

    table: LiteralString
    columns: Sequence[LiteralString]
    where: LiteralString
    order: Sequence[LiteralString]
    newest_first: bool = False
    is_own_seen: bool = False
    may_lack_unit: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A query for the rows of a page, to be joined to what else is shown of them, and its parameters."""

    query: sql.Composed
    parameters: dict[str, Any]


def find_page(connection: Connection, listed: Listed, *, after: Place | None = None, limit: int) -> Page:
    """What asks for the rows that come next, for whoever acts now. `after` is of lists by two columns."""
    return compose_page(listed, _find_units(connection, listed), after=after, limit=limit)


def compose_page(listed: Listed, units: Sequence[UUID] | None, *, after: Place | None, limit: int) -> Page:
    given: dict[str, Any] = {"limit": limit}
    conditions: list[sql.Composable] = [sql.SQL(listed.where)]
    if after is not None:
        given |= {"after_at": after[0], "after_id": after[1]}
        comparison = sql.SQL("<" if listed.newest_first else ">")
        conditions.append(sql.SQL("({}) {} (%(after_at)s, %(after_id)s)").format(_names(listed.order), comparison))
    if units is None:
        return Page(_select(listed, conditions), given)
    if not 0 < len(units) <= MOST_MERGED:
        # IS TRUE keeps it off the index by unit, by which all rows of these units would be read, and sorted.
        answer = sql.SQL("IS NOT FALSE" if listed.may_lack_unit else "IS TRUE")
        within = sql.SQL("(owner_organisation_id = ANY (%(units)s)) {}").format(answer)
        return Page(_select(listed, [*conditions, within]), given | {"units": list(units)})
    parts = [
        _select(listed, [*conditions, sql.SQL("owner_organisation_id = {}").format(sql.Placeholder(f"unit_{number}"))])
        for number in range(len(units))
    ]
    if listed.may_lack_unit:
        parts.append(_select(listed, [*conditions, sql.SQL("owner_organisation_id IS NULL")]))
    return Page(_merge(listed, parts), given | {f"unit_{number}": unit for number, unit in enumerate(units)})


def _find_units(connection: Connection, listed: Listed) -> list[UUID] | None:
    """The units within reach; None where these are not all that is."""
    row = connection.execute(
        """
        SELECT CASE WHEN reaches_everything() OR (%s AND acting_staff_number() IS NOT NULL) THEN NULL
                    ELSE ARRAY(SELECT DISTINCT organisation_id
                                 FROM organisation_line
                                WHERE ancestor_code = ANY ((SELECT acting_organisations())::text[])
                                ORDER BY organisation_id) END
        """,
        [listed.is_own_seen],
    ).fetchone()
    units: Any = row[0] if row is not None else []
    return units if units is None else list(units)


def _select(listed: Listed, conditions: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %(limit)s").format(
        _names(listed.columns), sql.Identifier(listed.table), sql.SQL(" AND ").join(conditions), _order(listed)
    )


def _merge(listed: Listed, parts: Sequence[sql.Composed]) -> sql.Composed:
    """Each part is in the order, so that no more is read of any than the page takes."""
    if len(parts) == 1:
        return parts[0]
    union = sql.SQL(" UNION ALL ").join(sql.SQL("({})").format(part) for part in parts)
    return sql.SQL("SELECT {} FROM ({}) AS merged ORDER BY {} LIMIT %(limit)s").format(
        _names(listed.columns), union, _order(listed)
    )


def _names(names: Sequence[LiteralString]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _order(listed: Listed) -> sql.Composed:
    direction = sql.SQL(" DESC" if listed.newest_first else "")
    return sql.SQL(", ").join(sql.Identifier(name) + direction for name in listed.order)
