"""What the fair scheme has to beat: raw rates, Wilson's lower bounds, and plain shrinkage to the peers' mean."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist, fmean, pvariance
from typing import Final

from bench.worlds.people import WEIGHTS
from services.assessment.fair.records import Dossier

Z: Final = NormalDist().inv_cdf(0.95)
Share = tuple[float, float]
RATES: Final = ("timeliness", "reply", "resolution", "satisfaction", "outreach")


def rates_of(dossier: Dossier) -> dict[str, Share]:
    """Numerators and denominators as hotlines publish them."""
    issues = dossier.issues
    closed = [issue for issue in issues if issue.outcome and issue.outcome != "explained"]
    answered = [
        issue.answered_at is not None and issue.answered_at - issue.received_at <= (issue.answer_allowed or 0)
        for issue in issues
    ]
    solved = [issue for issue in closed if issue.outcome == "solved" and not issue.is_contradicted]
    due = [issue for issue in issues if issue.outcome == ""]
    return {
        "timeliness": (sum(answered), len(issues)),
        "reply": (sum(issue.has_reply is True for issue in issues), len(issues)),
        "resolution": (len(solved), len(closed) + len(due)),
        "satisfaction": (sum(rating.level >= 4 for rating in dossier.ratings), len(dossier.ratings)),
        "outreach": (min(len(dossier.contacts), dossier.cadre.target), dossier.cadre.target),
    }


def _raw(share: Share) -> float | None:
    return share[0] / share[1] if share[1] else None


def _wilson(share: Share) -> float | None:
    hit, count = share
    if not count:
        return None
    rate = hit / count
    spread = Z * math.sqrt(rate * (1 - rate) / count + Z * Z / (4 * count * count))
    return (rate + Z * Z / (2 * count) - spread) / (1 + Z * Z / count)


def score_raw(dossiers: Sequence[Dossier]) -> dict[str, float]:
    return _compose(dossiers, _raw)


def score_wilson(dossiers: Sequence[Dossier]) -> dict[str, float]:
    return _compose(dossiers, _wilson)


def _compose(dossiers: Sequence[Dossier], value: Callable[[Share], float | None]) -> dict[str, float]:
    """Weights of indicators without data go to the others."""
    scores = {}
    for dossier in dossiers:
        values = {name: value(share) for name, share in rates_of(dossier).items()}
        present = {name: one for name, one in values.items() if one is not None}
        weight = math.fsum(WEIGHTS[name] for name in present)
        total = math.fsum(WEIGHTS[name] * one for name, one in present.items())
        scores[dossier.cadre.cadre] = total / weight if weight else 0.5
    return scores


def score_shrunk(dossiers: Sequence[Dossier]) -> dict[str, float]:
    """Each rate drawn to the peers' mean by its own reliability, then summed."""
    scores: dict[str, float] = {dossier.cadre.cadre: 0.0 for dossier in dossiers}
    groups: dict[str, list[Dossier]] = {}
    for dossier in dossiers:
        groups.setdefault(dossier.cadre.peer_group, []).append(dossier)
    for group in groups.values():
        for name in RATES:
            for cadre, value in _shrink({one.cadre.cadre: rates_of(one)[name] for one in group}).items():
                scores[cadre] += WEIGHTS[name] * value
    return scores


def _shrink(shares: Mapping[str, Share]) -> dict[str, float]:
    present = {cadre: share for cadre, share in shares.items() if share[1]}
    if len(present) < 3:
        return dict.fromkeys(shares, 0.0)
    mean = sum(hit for hit, _ in present.values()) / sum(count for _, count in present.values())
    single = max(1e-6, mean * (1 - mean))
    between = max(
        1e-6,
        pvariance([hit / count for hit, count in present.values()])
        - fmean(single / count for _, count in present.values()),
    )
    return {
        cadre: mean + (hit / count - mean) * between / (between + single / count) if count else mean
        for cadre, (hit, count) in shares.items()
    }
