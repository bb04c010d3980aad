"""How each kind of rule is read: what is wrong with it by its place, and what holds where nothing is said."""

from decimal import Decimal
from typing import Any

import pytest

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import Formula
from services.assessment.domain.rules.kinds import Events, Interpolate, RankPoints
from services.assessment.domain.rules.schemes import RuleScheme
from tests.unit.assessment.rules.schemes import scheme


def of_kind(kind: str, **keys: Any) -> RuleScheme:
    return scheme(items={"x": {"kind": kind} | keys})


RANKED = {"value": "a", "first": 10, "step": 1}
BAND = {"at_least": 5, "points": 1}
LINE = {"count": "a", "each": 1}
WRONG_KINDS: list[tuple[str, dict[str, Any], str]] = [
    ("proportional", {"full": 5}, "items.x: lacks value"),
    ("target_slope", {"value": "a", "target": 1, "full": 1, "slope": 1, "direction": "up"}, "items.x.direction: must"),
    ("target_slope", {"value": "a", "target": 1, "full": 1, "slope": 1, "steps": "half"}, "items.x.steps: must be one"),
    ("bands", {"value": "a"}, "items.x: lacks bands"),
    ("bands", {"value": "a", "bands": []}, "items.x.bands: needs at least one band"),
    ("bands", {"bands": [BAND]}, "items.x.value: is needed by the bands' bounds"),
    ("bands", {"bands": [{"when": "a", "points": 1}, BAND]}, "items.x.value: is needed by the bands' bounds"),
    ("bands", {"value": "a", "bands": [{"points": 1}]}, "items.x.bands[1]: needs one of at_least, above, at_most"),
    ("bands", {"value": "a", "bands": [{"above": 1}]}, "items.x.bands[1]: needs either points or label"),
    ("bands", {"value": "a", "bands": [BAND | {"label": "A"}]}, "items.x.bands[1]: needs either points or label"),
    ("bands", {"value": "a", "bands": [BAND | {"colour": 1}]}, "items.x.bands[1]: does not know colour"),
    ("bands", {"value": "a", "bands": [BAND, {"below": 5, "label": "B"}]}, "items.x.bands: give points or labels, not"),
    ("bands", {"value": "a", "bands": [BAND], "otherwise_label": "C"}, "items.x.bands: give points or labels, not"),
    ("bands", {"value": "a", "bands": [{"below": 5, "label": "B"}], "otherwise": 1}, "items.x.bands: give points or"),
    (
        "bands",
        {"value": "a", "bands": [BAND], "otherwise": 1, "otherwise_label": "C"},
        "items.x: needs either otherwise",
    ),
    ("bands", {"value": "a", "bands": [{"below": 5, "label": "L" * 101}]}, "items.x.bands[1].label: must be a text"),
    ("interpolate", {"value": "a", "points": 5}, "items.x.points: must be a list"),
    ("interpolate", {"value": "a", "points": [[0, 0]]}, "items.x.points: needs at least two points"),
    ("interpolate", {"value": "a", "points": [[0, 0], [1]]}, "items.x.points[2]: must be a pair of numbers"),
    ("interpolate", {"value": "a", "points": [[0, 0], [1, 2, 3]]}, "items.x.points[2]: must be a pair of numbers"),
    ("interpolate", {"value": "a", "points": [[0, 0], 5]}, "items.x.points[2]: must be a pair of numbers"),
    ("interpolate", {"value": "a", "points": [[0, 0], [0, 1]]}, "items.x.points[2]: values must rise"),
    ("interpolate", {"value": "a", "points": [[0, 0], [2, 1], [1, 1]]}, "items.x.points[3]: values must rise"),
    ("interpolate", {"value": "a", "points": [[0, "a"], [1, 1]]}, "items.x.points[1]: must be a plain number"),
    ("interpolate", {"value": "a", "points": [[0, 0], [1, 1]], "outside": "fall"}, "items.x.outside: must be one of"),
    ("lookup", {"value": "a", "table": []}, "items.x.table: must be a table"),
    ("lookup", {"value": "a", "table": {"b": 1}, "combine": "each"}, "items.x.combine: a list is for a value; an item"),
    ("lookup", {"value": "a", "table": {"": 1}}, "items.x.table: must be a text of 1 to 200"),
    ("lookup", {"value": "a", "table": {"t" * 201: 1}}, "items.x.table: must be a text of 1 to 200"),
    ("lookup", {"value": "a", "table": {"good": True}}, "items.x.table.good: must be a number, or a formula"),
    ("best_ratio", {"value": "a", "full": 1, "reference": "worst"}, "items.x.reference: must be one of best, mean"),
    ("best_ratio", {"value": "a", "full": 1, "without_reference": "no"}, "items.x.without_reference: must be one of"),
    (
        "best_ratio",
        {"value": "a", "full": 1, "x": 1},
        "items.x: does not know x; known here: name, kind, value, full, reference, direction, without_reference, with",
    ),
    ("best_ratio", {"value": "a", "full": 1, "within": ["1"]}, "items.x.within: '1' is no name"),
    ("best_ratio", {"value": "a", "full": 1, "within": ["b"]}, "x: uses b, which nothing here is named"),
    ("rank_points", {"first": 1, "step": 1}, "items.x: needs either value (to be ranked) or place"),
    ("rank_points", RANKED | {"place": "a"}, "items.x: needs either value (to be ranked) or place"),
    ("rank_points", {"value": "a"}, "items.x: needs first and step, or places"),
    ("rank_points", {"value": "a", "first": 10}, "items.x: lacks step"),
    ("rank_points", {"value": "a", "places": 5}, "items.x.places: must be a list"),
    ("rank_points", {"value": "a", "first": 10, "otherwise": 1}, "items.x.otherwise: is what counts beyond a list"),
    ("rank_points", {"value": "a", "places": [3, "a"]}, "items.x.places[2]: must be a plain number"),
    ("rank_points", RANKED | {"otherwise": 1}, "items.x.otherwise: is what counts beyond a list of places"),
    ("rank_points", {"value": "a", "places": [3], "step": 1, "otherwise": 1}, "items.x.otherwise: is what counts"),
    ("rank_points", RANKED | {"ties": "first"}, "items.x.ties: must be one of competition, dense, average, last"),
    ("quantile_bands", {"value": "a", "bands": []}, "items.x.bands: needs at least one band"),
    ("quantile_bands", {"value": "a", "bands": [{"points": 1}]}, "items.x.bands[1]: lacks top"),
    ("quantile_bands", {"value": "a", "bands": [{"top": 5}]}, "items.x.bands[1]: needs either points or label"),
    ("quantile_bands", {"value": "a", "bands": [{"top": 5, "points": 1, "x": 1}]}, "items.x.bands[1]: does not know x"),
    ("quantile_bands", {"value": "a", "bands": [{"top": 5, "points": 1}], "counting": "x"}, "items.x.counting: must"),
    ("deduction", {"count": "a"}, "items.x: lacks each"),
    ("deduction", {"lines": []}, "items.x.lines: needs at least one line"),
    ("deduction", {"lines": [LINE | {"colour": 1}]}, "items.x.lines[1]: does not know colour"),
    ("deduction", {"lines": [LINE, {"count": "a"}]}, "items.x.lines[2]: lacks each"),
    ("deduction", LINE | {"title": "t"}, "items.x: does not know title"),
    ("deduction", {"lines": [LINE | {"title": ""}]}, "items.x.lines[1].title: must be a text of 1 to 500"),
    ("deduction", LINE | {"tiers": [{"from": 2, "each": 1}] * 2}, "items.x.tiers: must begin at rising numbers"),
    ("deduction", LINE | {"tiers": [{"from": "a", "each": 1}]}, "items.x.tiers[1].from: must be a plain number"),
    ("deduction", LINE | {"tiers": [{"from": 0, "each": 1}]}, "items.x.tiers[1].from: must be the number of the first"),
    ("deduction", LINE | {"tiers": [{"from": Decimal("1.5"), "each": 1}]}, "items.x.tiers[1].from: must be the number"),
    ("deduction", LINE | {"tiers": [{"from": 2, "each": 1, "to": 3}]}, "items.x.tiers[1]: does not know to"),
    ("deduction", LINE | {"tiers": [{"from": 2, "each": 1}], "growth": 2}, "items.x: has either tiers or growth"),
    ("bonus", LINE | {"escalation": "some"}, "items.x.escalation: must be one of marginal, all"),
    ("weighted_mean", {"parts": {}}, "items.x.parts: needs at least one part"),
    ("weighted_mean", {"parts": ["a"]}, "items.x.parts: must be a table"),
    ("weighted_mean", {"parts": {"a + 1": 1}}, "items.x.parts: 'a + 1' is no name"),
    ("weighted_mean", {"parts": {"a": True}}, "items.x.parts.a: must be a number, or a formula"),
    ("weighted_mean", {"parts": {"a": 1}, "missing_parts": "skip"}, "items.x.missing_parts: must be one of rescale"),
]


