"""Reading values, items and sections: the kind of rule, and what every kind has in common."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Final

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import Formula, Number, constant
from services.assessment.domain.rules.kind_reading import read_rule
from services.assessment.domain.rules.kinds import (
    BestRatio,
    Events,
    Lookup,
    Proportional,
    RankPoints,
    Rule,
    TargetSlope,
)
from services.assessment.domain.rules.reading import Keys, check_name, read_formula
from services.assessment.domain.rules.schemes import TOTAL, Item, MissingRule, Mode, Section, Step

ZERO: Final = constant(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """To how many places results are rounded at each stage, where they do not say themselves. None is not at all."""

    MODES: ClassVar[Any] = Mode

    values: Formula | None
    items: Formula | None
    weighted: Formula | None
    sections: Formula | None
    total: Formula | None
    mode: Mode


def read_value(key: str, place: str, value: object, rounding: Rounding) -> Step:
    """A text is a formula; a table says more."""
    _check_key(key, place)
    keys = Keys(place, {"formula": value} if isinstance(value, str) else value)
    name = keys.label("name", default=key)
    rule = read_rule(keys, default="formula")
    step = Step(
        key=key,
        name=name,
        rule=rule,
        when=keys.find_formula("when"),
        floor=keys.find_formula("floor", _default_floor(rule)),
        ceiling=keys.find_formula("ceiling", _default_ceiling(rule)),
        places=keys.find_formula("round", rounding.values),
        mode=keys.choice("rounding", Mode, default=rounding.mode),
        note=_read_note(keys),
    )
    keys.close()
    return step


def read_item(key: str, place: str, value: object, rounding: Rounding) -> Item:
    _check_key(key, place)
    keys = Keys(place, value)
    name = keys.label("name", default=key)
    rule = read_rule(keys)
    if isinstance(rule, Lookup) and rule.combine == "each":
        raise BadRules(keys.at("combine"), "a list is for a value; an item has one number")
    full = _full_of(rule) or keys.find_formula("full")
    missing, fixed = _read_missing(keys, _default_missing(rule))
    section = keys.take("section", None)
    item = Item(
        key=key,
        name=name,
        rule=rule,
        when=keys.find_formula("when"),
        floor=keys.find_formula("floor", _default_floor(rule)),
        ceiling=keys.find_formula("ceiling", _default_ceiling(rule)),
        places=keys.find_formula("round", rounding.items),
        mode=keys.choice("rounding", Mode, default=rounding.mode),
        note=_read_note(keys),
        full=full,
        weight=keys.formula("weight", 1),
        section=None if section is None else check_name(keys.at("section"), section),
        missing=missing,
        fixed=fixed,
        weighted_places=keys.find_formula("round_weighted", rounding.weighted),
    )
    keys.close()
    if missing in {"full", "rescale"} and full is None:
        raise BadRules(f"{place}.missing", f"{missing} needs the item's full mark: add full = ...")
    return item


def read_section(key: str, place: str, value: object, rounding: Rounding) -> Section:
    _check_key(key, place)
    keys = Keys(place, value)
    section = keys.take("section", None)
    read = Section(
        key=key,
        name=keys.label("name", default=key),
        section=None if section is None else check_name(keys.at("section"), section),
        weight=keys.formula("weight", 1),
        full=keys.find_formula("full"),
        floor=keys.find_formula("floor"),
        ceiling=keys.find_formula("ceiling"),
        places=keys.find_formula("round", rounding.sections),
        mode=keys.choice("rounding", Mode, default=rounding.mode),
    )
    keys.close()
    return read


def _check_key(key: str, place: str) -> None:
    if key == TOTAL:
        raise BadRules(place, "total is the name of the result")


def _read_missing(keys: Keys, default: MissingRule) -> tuple[MissingRule, Formula | None]:
    """One of the words, or a plain number of points."""
    value = keys.take("missing", default)
    words = ("no_score", "zero", "full", "skip", "rescale", "group_mean")
    if value in words:
        return value, None
    if isinstance(value, str):
        raise BadRules(keys.at("missing"), f"must be a number or one of {', '.join(words)}")
    return "fixed", read_formula(keys.at("missing"), value)


def _read_note(keys: Keys) -> str | None:
    return keys.text("note", longest=1_000) if keys.has("note") else keys.take("note", None)


def _full_of(rule: Rule) -> Formula | None:
    if isinstance(rule, Proportional | TargetSlope | BestRatio):
        return rule.full
    if isinstance(rule, RankPoints):
        return rule.first
    if isinstance(rule, Events) and not _is_zero(rule.start):
        return rule.start
    return None


def _default_floor(rule: Rule) -> Formula | None:
    return ZERO if isinstance(rule, Proportional | TargetSlope | BestRatio | RankPoints) else None


def _default_ceiling(rule: Rule) -> Formula | None:
    """The full mark, unless the rule gives more for being better than the target."""
    if isinstance(rule, TargetSlope):
        return rule.full if _is_zero(rule.gain) else None
    return rule.full if isinstance(rule, Proportional | BestRatio) else None


def _default_missing(rule: Rule) -> MissingRule:
    return "zero" if isinstance(rule, Events) and _is_zero(rule.start) else "no_score"


def _is_zero(formula: Formula) -> bool:
    return isinstance(formula.tree, Number) and formula.tree.value == Fraction(0)
