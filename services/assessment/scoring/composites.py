"""Sums of measures in, indicators and composite out: whole numbers as such, told fractions by the engine of schemes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from services.assessment.domain.rules.scheme_reading import read_rule_document
from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.domain.schemes import FULL_WEIGHT, Indicator, Scheme
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.numbers import round_to, to_decimal
from services.assessment.scoring.results import Outcome
from services.assessment.scoring.whole_numbers import WEIGHT_PLACES, Plan, Worked, add_up, make_plan, to_share, work_out
from services.assessment.scoring.whole_numbers import to_decimal as whole_to_decimal
from services.assessment.scoring.workspace import Table

Amount = int | Fraction  # a fraction where a measure is told rounded
Row = tuple[tuple[Amount, Amount], ...]  # numerator and denominator by indicator
Composer = Callable[[tuple[int, ...]], tuple[Decimal | None, Decimal]]
Checker = Callable[[str], bool]


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


def compute_score(measures: Mapping[str, Amount], scheme: Scheme) -> Result:
    """Apply the scheme. Points add up to the composite to the last digit."""
    return compute_scores([measures], scheme)[0]


def compute_scores(subjects: Sequence[Mapping[str, Amount]], scheme: Scheme) -> list[Result]:
    """Of many subjects at once, in their order; none has a say in the score of another."""
    rows = [tuple(_sum(measures, indicator) for indicator in scheme.indicators) for measures in subjects]
    distinct = list(dict.fromkeys(rows))  # who has the same counts has the same score: worked out once
    computed = {row: _compute(row, scheme) for row in distinct}
    return [computed[row] for row in rows]


def compose(counts: tuple[int, ...], scheme: Scheme) -> tuple[Decimal | None, Decimal]:
    """Composite and present weight of a numerator and a denominator for each indicator, in the order of the scheme."""
    return composer(scheme)(counts)


def composer(scheme: Scheme) -> Composer:
    """`compose` by this scheme, for very many counts: each different one is worked out once."""
    return _composer(make_plan(scheme), scheme.points_places)


@lru_cache(maxsize=8)
def _composer(plan: Plan, places: int) -> Composer:
    @lru_cache(maxsize=65_536)
    def compose_counts(counts: tuple[int, ...]) -> tuple[Decimal | None, Decimal]:
        present, total = add_up(tuple(zip(counts[::2], counts[1::2], strict=True)), plan)
        composite = None if total is None else whole_to_decimal(total, places)
        return composite, whole_to_decimal(present, WEIGHT_PLACES)

    return compose_counts


def checker(scheme: Scheme) -> Checker:
    """Whether a composite and a present weight are those of counts, as the database writes the three in one text."""
    return _checker(make_plan(scheme), scheme.points_places)


@lru_cache(maxsize=8)
def _checker(plan: Plan, places: int) -> Checker:
    compose_counts = _composer(plan, places)

    @lru_cache(maxsize=65_536)
    def is_right(told: str) -> bool:
        counts, composite, present_weight = told.split(" ")
        said = (None if composite == "-" else Decimal(composite), Decimal(present_weight))
        return said == compose_counts(tuple(int(count) for count in counts.strip("{}").split(",")))

    return is_right


def restore(counts: Sequence[int], scheme: Scheme) -> Result:
    """The result with all its parts of what `compose` told the sum."""
    pairs = tuple(zip(counts[::2], counts[1::2], strict=True))
    return _show(work_out(pairs, make_plan(scheme)), pairs, scheme)


def _compute(row: Row, scheme: Scheme) -> Result:
    """Whole numbers need no fractions, and most are."""
    whole = [(one, other) for one, other in row if isinstance(one, int) and isinstance(other, int)]
    if len(whole) < len(row):
        return compute_by_engine([row], scheme)[0]
    return _show(work_out(whole, make_plan(scheme)), whole, scheme)


def _show(worked: Worked, pairs: Sequence[tuple[int, int]], scheme: Scheme) -> Result:
    places = scheme.points_places
    present_weight = sum(
        (one.weight for one, (_, cases) in zip(scheme.indicators, pairs, strict=True) if is_enough(one, cases)),
        Decimal(0),
    )
    return Result(
        composite=None if worked.total is None else whole_to_decimal(worked.total, places),
        present_weight=present_weight,
        indicators=tuple(
            IndicatorResult(
                indicator=indicator.key,
                numerator=numerator,
                denominator=denominator,
                value=to_share(numerator, denominator, scheme.value_places) if denominator else None,
                points=None if points is None else whole_to_decimal(points, places),
                weight=_scale(Decimal(0) if points is None else indicator.weight, present_weight, scheme.value_places),
            )
            for indicator, (numerator, denominator), points in zip(scheme.indicators, pairs, worked.points, strict=True)
        ),
    )


def is_enough(indicator: Indicator, cases: int) -> bool:
    return cases >= max(1, indicator.minimum_denominator)


def compute_by_engine(rows: Sequence[Row], scheme: Scheme) -> list[Result]:
    """As any scheme that is written as data is worked out: in fractions, slowly, and what the rest is measured by."""
    sums = [[row[number] for row in rows] for number in range(len(scheme.indicators))]
    columns = {
        f"{part}_{number}": tuple(Fraction(pair[at]) for pair in pairs)
        for number, pairs in enumerate(sums)
        for at, part in enumerate(("numerator", "denominator"))
    }
    table = Table(subjects=tuple(map(str, range(len(rows)))), periods=("",) * len(rows), columns=columns)
    outcome = evaluate(_rules_of(scheme), table)
    return [_result(outcome, at, row, scheme) for at, row in enumerate(rows)]


def _sum(measures: Mapping[str, Amount], indicator: Indicator) -> tuple[Amount, Amount]:
    return sum(measures[name] for name in indicator.numerator), sum(measures[name] for name in indicator.denominator)


def _rules_of(scheme: Scheme) -> RuleScheme:
    parts = tuple((str(indicator.weight), indicator.minimum_denominator) for indicator in scheme.indicators)
    return _compile(parts, str(scheme.minimum_present_weight), scheme.points_places)


@lru_cache(maxsize=64)
def _compile(indicators: tuple[tuple[str, int], ...], minimum_present: str, places: int) -> RuleScheme:
    """Each indicator an item of its weight, in proportion; what has too few cases is left out and made up for."""
    numbers = range(len(indicators))
    return read_rule_document(
        {
            "format": 1,
            "name": "indicators",
            "version": 1,
            "measures": {f"{part}_{number}": {} for number in numbers for part in ("numerator", "denominator")},
            "items": {
                f"indicator_{number}": {
                    "kind": "proportional",
                    "value": f"numerator_{number} / denominator_{number}",
                    "whole": 1,
                    "full": weight,
                    "floor": "none",
                    "ceiling": "none",
                    "when": f"denominator_{number} >= {fewest}",
                    "missing": "rescale",
                }
                for number, (weight, fewest) in enumerate(indicators)
            },
            "total": {"round": places, "minimum_present": minimum_present},
        }
    )


def _result(outcome: Outcome, row: int, sums: Sequence[tuple[Amount, Amount]], scheme: Scheme) -> Result:
    missing = [outcome.items[f"indicator_{number}"].missing[row] for number in range(len(sums))]
    present_weight = sum(
        (indicator.weight for indicator, is_missing in zip(scheme.indicators, missing, strict=True) if not is_missing),
        Decimal(0),
    )
    points = {part.key: part.amount for part in outcome.totals[row].contributions}
    return Result(
        composite=outcome.total_of(row),
        present_weight=present_weight,
        indicators=tuple(
            _indicator_result(indicator, pair, points.get(f"indicator_{number}"), present_weight, scheme)
            for number, (indicator, pair) in enumerate(zip(scheme.indicators, sums, strict=True))
        ),
    )


def _indicator_result(
    indicator: Indicator, sums: tuple[Amount, Amount], points: Fraction | None, present_weight: Decimal, scheme: Scheme
) -> IndicatorResult:
    numerator, denominator = sums
    return IndicatorResult(
        indicator=indicator.key,
        numerator=numerator,
        denominator=denominator,
        value=half_up(Fraction(numerator, denominator), scheme.value_places) if denominator else None,
        points=None if points is None else to_decimal(points, scheme.points_places),
        weight=_scale(indicator.weight if points is not None else Decimal(0), present_weight, scheme.value_places),
    )


@lru_cache(maxsize=4_096)
def _scale(weight: Decimal, present_weight: Decimal, places: int) -> Decimal:
    """The weight as it counts where those present are scaled to a hundred."""
    return half_up(Fraction(weight) * Fraction(FULL_WEIGHT) / Fraction(present_weight or 1), places)


def half_up(exact: Fraction, places: int) -> Decimal:
    return to_decimal(round_to(exact, places), places)