@pytest.mark.parametrize(("kind", "keys", "said"), WRONG_KINDS)
def test_what_is_wrong_with_a_rule_is_told_by_its_place(kind: str, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRules) as fault:
        of_kind(kind, **keys)

    assert str(fault.value).startswith(said)


def test_a_rule_may_go_to_its_limits() -> None:
    of_kind("lookup", value="a", table={"t" * 200: 1})
    of_kind("bands", value="a", bands=[{"below": 5, "label": "L" * 100}], otherwise_label="L" * 100)
    of_kind("bands", value="a", bands=[{"below": 5, "label": "B"}, {"at_least": 5, "label": "A"}])
    of_kind("deduction", **LINE, tiers=[{"from": 1, "each": 1}, {"from": 2, "each": "2"}])
    of_kind("deduction", lines=[LINE | {"title": "t" * 500}])
    of_kind("interpolate", value="a", points=[[-1, Decimal("-0.5")], ["-0.5", "1"]])
    of_kind("rank_points", value="a", places=[3, "-1"], step=1)


def test_a_plain_number_may_be_written_as_text_and_be_less_than_nothing() -> None:
    rule = of_kind("interpolate", value="a", points=[["-2", "-1.5"], [0, "0"], [3, 1]]).items["x"].rule

    assert isinstance(rule, Interpolate)
    assert [[float(number) for number in point] for point in rule.points] == [[-2, -1.5], [0, 0], [3, 1]]


