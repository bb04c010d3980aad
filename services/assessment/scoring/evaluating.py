"""A scheme put to a table: every value, point, total, grade and place, the same on any machine and in any order."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.formulas import Formula
from services.assessment.domain.rules.schemes import TOTAL, Item, RuleScheme, Section, Step
from services.assessment.scoring import groups
from services.assessment.scoring.kinds import apply_rule
from services.assessment.scoring.numbers import LARGEST, round_to, tame
from services.assessment.scoring.outcomes import apply_gates, grade_rows, raise_flags, rank_rows
from services.assessment.scoring.overall import combine_periods
from services.assessment.scoring.results import ItemResult, Outcome, Totalled
from services.assessment.scoring.totals import Adder, Formulas, add_total, clamp, limit, whole_places
from services.assessment.scoring.working import work_out, work_out_numbers
from services.assessment.scoring.workspace import Column, Number, Numbers, Table, Value, Workspace, is_met

ZERO: Final = Fraction(0)


def evaluate(scheme: RuleScheme, table: Table) -> Outcome:
    """Raises BadTable."""
    space = Workspace(
        table=table,
        columns={key: list(column) for key, column in table.columns.items()},
        group_keys=scheme.groups,
        member_rule=scheme.members,
    )
    items: dict[str, ItemResult] = {}
    for key in scheme.steps:
        if key in scheme.values:
            space.columns[key] = _finish(scheme.values[key], space)
        elif key in scheme.items:
            items[key] = _score_item(scheme.items[key], space)
            space.columns[key] = list(items[key].points)
        else:
            space.columns[key] = _sum_section(scheme, key, items, space)
    totals = _total(scheme, items, space) if scheme.has_total else [_nothing() for _ in range(space.size)]
    totals = apply_gates(scheme, totals, space)
    totals = grade_rows(scheme, totals, space)
    ranks = rank_rows(scheme, totals, space)
    return Outcome(
        scheme=scheme,
        table=table,
        columns=space.columns,
        items=items,
        totals=totals,
        ranks=ranks,
        flags=raise_flags(scheme, space),
        facts=space.facts,
        overall=combine_periods(scheme, totals, space),
    )


def _finish(step: Step, space: Workspace) -> Column:
    """The rule's result where its condition is met, within its limits, rounded."""
    raw, facts = apply_rule(step.rule, space)
    space.facts[step.key] = facts
    if step.when is not None:
        met = work_out_numbers(step.when, space)
        raw = [value if is_met(one) else None for value, one in zip(raw, met, strict=True)]
    floors, ceilings, places = (_optional(one, space) for one in (step.floor, step.ceiling, step.places))
    return [_settle(value, floors[at], ceilings[at], places[at], step) for at, value in enumerate(raw)]


def _settle(value: Value, floor: Number, ceiling: Number, places: Number, step: Step) -> Value:
    """Lists entry by entry; texts as they are."""
    if isinstance(value, tuple):
        return tuple(_settle_one(one, floor, ceiling, places, step) for one in value)
    return _settle_one(value, floor, ceiling, places, step)


def _settle_one(
    value: Fraction | str | None, floor: Number, ceiling: Number, places: Number, step: Step
) -> Fraction | str | None:
    if not isinstance(value, Fraction):
        return value
    value = clamp(value, floor, ceiling)
    value = tame(value) if places is None else round_to(value, whole_places(places), step.mode)
    if abs(value) > LARGEST:
        raise BadTable(f"{step.key}: a result is too large")
    return value


def _score_item(item: Item, space: Workspace) -> ItemResult:
    points = space.numbers(f"items.{item.key}", _finish(item, space))
    full, weight = _optional(item.full, space), work_out_numbers(item.weight, space)
    missing = [point is None for point in points]
    if any(missing):
        substitutes = _substitutes(item, points, full, space)
        points = [one if point is None else point for point, one in zip(points, substitutes, strict=True)]
    return ItemResult(points=points, missing=missing, full=full, weight=weight)


def _substitutes(item: Item, points: Numbers, full: Numbers, space: Workspace) -> Numbers:
    if item.missing == "zero":
        return [ZERO] * space.size
    if item.missing == "full":
        return full
    if item.missing == "fixed" and item.fixed is not None:
        return work_out_numbers(item.fixed, space)
    if item.missing == "group_mean":
        found = groups.summarise(points, space.partition(None), space.members(work_out), "mean")
        places = _optional(item.places, space)
        return [_round(one, at_most, item) for one, at_most in zip(found, places, strict=True)]
    return [None] * space.size


def _round(value: Number, places: Number, item: Item) -> Number:
    return value if value is None or places is None else round_to(value, whole_places(places), item.mode)


def _optional(formula: Formula | None, space: Workspace) -> Numbers:
    return [None] * space.size if formula is None else work_out_numbers(formula, space)


def _sum_section(scheme: RuleScheme, key: str, items: Mapping[str, ItemResult], space: Workspace) -> Column:
    """What a section comes to, for formulas that name it; missing where the total would be."""
    worked = work_sections(scheme, space)
    found: Column = []
    for at in range(space.size):
        row = Formulas(worked, at)
        inner = Adder(scheme, items, at, row).add_section(key)
        if inner.because is not None or inner.is_missing:
            found.append(None)
        else:
            found.append(limit(inner.parts, key, row, scheme.sections[key].mode)[1])
    return found


def _total(scheme: RuleScheme, items: Mapping[str, ItemResult], space: Workspace) -> list[Totalled]:
    worked = work_sections(scheme, space)
    total = scheme.total
    stated = (("base", total.base), ("scale", total.scale), ("floor", total.floor), ("ceiling", total.ceiling))
    for name, formula in (*stated, ("places", total.places), ("minimum_present", total.minimum_present)):
        worked[f"{TOTAL}.{name}"] = _optional(formula, space)
    return [add_total(scheme, items, at, Formulas(worked, at)) for at in range(space.size)]


def work_sections(scheme: RuleScheme, space: Workspace) -> dict[str, Numbers]:
    """The formulas of sections whose names are known by now, and the places that weighted items are rounded to."""
    worked: dict[str, Numbers] = {}
    for item in scheme.items.values():
        if item.weighted_places is not None and item.weighted_places.names <= space.columns.keys():
            worked[f"{item.key}.weighted"] = work_out_numbers(item.weighted_places, space)
    for section in scheme.sections.values():
        for name, formula in _formulas_of_section(section):
            if formula.names <= space.columns.keys():
                worked[f"{section.key}.{name}"] = work_out_numbers(formula, space)
    return worked


def _formulas_of_section(section: Section) -> list[tuple[str, Formula]]:
    named = (
        ("weight", section.weight),
        ("full", section.full),
        ("floor", section.floor),
        ("ceiling", section.ceiling),
        ("places", section.places),
    )
    return [(name, formula) for name, formula in named if formula is not None]


def _nothing() -> Totalled:
    return Totalled(total=None, places=0, contributions=(), because="no items")
