"""Endings that do not agree with what citizens say: solved on paper, explained too often, answered with nothing."""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.assessment.fair.marks import CellNumbers, Counted
from services.assessment.fair.records import Dossier, Issue
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import FairSettings, SignalRules
from services.assessment.fair.signals.odds import (
    SMOOTH,
    Count,
    Everybody,
    Signal,
    count_shares,
    deviations,
    first_few,
    hundredths,
    per_cent,
    rare_deviations,
)
from services.assessment.fair.values import EXPLAINING

LEAST_CONTRADICTED = 2
LEAST_EXPLAINED = 3
LEAST_EMPTY = 3
TIMES_USUAL = 1.5
LEAST_MISSING = 2.0  # deviations


class Admissions:
    """Who admits fewer failures than such cases usually bring: no signal alone, the second sign of two."""

    def __init__(self, settings: FairSettings) -> None:
        self._is_by_region = settings.signals.admitted_odds > 0
        self._numbers = CellNumbers()
        self._kept: dict[str, tuple[int, array[int]]] = {}
        self._regions: dict[str, str] = {}

    def note(self, one: Counted) -> None:
        marks = [mark for mark in one.marks if mark.indicator == "resolution" and mark.weight]
        self._regions[one.cadre] = one.dossier.cadre.region
        admitted = sum(mark.value == 0 for mark in marks)
        self._kept[one.cadre] = (admitted, array("I", [self._numbers.of(mark.cell) for mark in marks]))

    def count_missing(self, table: Table) -> dict[str, float]:
        """By how many deviations a cadre admits fewer failures than usual."""
        usual = [min(1.0, max(0.0, 1 - table.expect(cell) / 1e6)) for cell in self._numbers.cells]
        levels = self._find_levels(usual) if self._is_by_region else {}
        counts = {}
        for cadre, (admitted, cells) in self._kept.items():
            level = levels.get(self._regions[cadre], 1.0)
            expected, variance = _expect(cells, usual if level == 1.0 else [min(1.0, level * p) for p in usual])
            counts[cadre] = Count(found=-admitted, expected=-expected, variance=variance)
        return deviations(counts)

    def _find_levels(self, usual: Sequence[float]) -> dict[str, float]:
        """By region, how many failures are admitted for one that is usual for the cases."""
        parts: dict[str, list[float]] = {}
        found: dict[str, int] = {}
        for cadre, (admitted, cells) in self._kept.items():
            region = self._regions[cadre]
            parts.setdefault(region, []).append(_expect(cells, usual)[0])
            found[region] = found.get(region, 0) + admitted
        return {region: (found[region] + SMOOTH) / (math.fsum(own) + SMOOTH) for region, own in parts.items()}


def _expect(cells: Iterable[int], usual: Sequence[float]) -> tuple[float, float]:
    """The expected number and its variance, for chances by number of the cell."""
    chances = [usual[cell] for cell in cells]
    return math.fsum(chances), math.fsum(p * (1 - p) for p in chances)


class Contradicted:
    """Honest weak performers have contradicted closures too, but do not lack failures that they admit."""

    def __init__(self, admissions: Admissions, settings: FairSettings) -> None:
        self._admissions = admissions
        self._rules = settings.signals
        self._claims: dict[str, dict[str, tuple[int, int]]] = {}  # by cadre and kind, contradicted and all

    def note(self, one: Counted) -> None:
        kinds: dict[str, tuple[int, int]] = {}
        for issue in _claims(one):
            hits, size = kinds.get(str(issue.is_checked), (0, 0))
            kinds[str(issue.is_checked)] = (hits + issue.is_contradicted, size + 1)
        self._claims[one.cadre] = kinds

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        if "resolution" not in everybody.tables:
            return
        missing = self._admissions.count_missing(everybody.tables["resolution"])
        counts = _expect_by_kind(self._claims)
        odds = rare_deviations(counts) if self._rules.admitted_odds else deviations(counts)
        for cadre, count in counts.items():
            together = (odds[cadre] + missing[cadre]) / math.sqrt(2)
            enough = count.found >= max(LEAST_CONTRADICTED, TIMES_USUAL * count.expected)
            if enough and together * 100 >= _least_odds(self._rules):
                one = everybody.counted[cadre]
                contradicted = [issue.issue for issue in _claims(one) if issue.is_contradicted]
                unchecked = [issue.issue for issue in one.counted_issues if not _is_known(issue)]
                yield Signal(
                    cadre=cadre,
                    check="contradicted_closures",
                    evidence={
                        "solved": len(_claims(one)),
                        "contradicted": count.found,
                        "usual_tenths": round(10 * count.expected),
                    },
                    odds=hundredths(together),
                    records=frozenset(unchecked),
                    examples=first_few(contradicted),
                )