def test_a_list_of_places_gives_the_full_mark_first_and_nothing_beyond() -> None:
    ranked = of_kind("rank_points", value="a", places=[10, 8, 5]).items["x"]

    assert isinstance(ranked.rule, RankPoints)
    assert (text_of(ranked.full), text_of(ranked.rule.otherwise)) == ("10", "0")


def test_a_condition_and_a_limit_beside_one_line_are_the_items() -> None:
    charged = of_kind("deduction", **LINE, when="a > 1", at_most=5).items["x"]

    assert isinstance(charged.rule, Events)
    assert (text_of(charged.when), text_of(charged.rule.at_most)) == ("a > 1", "5")
    assert (charged.rule.lines[0].when, charged.rule.lines[0].at_most) == (None, None)


LIMITED = {
    "proportional": {"value": "a", "full": 20},
    "target_slope": {"value": "a", "target": 90, "full": 20, "slope": 1},
    "best_ratio": {"value": "a", "full": 20, "reference": "mean"},
}


@pytest.mark.parametrize("kind", LIMITED)
def test_points_lie_between_nothing_and_the_full_mark_unless_the_scheme_says_otherwise(kind: str) -> None:
    plain = of_kind(kind, **LIMITED[kind]).items["x"]
    free = of_kind(kind, **LIMITED[kind], floor="none", ceiling="none").items["x"]

    assert (text_of(plain.floor), text_of(plain.ceiling), text_of(plain.full)) == ("0", "20", "20")
    assert (free.floor, free.ceiling, text_of(free.full)) == (None, None, "20")


def test_what_may_give_more_or_less_has_no_limits_of_its_own() -> None:
    gaining = of_kind("target_slope", **LIMITED["target_slope"], gain=1).items["x"]
    perhaps = of_kind("target_slope", **LIMITED["target_slope"], gain="a").items["x"]
    ranked = of_kind("rank_points", **RANKED).items["x"]
    charged = of_kind("deduction", **LINE, start=10).items["x"]
    bonus = of_kind("bonus", **LINE).items["x"]

    assert (text_of(gaining.floor), gaining.ceiling, text_of(gaining.full)) == ("0", None, "20")
    assert (text_of(perhaps.floor), perhaps.ceiling) == ("0", None)
    assert (text_of(ranked.floor), ranked.ceiling, text_of(ranked.full)) == ("0", None, "10")
    assert (charged.floor, charged.ceiling, text_of(charged.full), charged.missing) == (None, None, "10", "no_score")
    assert (bonus.floor, bonus.ceiling, bonus.full, bonus.missing) == (None, None, None, "zero")


def text_of(formula: Formula | None) -> str | None:
    return None if formula is None else formula.text


@pytest.mark.parametrize(
    ("kind", "keys", "compares"),
    [
        ("formula", {"formula": "a"}, False),
        ("formula", {"formula": "group_mean(a)"}, True),
        ("formula", {"formula": "a", "when": "all_rank(a) < 3"}, True),
        ("formula", {"formula": "a", "floor": "group_min(a)"}, True),
        ("formula", {"formula": "a", "ceiling": "group_max(a)"}, True),
        ("formula", {"formula": "a", "round": "group_count(a)"}, True),
        ("formula", {"formula": "a", "missing": "group_mean"}, True),
        ("formula", {"formula": "a", "missing": "zero"}, False),
        ("proportional", LIMITED["proportional"], False),
        ("best_ratio", {"value": "a", "full": 20}, True),
        ("quantile_bands", {"value": "a", "bands": [{"top": 20, "points": 5}]}, True),
        ("rank_points", RANKED, True),
        ("rank_points", {"place": "a", "first": 10, "step": 1}, False),
    ],
)
def test_a_table_is_scored_whole_where_points_depend_on_others(
    kind: str, keys: dict[str, Any], *, compares: bool
) -> None:
    other = {"kind": "formula", "formula": "a"}

    assert of_kind(kind, **keys).compares is compares
    assert scheme(items={"y": other, "x": {"kind": kind} | keys}).compares is compares
