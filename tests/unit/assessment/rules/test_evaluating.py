"""The order in which a scheme is worked out, and what stands in for what is missing."""

from typing import Any

import pytest

from services.assessment.domain.rules.faults import BadRules, BadTable
from tests.unit.assessment.rules.schemes import ITEM, outcome_of, points_of, scheme, totals_of

AB = '[measures]\na = "a"\nb = "b"\n'


def item(key: str, formula: str, rest: str = "") -> str:
    return f'[items.{key}]\nkind = "formula"\nformula = "{formula}"\n{rest}\n'


GROUPS = {"groups": {"by": ["zone"], "members": "counted"}}
LATER = {"zone": "if(a > 5, 'H', 'N')", "counted": "a > 0", "county": "if(a > 3, 'E', 'W')", "part": "a / 2"}
RATIO = {"kind": "best_ratio", "value": "part", "full": 1}


@pytest.mark.parametrize(
    ("early", "more", "needs"),
    [
        ("part + a", {}, {"part"}),
        ("s", {"items": {"y": ITEM | {"section": "s"}}, "sections": {"s": {"weight": "part"}}}, {"s", "y", "part"}),
        ({"formula": "group_mean(part)", "floor": 1}, GROUPS, {"part", "zone", "counted"}),
        ({"formula": "all_mean(part)", "floor": 1}, GROUPS, {"part", "counted"}),
        (RATIO, GROUPS, {"part", "zone", "counted"}),
        (RATIO | {"within": ["county"]}, GROUPS, {"part", "county", "counted"}),
        (RATIO | {"within": ["county"], "full": "group_max(a)"}, GROUPS, {"part", "county", "zone", "counted"}),
        ("y", {"items": {"y": ITEM | {"missing": "group_mean", "weight": "part"}}} | GROUPS, {"zone", "counted", "y"}),
    ],
)
def test_all_that_a_step_rests_on_is_worked_out_before_it(early: Any, more: dict[str, Any], needs: set[str]):
    """Though it stands first: what it names, what lies in a section, who is counted, and by what they are grouped."""
    steps = scheme(values={"early": early} | LATER, **more).steps

    assert needs <= set(steps[: steps.index("early")])
    assert len(steps) == len(set(steps))


def test_each_step_is_worked_out_once_however_many_rest_on_it():
    assert scheme(values={"w": "v + u", "u": "v", "v": "a"}).steps == ("v", "u", "w", "x")


def test_a_circle_is_told_without_the_way_to_it():
    with pytest.raises(BadRules, match=r"^v: depends on itself: v -> w -> v$"):
        scheme(values={"u": "v", "v": "w", "w": "v"})


def test_a_formula_may_name_a_section_as_it_counts():
    scheme = (
        AB
        + item("x", "a", 'section = "s"')
        + item("y", "b", 'section = "s"')
        + item("z", "s * 10", 'missing = "zero"')
        + "[sections.s]\nweight = 0\nceiling = 10\nround = 1\n"
    )
    outcome = outcome_of(scheme, {"u": ["1.11", "2.22"], "v": [8, 9], "w": [8, ""]})

    assert points_of(outcome, "s") == ["3.3", "10", None]
    assert points_of(outcome, "z") == ["33", "100", "0"]
    assert totals_of(outcome) == ["33", "100", None]


def test_a_section_in_which_everything_is_missing_is_missing_in_formulas():
    scheme = (
        AB
        + item("x", "a", 'section = "s"\nfull = 10\nmissing = "rescale"')
        + item("y", "coalesce(s, 7)")
        + "[sections.s]\n"
    )

    assert points_of(outcome_of(scheme, {"u": ["", 0], "v": [4, 0]}), "y") == ["7", "4"]


def test_limits_of_a_section_may_rest_on_what_is_worked_out_later():
    scheme = (
        AB
        + item("x", "a", 'section = "s"')
        + item("y", "s + 1", 'section = "t"')
        + '[sections.s]\n[sections.t]\nceiling = "later"\n[values.later]\nformula = "y - 1"\n'
    )

    outcome = outcome_of(scheme, {"u": [5, 0]})

    assert points_of(outcome, "y") == ["6"]
    assert totals_of(outcome) == ["10"]  # 5, and of the 6 what is let through


