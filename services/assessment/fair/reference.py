"""What an average peer would have got: main effects of the kinds of case, and what is left of each cell, drawn to none.

A table is fitted together with the cadres' own levels, so that it does not take for hardness what is the hand of those
who have most of these cases. Sums are exactly rounded, and rounds are counted, so every machine fits the same table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import fsum

from services.assessment.fair.marks import Cell, Counted
from services.assessment.fair.records import MICRO

PICO = MICRO * MICRO
ROUNDS = 4
SWEEPS = 8
OWN_PRIOR = 8.0  # a cadre's own level is drawn to the group's by so many records while a table is fitted


@dataclass(slots=True, kw_only=True)
class Tally:
    weight: int = 0
    weighted: int = 0  # weight x value
    squared: int = 0  # weight x value x value


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Expected values in millionths by cell."""

    mean: int
    expected: Mapping[Cell, int] = field(default_factory=dict)
    scatter: Mapping[Cell, int] = field(default_factory=dict)  # variance of a single record

    def expect(self, cell: Cell) -> int:
        return self.expected.get(cell, self.mean)


def tally_cells(everybody: Iterable[Counted], indicator: str) -> dict[tuple[str, Cell], Tally]:
    """By cadre and cell; of one indicator, since those of all together are what takes the most room."""
    tallies: dict[tuple[str, Cell], Tally] = {}
    for counted in everybody:
        cadre = counted.dossier.cadre.cadre
        for mark in counted.marks:
            if mark.weight and mark.indicator == indicator:
                tally = tallies.setdefault((cadre, mark.cell), Tally())
                tally.weight += mark.weight
                tally.weighted += mark.weight * mark.value
                tally.squared += mark.weight * mark.value * mark.value
    return tallies


@dataclass(frozen=True, slots=True)
class _Group:
    cadre: str
    cell: Cell
    weight: float
    total: float
    square: float


def fit_table(tallies: Mapping[tuple[str, Cell], Tally], prior: int, regions: Mapping[str, str]) -> Table:
    """Deterministic in any order of the tallies. `regions` are those of the cadres."""
    groups = [
        _Group(cadre, cell, tally.weight / MICRO, tally.weighted / PICO, tally.squared / (PICO * MICRO))
        for (cadre, cell), tally in sorted(tallies.items())
    ]
    if not groups:
        return Table(mean=0)
    mean = fsum(group.total for group in groups) / fsum(group.weight for group in groups)
    own: dict[str, float] = {}
    expected: dict[Cell, float] = {}
    for _ in range(ROUNDS):
        expected = _fit_cells(groups, own, mean, float(prior))
        own = _fit_own(groups, expected, regions)
    scatter = _scatter(groups, expected, float(prior))
    return Table(
        mean=round(mean * MICRO),
        expected={cell: round(value * MICRO) for cell, value in expected.items()},
        scatter={cell: round(value * MICRO) for cell, value in scatter.items()},
    )


def _scatter(groups: list[_Group], expected: Mapping[Cell, float], prior: float) -> dict[Cell, float]:
    parts: dict[Cell, tuple[list[float], list[float]]] = {}
    for group in groups:
        usual = expected[group.cell]
        squares, weights = parts.setdefault(group.cell, ([], []))
        squares.append(group.square - 2 * usual * group.total + group.weight * usual * usual)
        weights.append(group.weight)
    sums = {cell: (fsum(squares), fsum(weights)) for cell, (squares, weights) in parts.items()}
    mean = fsum(square for square, _ in sums.values()) / fsum(weight for _, weight in sums.values())
    return {cell: (square + prior * mean) / (weight + prior) for cell, (square, weight) in sums.items()}


def _fit_own(groups: list[_Group], expected: Mapping[Cell, float], regions: Mapping[str, str]) -> dict[str, float]:
    """The region's mean and, drawn to it, the cadre's."""
    own: dict[str, tuple[list[float], list[float]]] = {}
    places: dict[str, tuple[list[float], list[float]]] = {}
    for group in groups:
        left = group.total - group.weight * expected[group.cell]
        for sums, key in ((own, group.cadre), (places, regions[group.cadre])):
            totals, weights = sums.setdefault(key, ([], []))
            totals.append(left)
            weights.append(group.weight)
    means = {region: fsum(totals) / (fsum(weights) + OWN_PRIOR) for region, (totals, weights) in places.items()}
    return {
        cadre: (fsum(totals) + OWN_PRIOR * means[regions[cadre]]) / (fsum(weights) + OWN_PRIOR)
        for cadre, (totals, weights) in own.items()
    }


def _fit_cells(groups: list[_Group], own: Mapping[str, float], mean: float, prior: float) -> dict[Cell, float]:
    parts: dict[Cell, tuple[list[float], list[float]]] = {}
    for group in groups:
        left, weights = parts.setdefault(group.cell, ([], []))
        left.append(group.total - group.weight * own.get(group.cadre, 0.0))
        weights.append(group.weight)
    sums = {cell: (fsum(left), fsum(weights)) for cell, (left, weights) in parts.items()}
    effects: dict[tuple[int, str], float] = {}
    width = max(len(cell) for cell in sums)
    for _ in range(SWEEPS):
        for axis in range(width):
            _sweep(sums, effects, axis, mean)
    expected = {}
    for cell, (total, weight) in sums.items():
        main = mean + _main_effect(cell, effects)
        expected[cell] = main + (total - weight * main) / (weight + prior)
    return expected


def _sweep(
    sums: Mapping[Cell, tuple[float, float]], effects: dict[tuple[int, str], float], axis: int, mean: float
) -> None:
    """One main effect, given the others."""
    parts: dict[str, tuple[list[float], list[float]]] = {}
    for cell, (total, weight) in sums.items():
        others = mean + _main_effect(cell, effects, without=axis)
        left, weights = parts.setdefault(cell[axis], ([], []))
        left.append(total - weight * others)
        weights.append(weight)
    effects.update({(axis, level): fsum(left) / (fsum(weights) + 1.0) for level, (left, weights) in parts.items()})


def _main_effect(cell: Cell, effects: Mapping[tuple[int, str], float], without: int = -1) -> float:
    return fsum(effects.get((axis, level), 0.0) for axis, level in enumerate(cell) if axis != without)
