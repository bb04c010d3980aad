"""Faults scatter: some matters are not solved, others lack a reply, and how many have none at all follows from that.

Who has far more matters without any fault has matters of two kinds: those with faults as usual, and those without.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import frexp, fsum, prod, sqrt
from operator import add
from typing import Final

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Dossier, Issue
from services.assessment.fair.settings import SignalRules
from services.assessment.fair.signals.odds import Everybody, Signal, first_few, hundredths
from services.assessment.fair.values import is_past

KINDS: Final = 5  # not solved in time, no reply, no answer in time, others asked, not the best mark
PARTS: Final = (1, 2)  # answered in the time, or in a half of it
LEAST: Final = 6
LEAST_FAULTLESS: Final = 4
BEST: Final = 5
PRIOR: Final = 3.0  # faults of so many matters of everybody stand beside a cadre's own
MOST: Final = 0.95
ROUNDS: Final = 12
ORDINARY: Final = 0.84  # of all cadres lie below one deviation if faults have nothing to do with one another
LN_2: Final = 0.6931471805599453
HALF: Final = 0.7071067811865476  # its root
TERMS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Of so many closed matters: how many have each kind of fault, and how many have none."""

    size: int
    kinds: tuple[int, ...]
    faultless: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """`expected`: matters without a fault by the faults of the others. `odds` are deviations."""

    expected: float
    odds: float


class Scatter:
    """Of everybody so many whole numbers are needed as there are kinds of faults, and two more."""

    def __init__(self, rules: SignalRules) -> None:
        self._rules = rules
        self._parts = [_Part(part) for part in PARTS] if rules.scatter_odds else []

    def note(self, one: Counted) -> None:
        for part in self._parts:
            part.note(one)

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        best: dict[str, tuple[Excess, _Part]] = {}
        for part in self._parts:
            for cadre, excess in part.list_odd(self._rules.scatter_odds / 100):
                if cadre not in best or excess.odds > best[cadre][0].odds:
                    best[cadre] = excess, part
        for cadre, (excess, part) in best.items():
            dossier = everybody.counted[cadre].dossier
            faultless = list_faultless(dossier, part.part)
            kept = part.keep(cadre, self._rules.scatter_kept / 100)
            doubted = _choose(dossier, faultless, len(faultless) - kept)
            yield Signal(
                cadre=cadre,
                check="faultless_excess",
                evidence={
                    "issues": len(dossier.issues),
                    "faultless": len(faultless),
                    "usual": round(excess.expected),
                    "waiting": len(doubted),
                },
                odds=hundredths(excess.odds),
                records=frozenset(doubted),
                examples=first_few(doubted),
            )


class _Part:
    """What is late if it was not answered in such a part of the time."""

    def __init__(self, part: int) -> None:
        self.part = part
        self._kept: dict[str, array[int]] = {}  # by cadre: the size, the kinds, those without a fault
        self._size = 0
        self._kinds = [0] * KINDS

    def note(self, one: Counted) -> None:
        found = count_faults(one.dossier, self.part)
        self._size += found.size
        self._kinds = list(map(add, self._kinds, found.kinds))
        if found.size >= LEAST:
            self._kept[one.cadre] = array("I", (found.size, *found.kinds, found.faultless))

    def list_odd(self, odds: float) -> Iterator[tuple[str, Excess]]:
        for cadre, one in self._excesses.items():
            if one.odds - self._common >= odds:
                yield cadre, Excess(expected=one.expected, odds=one.odds - self._common)

    def keep(self, cadre: str, odds: float) -> int:
        """The largest number without a fault that is no odder than this."""
        found = self._of(cadre)
        while (excess := find_excess(found, self._usual)) and excess.odds - self._common >= odds:
            found = replace(found, size=found.size - 1, faultless=found.faultless - 1)
        return found.faultless

    @cached_property
    def _excesses(self) -> dict[str, Excess]:
        return {cadre: excess for cadre in self._kept if (excess := find_excess(self._of(cadre), self._usual))}

    @cached_property
    def _common(self) -> float:
        """How many deviations more without a fault everybody has: what is hard is late, unsolved and praised by few."""
        odds = sorted(one.odds for one in self._excesses.values())
        below = int(ORDINARY * (len(self._kept) - 1)) - (len(self._kept) - len(odds))  # who has no excess lies below
        return max(0.0, odds[below] - 1) if below >= 0 else 0.0

    @cached_property
    def _usual(self) -> list[float]:
        return [count / self._size for count in self._kinds]

    def _of(self, cadre: str) -> Faults:
        size, *kinds, faultless = self._kept[cadre]
        return Faults(size=size, kinds=tuple(kinds), faultless=faultless)


