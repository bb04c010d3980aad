"""One result of a subject's periods: months put together, in quarters first where the scheme says so, and places."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from services.assessment.domain.rules.schemes import Combined, RuleScheme
from services.assessment.scoring import groups
from services.assessment.scoring.numbers import SHOWN, places_of, round_to
from services.assessment.scoring.results import OverallResult, Totalled
from services.assessment.scoring.totals import whole_places
from services.assessment.scoring.working import work_out_numbers
from services.assessment.scoring.workspace import Number, Numbers, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A period, or several that were put together: its total and the last row that it is of."""

    row: int
    total: Number


def combine_periods(scheme: RuleScheme, totals: Sequence[Totalled], space: Workspace) -> list[OverallResult]:
    """One total for each subject over its periods, ranked within the group of its last period."""
    overall = scheme.overall
    if overall is None:
        return []
    rows: dict[str, list[int]] = {}
    for at in sorted(range(space.size), key=lambda row: (_natural(space.table.periods[row]), row)):
        rows.setdefault(space.table.subjects[at], []).append(at)
    first = None if overall.first is None else _Combiner(overall.first, space)
    last = _Combiner(overall, space)
    combined: list[OverallResult] = []
    for subject, own in rows.items():
        parts = [_Part(row=at, total=totals[at].total) for at in own]
        if first is not None:
            parts = [_Part(row=some[-1].row, total=first.put_together(some)[0]) for some in first.part(parts)]
        total, places = last.put_together(parts)
        count = sum(1 for part in parts if part.total is not None)
        combined.append(
            OverallResult(subject=subject, row=own[-1], total=total, places=places, periods=count, place=None)
        )
    return _rank(scheme, combined, space)


def _natural(period: str) -> list[tuple[int, str]]:
    """So that 2 comes before 10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]+)", period)]


class _Combiner:
    """Puts parts together by one step of the scheme."""

    def __init__(self, step: Combined, space: Workspace) -> None:
        self._step = step
        self._space = space
        self._weights = [Fraction(1)] * space.size if step.weight is None else work_out_numbers(step.weight, space)
        self._places: Numbers = [None] * space.size if step.places is None else work_out_numbers(step.places, space)

    def part(self, parts: Sequence[_Part]) -> list[list[_Part]]:
        """Those together that have the same texts, in the order in which these are met."""
        found: dict[tuple[object, ...], list[_Part]] = {}
        for part in parts:
            found.setdefault(tuple(self._space.columns[key][part.row] for key in self._step.by), []).append(part)
        return list(found.values())

    def put_together(self, parts: Sequence[_Part]) -> tuple[Number, int]:
        """The total, rounded, and its places."""
        scored = [(part.total, self._weights[part.row]) for part in parts if part.total is not None]
        total = _combine(self._step.combine, scored) if len(scored) >= self._step.minimum_count else None
        if total is None:
            return None, SHOWN
        stated = self._places[parts[-1].row]
        needed = places_of(total) if stated is None else whole_places(stated)
        places = SHOWN if needed is None else needed
        return round_to(total, places, self._step.mode), places


def _combine(how: str, weighted: list[tuple[Fraction, Number]]) -> Number:
    """Of one or more. A mean is by the weights of the periods; one without a weight has no part in it."""
    if how == "last":
        return weighted[-1][0]
    if how == "mean":
        known = [(value, weight) for value, weight in weighted if weight is not None]
        whole = groups.add([weight for _, weight in known])
        return groups.add([value * weight for value, weight in known]) / whole if whole else None
    return groups.SUMMARIES[how]([value for value, _ in weighted])


def _rank(scheme: RuleScheme, combined: Sequence[OverallResult], space: Workspace) -> list[OverallResult]:
    numbers: dict[tuple[object, ...], int] = {}
    groups_of = [tuple(space.columns[key][one.row] for key in scheme.groups) for one in combined]
    places = groups.rank_in_groups(
        [one.total for one in combined],
        [numbers.setdefault(group, len(numbers)) for group in groups_of],
        [True] * len(combined),
        direction="lower" if scheme.rankings and scheme.rankings[0].order == "ascending" else "higher",
        ties=scheme.rankings[0].ties if scheme.rankings else "competition",
    )
    return [replace(one, place=place) for one, place in zip(combined, places, strict=True)]
