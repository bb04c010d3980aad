"""Two schemes put to the same table: who moves, by how much, where; and what the new one can still tell apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.schemes import Item
from services.assessment.scoring import groups
from services.assessment.scoring.results import Outcome
from services.assessment.scoring.working import work_out_numbers
from services.assessment.scoring.workspace import Number, Numbers, Value, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Totals and places of one subject under both schemes; a place is among those who have both totals."""

    subject: str
    period: str
    before: Number
    after: Number
    place_before: Number
    place_after: Number

    @property
    def change(self) -> Number:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def climbs(self) -> Number:
        """How many places it gains."""
        if self.place_before is None or self.place_after is None:
            return None
        return self.place_before - self.place_after


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMovement:
    """How those who share a text (an area, a post, a channel) move."""

    column: str
    value: str
    subjects: int
    compared: int
    mean_change: Number
    mean_climb: Number
    rising: int
    falling: int
    gained_score: int  # had none before
    lost_score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """How many stand at the top and at the bottom of what an item, or the total, can give."""

    key: str
    subjects: int
    at_ceiling: int
    at_floor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """What totals tell apart. A place interval holds everybody within the tolerance, above and below."""

    scored: int
    distinct: int
    tied: int
    spread: Number  # standard deviation
    middle_half: Number  # between the quartiles
    mean_interval: Number  # places, on average; 1 is a clear order
    unclear_neighbours: int  # neighbours in the order whose totals lie within the tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    movements: tuple[Movement, ...]
    by_group: tuple[GroupMovement, ...]
    saturation_before: tuple[Saturation, ...]
    saturation_after: tuple[Saturation, ...]
    separation_before: Separation
    separation_after: Separation


def simulate(before: Outcome, after: Outcome, *, by: Mapping[str, Sequence[str]], tolerance: Fraction) -> Simulation:
    """`by` has, under each heading, the text of each row. Raises BadTable unless both are of the same rows."""
    if before.table.subjects != after.table.subjects or before.table.periods != after.table.periods:
        raise BadTable("the two schemes were put to different rows")
    movements = _move(before, after)
    return Simulation(
        movements=tuple(movements),
        by_group=tuple(one for column, cells in by.items() for one in _by_text(movements, column, cells)),
        saturation_before=_saturate(before),
        saturation_after=_saturate(after),
        separation_before=_separate(before, tolerance),
        separation_after=_separate(after, tolerance),
    )


def _move(before: Outcome, after: Outcome) -> list[Movement]:
    old, new = ([one.total for one in outcome.totals] for outcome in (before, after))
    both = [a is not None and b is not None for a, b in zip(old, new, strict=True)]
    numbers: dict[str, int] = {}
    periods = [numbers.setdefault(period, len(numbers)) for period in before.table.periods]
    places = [groups.rank_in_groups(totals, periods, both, direction="higher") for totals in (old, new)]
    rows = zip(before.table.subjects, before.table.periods, old, new, *places, strict=True)
    return [
        Movement(subject=subject, period=period, before=was, after=now, place_before=stood, place_after=stands)
        for subject, period, was, now, stood, stands in rows
    ]


def _by_text(movements: Sequence[Movement], column: str, cells: Sequence[str]) -> list[GroupMovement]:
    members: dict[str, list[Movement]] = {}
    for movement, text in zip(movements, cells, strict=True):
        members.setdefault(text, []).append(movement)
    return [_group(column, text, members[text]) for text in sorted(members)]


def _group(column: str, text: str, members: Sequence[Movement]) -> GroupMovement:
    changes = [change for one in members if (change := one.change) is not None]
    climbs = [climb for one in members if (climb := one.climbs) is not None]
    return GroupMovement(
        column=column,
        value=text,
        subjects=len(members),
        compared=len(changes),
        mean_change=groups.mean(changes),
        mean_climb=groups.mean(climbs),
        rising=sum(change > 0 for change in changes),
        falling=sum(change < 0 for change in changes),
        gained_score=sum(one.before is None and one.after is not None for one in members),
        lost_score=sum(one.before is not None and one.after is None for one in members),
    )


def _saturate(outcome: Outcome) -> tuple[Saturation, ...]:
    return tuple(_saturate_item(outcome, item) for item in outcome.scheme.items.values())


def _saturate_item(outcome: Outcome, item: Item) -> Saturation:
    """At its ceiling, or where it has none at its full mark; at its floor, or where it has none at nothing."""
    space = Workspace(table=outcome.table, columns=dict(outcome.columns))
    result = outcome.items[item.key]
    tops = work_out_numbers(item.ceiling, space) if item.ceiling is not None else list(result.full)
    bottoms: Numbers = work_out_numbers(item.floor, space) if item.floor is not None else [Fraction(0)] * space.size
    earned = [
        (points, top, bottom)
        for points, missing, top, bottom in zip(result.points, result.missing, tops, bottoms, strict=True)
        if points is not None and not missing
    ]
    return Saturation(
        key=item.key,
        subjects=len(earned),
        at_ceiling=sum(top is not None and points >= top for points, top, _ in earned),
        at_floor=sum(bottom is not None and points <= bottom for points, _, bottom in earned),
    )


def _separate(outcome: Outcome, tolerance: Fraction) -> Separation:
    totals = sorted((one.total for one in outcome.totals if one.total is not None), reverse=True)
    counts: dict[Fraction, int] = {}
    for total in totals:
        counts[total] = counts.get(total, 0) + 1
    quartiles = [groups.quantile(totals, share) for share in (Fraction(1, 4), Fraction(3, 4))]
    low, high = quartiles
    return Separation(
        scored=len(totals),
        distinct=len(counts),
        tied=sum(count for count in counts.values() if count > 1),
        spread=groups.deviation(totals),
        middle_half=None if low is None or high is None else high - low,
        mean_interval=Fraction(sum(_intervals(totals, tolerance)), len(totals)) if totals else None,
        unclear_neighbours=sum(above - below <= tolerance for above, below in pairwise(totals)),
    )


def _intervals(totals: Sequence[Fraction], tolerance: Fraction) -> list[int]:
    """For each of the falling totals, how many lie within the tolerance of it, itself included."""
    widths, first, last = [], 0, 0
    for total in totals:
        while totals[first] > total + tolerance:
            first += 1
        while last < len(totals) and totals[last] >= total - tolerance:
            last += 1
        widths.append(last - first)
    return widths


def texts_of(values: Sequence[Value]) -> tuple[str, ...]:
    """Texts to group by; what is no text counts as none."""
    return tuple(value if isinstance(value, str) else "" for value in values)
