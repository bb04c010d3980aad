"""What follows from totals: gates, grades, places and flags."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from services.assessment.domain.rules.formulas import Formula
from services.assessment.domain.rules.schemes import TOTAL, Gate, Grade, Ranking, RuleScheme
from services.assessment.scoring import groups
from services.assessment.scoring.kinds import apply_rule, count_of
from services.assessment.scoring.numbers import SHOWN, places_of, round_to
from services.assessment.scoring.results import Contribution, Totalled
from services.assessment.scoring.working import work_out, work_out_numbers
from services.assessment.scoring.workspace import Number, Numbers, Workspace, is_met

ZERO: Final = Fraction(0)


def apply_gates(scheme: RuleScheme, totals: list[Totalled], space: Workspace) -> list[Totalled]:
    """Each gate sees the total before any of them; they take effect in the order of the file."""
    _name_total(scheme, totals, space)
    worked = [
        (
            number,
            gate,
            work_out_numbers(gate.when, space),
            work_out_numbers(gate.value, space) if gate.value is not None else [None] * space.size,
        )
        for number, gate in enumerate(scheme.gates, start=1)
    ]
    for number, gate, met, values in worked:
        totals = [_apply(gate, number, one, values[at]) if is_met(met[at]) else one for at, one in enumerate(totals)]
    _name_total(scheme, totals, space)
    return totals


def _name_total(scheme: RuleScheme, totals: Sequence[Totalled], space: Workspace) -> None:
    if scheme.has_total:
        space.columns[TOTAL] = [one.total for one in totals]
        space.seen.clear()  # what was worked out with another total


def _apply(gate: Gate, number: int, one: Totalled, value: Number) -> Totalled:
    one = replace(one, gates=(*one.gates, number))
    if gate.effect == "no_score":
        return replace(one, total=None, contributions=(), because=f"gate {number}")
    if gate.effect == "no_rank":
        return replace(one, unranked=True)
    if gate.effect == "grade":
        return replace(one, grade=gate.grade)
    if one.total is None or value is None:
        return one
    if places_of(value) is None:
        value = round_to(value, SHOWN)  # as a total that does not end
    if gate.effect == "cap" and one.total <= value:
        return one
    part = Contribution(part="gate", key=str(number), amount=value - one.total)
    places = max(one.places, places_of(value) or 0)
    return replace(one, total=value, places=places, contributions=(*one.contributions, part))


def grade_rows(scheme: RuleScheme, totals: list[Totalled], space: Workspace) -> list[Totalled]:
    """The first grade that fits; one that a gate gave stays. Grades with a share of the group look at ranked rows."""
    if not scheme.grades:
        return totals
    fitting = [_fits(grade, totals, space) for grade in scheme.grades]
    graded = []
    for at, one in enumerate(totals):
        found = next((n for n, fits in enumerate(fitting) if fits[at]), None)
        if one.grade is None and found is not None and one.total is not None:
            one = replace(one, grade=scheme.grades[found].bands.bands[0].label)
        graded.append(one)
    return graded


def _fits(grade: Grade, totals: Sequence[Totalled], space: Workspace) -> list[bool]:
    fits = [label is not None for label in apply_rule(grade.bands, space)[0]]
    if grade.top is None:
        return fits
    shares = work_out_numbers(grade.top, space)
    partition = space.partition(None)
    members = _ranked(totals, space)
    values = space.numbers(TOTAL, space.columns[TOTAL])
    taking = [
        member and (not grade.moves_up or (fit and one.grade is None))
        for member, fit, one in zip(members, fits, totals, strict=True)
    ]
    places = groups.rank_in_groups(values, partition, taking, direction="higher", ties="last")
    sizes = groups.summarise(values, partition, members, "count")
    return [
        fit and place is not None and place <= count_of(size, share, grade.counting)
        for fit, place, size, share in zip(fits, places, sizes, shares, strict=True)
    ]


def _ranked(totals: Sequence[Totalled], space: Workspace) -> list[bool]:
    return [member and not one.unranked for member, one in zip(space.members(work_out), totals, strict=True)]


def rank_rows(scheme: RuleScheme, totals: Sequence[Totalled], space: Workspace) -> dict[str, Numbers]:
    ranks: dict[str, Numbers] = {}
    for ranking in scheme.rankings:
        ranks[ranking.key] = _rank(ranking, totals, space)
    for key, column in ranks.items():
        space.columns[key] = list(column)
    return ranks


def _rank(ranking: Ranking, totals: Sequence[Totalled], space: Workspace) -> Numbers:
    """Tie-breakers are compared one after the other, the higher first whatever the order of the ranking."""
    keys = [_key_column(ranking.by, space, is_turned=ranking.order == "ascending")]
    keys += [_key_column(breaker, space, is_turned=False) for breaker in ranking.tie_breakers]
    members = _ranked(totals, space)
    if ranking.where is not None:
        members = [
            one and is_met(met) for one, met in zip(members, work_out_numbers(ranking.where, space), strict=True)
        ]
    ranks: Numbers = [None] * space.size
    for rows in groups.by_group(space.partition(ranking.within), members).values():
        present = [at for at in rows if keys[0][at] is not None]
        sortable = [tuple(_sortable(column[at]) for column in keys) for at in present]
        found = groups.rank(sortable, direction="higher", ties=ranking.ties)
        for at, place in zip(present, found, strict=True):
            ranks[at] = place
    return ranks


def _key_column(formula: Formula, space: Workspace, *, is_turned: bool) -> Numbers:
    column = work_out_numbers(formula, space)
    return [None if one is None else -one for one in column] if is_turned else column


def _sortable(value: Number) -> tuple[int, Any]:
    return (0, ZERO) if value is None else (1, value)


def raise_flags(scheme: RuleScheme, space: Workspace) -> list[tuple[int, ...]]:
    """The numbers of the flags that each row has."""
    met = [work_out_numbers(flag.when, space) for flag in scheme.flags]
    return [
        tuple(number for number, column in enumerate(met, start=1) if is_met(column[at])) for at in range(space.size)
    ]
