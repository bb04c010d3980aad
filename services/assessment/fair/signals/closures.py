"""Endings that do not agree with what citizens say: solved on paper, explained too often, answered with nothing."""

import math
from collections.abc import Callable, Iterator, Mapping

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Dossier, Issue
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
from services.assessment.fair.values import EXPLAINING

LEAST_CONTRADICTED = 2
LEAST_EXPLAINED = 3
LEAST_EMPTY = 3
TIMES_USUAL = 1.5


def find_contradicted(
    counted: Mapping[str, Counted], missing: Mapping[str, float], settings: FairSettings
) -> Iterator[Signal]:
    """Honest weak performers have contradicted closures too, but do not lack failures that they admit."""
    rules = settings.signals
    claims = {
        cadre: [issue for issue in one.counted_issues if issue.outcome == "solved"] for cadre, one in counted.items()
    }
    counts = _expect_by(claims, lambda issue: issue.is_contradicted, lambda issue: str(issue.is_checked))
    odds = deviations(counts)
    for cadre, count in counts.items():
        together = (odds[cadre] + missing[cadre]) / math.sqrt(2)
        enough = count.found >= max(LEAST_CONTRADICTED, TIMES_USUAL * count.expected)
        if enough and together * 100 >= rules.paired_odds and odds[cadre] > 0:
            contradicted = [issue.issue for issue in claims[cadre] if issue.is_contradicted]
            unchecked = [issue.issue for issue in counted[cadre].counted_issues if not _is_known(issue)]
            yield Signal(
                cadre=cadre,
                check="contradicted_closures",
                evidence={
                    "solved": len(claims[cadre]),
                    "contradicted": count.found,
                    "usual_tenths": round(10 * count.expected),
                },
                odds=hundredths(together),
                records=frozenset(unchecked),
                examples=first_few(contradicted),
            )


def _is_known(issue: Issue) -> bool:
    """Somebody else asked, or the citizen came again."""
    return issue.is_checked or issue.is_contradicted


def find_explained(
    counted: Mapping[str, Counted], table: Table, missing: Mapping[str, float], settings: FairSettings
) -> Iterator[Signal]:
    counts = {}
    for cadre, one in counted.items():
        usual = [table.expect(mark.cell) / 1e6 for mark in one.marks if mark.indicator == EXPLAINING]
        found = sum(mark.value > 0 for mark in one.marks if mark.indicator == EXPLAINING)
        counts[cadre] = Count(found=found, expected=math.fsum(usual), variance=math.fsum(p * (1 - p) for p in usual))
    odds = deviations(counts)
    for cadre, count in counts.items():
        together = (odds[cadre] + missing[cadre]) / math.sqrt(2)
        enough = count.found >= max(LEAST_EXPLAINED, TIMES_USUAL * count.expected) and odds[cadre] >= 2
        if enough and together * 100 >= settings.signals.paired_odds:
            own = [mark.record for mark in counted[cadre].marks if mark.indicator == EXPLAINING and mark.value]
            yield Signal(
                cadre=cadre,
                check="excess_explanations",
                evidence={"explained": count.found, "usual_tenths": round(10 * count.expected)},
                odds=hundredths(together),
                examples=first_few(own),
            )


def find_empty(dossiers: Mapping[str, Dossier], settings: FairSettings) -> Iterator[Signal]:
    rules = settings.signals
    for cadre, one in dossiers.items():
        answered = [issue for issue in one.issues if issue.answered_at is not None]
        empty = [
            issue
            for issue in answered
            if issue.has_reply is False
            and (issue.answered_at or 0) - issue.received_at < settings.values.instant_seconds
        ]
        if len(empty) >= LEAST_EMPTY and 100 * len(empty) >= rules.empty_share * len(answered):
            yield Signal(
                cadre=cadre,
                check="empty_replies",
                evidence={
                    "answered": len(answered),
                    "empty": len(empty),
                    "share": per_cent(len(empty), len(answered)),
                },
                odds=0,
                examples=first_few(issue.issue for issue in empty),
            )


def count_missing_failures(counted: Mapping[str, Counted], table: Table) -> dict[str, float]:
    """By how many deviations a cadre admits fewer failures than such cases usually bring."""
    counts = {}
    for cadre, one in counted.items():
        marks = [mark for mark in one.marks if mark.indicator == "resolution" and mark.weight]
        usual = [min(1.0, max(0.0, 1 - table.expect(mark.cell) / 1e6)) for mark in marks]
        admitted = sum(mark.value == 0 for mark in marks)
        expected = math.fsum(usual)
        counts[cadre] = Count(found=-admitted, expected=-expected, variance=math.fsum(p * (1 - p) for p in usual))
    return deviations(counts)


def _expect_by(
    records: Mapping[str, list[Issue]], is_hit: Callable[[Issue], bool], kind_of: Callable[[Issue], str]
) -> dict[str, Count]:
    """Against the share among like records of everybody."""
    parts: dict[str, tuple[int, int]] = {}
    for cadre, issues in records.items():
        for issue in issues:
            key = f"{kind_of(issue)} {cadre}"
            hits, size = parts.get(key, (0, 0))
            parts[key] = (hits + is_hit(issue), size + 1)
    counts = count_shares(parts, lambda key: key.partition(" ")[0])
    sums = {cadre: Count(found=0, expected=0.0, variance=0.0) for cadre in records}
    for key, count in counts.items():
        cadre = key.partition(" ")[2]
        before = sums[cadre]
        sums[cadre] = Count(
            found=before.found + count.found,
            expected=before.expected + count.expected,
            variance=before.variance + count.variance,
        )
    return sums
