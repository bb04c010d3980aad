"""Ratings that look cast by one hand, or that praise where independent calls do not."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
from statistics import fmean

from services.assessment.fair.counting import HOUR
from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Dossier, Rating
from services.assessment.fair.settings import SignalRules
from services.assessment.fair.signals.odds import (
    Everybody,
    Signal,
    count_shares,
    deviations,
    first_few,
    hundredths,
    per_cent,
)

HIGH = 4
LEAST_RATINGS = 4
NAMES_ON_DEVICE = 3
IN_AN_HOUR = 4
STRANGERS = 3
LEAST_APART = 6


def find_stuffing(one: Dossier, rules: SignalRules) -> Iterator[Signal]:
    own = [rating for rating in one.ratings if rating.method != "callback" and not rating.is_public_device]
    high = [rating for rating in own if rating.level >= HIGH]
    if len(own) < LEAST_RATINGS or 100 * len(high) < rules.stuffing_high * len(own):
        return
    complainants = {issue.issue: issue.complainant for issue in one.issues}
    names: dict[str, set[str]] = {}
    for rating in own:
        if rating.device:
            names.setdefault(rating.device, set()).add(rating.rater or rating.rating)
    shared = {device for device, raters in names.items() if len(raters) >= NAMES_ON_DEVICE}
    hours = Counter(rating.rated_at // HOUR for rating in own)
    full = {hour for hour, count in hours.items() if count >= IN_AN_HOUR}
    strange = [
        rating
        for rating in own
        if rating.subject_kind == "issue"
        and rating.is_complainant is not True
        and rating.rater
        and rating.rater != complainants.get(rating.subject)
    ]
    doubtful = {rating.rating for rating in own if rating.device in shared or rating.rated_at // HOUR in full}
    if len(strange) >= STRANGERS:
        doubtful |= {rating.rating for rating in strange}
    if doubtful:
        yield Signal(
            cadre=one.cadre.cadre,
            check="ballot_stuffing",
            evidence={
                "own_channel": len(own),
                "high": per_cent(len(high), len(own)),
                "shared_devices": len(shared),
                "full_hours": len(full),
                "not_complainants": len(strange),
            },
            odds=0,
            records=frozenset(doubtful),
            examples=first_few(doubtful),
        )


class PraiseApart:
    """Far more citizens rate on own channels than elsewhere, and more kindly than those who are called."""

    def __init__(self, rules: SignalRules) -> None:
        self._rules = rules
        self._shares: dict[str, tuple[int, int]] = {}
        self._regions: dict[str, str] = {}
        self._called: Counter[int] = Counter()  # ratings of everybody's call-backs by level

    def note(self, one: Counted) -> None:
        dossier = one.dossier
        closed = sum(issue.closed_at is not None for issue in dossier.issues)
        if closed:
            self._shares[one.cadre] = (min(closed, len(_own(dossier))), closed)
            self._regions[one.cadre] = dossier.cadre.region
        self._called.update(_called(dossier))

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        counts = count_shares(self._shares, self._regions.__getitem__)
        odds = deviations(counts)
        mean, spread = _spread_of(self._called)
        for cadre, (found, closed) in self._shares.items():
            if found < LEAST_APART or spread == 0 or odds[cadre] <= 1:
                continue
            dossier = everybody.counted[cadre].dossier
            own, called = _own(dossier), _called(dossier)
            gap = _gap(own, called, mean, spread)
            together = (odds[cadre] + gap) / math.sqrt(2)
            if gap > 1 and together * 100 >= self._rules.apart_odds:
                yield Signal(
                    cadre=cadre,
                    check="praise_apart",
                    evidence={
                        "closed": closed,
                        "own_channel": found,
                        "usual": round(counts[cadre].expected),
                        "called": len(called),
                    },
                    odds=hundredths(together),
                    records=frozenset(rating.rating for rating in own),
                    examples=first_few(rating.rating for rating in own),
                )


def _own(dossier: Dossier) -> list[Rating]:
    return [rating for rating in dossier.ratings if rating.method != "callback"]


def _called(dossier: Dossier) -> list[int]:
    return [rating.level for rating in dossier.ratings if rating.method == "callback"]


def _gap(own: Sequence[Rating], called: Sequence[int], mean: float, spread: float) -> float:
    """In deviations, the calls of everybody standing in with the weight of two for calls that were not made."""
    middle = fmean([*called, mean, mean])
    error = spread * math.sqrt(1 / len(own) + 1 / (len(called) + 2))
    return (fmean(rating.level for rating in own) - middle) / error


def _spread_of(levels: Mapping[int, int]) -> tuple[float, float]:
    """Mean and deviation of so many ratings of each level."""
    count = sum(levels.values())
    if not count:
        return 0.0, 0.0
    mean = math.fsum(level * number for level, number in levels.items()) / count
    squares = (repeat((level - mean) ** 2, number) for level, number in levels.items())
    return mean, math.sqrt(math.fsum(chain.from_iterable(squares)) / count)
