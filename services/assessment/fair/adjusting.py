"""From a mean difference to what is left of it: less what load, region and unit explain, against the peers' mean.

Every sum is exactly rounded (`fsum`) and every step a ratio, so that the same sums give the same bytes everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from services.assessment.fair.records import MICRO, Cadre
from services.assessment.fair.settings import FairSettings

PASSES = 3
SMALLEST = 1e-6
LEAST_SPREAD = 200  # records that could just tell people apart: levels differ at least so much


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One cadre's mean difference of one indicator and how much stands behind it."""

    cadre: Cadre
    mean: float
    effective: float
    load: float  # logarithm of the issues


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of the mean, and what was taken off; these and the rest add up to it."""

    mean: float
    load: float
    region: float
    unit: float
    peers: float
    rest: float
    effective: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """`between` and `within` are variances: of true levels among peers, and of a single record."""

    left: Mapping[str, Left]
    between: float
    within: float


def adjust(evidence: Sequence[Evidence], within: float, settings: FairSettings, *, by_load: bool = True) -> Adjusted:
    people = sorted(evidence, key=lambda one: one.cadre.cadre)
    between = max(SMALLEST, within / 10)
    left: dict[str, Left] = {}
    for _ in range(PASSES):
        left = _adjust_once(people, within, between, settings, by_load=by_load)
        between = max(within / LEAST_SPREAD, _estimate_between(people, left, within))
    return Adjusted(left=left, between=between, within=within)


def _adjust_once(
    people: list[Evidence], within: float, between: float, settings: FairSettings, *, by_load: bool
) -> dict[str, Left]:
    weights = [1 / (between + within / one.effective) for one in people]
    groups = [one.cadre.peer_group for one in people]
    means = [one.mean for one in people]
    rest = _centre(means, weights, groups)
    loads = [0.0] * len(people)
    if by_load:
        depth = _centre([one.load for one in people], weights, groups)
        slope = _slope(depth, rest, weights)
        slope = min(0.0, max(settings.adjustment.load_lowest / MICRO, slope))
        loads = [slope * value for value in depth]
        rest = [a - b for a, b in zip(rest, loads, strict=True)]
    share = settings.adjustment.circumstance / MICRO
    regions = _region_effects(people, rest, weights, groups, share)
    rest = [a - b for a, b in zip(rest, regions, strict=True)]
    units = [share * value for value in _group_effects([one.cadre.unit for one in people], rest, weights)]
    rest = _centre([a - b for a, b in zip(rest, units, strict=True)], weights, groups)
    return {
        one.cadre.cadre: Left(
            mean=one.mean,
            load=loads[place],
            region=regions[place],
            unit=units[place],
            peers=one.mean - loads[place] - regions[place] - units[place] - rest[place],
            rest=rest[place],
            effective=one.effective,
        )
        for place, one in enumerate(people)
    }


def _centre(values: Sequence[float], weights: Sequence[float], groups: Sequence[str]) -> list[float]:
    means = _means(groups, values, weights)
    return [value - means[group][0] for value, group in zip(values, groups, strict=True)]


def _means(groups: Sequence[str], values: Sequence[float], weights: Sequence[float]) -> dict[str, tuple[float, float]]:
    """Weighted mean and sum of weights by group."""
    parts: dict[str, tuple[list[float], list[float]]] = {}
    for group, value, weight in zip(groups, values, weights, strict=True):
        products, own = parts.setdefault(group, ([], []))
        products.append(value * weight)
        own.append(weight)
    return {group: (fsum(products) / fsum(own), fsum(own)) for group, (products, own) in parts.items()}


def _slope(along: Sequence[float], values: Sequence[float], weights: Sequence[float]) -> float:
    square = fsum(w * a * a for w, a in zip(weights, along, strict=True))
    if square <= SMALLEST:
        return 0.0
    return fsum(w * a * v for w, a, v in zip(weights, along, values, strict=True)) / square


def _region_effects(
    people: list[Evidence], rest: list[float], weights: list[float], groups: list[str], share: float
) -> list[float]:
    """What the published index says, and of what is left of each region as much as chance does not explain."""
    index = _centre([one.cadre.deprivation / MICRO for one in people], weights, groups)
    slope = _slope(index, rest, weights)
    by_index = [slope * value for value in index]
    remainder = [a - b for a, b in zip(rest, by_index, strict=True)]
    effects = _group_effects([one.cadre.region for one in people], remainder, weights)
    return [a + share * b for a, b in zip(by_index, effects, strict=True)]


def _group_effects(places: Sequence[str], rest: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The mean of each place, drawn to none by how far places differ beyond chance."""
    means = _means(places, rest, weights)
    values = [value for value, _ in means.values()]
    sizes = [size for _, size in means.values()]
    if len(values) < 2:
        return [0.0] * len(rest)
    total = fsum(sizes)
    spread = fsum(size * value * value for size, value in zip(sizes, values, strict=True)) - (len(values) - 1)
    base = total - fsum(size * size for size in sizes) / total
    variance = max(0.0, spread / base) if base > 0 else 0.0
    effects = {
        place: value * variance / (variance + 1 / size) if variance else 0.0 for place, (value, size) in means.items()
    }
    return [effects[place] for place in places]


def _estimate_between(people: list[Evidence], left: Mapping[str, Left], within: float) -> float:
    """By moments, over all peer groups together."""
    sizes = [one.effective for one in people]
    total = fsum(sizes)
    groups = len({one.cadre.peer_group for one in people})
    spread = fsum(one.effective * left[one.cadre.cadre].rest ** 2 for one in people)
    base = total - fsum(size * size for size in sizes) / total
    if base <= 0:
        return SMALLEST
    return max(SMALLEST, (spread - within * (len(people) - groups)) / base)
