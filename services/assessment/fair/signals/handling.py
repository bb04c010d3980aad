"""Issues that look made or moved for the count: the fastest tail, splits, hard ones handed on."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from services.assessment.fair.counting import find_duplicates
from services.assessment.fair.marks import CellNumbers, Counted
from services.assessment.fair.records import DAY, Dossier, Issue
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.odds import (
    Count,
    Everybody,
    Signal,
    count_shares,
    deviations,
    first_few,
    hundredths,
    per_cent,
)

FASTEST = 0.05
LEAST_FAST = 4
ORDINARY = 0.3  # the middle place of a cadre's other records, so that a quick office is not odd
LEAST_SPLIT = 3
SPLIT_DAYS = 2
LEAST_HANDED = 3


class ExtremeClocks:
    """Closings among the fastest of their category, by the share of the time that was taken."""

    def __init__(self, settings: FairSettings) -> None:
        self._rules = settings.signals
        self._categories = CellNumbers()
        self._taken: dict[str, tuple[array[int], array[float]]] = {}  # by cadre: categories and shares of closings

    def note(self, one: Counted) -> None:
        closed = _closings(one.dossier)
        if closed:
            categories = array("I", [self._categories.of((issue.category,)) for issue in closed])
            self._taken[one.cadre] = categories, array("d", map(_share_of_time, closed))

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        times = self._sort_times()
        limits = [_limit_of_fastest(one) for one in times]
        counts = {}
        for cadre, (categories, taken) in self._taken.items():
            size = len(taken)
            found = sum(share <= limits[category] for category, share in zip(categories, taken, strict=True))
            counts[cadre] = Count(found=found, expected=FASTEST * size, variance=FASTEST * (1 - FASTEST) * size)
        odds = deviations(counts)
        rules = self._rules
        for cadre, (categories, taken) in self._taken.items():
            found, size = counts[cadre].found, len(taken)
            if found < LEAST_FAST or 100 * found < rules.clock_share * size or odds[cadre] * 100 < rules.clock_odds:
                continue
            places = [
                bisect_left(times[category], share) / len(times[category])
                for category, share in zip(categories, taken, strict=True)
            ]
            rest = sorted(place for place in places if place >= FASTEST)
            if rest and rest[len(rest) // 2] < ORDINARY:
                continue
            closed = _closings(everybody.counted[cadre].dossier)
            fast = [issue.issue for issue, place in zip(closed, places, strict=True) if place < FASTEST]
            yield Signal(
                cadre=cadre,
                check="extreme_clock",
                evidence={"closed": size, "fastest": found, "share": per_cent(found, size)},
                odds=hundredths(odds[cadre]),
                records=frozenset(fast),
                examples=first_few(fast),
            )

    def _sort_times(self) -> list[Sequence[float]]:
        """Of everybody, by number of the category."""
        times = [array("d") for _ in self._categories.cells]
        for categories, taken in self._taken.values():
            for category, share in zip(categories, taken, strict=True):
                times[category].append(share)
        return [array("d", sorted(one)) for one in times]


def _limit_of_fastest(times: Sequence[float]) -> float:
    """A share has a place below FASTEST among the sorted times if it is not above this one."""
    first = next(place for place in range(len(times) + 1) if place / len(times) >= FASTEST)
    return times[first - 1]


def _closings(dossier: Dossier) -> list[Issue]:
    return [issue for issue in dossier.issues if issue.outcome == "solved" and issue.closed_at is not None]


def _share_of_time(issue: Issue) -> float:
    return ((issue.closed_at or 0) - issue.received_at) / (issue.close_allowed or DAY)


def find_splits(one: Dossier, settings: FairSettings) -> Iterator[Signal]:
    repeats = find_duplicates(one.issues, settings.values.duplicate_hours)
    split = [issue for issue in one.issues if issue.issue in repeats]
    quick = [
        issue
        for issue in split
        if issue.outcome == "solved" and (issue.closed_at or 0) - issue.received_at <= SPLIT_DAYS * DAY
    ]
    enough = len(split) >= LEAST_SPLIT and 100 * len(split) >= settings.signals.split_share * len(one.issues)
    if enough and 100 * len(quick) >= settings.signals.split_quick * len(split):
        yield Signal(
            cadre=one.cadre.cadre,
            check="split_issues",
            evidence={"issues": len(one.issues), "repeats": len(split), "quick": len(quick)},
            odds=0,
            examples=first_few(issue.issue for issue in split),
        )


class HandingOn:
    """More than others hand on, and those that would have been the hardest to solve."""

    def __init__(self, settings: FairSettings) -> None:
        self._rules = settings.signals
        self._shares: dict[str, tuple[int, int]] = {}
        self._regions: dict[str, str] = {}

    def note(self, one: Counted) -> None:
        dossier = one.dossier
        if dossier.issues or dossier.handovers:
            handed = len(dossier.handovers)
            self._shares[one.cadre] = (handed, handed + len(dossier.issues))
            self._regions[one.cadre] = dossier.cadre.region

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        table = everybody.tables.get("resolution")
        if table is None:
            return
        odds = deviations(count_shares(self._shares, self._regions.__getitem__))
        rules = self._rules
        for cadre, (found, size) in self._shares.items():
            if found < LEAST_HANDED or 100 * found < rules.handing_share * size:
                continue
            if odds[cadre] * 100 < rules.handing_odds:
                continue
            dossier = everybody.counted[cadre].dossier
            kept = [table.expect((one.category, one.complexity, one.channel)) for one in dossier.issues]
            gone = [table.expect((one.category, one.complexity, one.channel)) for one in dossier.handovers]
            gap = math.fsum(kept) / len(kept) - math.fsum(gone) / len(gone) if kept else 0.0
            if gap / 1e4 >= rules.handing_gap:
                yield Signal(
                    cadre=cadre,
                    check="handing_on",
                    evidence={"handed_on": found, "issues": size, "harder_by": round(gap / 1e4)},
                    odds=hundredths(odds[cadre]),
                    examples=first_few(one.issue for one in dossier.handovers),
                )
