"""What an average peer would have got: main effects of the kinds of case, and what is left of each cell, drawn to none.

A table is fitted together with the cadres' own levels, so that it does not take for hardness what is the hand of those
who have most of these cases. Sums are exactly rounded, and rounds are counted, so every machine fits the same table.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import fsum
from operator import mul, sub

from services.assessment.fair.marks import Cell
from services.assessment.fair.records import MICRO
from services.assessment.fair.totals import SUMS, CellSums

ROUNDS = 4
SWEEPS = 8
OWN_PRIOR = 8.0  # a cadre's own level is drawn to the group's by so many records while a table is fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Expected values in millionths by cell."""

    mean: int
    expected: Mapping[Cell, int] = field(default_factory=dict)
    scatter: Mapping[Cell, int] = field(default_factory=dict)  # variance of a single record

    def expect(self, cell: Cell) -> int:
        return self.expected.get(cell, self.mean)

    def vary(self, cell: Cell) -> int:
        """The variance of a single record; of an unlabelled one, that of a share about the mean."""
        return self.scatter.get(cell, 0) if cell else max(0, self.mean * (MICRO - self.mean)) // MICRO


class _OfCell:
    """The sums of one cell, cadre by cadre."""

    def __init__(self) -> None:
        self.cadres = array("I")
        self.weights = array("d")
        self.totals = array("d")
        self.squares = array("d")
        self.weight = 0.0


class _Fitting:
    """The sums twice: in the order of cadres, who are numbers here, and by cell. What of them never changes is summed
    once.
    """

    def __init__(self, sums: Iterable[CellSums], regions: Mapping[str, str]) -> None:
        self.cells: dict[int, _OfCell] = {}
        self.places: dict[str, list[int]] = {}  # the cadres of each region
        self.own_weights: list[float] = []
        self.own: list[float] = []  # the level of each cadre
        self._rows = array("I")
        self._weights = array("d")
        self._totals = array("d")
        self._starts = [0]
        for number, one in enumerate(sums):
            self.places.setdefault(regions[one.cadre], []).append(number)
            self._add(number, one)
        for cell in self.cells.values():
            cell.weight = fsum(cell.weights)

    def _add(self, number: int, one: CellSums) -> None:
        size = len(one.cells)
        weights, totals, squares = (one.sums[place * size : (place + 1) * size] for place in range(SUMS))
        self._rows += one.cells
        self._weights += weights
        self._totals += totals
        self._starts.append(len(self._rows))
        self.own_weights.append(fsum(weights))
        self.own.append(0.0)
        for cell, weight, total, square in zip(one.cells, weights, totals, squares, strict=True):
            own = self.cells.get(cell)
            if own is None:
                own = self.cells[cell] = _OfCell()
            own.cadres.append(number)
            own.weights.append(weight)
            own.totals.append(total)
            own.squares.append(square)

    def mean(self) -> float:
        return fsum(self._totals) / fsum(self._weights)

    def leave(self, expected: Mapping[int, float]) -> "tuple[array[float], list[int]]":
        """What is left of each sum, and where each cadre's begin."""
        usual = map(expected.__getitem__, self._rows)
        return array("d", map(sub, self._totals, map(mul, self._weights, usual))), self._starts

    def weigh_place(self, cadres: Iterable[int]) -> float:
        return fsum(chain.from_iterable(self._weights[self._starts[n] : self._starts[n + 1]] for n in cadres))


def fit_table(sums: Iterable[CellSums], cells: Sequence[Cell], prior: int, regions: Mapping[str, str]) -> Table | None:
    """Deterministic in any order of the sums; None where there are none. `regions` are those of the cadres."""
    fitting = _Fitting(sums, regions)
    if not fitting.cells:
        return None
    mean = fitting.mean()
    places = [(cadres, fitting.weigh_place(cadres)) for cadres in fitting.places.values()]
    expected: dict[int, float] = {}
    for _ in range(ROUNDS):
        expected = _fit_cells(fitting, cells, mean, prior)
        _fit_own(fitting, expected, places)
    scatter = _scatter(fitting, expected, prior)
    return Table(
        mean=round(mean * MICRO),
        expected={cells[cell]: round(value * MICRO) for cell, value in expected.items()},
        scatter={cells[cell]: round(value * MICRO) for cell, value in scatter.items()},
    )


def _scatter(fitting: _Fitting, expected: Mapping[int, float], prior: float) -> dict[int, float]:
    sums = {}
    for cell, own in fitting.cells.items():
        usual = expected[cell]
        squares = (
            square - 2 * usual * total + weight * usual * usual
            for square, total, weight in zip(own.squares, own.totals, own.weights, strict=True)
        )
        sums[cell] = fsum(squares)
    mean = fsum(sums.values()) / fsum(own.weight for own in fitting.cells.values())
    return {cell: (square + prior * mean) / (fitting.cells[cell].weight + prior) for cell, square in sums.items()}


def _fit_own(fitting: _Fitting, expected: Mapping[int, float], places: Sequence[tuple[Sequence[int], float]]) -> None:
    """The region's mean and, drawn to it, the cadre's."""
    left, starts = fitting.leave(expected)
    for cadres, weight in places:
        total = fsum(chain.from_iterable(left[starts[n] : starts[n + 1]] for n in cadres))
        mean = total / (weight + OWN_PRIOR)
        for number in cadres:
            own = fsum(left[starts[number] : starts[number + 1]])
            fitting.own[number] = (own + OWN_PRIOR * mean) / (fitting.own_weights[number] + OWN_PRIOR)


def _fit_cells(fitting: _Fitting, cells: Sequence[Cell], mean: float, prior: float) -> dict[int, float]:
    sums = {}
    for cell, own in fitting.cells.items():
        levels = map(fitting.own.__getitem__, own.cadres)
        sums[cells[cell]] = fsum(map(sub, own.totals, map(mul, own.weights, levels))), own.weight
    effects: list[dict[str, float]] = [{} for _ in range(max(len(cell) for cell in sums))]
    for _ in range(SWEEPS):
        for axis in range(len(effects)):
            _sweep(sums, effects, axis, mean)
    expected = {}
    for cell in fitting.cells:
        total, weight = sums[cells[cell]]
        main = mean + _main_effect(cells[cell], effects)
        expected[cell] = main + (total - weight * main) / (weight + prior)
    return expected


def _sweep(
    sums: Mapping[Cell, tuple[float, float]], effects: Sequence[dict[str, float]], axis: int, mean: float
) -> None:
    """One main effect, given the others."""
    parts: dict[str, tuple[list[float], list[float]]] = {}
    for cell, (total, weight) in sums.items():
        others = mean + _main_effect(cell, effects, without=axis)
        left, weights = parts.setdefault(cell[axis], ([], []))
        left.append(total - weight * others)
        weights.append(weight)
    effects[axis].update({level: fsum(left) / (fsum(weights) + 1.0) for level, (left, weights) in parts.items()})


def _main_effect(cell: Cell, effects: Sequence[Mapping[str, float]], without: int = -1) -> float:
    parts = [own.get(cell[axis], 0.0) for axis, own in enumerate(effects) if axis != without]
    return parts[0] + parts[1] if len(parts) == 2 else fsum(parts)  # of two the sum is exactly rounded as it is