def test_the_places_of_one_item_may_rest_on_the_section_of_another():
    scheme = (
        AB
        + item("x", "a", 'section = "s"')
        + item("y", "b", 'weight = 0.5\nround_weighted = "places"')
        + '[sections.s]\n[values.places]\nformula = "s - 4"\n'
    )

    assert totals_of(outcome_of(scheme, {"u": [5, "2.5"], "v": [4, "2.5"]})) == ["6.3", "5"]


@pytest.mark.parametrize(("condition", "expected"), [("b >= 20", ["5", None, None]), ("b < 20", [None, "5", None])])
def test_where_its_condition_is_not_met_a_value_or_item_is_missing(condition, expected):
    rows: dict[str, list[object]] = {"u": [5, 20], "v": [5, 19], "w": [5, ""]}

    assert points_of(outcome_of(AB + item("x", "a", f'when = "{condition}"\nmissing = "skip"'), rows)) == expected
    value = f'[values.x]\nformula = "a"\nwhen = "{condition}"\n'
    assert points_of(outcome_of(AB + value + item("y", "1"), rows)) == expected


def test_limits_and_rounding_hold_entry_by_entry_in_lists_and_leave_texts_alone():
    head = '[measures]\nl = { column = "l", type = "list" }\nt = { column = "t", type = "text" }\n'
    values = '[values.x]\nformula = "l"\nceiling = 9\nround = 1\n[values.z]\nformula = "t"\nceiling = 9\nround = 1\n'

    outcome = outcome_of(head + values + item("y", "sum(x)"), {"u": ["1.25;20;3", "甲"]})

    assert points_of(outcome, "y") == ["13.3"]
    assert points_of(outcome, "z") == ["甲"]


@pytest.mark.parametrize(
    ("places", "expected"), [("", "20/3"), ("round = 1", "6.7"), ('round = 1\nrounding = "down"', "6.6")]
)
def test_what_the_group_has_on_average_is_rounded_as_points_are(places, expected):
    scheme = AB + item("x", "a", f'missing = "group_mean"\n{places}')
    outcome = outcome_of(scheme, {"u": [5, 0], "v": [7, 0], "w": [8, 0], "x": ["", 0]})

    value = outcome.columns["x"][3]
    assert (str(value) if "/" in expected else points_of(outcome)[3]) == expected


def test_where_a_whole_group_has_nothing_its_mean_is_missing():
    assert points_of(outcome_of(AB + item("x", "a", 'missing = "group_mean"\nround = 1'), {"u": ["", 0]})) == [None]


def test_a_text_is_no_number_of_points():
    head = '[measures]\nt = { column = "t", type = "text" }\n'

    with pytest.raises(BadTable, match=r"^items\.x: u: needs a number and finds a text$"):
        outcome_of(head + item("x", "t"), {"u": ["good"]})


def test_missing_points_are_those_that_were_not_there():
    outcome = outcome_of(AB + item("x", "a", "missing = 3"), {"u": ["", 0], "v": [3, 0]})

    assert points_of(outcome) == ["3", "3"]
    assert outcome.items["x"].missing == [True, False]


def test_a_scheme_of_values_alone_has_no_total():
    outcome = outcome_of(AB + '[values.x]\nformula = "a + b"\n', {"u": [1, 2]})

    assert points_of(outcome) == ["3"]
    assert [(one.total, one.because, one.places) for one in outcome.totals] == [(None, "no items", 0)]
    assert "total" not in outcome.columns


def test_total_and_its_stages_have_a_floor_a_ceiling_and_places():
    scheme = AB + item("x", "a") + "[total]\nfloor = 10\nceiling = 90\nround = 1"

    assert totals_of(outcome_of(scheme, {"u": ["9.94", 0], "v": ["90.06", 0], "w": ["55.55", 0]})) == [
        "10",
        "90",
        "55.6",
    ]


def test_points_times_weight_are_rounded_where_that_is_asked():
    scheme = AB + item("x", "a", 'weight = 0.5\nround_weighted = "b"')

    assert totals_of(outcome_of(scheme, {"u": ["90.1", 0], "v": ["90.1", 1]})) == ["45", "45.1"]
