"""How far the indicators inform one another: one common factor, and what each would be without the others' help."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

from services.assessment.fair.adjusting import Adjusted
from services.assessment.fair.records import MICRO
from services.assessment.fair.settings import INDICATORS, FairSettings

SELF_RECORDED = ("timeliness", "reply", "speed", "outreach")
CLOCKS = frozenset({"timeliness", "speed"})  # who shortens the one shortens the other
LARGEST_LOADING = 0.95
ITERATIONS = 60
ENOUGH = 30  # cadres with both indicators; with fewer no correlation is read off


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One indicator of one cadre, in standard deviations of true levels among peers."""

    indicator: str
    level: float  # z
    limited: float  # z within the plausibility limit
    error: float  # error variance over true variance
    evidence: float  # the share of the own difference that counts
    lent: float  # what the difference says about the other indicators
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    terms: tuple[Term, ...]
    points: float
    deviation: float  # of the score, in points
    reliability: float


def fit_loadings(adjusted: Mapping[str, Adjusted]) -> dict[str, float]:
    """From the covariances of the levels, in which chance has no part; a fixed number of rounds."""
    names = [name for name in INDICATORS if name in adjusted]
    correlations: dict[tuple[str, str], tuple[float, float]] = {}
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            pair = _correlate(adjusted[first], adjusted[second])
            correlations[first, second] = correlations[second, first] = pair
    loadings = dict.fromkeys(names, 0.5)
    for _ in range(ITERATIONS):
        for name in names:
            others = [other for other in names if other != name]
            weighted = [(correlations[name, other], loadings[other]) for other in others]
            square = fsum(size * loading * loading for (_, size), loading in weighted)
            product = fsum(size * value * loading for (value, size), loading in weighted)
            loadings[name] = min(LARGEST_LOADING, max(0.0, product / square)) if square > 0 else 0.0
    return loadings


def _correlate(first: Adjusted, second: Adjusted) -> tuple[float, float]:
    """The correlation of true levels, and its weight."""
    weights, products = [], []
    for cadre, own in first.left.items():
        other = second.left.get(cadre)
        if other is not None:
            variance = (first.between + first.within / own.effective) * (
                second.between + second.within / other.effective
            )
            weights.append(1 / variance)
            products.append(own.rest * other.rest / variance)
    if len(weights) < ENOUGH:
        return 0.0, 0.0
    total = fsum(weights)
    scale = math.sqrt(first.between * second.between)
    return min(1.0, max(-1.0, fsum(products) / total / scale)), total * first.between * second.between


def place(levels: Mapping[str, tuple[float, float]], loadings: Mapping[str, float], settings: FairSettings) -> Position:
    """`levels` are z and error variance of the indicators with data. The closed form of the posterior mean."""
    weights = {name: settings.weight_of(name) / MICRO for name in INDICATORS}
    own = {name: 1 - loadings.get(name, 0.0) ** 2 for name in INDICATORS}
    pull = {name: 1 / (own[name] + error) for name, (_, error) in levels.items()}
    limited = _limit(levels, loadings, own, pull, settings)
    common = 1 + fsum(loadings[name] ** 2 * pull[name] for name in pull)
    evidence = {name: own[name] * pull.get(name, 0.0) for name in INDICATORS}
    shared = fsum(weights[name] * loadings.get(name, 0.0) * (1 - evidence[name]) for name in INDICATORS)
    spread = _spread(weights, loadings, own)
    scale = settings.standing.deviation / spread
    terms = []
    for name in INDICATORS:
        if name in levels:
            lent = shared / common * loadings[name] * pull[name]
            terms.append(
                Term(
                    indicator=name,
                    level=levels[name][0],
                    limited=limited[name],
                    error=levels[name][1],
                    evidence=evidence[name],
                    lent=lent,
                    points=scale * limited[name] * (weights[name] * evidence[name] + lent),
                )
            )
    variance = fsum(weights[name] ** 2 * own[name] * (1 - evidence[name]) for name in INDICATORS) + shared**2 / common
    return Position(
        terms=tuple(terms),
        points=fsum(term.points for term in terms),
        deviation=scale * math.sqrt(variance),
        reliability=max(0.0, 1 - variance / spread**2),
    )


def _spread(weights: Mapping[str, float], loadings: Mapping[str, float], own: Mapping[str, float]) -> float:
    together = fsum(weights[name] * loadings.get(name, 0.0) for name in INDICATORS)
    return math.sqrt(together**2 + fsum(weights[name] ** 2 * own[name] for name in INDICATORS))


def _limit(
    levels: Mapping[str, tuple[float, float]],
    loadings: Mapping[str, float],
    own: Mapping[str, float],
    pull: Mapping[str, float],
    settings: FairSettings,
) -> dict[str, float]:
    """What cadres record themselves may lie only so far from what the other indicators suggest."""
    bound = settings.standing.limit / MICRO
    may_vouch = settings.standing.clocks_vouch > 0
    limited = {}
    for name, (level, error) in levels.items():
        limited[name] = level
        if name in SELF_RECORDED:
            others = [other for other in levels if other != name and (may_vouch or {name, other} != CLOCKS)]
            common = 1 + fsum(loadings[other] ** 2 * pull[other] for other in others)
            guess = fsum(loadings[other] * pull[other] * levels[other][0] for other in others) / common
            middle = loadings[name] * guess
            reach = bound * math.sqrt(own[name] + error + loadings[name] ** 2 / common)
            limited[name] = min(middle + reach, max(middle - reach, level))
    return limited
