"""Ratings on own channels that are many and nearly all the best, whatever became of the matter."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Dossier, Issue, Rating
from services.assessment.fair.settings import SignalRules
from services.assessment.fair.signals.odds import (
    SMOOTH,
    Count,
    Everybody,
    Signal,
    count_shares,
    deviations,
    first_few,
    hundredths,
)

BEST = 5
LEAST = 6
Kind = tuple[str, str]  # channel and outcome
Found = tuple[int, int]  # the best, and all


class Praise:
    """Far more citizens rate on own channels than elsewhere, and give the best mark more often than others do there.

    Of everybody two whole numbers are needed for each channel and outcome, and two for each region.
    """

    def __init__(self, rules: SignalRules) -> None:
        self._rules = rules
        self._shares: dict[str, tuple[int, int]] = {}
        self._regions: dict[str, str] = {}
        self._kinds: dict[str, dict[Kind, Found]] = {}

    def note(self, one: Counted) -> None:
        dossier = one.dossier
        closed = sum(issue.closed_at is not None for issue in dossier.issues)
        if not closed:
            return
        own = _own(dossier)
        self._shares[one.cadre] = (min(closed, len(own)), closed)
        self._regions[one.cadre] = dossier.cadre.region
        if own:
            self._kinds[one.cadre] = _count_kinds(dossier, own)

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        usual = count_shares(self._shares, self._regions.__getitem__)
        many = deviations(usual)
        best = deviations(self._count_best())
        for cadre, odds in best.items():
            together = (many[cadre] + odds) / math.sqrt(2)
            if min(many[cadre], odds) <= 1 or together * 100 < self._rules.best_odds:
                continue
            dossier = everybody.counted[cadre].dossier
            own = _own(dossier)
            if len(own) < LEAST:
                continue
            yield Signal(
                cadre=cadre,
                check="praise_apart",
                evidence={
                    "closed": self._shares[cadre][1],
                    "own_channel": len(own),
                    "usual": round(usual[cadre].expected),
                    "called": sum(rating.method == "callback" for rating in dossier.ratings),
                },
                odds=hundredths(together),
                records=frozenset(rating.rating for rating in own),
                examples=first_few(rating.rating for rating in own),
            )

    def _count_best(self) -> dict[str, Count]:
        """How many of the ratings are the best, and how many would be by channel and outcome."""
        hits, sizes = Counter[Kind](), Counter[Kind]()
        for kinds in self._kinds.values():
            for kind, (best, size) in kinds.items():
                hits[kind] += best
                sizes[kind] += size
        mean = sum(hits.values()) / max(1, sum(sizes.values()))
        chances = {kind: (hits[kind] + SMOOTH * mean) / (size + SMOOTH) for kind, size in sizes.items()}
        return {cadre: _expect(kinds, chances) for cadre, kinds in self._kinds.items()}


def _expect(kinds: Mapping[Kind, Found], chances: Mapping[Kind, float]) -> Count:
    return Count(
        found=sum(best for best, _ in kinds.values()),
        expected=math.fsum(size * chances[kind] for kind, (_, size) in kinds.items()),
        variance=max(0.3, math.fsum(size * chances[kind] * (1 - chances[kind]) for kind, (_, size) in kinds.items())),
    )


def _own(dossier: Dossier) -> list[Rating]:
    return [rating for rating in dossier.ratings if rating.method != "callback" and not rating.is_public_device]


def _count_kinds(dossier: Dossier, own: list[Rating]) -> dict[Kind, Found]:
    issues = {issue.issue: issue for issue in dossier.issues}
    kinds: dict[Kind, Found] = {}
    for rating in own:
        kind = (rating.method, _outcome(issues.get(rating.subject)))
        best, size = kinds.get(kind, (0, 0))
        kinds[kind] = (best + (rating.level == BEST), size + 1)
    return kinds


def _outcome(issue: Issue | None) -> str:
    if issue is None:
        return ""
    return "contradicted" if issue.is_contradicted else issue.outcome or "open"
