"""Totals: weights, sections, missing data, limits, gates, grades and places."""

from fractions import Fraction

import pytest

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.importing.tables import lay_out
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.numbers import show
from tests.unit.assessment.rules.schemes import HEAD, outcome_of, points_of, scheme_of, told, totals_of

TWO = '[measures]\na = "a"\nb = "b"\n'


def two_items(rule_a: str = "", rule_b: str = "", rest: str = "") -> str:
    return TWO + (
        f'[items.x]\nkind = "proportional"\nvalue = "a"\nfull = 60\n{rule_a}\n'
        f'[items.y]\nkind = "proportional"\nvalue = "b"\nfull = 40\n{rule_b}\n{rest}'
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('missing = "no_score"', None),
        ('missing = "zero"', "30"),
        ('missing = "skip"', "30"),
        ('missing = "full"', "70"),
        ("missing = 12.5", "42.5"),
        ('missing = "rescale"', "50"),  # 30 of 60, as of 100
        ('missing = "group_mean"', "60"),  # the two others have 20 and 40
    ],
)
def test_what_is_missing_counts_as_the_scheme_says(rule, expected):
    rows: dict[str, list[object]] = {"u": [50, ""], "v": [100, 50], "w": [100, 100]}

    assert totals_of(outcome_of(two_items(rule_b=rule), rows))[0] == expected


def test_without_enough_of_the_full_marks_there_is_no_total():
    rest = "[total]\nminimum_present = 50"
    scheme = two_items('missing = "rescale"', 'missing = "rescale"', rest)
    outcome = outcome_of(scheme, {"u": [50, ""], "v": ["", 50], "w": ["", ""]})

    assert totals_of(outcome) == ["50", None, None]
    assert outcome.totals[1].because == "present"
    for least, expected in (("60", "50"), ("60.5", None)):  # of 100, 60 are there
        enough = two_items(rule_b='missing = "rescale"', rest=f"[total]\nminimum_present = {least}")
        assert totals_of(outcome_of(enough, {"u": [50, ""]})) == [expected]


@pytest.mark.parametrize("key", ["base", "scale"])
def test_a_total_with_a_base_or_scale_that_cannot_be_told_is_none(key):
    outcome = outcome_of(two_items(rule_b='missing = "skip"', rest=f'[total]\n{key} = "b"'), {"u": [50, ""]})

    assert (totals_of(outcome), outcome.totals[0].because) == ([None], "total")


def test_division_by_nothing_is_missing_and_not_nothing():
    rule = (
        TWO
        + '[values]\nrate = "a / b"\n[items.x]\nkind = "formula"\nformula = "rate * 100"\nmissing = "full"\nfull = 9'
    )

    assert totals_of(outcome_of(rule, {"u": [0, 0], "v": [1, 2]})) == ["9", "50"]


SECTIONS = (
    TWO
    + """
[sections.base]
full = 100
[sections.extra]
ceiling = 5
floor = -5
[items.x]
section = "base"
kind = "formula"
formula = "a"
[items.y]
section = "extra"
kind = "formula"
formula = "b"
[total]
ceiling = 100
"""
)


def test_a_section_and_the_total_have_limits_and_the_parts_still_add_up():
    outcome = outcome_of(SECTIONS, {"u": [90, 8], "v": [90, -9], "w": [98, 4]})

    assert totals_of(outcome) == ["95", "85", "100"]
    for one in outcome.totals:
        assert sum(part.amount for part in one.contributions) == one.total
    assert [(part.part, part.key) for part in outcome.totals[0].contributions] == [
        ("item", "x"), ("item", "y"), ("limit", "extra"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ("items = 1\ntotal = 2", "0.4"),  # 0.15 and 0.15 are 0.2 each
        ("total = 1", "0.3"),
        ("total = 0", "0"),
        ("", "0.3"),
        ('items = 1\nmode = "down"', "0.2"),
    ],
)
def test_rounding_happens_at_the_stage_that_the_scheme_declares(stages, expected):
    rule = (
        f'[rounding]\n{stages}\n{TWO}[items.x]\nkind = "formula"\nformula = "a"\n'
        '[items.y]\nkind = "formula"\nformula = "b"'
    )

    assert totals_of(outcome_of(rule, {"u": ["0.15", "0.15"]})) == [expected]


def test_a_weight_counts_after_the_points_are_rounded():
    rule = TWO + (
        '[rounding]\nitems = 1\nweighted = 1\n[items.x]\nkind = "formula"\nformula = "a"\nweight = 0.5\n'
        '[items.y]\nkind = "formula"\nformula = "b"\nweight = 0.5'
    )

    assert totals_of(outcome_of(rule, {"u": ["90.44", "80.5"]})) == ["85.5"]  # 45.2 and 40.3 (40.25)