def _least_odds(rules: SignalRules) -> int:
    return rules.admitted_odds or rules.paired_odds


def _claims(one: Counted) -> list[Issue]:
    return [issue for issue in one.counted_issues if issue.outcome == "solved"]


def _is_known(issue: Issue) -> bool:
    """Somebody else asked, or the citizen came again."""
    return issue.is_checked or issue.is_contradicted


def _expect_by_kind(claims: Mapping[str, Mapping[str, tuple[int, int]]]) -> dict[str, Count]:
    """Against the share among like records of everybody."""
    parts = {f"{kind} {cadre}": found for cadre, kinds in claims.items() for kind, found in kinds.items()}
    counts = count_shares(parts, lambda key: key.partition(" ")[0])
    sums = {}
    for cadre, kinds in claims.items():
        own = [counts[f"{kind} {cadre}"] for kind in kinds]
        sums[cadre] = Count(
            found=sum(count.found for count in own),
            expected=math.fsum(count.expected for count in own),
            variance=math.fsum(count.variance for count in own),
        )
    return sums


class Explained:
    def __init__(self, admissions: Admissions, settings: FairSettings) -> None:
        self._admissions = admissions
        self._rules = settings.signals
        self._numbers = CellNumbers()
        self._kept: dict[str, tuple[int, array[int]]] = {}

    def note(self, one: Counted) -> None:
        marks = [mark for mark in one.marks if mark.indicator == EXPLAINING]
        found = sum(mark.value > 0 for mark in marks)
        self._kept[one.cadre] = (found, array("I", [self._numbers.of(mark.cell) for mark in marks]))

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        if not {"resolution", EXPLAINING} <= everybody.tables.keys():
            return
        missing = self._admissions.count_missing(everybody.tables["resolution"])
        table = everybody.tables[EXPLAINING]
        usual = [table.expect(cell) / 1e6 for cell in self._numbers.cells]
        counts = {}
        for cadre, (found, cells) in self._kept.items():
            expected, variance = _expect(cells, usual)
            counts[cadre] = Count(found=found, expected=expected, variance=variance)
        odds = rare_deviations(counts) if self._rules.admitted_odds else deviations(counts)
        for cadre, count in counts.items():
            together = (odds[cadre] + missing[cadre]) / math.sqrt(2)
            enough = count.found >= max(LEAST_EXPLAINED, TIMES_USUAL * count.expected) and odds[cadre] >= 2
            if self._rules.admitted_odds:  # whoever only keeps to policy does not lack failures
                enough = enough and missing[cadre] >= LEAST_MISSING
            if enough and together * 100 >= _least_odds(self._rules):
                marks = everybody.counted[cadre].marks
                own = [mark.record for mark in marks if mark.indicator == EXPLAINING and mark.value]
                yield Signal(
                    cadre=cadre,
                    check="excess_explanations",
                    evidence={"explained": count.found, "usual_tenths": round(10 * count.expected)},
                    odds=hundredths(together),
                    examples=first_few(own),
                )


def find_empty(one: Dossier, settings: FairSettings) -> Iterator[Signal]:
    answered = [issue for issue in one.issues if issue.answered_at is not None]
    empty = [
        issue
        for issue in answered
        if issue.has_reply is False and (issue.answered_at or 0) - issue.received_at < settings.values.instant_seconds
    ]
    if len(empty) >= LEAST_EMPTY and 100 * len(empty) >= settings.signals.empty_share * len(answered):
        yield Signal(
            cadre=one.cadre.cadre,
            check="empty_replies",
            evidence={
                "answered": len(answered),
                "empty": len(empty),
                "share": per_cent(len(empty), len(answered)),
            },
            odds=0,
            examples=first_few(issue.issue for issue in empty),
        )
