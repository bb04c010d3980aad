"""What each kind of rule gives: raw points for all rows, with what they were worked out from."""

import operator
from collections.abc import Sequence
from fractions import Fraction
from functools import singledispatch
from typing import Final

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.formulas import Formula
from services.assessment.domain.rules.kinds import (
    Band,
    Bands,
    BestRatio,
    Events,
    FormulaRule,
    Interpolate,
    Lookup,
    Proportional,
    QuantileBands,
    RankPoints,
    Rule,
    Steps,
    TargetSlope,
    Together,
    WeightedMean,
)
from services.assessment.scoring import groups
from services.assessment.scoring.events import charge_events
from services.assessment.scoring.numbers import round_to, show
from services.assessment.scoring.working import work_out, work_out_numbers
from services.assessment.scoring.workspace import Column, Number, Numbers, Value, Workspace, is_met

Facts = dict[str, Column]
HUNDRED: Final = Fraction(100)


@singledispatch
def apply_rule(rule: Rule, space: Workspace) -> tuple[Column, Facts]:
    """Points and, by name, the columns that explain them."""
    raise NotImplementedError(type(rule))


@apply_rule.register
def _(rule: FormulaRule, space: Workspace) -> tuple[Column, Facts]:
    return work_out(rule.formula, space), {}


@apply_rule.register
def _(rule: Proportional, space: Workspace) -> tuple[Column, Facts]:
    value, whole, full = (work_out_numbers(one, space) for one in (rule.value, rule.whole, rule.full))
    points: Column = [
        None if v is None or w is None or f is None or w == 0 else f * v / w
        for v, w, f in zip(value, whole, full, strict=True)
    ]
    return points, {"value": list(value), "whole": list(whole), "full": list(full)}


@apply_rule.register
def _(rule: TargetSlope, space: Workspace) -> tuple[Column, Facts]:
    names = ("value", "target", "full", "slope", "gain", "per")
    columns = {name: work_out_numbers(getattr(rule, name), space) for name in names}
    points: Column = []
    units: Column = []
    for row in zip(*columns.values(), strict=True):
        if any(one is None for one in row):
            points.append(None)
            units.append(None)
            continue
        value, target, full, slope, gain, per = (Fraction(one or 0) for one in row)
        if per <= 0:
            raise BadTable("per: must be above 0")
        ahead = (value - target if rule.direction == "higher" else target - value) / per
        counted = step(abs(ahead), rule.steps if ahead < 0 else _kindly(rule.steps))
        units.append(counted if ahead >= 0 else -counted)
        points.append(full + counted * gain if ahead >= 0 else full - counted * slope)
    facts: Facts = {name: list(column) for name, column in columns.items()}
    return points, facts | {"units": units}


def _kindly(steps: Steps) -> Steps:
    """A gain that has only begun is not given."""
    return "exact" if steps == "exact" else "whole"


def step(units: Fraction, steps: Steps) -> Fraction:
    """Exactly, or every one that was begun, or only whole ones."""
    if steps == "exact":
        return units
    return round_to(units, 0, "up" if steps == "started" else "down")


@apply_rule.register
def _(rule: Bands, space: Workspace) -> tuple[Column, Facts]:
    value = work_out_numbers(rule.value, space) if rule.value else None
    fitting = [_fits(band, value, space) for band in rule.bands]
    worth = [_worth(band.points, band.label, space) for band in rule.bands]
    otherwise = _worth(rule.otherwise, rule.otherwise_label, space)
    points: Column = []
    chosen: Column = []
    for at in range(space.size):
        found = next((number for number, fits in enumerate(fitting) if fits[at]), None)
        unknown = found is None and value is not None and value[at] is None
        chosen.append(None if found is None else Fraction(found + 1))
        points.append(worth[found][at] if found is not None else None if unknown else otherwise[at])
    return points, {"band": chosen} | ({} if value is None else {"value": list(value)})


