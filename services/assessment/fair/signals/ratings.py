"""Ratings that look cast by one hand, or that praise where independent calls do not."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import fmean

from services.assessment.fair.counting import HOUR
from services.assessment.fair.records import Dossier, Rating
from services.assessment.fair.settings import SignalRules
from services.assessment.fair.signals.odds import (
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


def find_stuffing(dossiers: Mapping[str, Dossier], rules: SignalRules) -> Iterator[Signal]:
    for cadre, one in dossiers.items():
        own = [rating for rating in one.ratings if rating.method != "callback" and not rating.is_public_device]
        high = [rating for rating in own if rating.level >= HIGH]
        if len(own) < LEAST_RATINGS or 100 * len(high) < rules.stuffing_high * len(own):
            continue
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
            if rating.subject_kind == "issue" and rating.rater and rating.rater != complainants.get(rating.subject)
        ]
        doubtful = {rating.rating for rating in own if rating.device in shared or rating.rated_at // HOUR in full}
        if len(strange) >= STRANGERS:
            doubtful |= {rating.rating for rating in strange}
        if doubtful:
            yield Signal(
                cadre=cadre,
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


def find_praise_apart(dossiers: Mapping[str, Dossier], rules: SignalRules) -> Iterator[Signal]:
    """Far more citizens rate on own channels than elsewhere, and more kindly than those who are called."""
    shares, own = {}, {}
    for cadre, one in dossiers.items():
        closed = sum(issue.closed_at is not None for issue in one.issues)
        own[cadre] = [rating for rating in one.ratings if rating.method != "callback"]
        if closed:
            shares[cadre] = (min(closed, len(own[cadre])), closed)
    counts = count_shares(shares, lambda cadre: dossiers[cadre].cadre.region)
    odds = deviations(counts)
    others = [rating.level for one in dossiers.values() for rating in one.ratings if rating.method == "callback"]
    spread = _deviation(others)
    for cadre, (found, closed) in shares.items():
        if found < LEAST_APART or spread == 0:
            continue
        called = [rating.level for rating in dossiers[cadre].ratings if rating.method == "callback"]
        gap = _gap(own[cadre], called, others, spread)
        together = (odds[cadre] + gap) / math.sqrt(2)
        if odds[cadre] > 1 and gap > 1 and together * 100 >= rules.apart_odds:
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
                records=frozenset(rating.rating for rating in own[cadre]),
                examples=first_few(rating.rating for rating in own[cadre]),
            )


def _gap(own: list[Rating], called: list[int], others: list[int], spread: float) -> float:
    """In deviations, the calls of everybody standing in with the weight of two for calls that were not made."""
    middle = fmean([*called, fmean(others), fmean(others)])
    error = spread * math.sqrt(1 / len(own) + 1 / (len(called) + 2))
    return (fmean(rating.level for rating in own) - middle) / error


def _deviation(levels: list[int]) -> float:
    if len(levels) < 2:
        return 0.0
    mean = fmean(levels)
    return math.sqrt(fmean((level - mean) ** 2 for level in levels))
