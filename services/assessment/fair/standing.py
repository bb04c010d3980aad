"""A cadre's records of one indicator against what is usual for such records: four exact sums, and their mean."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.assessment.fair.marks import Counted, Mark, Note
from services.assessment.fair.records import MICRO
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import FairSettings, Values
from services.assessment.fair.totals import PICO
from services.assessment.fair.values import EXPLAINING, LEAVING

UNVALUED = frozenset({EXPLAINING, LEAVING})


@dataclass(slots=True, kw_only=True)
class Standing:
    """Whole numbers, so that neither order nor partition can matter: w, w x w, w x r, w x r x r, w x value, and
    w x w x the variance of one record of the cell.
    """

    weight: int = 0
    squared: int = 0
    residual: int = 0
    scatter: int = 0
    weighted: int = 0
    noise: int = 0

    def add(self, weight: int, value: int, residual: int, scatter: int) -> None:
        self.noise += weight * weight * scatter
        self.weight += weight
        self.squared += weight * weight
        self.residual += weight * residual
        self.scatter += weight * residual * residual
        self.weighted += weight * value

    @property
    def mean(self) -> float:
        return self.residual / (self.weight * MICRO)

    @property
    def effective(self) -> float:
        """How many equal records these are worth."""
        return self.weight * self.weight / self.squared

    @property
    def error(self) -> float:
        """Variance of the mean."""
        return self.noise / (self.weight * self.weight * MICRO)

    @property
    def observed(self) -> float:
        return self.weighted / (self.weight * MICRO)

    @property
    def within(self) -> float:
        """Sum of squares about the own mean."""
        return (self.scatter * self.weight - self.residual * self.residual) / (self.weight * MICRO * PICO)


class Residual(NamedTuple):
    """One record against what is usual. `habit` is how the rater rates other cadres."""

    mark: Mark
    expected: int
    habit: int
    residual: int


def stand(residuals: Iterable[Residual], tables: Mapping[str, Table]) -> dict[str, Standing]:
    standings: dict[str, Standing] = {}
    for mark, _, _, residual in residuals:
        standing = standings.get(mark.indicator)
        if standing is None:
            standing = standings[mark.indicator] = Standing()
        standing.add(mark.weight, mark.value, residual, tables[mark.indicator].vary(mark.cell))
    return standings


def residuals_of(
    counted: Counted, tables: Mapping[str, Table], habits: Mapping[str, int], settings: FairSettings
) -> list[Residual]:
    """`habits`: by rater, towards others than this cadre. What nothing is usual for yet is left to the next look."""
    residuals = []
    usual = {name: (table.expected, table.mean) for name, table in tables.items()}
    floor = settings.values.speed_floor
    for mark in counted.marks:
        _, name, cell, value, weight, _, rater = mark
        if not weight or name in UNVALUED or name not in usual:
            continue
        by_cell, mean = usual[name]
        expected = by_cell.get(cell, mean)
        habit = habits.get(rater, 0) if rater else 0
        residual = value - expected - habit
        if name == "speed":
            residual = max(residual, floor)
        residuals.append(Residual(mark, expected, habit, residual))
    residuals.extend(_excess_of(EXPLAINING, "explained", counted, tables, settings.values))
    residuals.extend(_excess_of(LEAVING, "unassessed", counted, tables, settings.values))
    return residuals


def _excess_of(
    name: str, note: Note, counted: Counted, tables: Mapping[str, Table], values: Values
) -> Iterator[Residual]:
    """What is explained, or left out, is not counted up to what such cases usually need, with a margin (millionths of a
    deviation); the excess counts as unsolved. A table, a sum of effects, may let expect fewer than none of some cases.
    """
    if not {"resolution", name} <= tables.keys():
        return
    kinds = [mark for mark in counted.marks if mark.indicator == name]
    found = sum(mark.weight * mark.value for mark in kinds) / PICO
    if not found:
        return
    usual = sum(mark.weight * tables[name].expect(mark.cell) for mark in kinds) / PICO
    if values.usual_from_none:
        usual = max(0.0, usual)
    margin = values.explained_margin if name == EXPLAINING else values.left_out_margin
    allowed = margin / MICRO * math.sqrt(0.9 * max(0.0, usual) + 0.1)
    share = int(max(0.0, found - usual - allowed) / found * MICRO)
    for mark in kinds if share else ():
        if mark.value:
            excess = mark._replace(indicator="resolution", value=0, weight=mark.weight * share // MICRO, note=note)
            expected = tables["resolution"].expect(mark.cell)
            yield Residual(mark=excess, expected=expected, habit=0, residual=-expected)
