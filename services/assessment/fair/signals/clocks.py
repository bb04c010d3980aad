"""Closings and answers among the fastest of their category, of somebody who is not fast otherwise."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from services.assessment.fair.marks import CellNumbers, Counted, answer_of, clock_of
from services.assessment.fair.records import DAY, Issue
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.odds import (
    Count,
    Everybody,
    Signal,
    deviations,
    first_few,
    hundredths,
    per_cent,
)

FASTEST = 0.05
LEAST_FAST = 4
LEAST_APART = 5
ORDINARY = 0.3  # the middle place of a cadre's other records, so that a quick office is not odd


class Times:
    """Of everybody, by which share of the time something was done; `time_of` says nothing where it was not."""

    def __init__(self, time_of: Callable[[Issue], float | None]) -> None:
        self._time_of = time_of
        self._categories = CellNumbers()
        self._taken: dict[str, tuple[array[int], array[float]]] = {}  # by cadre: categories and shares

    def note(self, one: Counted) -> None:
        """Once all were noted, what is computed of all stays."""
        categories, taken = array("I"), array("d")
        for issue in one.dossier.issues:
            if (time := self._time_of(issue)) is not None:
                categories.append(self._categories.of((issue.category,)))
                taken.append(time)
        if taken:
            self._taken[one.cadre] = categories, taken

    def list_issues(self, one: Counted) -> list[str]:
        """In the order of the places."""
        return [issue.issue for issue in one.dossier.issues if self._time_of(issue) is not None]

    @cached_property
    def fastest(self) -> dict[str, Count]:
        """By cadre, how many are among the fastest of their category, and how many would be by chance."""
        limits = [_limit_of_fastest(one) for one in self._sorted]
        counts = {}
        for cadre, (categories, taken) in self._taken.items():
            size = len(taken)
            found = sum(share <= limits[category] for category, share in zip(categories, taken, strict=True))
            counts[cadre] = Count(found=found, expected=FASTEST * size, variance=FASTEST * (1 - FASTEST) * size)
        return counts

    def size_of(self, cadre: str) -> int:
        return len(self._taken[cadre][1])

    def find_places(self, cadre: str) -> list[float]:
        """From 0 to 1 among those of the category."""
        if cadre not in self._taken:
            return []
        return [
            bisect_left(self._sorted[category], share) / len(self._sorted[category])
            for category, share in zip(*self._taken[cadre], strict=True)
        ]

    @cached_property
    def _sorted(self) -> list[Sequence[float]]:
        """By number of the category."""
        times = [array("d") for _ in self._categories.cells]
        for categories, taken in self._taken.values():
            for category, share in zip(categories, taken, strict=True):
                times[category].append(share)
        return [array("d", sorted(one)) for one in times]


def _limit_of_fastest(times: Sequence[float]) -> float:
    """A share has a place below FASTEST among the sorted times if it is not above this one."""
    first = next(place for place in range(len(times) + 1) if place / len(times) >= FASTEST)
    return times[first - 1]


def time_of_closing(issue: Issue) -> float | None:
    if issue.outcome != "solved" or issue.closed_at is None:
        return None
    return (issue.closed_at - issue.received_at) / (issue.close_allowed or DAY)


def time_of_answer(issue: Issue) -> float | None:
    if issue.answered_at is None or issue.answer_allowed is None:
        return None
    return (issue.answered_at - issue.received_at) / max(1, issue.answer_allowed)


class ExtremeClocks:
    def __init__(self, closings: Times, settings: FairSettings) -> None:
        self._closings = closings
        self._rules = settings.signals

    def note(self, one: Counted) -> None:
        self._closings.note(one)

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        counts = self._closings.fastest
        odds = deviations(counts)
        rules = self._rules
        for cadre, count in counts.items():
            found, size = count.found, self._closings.size_of(cadre)
            if found < LEAST_FAST or 100 * found < rules.clock_share * size or odds[cadre] * 100 < rules.clock_odds:
                continue
            if 100 * found > rules.clock_most * size:
                continue
            places = self._closings.find_places(cadre)
            rest = sorted(place for place in places if place >= FASTEST)
            if rest and rest[len(rest) // 2] < ORDINARY:
                continue
            closed = self._closings.list_issues(everybody.counted[cadre])
            fast = [issue for issue, place in zip(closed, places, strict=True) if place < FASTEST]
            yield Signal(
                cadre=cadre,
                check="extreme_clock",
                evidence={"closed": size, "fastest": found, "share": per_cent(found, size)},
                odds=hundredths(odds[cadre]),
                records=frozenset(fast),
                examples=first_few(fast),
            )


class ClocksApart:
    """Nearly all closings are among the fastest, of somebody whose office is not quick. Only the times wait, and all of
    them: those that are not among the fastest are told by the same hand.
    """

    def __init__(self, closings: Times, settings: FairSettings) -> None:
        self._closings = closings  # somebody else notes them
        self._rules = settings.signals
        self._units: dict[str, str] = {}

    def note(self, one: Counted) -> None:
        self._units[one.cadre] = one.dossier.cadre.unit

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        rules = self._rules
        if not rules.clock_apart:
            return
        counts = self._closings.fastest
        odds = deviations(counts)
        offices = self._count_offices(counts)
        for cadre, count in counts.items():
            found, size = count.found, self._closings.size_of(cadre)
            all_found, all_closed = offices[self._units[cadre]]
            others, closed = all_found - found, all_closed - size
            if found < LEAST_APART or 100 * found < rules.clock_apart * size or odds[cadre] * 100 < rules.clock_odds:
                continue
            if 100 * others * size >= rules.clock_office * found * closed > 0:
                continue
            issues = [issue.issue for issue in everybody.counted[cadre].dossier.issues]
            share, office = per_cent(found, size), per_cent(others, closed)
            yield Signal(
                cadre=cadre,
                check="clock_apart",
                evidence={"closed": size, "fastest": found, "share": share, "office": office},
                odds=hundredths(odds[cadre]),
                records=frozenset(map(clock_of, issues)),
                examples=first_few(issues),
            )

    def _count_offices(self, counts: Mapping[str, Count]) -> dict[str, tuple[int, int]]:
        """How many are among the fastest, of how many, by unit."""
        offices: dict[str, tuple[int, int]] = {}
        for cadre, count in counts.items():
            found, size = offices.get(self._units[cadre], (0, 0))
            offices[self._units[cadre]] = found + count.found, size + self._closings.size_of(cadre)
        return offices


class InstantAnswers:
    """Only the times of these answers are doubted: whether a matter was solved, and its ratings, still count."""

    def __init__(self, closings: Times, settings: FairSettings) -> None:
        self._answers = Times(time_of_answer)
        self._closings = closings  # somebody else notes them
        self._rules = settings.signals

    def note(self, one: Counted) -> None:
        if self._rules.answer_odds:
            self._answers.note(one)

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        counts = self._answers.fastest
        odds = deviations(counts)
        rules = self._rules
        for cadre, count in counts.items():
            found, size = count.found, self._answers.size_of(cadre)
            if found < LEAST_FAST or 100 * found < rules.clock_share * size or odds[cadre] * 100 < rules.answer_odds:
                continue
            closed = sorted(self._closings.find_places(cadre))
            if not closed or closed[len(closed) // 2] < ORDINARY:
                continue
            answered = self._answers.list_issues(everybody.counted[cadre])
            places = self._answers.find_places(cadre)
            fast = [issue for issue, place in zip(answered, places, strict=True) if place < FASTEST]
            yield Signal(
                cadre=cadre,
                check="instant_answers",
                evidence={"answered": size, "fastest": found, "share": per_cent(found, size)},
                odds=hundredths(odds[cadre]),
                records=frozenset(map(answer_of, fast)),
                examples=first_few(fast),
            )
