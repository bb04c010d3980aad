"""How raters rate elsewhere: a rater's mean difference towards other cadres, drawn to none."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.assessment.fair.marks import Counted
from services.assessment.fair.reference import Table
from services.assessment.fair.totals import HASH_BYTES, Totals, hash_rater

PARTS: Final = 64  # so many parts of the raters are taken one after another


@dataclass(frozen=True, slots=True)
class OwnHabits:
    """Of the raters of one cadre: their hashes, and how they rate others."""

    raters: bytes
    values: Sequence[int]

    def of(self, one: Counted) -> dict[str, int]:
        """By name of the rater, in the order of names."""
        if not self.values:
            return {}
        known = dict(zip(_split(self.raters), self.values, strict=True))
        names = sorted({mark.rater for mark in one.marks if mark.rater})
        return {name: known[rater] for name in names if (rater := hash_rater(name)) in known}


class Habits:
    """Millionths by cadre and rater, for raters who rated others too."""

    def __init__(self) -> None:
        self._raters: dict[str, bytearray] = {}
        self._values: dict[str, array[int]] = {}

    def add(self, cadre: str, rater: bytes, habit: int) -> None:
        self._raters.setdefault(cadre, bytearray()).extend(rater)
        self._values.setdefault(cadre, array("q")).append(habit)

    def part_of(self, cadre: str) -> OwnHabits:
        return OwnHabits(bytes(self._raters.get(cadre, b"")), self._values.get(cadre, ()))

    def of(self, one: Counted) -> dict[str, int]:
        return self.part_of(one.cadre).of(one)


def find_habits(totals: Totals, table: Table, prior: int) -> Habits:
    """Ratings of no weight tell nothing."""
    usual = [table.expect(cell) for cell in totals.numbers.cells]
    cadres = list(totals.opinions)
    parts = [(bytearray(), array("I"), array("q")) for _ in range(PARTS)]
    for number, own in enumerate(totals.opinions.values()):
        for rater, value, cell in zip(_split(own.raters), own.values, own.cells, strict=True):
            raters, numbers, differences = parts[rater[0] % PARTS]
            raters += rater
            numbers.append(number)
            differences.append(value - usual[cell])
    habits = Habits()
    for raters, numbers, differences in parts:
        sums: dict[bytes, dict[int, tuple[int, int]]] = {}
        for rater, number, difference in zip(_split(bytes(raters)), numbers, differences, strict=True):
            towards = sums.setdefault(rater, {})
            count, total = towards.get(number, (0, 0))
            towards[number] = (count + 1, total + difference)
        for rater, towards in sums.items():
            if len(towards) > 1:
                for number, habit in _leave_one_out(towards, prior):
                    habits.add(cadres[number], rater, habit)
    return habits


def _leave_one_out(towards: Mapping[int, tuple[int, int]], prior: int) -> Iterator[tuple[int, int]]:
    """For each cadre, how the rater rates the others."""
    count = sum(number for number, _ in towards.values())
    total = sum(difference for _, difference in towards.values())
    for cadre, (number, difference) in towards.items():
        yield cadre, round_half_even(total - difference, count - number + prior)


def _split(raters: bytes) -> Iterator[bytes]:
    return (raters[start : start + HASH_BYTES] for start in range(0, len(raters), HASH_BYTES))


def round_half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))