def _fits(band: Band, value: Numbers | None, space: Workspace) -> list[bool]:
    fits = [True] * space.size
    tests = (
        (band.at_least, operator.ge),
        (band.above, operator.gt),
        (band.at_most, operator.le),
        (band.below, operator.lt),
    )
    for bound, test in tests:
        if bound is not None and value is not None:
            limits = work_out_numbers(bound, space)
            fits = [
                fit and one is not None and limit is not None and test(one, limit)
                for fit, one, limit in zip(fits, value, limits, strict=True)
            ]
    if band.when is not None:
        fits = [fit and is_met(met) for fit, met in zip(fits, work_out_numbers(band.when, space), strict=True)]
    return fits


def _worth(points: Formula | None, label: str | None, space: Workspace) -> Column:
    if points is None:
        return [label] * space.size
    return work_out(points, space)


@apply_rule.register
def _(rule: Interpolate, space: Workspace) -> tuple[Column, Facts]:
    value = work_out_numbers(rule.value, space)
    return [None if one is None else _between(rule, one) for one in value], {"value": list(value)}


def _between(rule: Interpolate, value: Fraction) -> Fraction:
    points = rule.points
    if rule.outside == "hold":
        value = max(points[0][0], min(value, points[-1][0]))
    at = next((n for n in range(1, len(points) - 1) if value <= points[n][0]), len(points) - 1)
    (left, low), (right, high) = points[at - 1], points[at]
    return low + (high - low) * (value - left) / (right - left)


@apply_rule.register
def _(rule: Lookup, space: Workspace) -> tuple[Column, Facts]:
    column = work_out(rule.value, space)
    worth = {text: work_out_numbers(formula, space) for text, formula in rule.table.items()}
    otherwise: Numbers = work_out_numbers(rule.otherwise, space) if rule.otherwise else [None] * space.size
    points: Column = []
    for at, value in enumerate(column):
        texts = [as_text(one) for one in (value if isinstance(value, tuple) else (value,)) if one is not None]
        found = [worth[text][at] if text in worth else otherwise[at] for text in texts]
        if rule.otherwise is None and not worth.keys() >= set(texts):
            known = ", ".join(rule.table)
            raise BadTable(f"{rule.value.text}: {space.whose(at)}: {', '.join(texts)} is not among {known}")
        several = isinstance(value, tuple)
        points.append(tuple(found) if rule.combine == "each" and several else _together(found, rule.combine))
    return points, {"value": column}


def _together(found: Sequence[Number], combine: Together) -> Number:
    """Missing where one of them is."""
    given = [one for one in found if one is not None]
    if len(given) < len(found):
        return None
    return groups.SUMMARIES["mean" if combine == "each" else combine](given)


def as_text(value: Fraction | str) -> str:
    """A number as a table would have it written."""
    if isinstance(value, str):
        return value
    return show(value)


@apply_rule.register
def _(rule: BestRatio, space: Workspace) -> tuple[Column, Facts]:
    value, full = work_out_numbers(rule.value, space), work_out_numbers(rule.full, space)
    name = rule.reference
    if name == "best":
        name = "max" if rule.direction == "higher" else "min"  # type: ignore[assignment]
    reference = groups.summarise(value, space.partition(rule.within), space.members(work_out), name)
    points: Column = []
    for own, best, most in zip(value, reference, full, strict=True):
        top, bottom = (own, best) if rule.direction == "higher" else (best, own)
        if own is None or best is None or most is None:
            points.append(None)
        elif bottom == 0:
            points.append({"missing": None, "full": most, "zero": Fraction(0)}[rule.without_reference])
        else:
            points.append(most * Fraction(top or 0) / Fraction(bottom or 1))
    return points, {"value": list(value), "reference": list(reference), "full": list(full)}