def test_a_veto_sets_the_total_and_is_a_part_of_its_own():
    rest = '[[gates]]\nwhen = "b > 100"\neffect = "set"\nvalue = 0\nreason = "accident"\n'
    cap = rest.replace('"set"\nvalue = 0', '"cap"\nvalue = 59')
    rows = {"u": [100, 101], "v": [50, 50]}

    vetoed = outcome_of(two_items(rest=rest), rows)
    assert totals_of(vetoed) == ["0", "50"]
    assert sum(part.amount for part in vetoed.totals[0].contributions) == 0
    assert totals_of(outcome_of(two_items(rest=cap), rows)) == ["59", "50"]


def test_parts_add_up_to_what_gates_set_though_that_does_not_end():
    gate = '[[gates]]\nwhen = "b > {}"\neffect = "set"\nvalue = "{} / 3"\n'

    outcome = outcome_of(two_items(rest=gate.format(0, 1) + gate.format(1, 2)), {"u": ["1.25", 1], "v": ["1.25", 2]})

    for one in outcome.totals:
        parts = [Fraction(show(part.amount, one.places)) for part in one.contributions]
        assert sum(parts) == one.total
    assert [one.total for one in outcome.totals] == [Fraction("0.333333333333"), Fraction("0.666666666667")]


def test_too_small_a_volume_is_measured_and_not_ranked():
    rest = '[[gates]]\nwhen = "a < 20"\neffect = "no_rank"\n[[rankings]]\n'
    outcome = outcome_of(two_items(rest=rest), {"u": [19, 100], "v": [40, 10], "w": [30, 10]})

    assert totals_of(outcome) == ["51.4", "28", "22"]
    assert points_of(outcome, "place") == [None, "1", "2"]


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        ("competition", ["1", "2", "2", "4"]),
        ("dense", ["1", "2", "2", "3"]),
        ("average", ["1", "2.5", "2.5", "4"]),
        ("last", ["1", "3", "3", "4"]),
    ],
)
def test_equals_share_a_place_by_rule(ties, expected):
    outcome = outcome_of(
        two_items(rest=f'[[rankings]]\nties = "{ties}"'), {"u": [90, 0], "v": [80, 0], "w": [80, 0], "x": [10, 0]}
    )

    assert points_of(outcome, "place") == expected


def test_a_tie_breaker_parts_equals_and_lower_can_be_better():
    rest = '[[rankings]]\ntie_breakers = ["-b"]\n[[rankings]]\nkey = "low"\norder = "ascending"\nby = "a"'
    outcome = outcome_of(two_items(rest=rest), {"u": [40, 60], "v": [60, 30], "w": [10, 0]})

    assert totals_of(outcome) == ["48", "48", "6"]
    assert points_of(outcome, "place") == ["2", "1", "3"]
    assert points_of(outcome, "low") == ["2", "3", "1"]


LABELLED = (
    '[measures]\na = "a"\nb = "b"\nt = {{ column = "t", type = "text" }}\n[groups]\nby = ["zone"]\n'
    '[values.zone]\nkind = "bands"\nvalue = "{value}"\nbands = [{{ at_least = 5, label = "hi" }}]\n'
    'otherwise_label = "lo"\n{rest}'
)
ROWS = {"u": [1, 2, "x"], "v": [7, 3, "y"], "w": [8, 1, "x"]}


def test_groups_are_known_before_whatever_looks_at_them():
    own = '[items.a1]\nkind = "best_ratio"\nvalue = "b"\nfull = 1\nwithin = ["t"]\nwhen = "group_rank(a) <= 1"\n'
    section = '[sections.s]\nceiling = "group_mean(b)"\n[items.a1]\nsection = "s"\nkind = "formula"\nformula = "a"\n'

    scored = outcome_of(LABELLED.format(value="a", rest=own + 'missing = "zero"'), ROWS)
    assert points_of(scored, "a1") == ["1", "0", "0.5"]
    assert totals_of(outcome_of(LABELLED.format(value="a", rest=section), ROWS)) == ["1", "2", "2"]


def test_what_looks_at_a_group_waits_for_what_makes_it_though_that_stands_below():
    rule = (
        '[measures]\na = "a"\nb = "b"\nc = "c"\n[groups]\nby = ["zone"]\nmembers = "counted > 0"\n'
        '[values.place]\nformula = "group_rank(a)"\n'
        '[values.best]\nkind = "best_ratio"\nvalue = "a"\nfull = 1\nwithin = ["late"]\n'
        '[values.own]\nkind = "rank_points"\nvalue = "a"\nfirst = 9\nstep = 2\n'
        '[values.late]\nkind = "bands"\nvalue = "b"\nbands = [{ at_least = 3, label = "L" }]\notherwise_label = "E"\n'
        '[values.zone]\nkind = "bands"\nvalue = "a"\nbands = [{ at_least = 5, label = "H" }]\notherwise_label = "N"\n'
        '[values.counted]\nformula = "b - 1"\n'
        '[items.x]\nkind = "formula"\nformula = "c"\nmissing = "group_mean"\n'
    )
    rows: dict[str, list[object]] = {"u": [1, 2, ""], "v": [2, 3, 4], "w": [7, 1, 2], "y": [8, 5, 6]}

    scored = outcome_of(rule, rows)

    assert points_of(scored, "place") == ["2", "1", None, "1"]
    assert points_of(scored, "best") == ["1", "0.25", "1", "1"]
    assert points_of(scored, "own") == ["7", "9", None, "9"]
    assert totals_of(scored) == ["4", "4", "2", "6"]


