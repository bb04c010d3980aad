"""Graded credit for time: 1 at an eighth of what is allowed or less, 0.4 at the limit, 0 at four times it, no cliff.

Logarithms differ between machines in their last digit; so the curve is an integer table of break points.
"""

from bisect import bisect_left
from decimal import Context, Decimal
from functools import cache

from services.assessment.fair.records import MICRO

STEPS = 1_000
OCTAVES = 5  # from an eighth of what is allowed to four times it
_EXACT = Context(prec=30)
_CREDITS = tuple((STEPS - step) * (MICRO // STEPS) for step in range(STEPS + 1))


@cache
def break_points() -> tuple[int, ...]:
    """The longest time, in millionths of what is allowed, that still earns 1, 0.999, ..., 0.001."""
    octave = STEPS // OCTAVES
    roots = [_EXACT.power(Decimal(2), Decimal(step) / octave) for step in range(octave)]
    return tuple(int(_EXACT.multiply(roots[step % octave], 2 ** (step // octave)) * MICRO / 8) for step in range(STEPS))


def credit_time(taken: int, allowed: int) -> int:
    """Millionths."""
    share = max(0, taken) * MICRO // max(1, allowed)
    return _CREDITS[bisect_left(break_points(), share)]


@cache
def logarithm(count: int) -> float:
    """Of a whole number; correctly rounded, then the nearest float."""
    return float(_EXACT.ln(Decimal(count)))


def logarithm_of_ratio(numerator: int, denominator: int) -> int:
    """Of a positive fraction, in millionths, half even."""
    return int((_EXACT.ln(_EXACT.divide(Decimal(numerator), Decimal(denominator))) * MICRO).to_integral_value())
