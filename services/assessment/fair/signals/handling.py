"""Issues that look made or moved for the count: the fastest tail, splits, hard ones handed on, circles of friends."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from services.assessment.fair.counting import find_duplicates
from services.assessment.fair.records import DAY, Dossier, Issue, Rating
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.odds import (
    Count,
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
CIRCLE_SHARED = 2
CIRCLE_TIMES = 3
CIRCLE_RATINGS = 6
BEST = 5


def find_extreme_clocks(dossiers: Mapping[str, Dossier], settings: FairSettings) -> Iterator[Signal]:
    places = _places(dossiers)
    fast = {cadre: [issue for issue, place in own if place < FASTEST] for cadre, own in places.items() if own}
    counts = {
        cadre: Count(
            found=len(one),
            expected=FASTEST * len(places[cadre]),
            variance=FASTEST * (1 - FASTEST) * len(places[cadre]),
        )
        for cadre, one in fast.items()
    }
    odds = deviations(counts)
    rules = settings.signals
    for cadre, one in fast.items():
        size = len(places[cadre])
        if len(one) < LEAST_FAST or 100 * len(one) < rules.clock_share * size or odds[cadre] * 100 < rules.clock_odds:
            continue
        rest = sorted(place for _, place in places[cadre] if place >= FASTEST)
        if rest and rest[len(rest) // 2] < ORDINARY:
            continue
        yield Signal(
            cadre=cadre,
            check="extreme_clock",
            evidence={"closed": size, "fastest": len(one), "share": per_cent(len(one), size)},
            odds=hundredths(odds[cadre]),
            records=frozenset(one),
            examples=first_few(one),
        )


def _places(dossiers: Mapping[str, Dossier]) -> dict[str, list[tuple[str, float]]]:
    """Of every closing, its place from 0 to 1 among those of the category, by the share of the time that was taken."""
    taken: dict[str, list[float]] = {}
    for one in dossiers.values():
        for issue in one.issues:
            if issue.outcome == "solved" and issue.closed_at is not None:
                taken.setdefault(issue.category, []).append(_share_of_time(issue))
    for times in taken.values():
        times.sort()
    return {
        cadre: [
            (issue.issue, bisect_left(taken[issue.category], _share_of_time(issue)) / len(taken[issue.category]))
            for issue in one.issues
            if issue.outcome == "solved" and issue.closed_at is not None
        ]
        for cadre, one in dossiers.items()
    }


def _share_of_time(issue: Issue) -> float:
    return ((issue.closed_at or 0) - issue.received_at) / (issue.close_allowed or DAY)


def find_splits(dossiers: Mapping[str, Dossier], settings: FairSettings) -> Iterator[Signal]:
    for cadre, one in dossiers.items():
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
                cadre=cadre,
                check="split_issues",
                evidence={"issues": len(one.issues), "repeats": len(split), "quick": len(quick)},
                odds=0,
                examples=first_few(issue.issue for issue in split),
            )


def find_handing_on(dossiers: Mapping[str, Dossier], table: Table, settings: FairSettings) -> Iterator[Signal]:
    """More than others hand on, and those that would have been the hardest to solve."""
    handed = {
        cadre: (len(one.handovers), len(one.handovers) + len(one.issues))
        for cadre, one in dossiers.items()
        if one.issues or one.handovers
    }
    counts = count_shares(handed, lambda cadre: dossiers[cadre].cadre.region)
    odds = deviations(counts)
    rules = settings.signals
    for cadre, (found, size) in handed.items():
        if found < LEAST_HANDED or 100 * found < rules.handing_share * size or odds[cadre] * 100 < rules.handing_odds:
            continue
        kept = [table.expect((issue.category, issue.complexity, issue.channel)) for issue in dossiers[cadre].issues]
        gone = [table.expect((one.category, one.complexity, one.channel)) for one in dossiers[cadre].handovers]
        gap = math.fsum(kept) / len(kept) - math.fsum(gone) / len(gone) if kept else 0.0
        if gap / 1e4 >= rules.handing_gap:
            yield Signal(
                cadre=cadre,
                check="handing_on",
                evidence={"handed_on": found, "issues": size, "harder_by": round(gap / 1e4)},
                odds=hundredths(odds[cadre]),
                examples=first_few(one.issue for one in dossiers[cadre].handovers),
            )


def find_circles(dossiers: Mapping[str, Dossier], settings: FairSettings) -> Iterator[Signal]:
    """A few citizens who bring what is solved and praised, again and again: to one cadre, or to the same two."""
    found: dict[str, set[str]] = {}
    for cadre, one in dossiers.items():
        numbers = Counter(issue.complainant for issue in one.issues if issue.complainant)
        regulars = {citizen for citizen, count in numbers.items() if count >= CIRCLE_TIMES}
        if len(regulars) >= CIRCLE_SHARED and _is_circle((one,), regulars, settings):
            found.setdefault(cadre, set()).update(regulars)
    for (first, second), citizens in _shared_citizens(dossiers).items():
        if len(citizens) >= CIRCLE_SHARED and _is_circle((dossiers[first], dossiers[second]), citizens, settings):
            found.setdefault(first, set()).update(citizens)
            found.setdefault(second, set()).update(citizens)
    for cadre, citizens in sorted(found.items()):
        issues = [issue.issue for issue in dossiers[cadre].issues if issue.complainant in citizens]
        yield Signal(
            cadre=cadre,
            check="shared_circle",
            evidence={"citizens": len(citizens), "issues": len(issues)},
            odds=0,
            records=frozenset(issues),
            examples=first_few(issues),
        )


def _shared_citizens(dossiers: Mapping[str, Dossier]) -> dict[tuple[str, str], set[str]]:
    holders: dict[str, set[str]] = {}
    for cadre, one in dossiers.items():
        for issue in one.issues:
            if issue.complainant:
                holders.setdefault(issue.complainant, set()).add(cadre)
    shared: dict[tuple[str, str], set[str]] = {}
    for complainant, cadres in holders.items():
        for pair in combinations(sorted(cadres), 2):
            shared.setdefault((pair[0], pair[1]), set()).add(complainant)
    return shared


def _is_circle(holders: Sequence[Dossier], citizens: set[str], settings: FairSettings) -> bool:
    issues = [issue for one in holders for issue in one.issues if issue.complainant in citizens]
    ids = {issue.issue for issue in issues}
    ratings: list[Rating] = [rating for one in holders for rating in one.ratings if rating.subject in ids]
    rules = settings.signals
    if len(ratings) < CIRCLE_RATINGS or 100 * len(ratings) < rules.circle_rated * len(issues):
        return False
    best = sum(rating.level == BEST for rating in ratings)
    solved = sum(issue.outcome == "solved" and not issue.is_contradicted for issue in issues)
    return 100 * best >= rules.circle_alike * len(ratings) and 100 * solved >= rules.circle_alike * len(issues)
