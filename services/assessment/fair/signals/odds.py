"""How far a count lies above what is usual among peers, in deviations; how much counts differ anyway is allowed for."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from services.assessment.fair.marks import Counted
from services.assessment.fair.reference import Table

Check = Literal[
    "period_end_burst",
    "contact_padding",
    "ballot_stuffing",
    "praise_apart",
    "shared_circle",
    "extreme_clock",
    "handing_on",
    "contradicted_closures",
    "excess_explanations",
    "split_issues",
    "empty_replies",
    "faultless_apart",
    "instant_answers",
    "faultless_excess",
    "labels_apart",
    "clock_apart",
    "disowned_records",
]
Key = TypeVar("Key")
MEDIAN_OF_SQUARE = 0.4549364  # of a standard normal variable
SMOOTH = 20.0  # a region's rate is drawn to everybody's by so many records


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """`records` are set aside until somebody has decided."""

    cadre: str
    check: Check
    evidence: Mapping[str, int]  # counts, and shares in per cent
    odds: int  # deviations, in hundredths
    records: frozenset[str] = frozenset()
    examples: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Everybody:
    """All cadres once they were seen. `counted` has them by id, and may have to fetch them: only for those few who
    look odd by the numbers.
    """

    counted: Mapping[str, Counted]
    tables: Mapping[str, Table]


class Finder(Protocol):
    """One check. It sees each cadre once, keeps numbers and no records, and compares when it has seen all."""

    def note(self, one: Counted) -> None: ...

    def find(self, everybody: Everybody) -> Iterator[Signal]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    found: int
    expected: float
    variance: float


def deviations(counts: Mapping[Key, Count]) -> dict[Key, float]:
    """Widened where counts scatter more than chance alone would have them, judged by the middle half of the peers."""
    return _widen({key: deviate(one) for key, one in counts.items()})


def deviate(count: Count) -> float:
    """As by chance alone."""
    return (count.found - count.expected) / math.sqrt(max(count.variance, 0.05))


def rare_deviations(counts: Mapping[Key, Count]) -> dict[Key, float]:
    """The same of what is rare (Freeman and Tukey): two where a third was expected are not five deviations.

    Less than none can be expected, since what is usual of a kind of case is a sum of effects: that is none.
    """
    raw = {
        key: math.sqrt(one.found) + math.sqrt(one.found + 1) - math.sqrt(4 * max(0.0, one.expected) + 1)
        for key, one in counts.items()
    }
    return _widen(raw)


def _widen(raw: Mapping[Key, float]) -> dict[Key, float]:
    spread = spread_of(raw.values())
    return {key: value / spread for key, value in raw.items()}


def spread_of(raw: Iterable[float]) -> float:
    """How many times as wide as by chance alone these lie, and not less than once."""
    squares = sorted(value * value for value in raw)
    return math.sqrt(max(1.0, squares[len(squares) // 2] / MEDIAN_OF_SQUARE)) if squares else 1.0


def count_shares(found: Mapping[str, tuple[int, int]], group_of: Callable[[str], str]) -> dict[str, Count]:
    """Of so many records (second) so many are of a kind (first), against the share of the others in the group."""
    totals: dict[str, tuple[int, int]] = {}
    for key, (hits, size) in found.items():
        group = group_of(key)
        before = totals.get(group, (0, 0))
        totals[group] = (before[0] + hits, before[1] + size)
    everywhere = sum(size for _, size in totals.values())
    everybody = sum(hits for hits, _ in totals.values())
    counts = {}
    for key, (hits, size) in found.items():
        own_hits, own_size = totals[group_of(key)]
        elsewhere = everywhere - size
        mean = (everybody - hits) / elsewhere if elsewhere else 0.0
        rate = (own_hits - hits + SMOOTH * mean) / (own_size - size + SMOOTH)
        counts[key] = Count(found=hits, expected=size * rate, variance=size * rate * (1 - rate))
    return counts


def hundredths(value: float) -> int:
    return round(min(value, 1e6) * 100)


def per_cent(part: int, whole: int) -> int:
    return (200 * part + whole) // (2 * whole) if whole else 0


def first_few(records: Iterable[str], count: int = 5) -> tuple[str, ...]:
    return tuple(sorted(records)[:count])
