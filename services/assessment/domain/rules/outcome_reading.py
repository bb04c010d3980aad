"""Reading what is made of the points: the total, gates, grades, rankings, flags, and one result over periods."""

from typing import Any, Final

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import Formula, parse_formula
from services.assessment.domain.rules.kind_reading import read_within
from services.assessment.domain.rules.kinds import Band, Bands, Counting, Ties
from services.assessment.domain.rules.reading import Keys, check_name, read_formula, read_text
from services.assessment.domain.rules.schemes import (
    TOTAL,
    Combination,
    Combined,
    Effect,
    Flag,
    Gate,
    Grade,
    Mode,
    Order,
    Overall,
    Ranking,
    Total,
)
from services.assessment.domain.rules.step_reading import Rounding

DEFAULT_RANKING: Final = "place"


def read_total(keys: Keys, rounding: Rounding) -> Total:
    table = Keys("total", keys.take("total", {}))
    total = Total(
        base=table.formula("base", 0),
        scale=table.formula("scale", 1),
        floor=table.find_formula("floor"),
        ceiling=table.find_formula("ceiling"),
        places=table.find_formula("round", rounding.total),
        mode=table.choice("rounding", Mode, default=rounding.mode),
        minimum_present=table.find_formula("minimum_present"),
    )
    table.close()
    return total


def read_gates(keys: Keys) -> tuple[Gate, ...]:
    gates = []
    for table in keys.tables("gates", default=True):
        effect = table.choice("effect", Effect)
        value = table.find_formula("value")
        grade = table.take("grade", None)
        if (effect in {"cap", "set"}) != (value is not None):
            raise BadRules(table.at("value"), "is the total that cap and set need, and only they")
        if (effect == "grade") != (grade is not None):
            raise BadRules(table.at("grade"), "is the label that the effect grade needs, and only that")
        gates.append(
            Gate(
                when=table.formula("when"),
                effect=effect,
                value=value,
                grade=None if grade is None else read_text(table.at("grade"), grade, longest=100),
                reason=table.label("reason", default=effect),
            )
        )
        table.close()
    return tuple(gates)


def read_grades(keys: Keys) -> tuple[Grade, ...]:
    grades = []
    for table in keys.tables("grades", default=True):
        bounds = {name: table.find_formula(name) for name in ("at_least", "above", "at_most", "below", "when")}
        label = table.text("grade", longest=100)
        if table.has("moves_up") and not table.has("top"):
            raise BadRules(table.at("moves_up"), "is for a grade with top")
        band = Band(**bounds, label=label)
        grades.append(
            Grade(
                bands=Bands(
                    value=parse_formula(table.place, TOTAL), bands=(band,), otherwise=None, otherwise_label=None
                ),
                top=table.find_formula("top"),
                counting=table.choice("counting", Counting, default="half_up"),
                moves_up=table.flag("moves_up", default=False),
            )
        )
        table.close()
    return tuple(grades)


def read_rankings(keys: Keys) -> tuple[Ranking, ...]:
    rankings: list[Ranking] = []
    for table in keys.tables("rankings", default=True):
        key = check_name(table.at("key"), table.take("key", DEFAULT_RANKING))
        if key == TOTAL:
            raise BadRules(table.at("key"), "total is the name of the result")
        if any(ranking.key == key for ranking in rankings):
            raise BadRules(table.at("key"), f"{key} is taken by another ranking")
        breakers = table.take("tie_breakers", [])
        if not isinstance(breakers, list) or len(breakers) > 10:
            raise BadRules(table.at("tie_breakers"), "must be a list of at most 10 formulas")
        rankings.append(
            Ranking(
                key=key,
                by=_total_or(table, "by"),
                within=read_within(table),
                order=table.choice("order", Order, default="descending"),
                ties=table.choice("ties", Ties, default="competition"),
                tie_breakers=tuple(read_formula(table.at("tie_breakers"), breaker) for breaker in breakers),
                where=table.find_formula("where"),
            )
        )
        table.close()
    return tuple(rankings)


def read_flags(keys: Keys) -> tuple[Flag, ...]:
    flags = []
    for table in keys.tables("flags", default=True):
        flags.append(Flag(when=table.formula("when"), label=table.label("label", default="flag")))
        table.close()
    return tuple(flags)


def read_overall(keys: Keys, rounding: Rounding) -> Overall | None:
    if (value := keys.take("overall", None)) is None:
        return None
    table = Keys("overall", value)
    first = table.take("first", None)
    overall = Overall(**_read_combined(table, rounding), first=None if first is None else _read_first(first, rounding))
    table.close()
    return overall


def _read_first(value: object, rounding: Rounding) -> Combined:
    table = Keys("overall.first", value)
    by = tuple(check_name("overall.first.by", name) for name in table.texts("by"))
    if not by:
        raise BadRules("overall.first.by", "names the texts that periods are put together by")
    first = Combined(by=by, **_read_combined(table, rounding))
    table.close()
    return first


def _read_combined(table: Keys, rounding: Rounding) -> dict[str, Any]:
    combine = table.choice("combine", Combination, default="mean")
    if combine != "mean" and table.has("weight"):
        raise BadRules(table.at("weight"), "is for a mean")
    return {
        "combine": combine,
        "weight": table.find_formula("weight"),
        "minimum_count": table.whole("minimum_count", lowest=1, highest=1_000) if table.has("minimum_count") else 1,
        "places": table.find_formula("round", rounding.total),
        "mode": table.choice("rounding", Mode, default=rounding.mode),
    }


def _total_or(table: Keys, key: str) -> Formula:
    value = table.take(key, TOTAL)
    return read_formula(table.at(key), value)