def count_faults(dossier: Dossier, part: int) -> Faults:
    levels = _own_levels(dossier)
    rows = [_faults_of_issue(issue, part, levels) for issue in dossier.issues if _is_closed(issue)]
    kinds = tuple(map(sum, zip(*rows, strict=True))) if rows else (0,) * KINDS
    return Faults(size=len(rows), kinds=kinds, faultless=sum(not any(row) for row in rows))


def list_faultless(dossier: Dossier, part: int) -> list[Issue]:
    levels = _own_levels(dossier)
    return [one for one in dossier.issues if not any(_faults_of_issue(one, part, levels))]


def find_excess(found: Faults, usual: Sequence[float]) -> Excess | None:
    """None unless there are more without a fault than expected. `usual`: shares of all matters with each kind of fault.

    If faults scatter, a matter has none with the product of the chances to lack each. That gives the number of all
    matters by those with a fault; the odds are the root of twice the logarithm of the ratio of likelihoods.
    """
    if found.faultless < LEAST_FAULTLESS:
        return None
    added = PRIOR * prod(1 - share for share in usual)
    size = found.size + PRIOR
    faulty = size - found.faultless - added
    kinds = [min(MOST * faulty, count + PRIOR * share) for count, share in zip(found.kinds, usual, strict=True)]
    if _surplus(size, kinds, faulty)[0] <= 0:
        return None
    likely = faulty
    for _ in range(ROUNDS):  # Newton's; it comes from below, since the curve bends down
        surplus, slope = _surplus(likely, kinds, faulty)
        likely -= surplus / slope
    expected = max(0.0, likely - faulty - added)
    return Excess(expected=expected, odds=_odds(size, faulty, likely, kinds))


def _surplus(matters: float, kinds: Sequence[float], faulty: float) -> tuple[float, float]:
    """How many more than there are would have a fault, if so many matters were alike; and its slope."""
    none, rise = 1.0, 1.0
    for count in kinds:
        none *= 1 - count / matters
        rise += count / (matters - count)
    return matters - matters * none - faulty, 1 - none * rise


def _odds(size: float, faulty: float, likely: float, kinds: Sequence[float]) -> float:
    """All matters alike, against `likely` of them that are alike, and others without a fault.

    Of these `faulty` have a fault, so that most terms of the two likelihoods are the same.
    """
    faultless = size - faulty
    terms = [
        (fsum(kinds) - faulty) * ln(size / likely),
        faultless * ln(faultless / size),
        *((faulty - count) * ln(1 - count / likely) - (size - count) * ln(1 - count / size) for count in kinds),
    ]
    return sqrt(max(0.0, 2 * fsum(terms)))


def ln(value: float) -> float:
    """The same on every machine: a series of sums and products. `decimal` takes many times as long."""
    part, power = frexp(value)
    if part < HALF:
        part, power = 2 * part, power - 1
    ratio = (part - 1) / (part + 1)
    square, term, total = ratio * ratio, ratio, 0.0
    for number in range(1, 2 * TERMS, 2):
        total += term / number
        term *= square
    return power * LN_2 + 2 * total


def _is_closed(issue: Issue) -> bool:
    """What is open has no reply and no rating either: its faults do not scatter."""
    return issue.outcome in ("solved", "explained", "unsolved")


def _own_levels(dossier: Dossier) -> Mapping[str, int]:
    return {one.subject: one.level for one in dossier.ratings if one.method != "callback"}


def _faults_of_issue(issue: Issue, part: int, levels: Mapping[str, int]) -> tuple[bool, ...]:
    answered_at = issue.closed_at if issue.answered_at is None else issue.answered_at
    is_late = issue.closed_at is not None and is_past(issue.received_at, issue.close_allowed, issue.closed_at)
    return (
        issue.outcome != "solved" or issue.is_contradicted or is_late,
        issue.has_reply is False,
        answered_at is not None
        and issue.answer_allowed is not None
        and (answered_at - issue.received_at) * part > issue.answer_allowed,
        issue.is_checked,
        levels.get(issue.issue, BEST) < BEST,
    )


def _choose(dossier: Dossier, faultless: Sequence[Issue], count: int) -> list[str]:
    """Those that were praised, then the latest."""
    praised = _own_levels(dossier)
    order = sorted(faultless, key=lambda issue: (issue.issue not in praised, -issue.received_at, issue.issue))
    return [issue.issue for issue in order[:count]]
