"""What the engine makes of indicators in proportion, in whole numbers alone: to the last digit, many times as fast.

The engine of rule schemes stays the measure of it; a test puts thousands of invented schemes and counts to both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from services.assessment.domain.schemes import FULL_WEIGHT, Scheme

WEIGHT_PLACES: Final = 4  # which schemes are read for
Pair = tuple[int, int]  # numerator and denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A scheme in whole numbers: weights by the ten-thousandth, and the place to which points are rounded."""

    weights: tuple[int, ...]
    fewest: tuple[int, ...]
    minimum: int  # above 0
    unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """`total` and `points` by the smallest place. Without a total nothing has points; None where one is missing."""

    present: int  # by the ten-thousandth
    total: int | None
    points: tuple[int | None, ...]


@lru_cache(maxsize=64)
def plan_of(weights: tuple[Decimal, ...], fewest: tuple[int, ...], minimum: Decimal, places: int) -> Plan:
    return Plan(
        weights=tuple(_whole(weight) for weight in weights),
        fewest=tuple(max(1, count) for count in fewest),  # of no case at all nothing is a share
        minimum=_whole(minimum),
        unit=int(FULL_WEIGHT) * 10**places,
    )


def make_plan(scheme: Scheme) -> Plan:
    return plan_of(
        tuple(indicator.weight for indicator in scheme.indicators),
        tuple(indicator.minimum_denominator for indicator in scheme.indicators),
        scheme.minimum_present_weight,
        scheme.points_places,
    )


def add_up(pairs: Sequence[Pair], plan: Plan) -> tuple[int, int | None]:
    """Present weight and total of `work_out`, without the points."""
    present, weight = _find_present(pairs, plan)
    if weight < plan.minimum:
        return weight, None
    parts, divisor = _scale(pairs, present, weight, plan)
    return weight, _round(sum(parts), divisor)


def work_out(pairs: Sequence[Pair], plan: Plan) -> Worked:
    """The weights present scaled to a hundred, the total rounded half up, the points made to add up to it."""
    present, weight = _find_present(pairs, plan)
    if weight < plan.minimum:
        return Worked(present=weight, total=None, points=(None,) * len(pairs))
    parts, divisor = _scale(pairs, present, weight, plan)
    total = _round(sum(parts), divisor)
    points: list[int | None] = [None] * len(pairs)
    for at, share in zip(present, _settle(parts, divisor, total), strict=True):
        points[at] = share
    return Worked(present=weight, total=total, points=tuple(points))


@lru_cache(maxsize=65_536)
def to_decimal(units: int, places: int) -> Decimal:
    """Read from digits, so that no decimal context changes it."""
    return Decimal(f"{units}E-{places}")


def to_share(numerator: int, denominator: int, places: int) -> Decimal:
    return to_decimal((2 * numerator * 10**places + denominator) // (2 * denominator), places)


def _find_present(pairs: Sequence[Pair], plan: Plan) -> tuple[list[int], int]:
    present = [at for at, (_, cases) in enumerate(pairs) if cases >= plan.fewest[at]]
    return present, sum(plan.weights[at] for at in present)


def _scale(pairs: Sequence[Pair], present: Sequence[int], weight: int, plan: Plan) -> tuple[list[int], int]:
    """What each indicator present comes to, and by what all of it is to be divided."""
    common = math.lcm(*(pairs[at][1] for at in present))
    parts = [plan.weights[at] * plan.unit * pairs[at][0] * (common // pairs[at][1]) for at in present]
    return parts, weight * common


def _round(amount: int, divisor: int) -> int:
    return (2 * amount + divisor) // (2 * divisor)


def _settle(parts: Sequence[int], divisor: int, total: int) -> list[int]:
    """Cut to whole units; what is missing in the total goes to the largest remainders, the first among equals."""
    split = [divmod(part, divisor) for part in parts]
    missing = total - sum(units for units, _ in split)
    if not missing:
        return [units for units, _ in split]
    by_remainder = sorted(range(len(split)), key=lambda at: (-split[at][1], at))
    raised = set(by_remainder[:missing])
    return [units + (at in raised) for at, (units, _) in enumerate(split)]


def _whole(weight: Decimal) -> int:
    return int(weight.scaleb(WEIGHT_PLACES))