def test_everybody_can_be_looked_at_to_make_groups_but_groups_cannot():
    formula = '[items.x]\nkind = "formula"\nformula = "group_rank(a)"'

    assert totals_of(outcome_of(LABELLED.format(value="all_rank(a) * 2", rest=formula), ROWS)) == ["1", "2", "1"]
    with pytest.raises(BadRules, match="zone: depends on itself"):
        scheme_of(LABELLED.format(value="group_rank(a)", rest=formula))
    with pytest.raises(BadRules, match="cannot look at groups itself"):
        scheme_of(TWO + '[groups]\nmembers = "all_rank(a) <= 2"\n[items.x]\nkind = "formula"\nformula = "a"')


def test_a_section_that_made_up_for_itself_stands_in_whole():
    item = '[items.{0}]\nkind = "formula"\nformula = "{1}"\nfull = 10\nmissing = "rescale"\n{2}'
    rule = TWO + "[sections.s]\n" + item.format("x", "a", 'section = "s"\n') + item.format("y", "b", 'section = "s"\n')
    rule += item.format("z", "b", "")

    # 6 of 10 is 12 of 20 in the section, which is 18 of 30 with what lies beside it.
    assert totals_of(outcome_of(rule, {"u": [6, ""], "v": [6, 4]})) == ["18", "14"]


def test_groups_are_never_ranked_together():
    rule = (
        '[measures]\na = "a"\ngroup = { column = "group", type = "text" }\n[groups]\nby = ["group"]\n'
        '[items.x]\nkind = "best_ratio"\nvalue = "a"\nfull = 100\n[[rankings]]\n[[rankings]]\nkey = "all"\nwithin = []'
    )
    outcome = outcome_of(rule, {"u": [4, "A"], "v": [2, "A"], "w": [1, "B"]})

    assert totals_of(outcome) == ["100", "50", "100"]
    assert points_of(outcome, "place") == ["1", "2", "1"]
    assert points_of(outcome, "all") == ["1", "3", "1"]


def test_grades_by_points_and_by_a_share_of_the_group():
    rest = (
        '[[grades]]\ngrade = "excellent"\nat_least = 90\ntop = 20\ncounting = "down"\n'
        '[[grades]]\ngrade = "good"\nat_least = 60\n[[grades]]\ngrade = "poor"\nbelow = 60'
    )
    rows = {f"u{number}": [value, value] for number, value in enumerate([99, 95, 92, 70, 50])}

    assert [one.grade for one in outcome_of(two_items(rest=rest), rows).totals] == [
        "excellent", "good", "good", "good", "poor",
    ]  # fmt: skip


def test_months_become_a_year():
    rule = '[measures]\na = "a"\n[items.x]\nkind = "formula"\nformula = "a"\n' + (
        '[overall]\ncombine = "mean"\nround = 2\nminimum_count = 2'
    )
    scheme = read_rule_scheme(HEAD + 'period = "month"\n' + rule)
    lines = [["unit", "month", "a"], ["u", "1月", "90"], ["u", "2月", "85"], ["u", "10月", "91"], ["v", "1月", "99"]]

    outcome = evaluate(scheme, lay_out(lines, scheme)[0])

    assert [(one.subject, told(one.total), one.periods, told(one.place)) for one in outcome.overall] == [
        ("u", "88.67", 3, "1"),
        ("v", None, 1, None),
    ]
    assert [outcome.find_row("u"), outcome.find_row("u", "10月"), outcome.find_row("v", "1月")] == [0, 2, 3]
    assert outcome.find_row("w") is outcome.find_row("v", "2月") is None


@pytest.mark.parametrize(
    ("combine", "expected"),
    [('combine = "last"', "91"), ('combine = "max"', "91"), ('combine = "sum"', "176"), ('weight = "n"', "86")],
)
def test_periods_are_combined_as_the_scheme_says(combine, expected):
    rule = '[measures]\na = "a"\nn = "n"\n[items.x]\nkind = "formula"\nformula = "a"\n[overall]\n' + combine
    scheme = read_rule_scheme(HEAD + 'period = "month"\n' + rule)
    lines = [["unit", "month", "a", "n"], ["u", "9月", "85", "50"], ["u", "10月", "91", "10"]]

    outcome = evaluate(scheme, lay_out(lines, scheme)[0])

    assert [told(one.total) for one in outcome.overall] == [expected]
