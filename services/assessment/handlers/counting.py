"""Counting what is due: cells from their facts, what is owed around them, and organisations from what lies below."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.duties import DutyTally, tally_duties
from services.assessment.domain.measures import NOBODY
from services.assessment.domain.organisations import depth_of, line_of
from services.assessment.storage import tallies, units
from services.assessment.storage.due import DueCell
from services.assessment.storage.duties import list_duty_units_around
from services.assessment.storage.tallies import Cell
from shared.database import Connection

Months = dict[tuple[UUID, date], str]  # of cadres or organisations, each with the correlation id of what made it due


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    as_of: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.as_of.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The months of cadres and of their organisations in which something may stand otherwise now."""

    cadres: Months
    organisations: Months


def count_cells(connection: Connection, cells: Sequence[DueCell], moment: Moment) -> Counted:
    """Count these cells from their facts, and anew what their cadres owe in the units around.

    Of organisations those in whose cells something stands otherwise, and those that were marked by nobody's cell.
    """
    if not cells:
        return Counted(cadres={}, organisations={})
    correlations: Months = {(cell.cadre_id, cell.month): cell.correlation_id for cell in cells}
    duties = _list_duties(connection, correlations, moment)
    counted = [(cell.organisation_id, cell.cadre_id, cell.month) for cell in cells]
    changed = tallies.tally_cells(
        connection,
        counted,
        [duties.get(cell, DutyTally()) for cell in counted],
        as_of=moment.as_of,
        time_zone=moment.zone.key,
    )
    known = set(counted)
    owing = [cell for cell in duties if cell not in known]
    if owing:
        changed += tallies.put_duties(connection, owing, [duties[cell] for cell in owing])
    return _collect(cells, changed, correlations)


def _collect(cells: Sequence[DueCell], changed: Sequence[Cell], correlations: Months) -> Counted:
    by_cadre = {cadre_id: correlation_id for (cadre_id, _), correlation_id in correlations.items()}
    cadres = {key: correlation_id for key, correlation_id in correlations.items() if key[0] != NOBODY}
    organisations = {
        (cell.organisation_id, cell.month): cell.correlation_id for cell in cells if cell.cadre_id == NOBODY
    }
    for organisation_id, cadre_id, month in changed:
        if cadre_id != NOBODY:
            cadres.setdefault((cadre_id, month), by_cadre[cadre_id])
        organisations.setdefault((organisation_id, month), by_cadre[cadre_id])
    return Counted(cadres=cadres, organisations={key: one for key, one in organisations.items() if key[0] != NOBODY})


def _list_duties(connection: Connection, asked: Months, moment: Moment) -> dict[Cell, DutyTally]:
    """What the cadres owe around these months, by the cell in which it stands."""
    months = [key for key in asked if key[0] != NOBODY]
    owing = list_duty_units_around(connection, months, time_zone=moment.zone.key) if months else []
    return tally_duties(owing, moment.today)


def sum_organisations(connection: Connection, touched: Months) -> Months:
    """Sum these organisations in these months and all above them, the deepest first; return all of them."""
    parents = _list_parents(connection, touched)
    summed: Months = {}
    for (organisation_id, month), correlation_id in sorted(touched.items()):
        for above in line_of(organisation_id, parents[month]):
            summed.setdefault((above, month), correlation_id)
    by_depth: dict[int, list[tuple[UUID, date]]] = {}
    for organisation_id, month in sorted(summed):
        by_depth.setdefault(depth_of(organisation_id, parents[month]), []).append((organisation_id, month))
    for depth in sorted(by_depth, reverse=True):
        units.tally_organisations(connection, by_depth[depth])
    return summed


def list_directly_above(connection: Connection, touched: Months) -> Months:
    """Under which organisations these stood in these months."""
    parents = _list_parents(connection, touched)
    above: Months = {}
    for (organisation_id, month), correlation_id in sorted(touched.items()):
        for parent_id in line_of(organisation_id, parents[month])[1:2]:
            above.setdefault((parent_id, month), correlation_id)
    return above


def _list_parents(connection: Connection, touched: Iterable[tuple[UUID, date]]) -> dict[date, dict[UUID, UUID | None]]:
    """By month, under which parent each of these organisations, and each above them, stood on its first day."""
    places = sorted(touched)
    parents: dict[date, dict[UUID, UUID | None]] = {month: {} for _, month in places}
    for row in units.list_ancestry(connection, places):
        parents[row.on_day][row.organisation_id] = row.parent_id
    return parents
