"""Sums of measures in, indicators and composite out: exact, rounded once, the same on any machine."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.assessment.domain.schemes import FULL_WEIGHT, Indicator, Scheme

Amount = int | Fraction  # a fraction where a measure is told rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorResult:
    """`value` is None without any case; `points` is None where the indicator is missing by the scheme's rule."""

    indicator: str
    numerator: Amount
    denominator: Amount
    value: Decimal | None
    points: Decimal | None
    weight: Decimal  # as it counted, after the weights present were scaled to 100; 0 where missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`composite` is None where the evidence is not enough."""

    composite: Decimal | None
    present_weight: Decimal
    indicators: tuple[IndicatorResult, ...]

    def digest(self, scheme: Scheme) -> bytes:
        """Equal exactly where the published result is equal."""
        lines = [f"{scheme.name} {scheme.version} {self.composite} {self.present_weight}"]
        lines += [
            f"{row.indicator} {row.numerator} {row.denominator} {row.value} {row.points} {row.weight}"
            for row in self.indicators
        ]
        return hashlib.sha256("\n".join(lines).encode()).digest()


def compute_score(measures: Mapping[str, Amount], scheme: Scheme) -> Result:
    """Apply the scheme. Points add up to the composite to the last digit."""
    sums = [
        (
            sum(measures[name] for name in indicator.numerator),
            sum(measures[name] for name in indicator.denominator),
        )
        for indicator in scheme.indicators
    ]
    present = [
        position
        for position, (_, denominator) in enumerate(sums)
        if denominator >= scheme.indicators[position].minimum_denominator
    ]
    present_weight = sum((scheme.indicators[position].weight for position in present), Decimal(0))
    enough = bool(present) and present_weight >= scheme.minimum_present_weight
    points: dict[int, Decimal] = {}
    if enough:
        exact = [
            Fraction(*sums[position]) * Fraction(scheme.indicators[position].weight) * 100 / Fraction(present_weight)
            for position in present
        ]
        points = dict(zip(present, settle_remainders(exact, scheme.points_places), strict=True))
    return Result(
        composite=sum(points.values(), Decimal(0)) if enough else None,
        present_weight=present_weight,
        indicators=tuple(
            _result(indicator, sums[position], points.get(position), present_weight, scheme)
            for position, indicator in enumerate(scheme.indicators)
        ),
    )


def _result(
    indicator: Indicator, sums: tuple[Amount, Amount], points: Decimal | None, present_weight: Decimal, scheme: Scheme
) -> IndicatorResult:
    numerator, denominator = sums
    scaled = Fraction(indicator.weight) * Fraction(FULL_WEIGHT) / Fraction(present_weight) if points is not None else 0
    return IndicatorResult(
        indicator=indicator.key,
        numerator=numerator,
        denominator=denominator,
        value=half_up(Fraction(numerator, denominator), scheme.value_places) if denominator else None,
        points=points,
        weight=half_up(Fraction(scaled), scheme.value_places),
    )


def half_up(exact: Fraction, places: int) -> Decimal:
    """Round a value that is not negative; a half goes up."""
    return _decimal((2 * exact.numerator * 10**places + exact.denominator) // (2 * exact.denominator), places)


def settle_remainders(exact: list[Fraction], places: int) -> list[Decimal]:
    """Round parts so that they add up to their sum rounded half up: by largest remainder, the first among equals."""
    scaled = [part * 10**places for part in exact]
    units = [part.numerator // part.denominator for part in scaled]
    total = sum(scaled, Fraction(0))
    missing = (2 * total.numerator + total.denominator) // (2 * total.denominator) - sum(units)
    by_remainder = sorted(range(len(exact)), key=lambda position: (units[position] - scaled[position], position))
    for position in by_remainder[:missing]:
        units[position] += 1
    return [_decimal(unit, places) for unit in units]


def _decimal(units: int, places: int) -> Decimal:
    """Built from digits, so that no decimal context can change it."""
    return Decimal((0, tuple(map(int, str(units))), -places))
