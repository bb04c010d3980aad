"""A position as it is published: rounded half up once, with points that add up to the score, ranks, bands and zones."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from services.assessment.fair.factor import Position
from services.assessment.fair.records import MICRO, Cadre
from services.assessment.fair.settings import INDICATORS, FairSettings

Band = Literal["above", "middle", "below", "not_enough_evidence"]
Zone = Literal["clear", "open", "no", ""]
FULL: Final = 100
QUOTA: Final = Fraction(1, 5)
SMALLEST_GROUP: Final = 15  # below it no zones: a fifth of so few says nothing
LEAST_RELIABLE: Final = Decimal("0.30")  # below it there is not enough evidence for a band


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`base` and the points add up to the score. Ranks count from 1 within the peer group."""

    cadre: str
    peer_group: str
    score: Decimal
    lower: Decimal
    upper: Decimal
    reliability: Decimal
    base: Decimal
    points: Mapping[str, Decimal]
    rank: int = 0
    rank_best: int = 0
    rank_worst: int = 0
    band: Band = "middle"
    award_zone: Zone = ""
    reasons: tuple[str, ...] = ()


def round_position(cadre: Cadre, position: Position, settings: FairSettings) -> Result:
    """The score is rounded half up; floors of the parts are made up to it by largest remainder. Bounds go outward."""
    units = 10**settings.places
    parts = {term.indicator: Fraction(term.points) * units for term in position.terms}
    floors = {name: part.numerator // part.denominator for name, part in parts.items()}
    base = settings.standing.mean * units
    total = _half_up(sum(parts.values(), Fraction(0)))
    missing = total - sum(floors.values())
    by_remainder = sorted(parts, key=lambda name: (floors[name] - parts[name], INDICATORS.index(name)))
    for name in by_remainder[:missing]:
        floors[name] += 1
    score = min(FULL * units, max(0, base + total))
    half = Fraction(half_width(position.deviation, settings)) * units
    lower = min(score, max(0, -(-(score - half).numerator // (score - half).denominator) - 1))
    upper = max(score, min(FULL * units, (score + half).numerator // (score + half).denominator + 1))
    return Result(
        cadre=cadre.cadre,
        peer_group=cadre.peer_group,
        score=_decimal(score, settings.places),
        lower=_decimal(lower, settings.places),
        upper=_decimal(upper, settings.places),
        reliability=_decimal(_half_up(Fraction(position.reliability) * 1_000), 3),
        base=_decimal(score - total, settings.places),
        points={name: _decimal(floors.get(name, 0), settings.places) for name in INDICATORS},
    )


def coarsen(result: Result) -> tuple[int, dict[str, int]]:
    """The score in whole points, and parts that add up to it: the base, and the points by largest remainder."""
    total = int(_half_up(Fraction(result.score)))
    parts = {"base": Fraction(result.base), **{name: Fraction(points) for name, points in result.points.items()}}
    floors = {name: part.numerator // part.denominator for name, part in parts.items()}
    order = sorted(parts, key=lambda name: (floors[name] - parts[name], list(parts).index(name)))
    for name in order[: total - sum(floors.values())]:
        floors[name] += 1
    return total, floors


def half_width(deviation: float, settings: FairSettings) -> float:
    """Of the interval, in points: chance, and that the model itself may be off."""
    standing = settings.standing
    model = standing.model_error * standing.deviation / MICRO
    return standing.interval / MICRO * math.sqrt(deviation * deviation + model * model)


def _half_up(exact: Fraction) -> int:
    """A half goes away from zero, so that better and worse are treated alike."""
    size = (2 * abs(exact).numerator + exact.denominator) // (2 * exact.denominator)
    return size if exact >= 0 else -size


def _decimal(units: int, places: int) -> Decimal:
    return Decimal((1 if units < 0 else 0, tuple(map(int, str(abs(units)))), -places))


def rank_among(results: Sequence[Result], scores: Sequence[Decimal]) -> dict[str, Result]:
    """These results with rank, band and zone among the scores of the whole peer group, in which theirs are.

    The interval of ranks has the ranks of the bounds among the scores of the others.
    """
    ascending = sorted(scores)
    count = len(ascending)
    awards = int(count * QUOTA)
    cut = ascending[count - awards] if awards else None
    middle = sum(ascending, Decimal(0)) / count
    return {
        result.cadre: replace(
            result,
            rank=count - bisect_right(ascending, result.score) + 1,
            rank_best=count - bisect_right(ascending, result.upper) + 1,
            rank_worst=count - bisect_left(ascending, result.lower),
            band=_band(result, middle),
            award_zone=_zone(result, cut) if count >= SMALLEST_GROUP else "",
        )
        for result in results
    }


def _band(result: Result, middle: Decimal) -> Band:
    """Who cannot be told from the middle of the peers is in the middle band."""
    if result.reliability < LEAST_RELIABLE:
        return "not_enough_evidence"
    if result.lower > middle:
        return "above"
    return "below" if result.upper < middle else "middle"


def _zone(result: Result, cut: Decimal | None) -> Zone:
    if cut is None or result.reliability < LEAST_RELIABLE:
        return ""
    if result.lower >= cut:
        return "clear"
    return "open" if result.upper >= cut else "no"
