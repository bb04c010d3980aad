"""Exact numbers: rounding at a stage, parts that add up to a rounded whole, and how a number is written."""

import decimal
import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.schemes import Mode

LONGEST_BITS: Final = 1_024  # beyond this a fraction is cut to FINEST places, half up: nothing grows without end
FINEST: Final = 60
LARGEST_EXPONENT: Final = 60
LARGEST: Final = Fraction(10**1_000)  # beyond this a result is not written out
SHOWN: Final = 12  # places of what is not rounded and does not end


def round_to(value: Fraction, places: int, mode: Mode = "half_up") -> Fraction:
    """Halves go away from zero (`half_up`) or to the even digit; `down` cuts towards zero, `up` goes away from it."""
    unit = 10**places
    numerator, denominator = value.numerator, value.denominator
    whole, rest = divmod(abs(numerator) * unit, denominator)
    twice = 2 * rest
    if mode == "half_up":
        whole += twice >= denominator
    elif mode == "half_even":
        whole += twice > denominator or (twice == denominator and whole % 2 == 1)
    elif mode == "up":
        whole += rest > 0
    return Fraction(whole if numerator >= 0 else -whole, unit)


def tame(value: Fraction) -> Fraction:
    """The value itself, unless its exact fraction has grown past all use."""
    if value.denominator.bit_length() <= LONGEST_BITS:
        return value
    return round_to(value, FINEST)


def places_of(value: Fraction) -> int | None:
    """How many decimal places write it exactly; None where they do not end, or are more than SHOWN."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    return places if rest == 1 and places <= SHOWN else None


def to_decimal(value: Fraction, places: int) -> Decimal:
    """Of a value that has been rounded to these places; read from digits, so that no decimal context changes it."""
    return Decimal(f"{value.numerator * 10**places // value.denominator}E-{places}")


def show(value: Fraction, places: int | None = None) -> str:
    """Plainly, with these places or with as many as it takes."""
    if places is None:
        places = places_of(value)
    if places is None:
        return f"{to_decimal(round_to(value, 6), 6):f}…"
    return f"{to_decimal(round_to(value, places), places):f}"


def settle(parts: Sequence[Fraction], total: Fraction, places: int) -> list[Fraction]:
    """Round parts so that they add up to the total, which is rounded: by largest remainder, the first among equals."""
    unit = 10**places
    split = [divmod(part.numerator * unit, part.denominator) for part in parts]
    missing = total * unit - sum(units for units, _ in split)
    if missing.denominator != 1 or not 0 <= missing <= len(parts):
        # The total was rounded by another rule than the nearest: what is left over goes to the largest part.
        return _give_rest(parts, total, places)
    whole = math.lcm(*(part.denominator for part in parts))
    by_remainder = sorted(range(len(parts)), key=lambda at: (-split[at][1] * (whole // parts[at].denominator), at))
    raised = set(by_remainder[: int(missing)])
    return [Fraction(units + (at in raised), unit) for at, (units, _) in enumerate(split)]


def _give_rest(parts: Sequence[Fraction], total: Fraction, places: int) -> list[Fraction]:
    settled = [round_to(part, places) for part in parts]
    largest = max(range(len(parts)), key=lambda at: (abs(parts[at]), -at))
    settled[largest] += total - sum(settled)
    return settled


def root(value: Fraction) -> Fraction | None:
    """The square root: exact where it is a fraction, else to FINEST places. None of a negative number."""
    if value < 0:
        return None
    context = decimal.Context(prec=120, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    return round_to(Fraction(context.sqrt(quotient)), FINEST)


def exponential(value: Fraction) -> Fraction | None:
    """To FINEST places. None where it would be beyond all bounds."""
    if abs(value) > LARGEST_EXPONENT:
        return None
    context = decimal.Context(prec=120, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    return round_to(Fraction(context.exp(quotient)), FINEST)


def natural_logarithm(value: Fraction) -> Fraction | None:
    """To FINEST places. None of what is not above zero."""
    if value <= 0:
        return None
    context = decimal.Context(prec=120, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    return round_to(Fraction(context.ln(quotient)), FINEST)