@apply_rule.register
def _(rule: RankPoints, space: Workspace) -> tuple[Column, Facts]:
    first, fall = work_out_numbers(rule.first, space), work_out_numbers(rule.step, space)
    places = _places(rule, space)
    beyond: Numbers = work_out_numbers(rule.otherwise, space) if rule.otherwise else [None] * space.size
    points: Column = []
    for at, place in enumerate(places):
        single = [one for one in (place if isinstance(place, tuple) else (place,)) if one is not None]
        top, less = first[at], fall[at]
        if not single or top is None or less is None:
            points.append(None)
            continue
        earned = [_worth_of_place(rule, space.number("place", one, at), (top, less), beyond[at]) for one in single]
        points.append(_together(earned, "mean"))
    return points, {"place": places}


def _places(rule: RankPoints, space: Workspace) -> Column:
    if rule.place is not None:
        return work_out(rule.place, space)
    value: Numbers = work_out_numbers(rule.value, space) if rule.value else [None] * space.size
    partition, members = space.partition(rule.within), space.members(work_out)
    return list(groups.rank_in_groups(value, partition, members, direction=rule.direction, ties=rule.ties))


def _worth_of_place(rule: RankPoints, place: Number, line: tuple[Fraction, Fraction], beyond: Number) -> Number:
    """From the list as far as it goes, with a shared place between its neighbours; then by the step or the rest."""
    first, fall = line
    if place is None or place < 1:
        raise BadTable("place: a place is 1 or more")
    if not rule.places:
        return first - (place - 1) * fall
    last = len(rule.places)
    if place > last:
        return rule.places[-1] - (place - last) * fall if rule.otherwise is None else beyond
    below = place.numerator // place.denominator
    low = rule.places[below - 1]
    return low if below == place else low + (rule.places[below] - low) * (place - below)


@apply_rule.register
def _(rule: QuantileBands, space: Workspace) -> tuple[Column, Facts]:
    value = work_out_numbers(rule.value, space)
    partition, members = space.partition(rule.within), space.members(work_out)
    places = groups.rank_in_groups(value, partition, members, direction=rule.direction, ties=rule.ties)
    sizes = groups.summarise(value, partition, members, "count")
    tops = [work_out_numbers(band.top, space) for band in rule.bands]
    worth = [_worth(band.points, band.label, space) for band in rule.bands]
    otherwise = _worth(rule.otherwise, rule.otherwise_label, space)
    points: Column = []
    for at, place in enumerate(places):
        if place is None:
            points.append(None)
            continue
        limits = [count_of(sizes[at], top[at], rule.counting) for top in tops]
        found = next((number for number, limit in enumerate(limits) if place <= limit), None)
        points.append(worth[found][at] if found is not None else otherwise[at])
    return points, {"place": list(places)}


def count_of(size: Number, share: Number, counting: str) -> Fraction:
    """So many per cent of a group, as a count."""
    exact = Fraction(size or 0) * Fraction(share or 0) / HUNDRED
    if counting == "exact":
        return exact
    return round_to(exact, 0, counting)  # type: ignore[arg-type]


@apply_rule.register
def _(rule: Events, space: Workspace) -> tuple[Column, Facts]:
    return charge_events(rule, space)


@apply_rule.register
def _(rule: WeightedMean, space: Workspace) -> tuple[Column, Facts]:
    values = [work_out_numbers(value, space) for value, _ in rule.parts]
    weights = [work_out_numbers(weight, space) for _, weight in rule.parts]
    points: Column = []
    for at in range(space.size):
        pairs = [(value[at], weight[at]) for value, weight in zip(values, weights, strict=True)]
        points.append(_mean_of(rule, pairs))
    return points, {}


def _mean_of(rule: WeightedMean, pairs: list[tuple[Number, Number]]) -> Value:
    """Weighted parts over the sum of the weights."""
    if rule.missing == "none" and any(value is None or weight is None for value, weight in pairs):
        return None
    present = [(value, weight) for value, weight in pairs if value is not None and weight is not None]
    whole = present if rule.missing == "rescale" else [(Fraction(0), w) for _, w in pairs if w is not None]
    divisor = sum((weight for _, weight in whole), Fraction(0))
    return sum((value * weight for value, weight in present), Fraction(0)) / divisor if divisor and present else None
