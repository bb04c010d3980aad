"""An attacker with exact arithmetic: can any combination of shown figures come down to fewer than k people?

Every shown figure is a row: the sum over the answers that went into it. The attacker may add, subtract and scale rows
at will. Some combination comes down to the answers of a set S exactly if leaving out the columns of S lowers the rank.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

Answer = Hashable
Row = frozenset[Answer]


def find_isolated(rows: Iterable[Row], rater_of: Mapping[Any, Hashable | None], k: int) -> set[Answer] | None:
    """Answers of fewer than k people that some combination of the rows depends on alone. None where there are none."""
    figures = sorted({row for row in rows if row}, key=lambda row: (len(row), sorted(map(repr, row))))
    classes = _classes(figures)
    whole = rank([{name: Fraction(1) for name, members in classes.items() if members <= row} for row in figures])
    small = {name: members for name, members in classes.items() if _people(members, rater_of) < k}
    for chosen in _few_people(list(small), small, rater_of, k):
        outside = [
            {name: Fraction(1) for name, members in classes.items() if name not in chosen and members <= row}
            for row in figures
        ]
        if rank(outside) < whole:
            return {answer for name in chosen for answer in small[name]}
    return None


def rank(rows: Iterable[dict[int, Fraction]]) -> int:
    """Gauss, over the rationals."""
    pivots: dict[int, dict[int, Fraction]] = {}
    for given in rows:
        row = dict(given)
        while row:
            column = min(row)
            if column not in pivots:
                pivots[column] = row
                break
            factor = row[column] / pivots[column][column]
            for place, value in pivots[column].items():
                reduced = row.get(place, Fraction(0)) - factor * value
                if reduced:
                    row[place] = reduced
                else:
                    row.pop(place, None)
    return len(pivots)


def _classes(figures: Sequence[Row]) -> dict[int, frozenset[Answer]]:
    """Answers that are always in the same figures are one unknown to the attacker."""
    patterns: dict[Answer, list[int]] = {}
    for number, row in enumerate(figures):
        for answer in row:
            patterns.setdefault(answer, []).append(number)
    members: dict[tuple[int, ...], set[Answer]] = {}
    for answer, pattern in patterns.items():
        members.setdefault(tuple(pattern), set()).add(answer)
    return {name: frozenset(group) for name, (_, group) in enumerate(sorted(members.items()))}


def _people(answers: Iterable[Answer], rater_of: Mapping[Any, Hashable | None]) -> int:
    return len({rater_of[answer] for answer in answers} - {None})


def _few_people(
    names: list[int], small: Mapping[int, frozenset[Answer]], rater_of: Mapping[Any, Hashable | None], k: int
) -> Iterator[tuple[int, ...]]:
    """Every choice of classes that together are answers of fewer than k people, the larger before what is in them."""

    def choose(chosen: tuple[int, ...], rest: list[int]) -> Iterator[tuple[int, ...]]:
        for place, name in enumerate(rest):
            wider = (*chosen, name)
            if _people((answer for one in wider for answer in small[one]), rater_of) < k:
                yield from choose(wider, rest[place + 1 :])
        if chosen:
            yield chosen

    return choose((), names)
