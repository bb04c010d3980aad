"""Which names a scheme's formulas may use where, and an order in which everything can be worked out."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import Formula
from services.assessment.domain.rules.schemes import (
    TOTAL,
    Item,
    RuleScheme,
    Section,
    Step,
    compares_subjects,
    formulas_of,
)

DEEPEST_SECTION = 4
PLACES_OF_NAMES = frozenset(
    {"groups.by", "overall.first.by", "rankings.within", "published"}
)  # where no formula stands


def check_names(scheme: RuleScheme) -> None:
    """Raises BadRules where a name is used twice, or is not known where it is used."""
    _check_unique(scheme)
    _check_sections(scheme)
    parts = _parts_of(scheme)
    base = set(scheme.measures) | set(parts)
    for key, step in parts.items():
        _check_known(scheme, key, _names_of(scheme, step), base)
    _check_groups(scheme, base)
    _check_known(scheme, "total", _names_in(formulas_of(scheme.total)), base)
    later = base | {TOTAL} if scheme.has_total else base
    for kind, rules in (("gates", scheme.gates), ("grades", scheme.grades), ("rankings", scheme.rankings)):
        for number, rule in enumerate(rules, start=1):
            _check_known(scheme, f"{kind}[{number}]", _names_in(formulas_of(rule)), later)
    within = {name for ranking in scheme.rankings for name in ranking.within or ()}
    _check_known(scheme, "rankings.within", within, base)
    if scheme.overall is not None:
        _check_known(scheme, "overall", _names_in(formulas_of(scheme.overall)), base)
        if scheme.overall.first is not None:
            _check_known(scheme, "overall.first.by", scheme.overall.first.by, base - set(scheme.sections))
    with_places = later | {ranking.key for ranking in scheme.rankings}
    for number, flag in enumerate(scheme.flags, start=1):
        _check_known(scheme, f"flags[{number}]", flag.when.names, with_places)
    _check_known(scheme, "published", set(scheme.published), with_places | _names_of_results(scheme))


def _names_of_results(scheme: RuleScheme) -> set[str]:
    """What only published figures are compared with."""
    return {"grade", "flags"} | ({"overall", "overall_place"} if scheme.overall is not None else set())


def _check_groups(scheme: RuleScheme, base: set[str]) -> None:
    for name in scheme.groups:
        _check_known(scheme, "groups.by", {name}, base - set(scheme.sections))
    if scheme.members is not None:
        _check_known(scheme, "groups.members", scheme.members.names, base)
        if scheme.members.reads_groups:
            raise BadRules("groups.members", "says who counts in groups, and cannot look at groups itself")


def order_steps(scheme: RuleScheme) -> RuleScheme:
    """Raises BadRules where quantities depend on one another in a circle."""
    parts = _parts_of(scheme)
    needs = {key: [name for name in sorted(_names_of(scheme, step)) if name in parts] for key, step in parts.items()}
    ordered: list[str] = []
    done: set[str] = set()
    for key in parts:
        _visit(key, needs, done, ordered)
    return replace(scheme, steps=tuple(ordered))


def _parts_of(scheme: RuleScheme) -> dict[str, Step | Section]:
    return {**scheme.values, **scheme.items, **scheme.sections}


def _in_sections(scheme: RuleScheme) -> dict[str, Item | Section]:
    return {**scheme.items, **scheme.sections}


def _visit(start: str, needs: dict[str, list[str]], done: set[str], ordered: list[str]) -> None:
    """Depth first without recursion; a name that is met on its own way is a circle."""
    way: list[str] = []
    stack: list[tuple[str, bool]] = [(start, False)]
    while stack:
        key, is_left = stack.pop()
        if is_left:
            way.pop()
            done.add(key)
            ordered.append(key)
        elif key in way:
            circle = " -> ".join([*way[way.index(key) :], key])
            raise BadRules(key, f"depends on itself: {circle}")
        elif key not in done:
            way.append(key)
            stack.append((key, True))
            stack.extend((name, False) for name in needs[key])


def _names_of(scheme: RuleScheme, step: Step | Section) -> set[str]:
    """Everything that must be known before it: what it names, what lies in it, and the groups if it looks at others."""
    formulas = list(formulas_of(step))
    names = _names_in(formulas)
    if isinstance(step, Section):
        names |= {key for key, one in _in_sections(scheme).items() if one.section == step.key}
    looks = any(formula.reads_groups for formula in formulas)
    by_own_groups = any(formula.reads_own_group for formula in formulas)
    if isinstance(step, Step) and compares_subjects(step.rule):
        looks, by_own_groups = True, by_own_groups or step.rule.within is None
        names |= set(step.rule.within or ())
    if isinstance(step, Item) and step.missing == "group_mean":
        looks = by_own_groups = True
    if by_own_groups:
        names |= set(scheme.groups)
    if looks and scheme.members is not None:
        names |= scheme.members.names
    return names


def _names_in(formulas: Iterable[Formula]) -> set[str]:
    return {name for formula in formulas for name in formula.names}


def _check_known(scheme: RuleScheme, place: str, names: Iterable[str], known: set[str]) -> None:
    if unknown := sorted(set(names) - known):
        hint = _hint(scheme, place, unknown[0], known)
        raise BadRules(place, f"uses {', '.join(unknown)}, which nothing here is named{hint}")


def _hint(scheme: RuleScheme, place: str, unknown: str, known: set[str]) -> str:
    """What may have been meant: a column by its heading, another spelling, or a text."""
    for key, measure in scheme.measures.items():
        if measure.column == unknown:
            return f"; the column {unknown} has the name {key} in [measures]"
    if alike := get_close_matches(unknown, known, 1):
        return f"; there is {alike[0]}"
    return "" if place in PLACES_OF_NAMES else "; a text in a formula stands in quotes"


def _check_unique(scheme: RuleScheme) -> None:
    seen: dict[str, str] = {}
    named = (
        ("measures", scheme.measures),
        ("values", scheme.values),
        ("items", scheme.items),
        ("sections", scheme.sections),
        ("rankings", {ranking.key: ranking for ranking in scheme.rankings}),
    )
    for kind, names in named:
        for name in names:
            if name in seen:
                raise BadRules(f"{kind}.{name}", f"is also the name of one of the {seen[name]}")
            seen[name] = kind


def _check_sections(scheme: RuleScheme) -> None:
    for key, part in _in_sections(scheme).items():
        depth, above = 0, part.section
        while above is not None:
            if above not in scheme.sections:
                raise BadRules(f"{key}.section", f"there is no section {above}")
            depth, above = depth + 1, scheme.sections[above].section
            if depth > DEEPEST_SECTION:
                raise BadRules(f"{key}.section", f"sections nest deeper than {DEEPEST_SECTION}, or in a circle")
    for key in scheme.sections:
        if not any(part.section == key for part in _in_sections(scheme).values()):
            raise BadRules(f"sections.{key}", "nothing is in it")
