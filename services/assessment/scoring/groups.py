"""Looking at a whole group: sums, means, quantiles and ranks."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

from services.assessment.domain.rules.kinds import Direction, Ties
from services.assessment.scoring.numbers import FINEST, root, round_to
from services.assessment.scoring.workspace import Number, Numbers

HALF: Final = Fraction(1, 2)
MOST_BITS: Final = 65_536


def add(values: Sequence[Fraction]) -> Fraction:
    """Exact, whatever the order: by denominator first, since counts share few of them.

    Where they share none, and exactness would have no end, each is taken to FINEST places.
    """
    by_denominator: dict[int, int] = {}
    if sum(denominator.bit_length() for denominator in {value.denominator for value in values}) > MOST_BITS:
        values = [round_to(value, FINEST) for value in values]
    for value in values:
        by_denominator[value.denominator] = by_denominator.get(value.denominator, 0) + value.numerator
    parts = [Fraction(numerator, denominator) for denominator, numerator in sorted(by_denominator.items())]
    while len(parts) > 1:
        parts = [sum(parts[at : at + 2], Fraction(0)) for at in range(0, len(parts), 2)]
    return parts[0] if parts else Fraction(0)


def mean(values: Sequence[Fraction]) -> Number:
    return add(values) / len(values) if values else None


def median(values: Sequence[Fraction]) -> Number:
    return quantile(values, HALF)


def deviation(values: Sequence[Fraction]) -> Number:
    """The standard deviation of all of them (not of a sample)."""
    middle = mean(values)
    if middle is None:
        return None
    return root(add([(value - middle) ** 2 for value in values]) / len(values))


def quantile(values: Sequence[Fraction], share: Fraction) -> Number:
    """Linear between neighbours, as spreadsheets do it (PERCENTILE.INC)."""
    if not values or not 0 <= share <= 1:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = place.numerator // place.denominator
    if below + 1 >= len(ordered):
        return ordered[-1]
    return ordered[below] + (ordered[below + 1] - ordered[below]) * (place - below)


SUMMARIES: Final[dict[str, Callable[[Sequence[Fraction]], Number]]] = {
    "sum": lambda values: add(values) if values else None,
    "mean": mean,
    "count": lambda values: Fraction(len(values)),
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "median": median,
    "sd": deviation,
}


def by_group(numbers: Sequence[int], members: Sequence[bool]) -> dict[int, list[int]]:
    """The rows of each group that count."""
    rows: dict[int, list[int]] = {}
    for at, number in enumerate(numbers):
        if members[at]:
            rows.setdefault(number, []).append(at)
    return rows


def summarise(values: Numbers, groups: Sequence[int], members: Sequence[bool], name: str) -> Numbers:
    """For each row what its group comes to; rows that do not count see it too."""
    found = {
        number: SUMMARIES[name]([value for at in rows if (value := values[at]) is not None])
        for number, rows in by_group(groups, members).items()
    }
    empty = Fraction(0) if name == "count" else None
    return [found.get(number, empty) for number in groups]


def rank_in_groups(
    values: Numbers, groups: Sequence[int], members: Sequence[bool], *, direction: Direction, ties: Ties = "competition"
) -> Numbers:
    """The place of each row that counts and has a value."""
    ranks: Numbers = [None] * len(values)
    for rows in by_group(groups, members).values():
        present = [at for at in rows if values[at] is not None]
        found = rank([values[at] for at in present], direction=direction, ties=ties)
        for at, place in zip(present, found, strict=True):
            ranks[at] = place
    return ranks


def rank(values: Sequence[Any], *, direction: Direction, ties: Ties) -> list[Fraction]:
    """Places from 1. Equals share the first of their places, the last, their mean; `dense` leaves no gaps."""
    counts: dict[Any, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    places: dict[Any, Fraction] = {}
    before = 0
    for number, value in enumerate(sorted(counts, reverse=direction == "higher"), start=1):
        first, last = before + 1, before + counts[value]
        chosen = {"competition": first, "last": last, "dense": number}
        places[value] = Fraction(first + last, 2) if ties == "average" else Fraction(chosen[ties])
        before = last
    return [places[value] for value in values]
