"""What follows from totals: gates, grades, places, flags, and a year of months."""

import pytest

from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.importing.tables import lay_out
from services.assessment.scoring.evaluating import evaluate
from tests.unit.assessment.rules.schemes import HEAD, outcome_of, points_of, told, totals_of

HEADER = '[measures]\na = "a"\nb = "b"\n[items.x]\nkind = "formula"\nformula = "a"\n'
GROUPED = HEADER.replace('b = "b"\n', 'b = "b"\ng = { column = "g", type = "text" }\n[groups]\nby = ["g"]\n')


def gate(effect: str, more: str = "", when: str = "b > 0") -> str:
    return f'[[gates]]\nwhen = "{when}"\neffect = "{effect}"\n{more}\n'


def parts_of(outcome, at: int = 0) -> list[tuple[str, str, str | None]]:
    return [(part.part, part.key, told(part.amount)) for part in outcome.totals[at].contributions]


def test_a_cap_lowers_what_is_above_it_and_nothing_else():
    outcome = outcome_of(HEADER + gate("cap", "value = 59"), {"u": [80, 1], "v": [59, 1], "w": [40, 1], "x": [80, 0]})

    assert totals_of(outcome) == ["59", "59", "40", "80"]
    assert [parts_of(outcome, at)[1:] for at in range(4)] == [[("gate", "1", "-21")], [], [], []]
    assert [one.gates for one in outcome.totals] == [(1,), (1,), (1,), ()]


def test_a_set_total_may_rise_and_has_the_places_it_takes():
    outcome = outcome_of(HEADER + gate("set", 'value = "b / 8"'), {"u": [40, 4], "v": ["40.25", 400], "w": [1, ""]})

    assert totals_of(outcome) == ["0.5", "50", "1"]
    assert [one.places for one in outcome.totals] == [1, 2, 0]
    assert parts_of(outcome, 1) == [("item", "x", "40.25"), ("gate", "1", "9.75")]


def test_a_value_that_cannot_be_told_sets_nothing():
    outcome = outcome_of(HEADER + gate("set", 'value = "1 / (b - 1)"'), {"u": [40, 1], "v": ["", 2]})

    assert totals_of(outcome) == ["40", None]


def test_no_score_says_which_gate_took_it():
    outcome = outcome_of(HEADER + gate("no_rank", when="b > 9") + gate("no_score"), {"u": [40, 1], "v": [40, 0]})

    assert totals_of(outcome) == [None, "40"]
    assert [one.because for one in outcome.totals] == ["gate 2", None]
    assert outcome.totals[0].contributions == ()


def test_each_gate_sees_the_total_before_any_of_them_and_they_act_in_order():
    rules = gate("set", "value = 50", when="total > 60") + gate("cap", "value = 70", when="total > 90")
    outcome = outcome_of(
        HEADER
        + rules
        + '[[flags]]\nwhen = "total == 50"\nlabel = "set"\n[[flags]]\nwhen = "total > 60"\nlabel = "over"',
        {"u": [95, 0], "v": [50, 0]},
    )

    assert totals_of(outcome) == ["50", "50"]
    assert outcome.totals[0].gates == (1, 2)
    assert outcome.flags == [(1,), (1,)]  # after all else, with the total that counts


def test_a_grade_that_a_gate_gives_stays():
    rules = (
        gate("grade", 'grade = "poor"')
        + '[[grades]]\ngrade = "poor"\nbelow = 60\n[[grades]]\ngrade = "good"\nat_least = 60\n'
    )
    outcome = outcome_of(HEADER + rules, {"u": [90, 1], "v": [90, 0], "w": [59, 0], "x": ["", 0], "y": [60, 0]})

    assert [one.grade for one in outcome.totals] == ["poor", "good", "poor", None, "good"]


def test_a_grade_may_be_bounded_on_either_side_with_the_bound_or_without():
    rules = '[[grades]]\ngrade = "good"\nabove = 80\n[[grades]]\ngrade = "fair"\nabove = 60\nat_most = 80\n'
    rules += '[[grades]]\ngrade = "poor"\nbelow = 60\n'

    outcome = outcome_of(HEADER + rules, {"u": [81, 0], "v": [80, 0], "w": [61, 0], "x": [60, 0], "y": [59, 0]})

    assert [one.grade for one in outcome.totals] == ["good", "fair", "fair", None, "poor"]


@pytest.mark.parametrize(
    ("top", "counting", "grades"),
    [
        (40, "down", ["good", "good", None, None, None]),
        (39, "down", ["good", None, None, None, None]),
        (30, "half_up", ["good", "good", None, None, None]),
        (60, "down", ["good", "good", None, None, None]),  # of the two at 70 the group would have four
        (80, "down", ["good", "good", "good", "good", None]),
    ],
)
def test_the_top_share_of_a_group_is_never_exceeded(top, counting, grades):
    rules = f'[[grades]]\ngrade = "good"\ntop = {top}\ncounting = "{counting}"\n'

    outcome = outcome_of(
        HEADER + rules, {name: [value, 0] for name, value in zip("uvwxy", (90, 80, 70, 70, 60), strict=True)}
    )

    assert [one.grade for one in outcome.totals] == grades


@pytest.mark.parametrize(
    ("moves_up", "grades"),
    [
        ("false", ["bad", None, "good", None, None, None]),
        ("true", ["bad", None, "good", "good", None, None]),  # of the two at 60 the group would have four
    ],
)
def test_a_place_of_who_is_barred_may_go_to_the_next(moves_up, grades):
    """By a gate's grade, by a condition or by the bounds; the number of places is of all of them."""
    rules = gate("grade", 'grade = "bad"', when="b > 1")
    rules += f'[[grades]]\ngrade = "good"\nwhen = "b != 1"\ntop = 50\nmoves_up = {moves_up}\n'

    outcome = outcome_of(
        HEADER + rules,
        {
            name: [value, b]
            for name, value, b in zip("uvwxyz", (95, 90, 80, 70, 60, 60), (2, 1, 0, 0, 0, 0), strict=True)
        },
    )

    assert [one.grade for one in outcome.totals] == grades


def test_a_further_share_holds_those_who_are_in_the_first():
    rules = '[[grades]]\ngrade = "best"\ntop = 25\nwhen = "b == 0"\nmoves_up = true\n'
    rules += '[[grades]]\ngrade = "good"\ntop = 75\nmoves_up = true\n'

    outcome = outcome_of(HEADER + rules, {"u": [90, 1], "v": [80, 0], "w": [70, 0], "x": [60, 0]})

    assert [one.grade for one in outcome.totals] == ["good", "best", "good", None]


def test_without_a_total_there_is_no_grade_even_where_a_condition_holds():
    outcome = outcome_of(HEADER + '[[grades]]\ngrade = "seen"\nwhen = "b > 0"\n', {"u": ["", 1], "v": [5, 1]})

    assert [one.grade for one in outcome.totals] == [None, "seen"]


def test_who_does_not_count_or_is_not_ranked_has_no_place_whatever_the_ranking_asks_for():
    members = HEADER.replace("[items.x]", '[groups]\nmembers = "b < 9"\n[items.x]')
    ranked = gate("no_rank", when="b == 0") + '[[rankings]]\nwhere = "a > 1"\n'
    outcome = outcome_of(members + ranked, {"u": [9, 9], "v": [8, 0], "w": [7, 1], "x": [1, 1]})

    assert points_of(outcome, "place") == [None, None, "1", None]


def test_who_is_not_ranked_is_not_in_the_share():
    rules = gate("no_rank") + '[[grades]]\ngrade = "good"\ntop = 50\ncounting = "down"\n'
    outcome = outcome_of(HEADER + rules, {"u": [90, 1], "v": [80, 0], "w": [70, 0], "x": [60, 1]})

    assert [one.grade for one in outcome.totals] == [None, "good", None, None]


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        ("", ["2", "2", "1", None]),
        ('tie_breakers = ["b"]', ["3", "2", "1", None]),
        ('order = "ascending"', ["1", "1", "3", None]),
        ('order = "ascending"\ntie_breakers = ["b"]', ["2", "1", "3", None]),  # the higher first, whatever the order
        ('tie_breakers = ["-b"]', ["2", "3", "1", None]),
        ('where = "b > 0"', [None, "2", "1", None]),
        ('by = "b"', ["4", "3", "2", "1"]),
        ('ties = "dense"', ["2", "2", "1", None]),
        ('ties = "average"', ["2.5", "2.5", "1", None]),
    ],
)
def test_places_go_by_what_the_ranking_says(rule, places):
    outcome = outcome_of(HEADER + f"[[rankings]]\n{rule}\n", {"u": [5, 0], "v": [5, 1], "w": [9, 2], "x": ["", 3]})

    assert points_of(outcome, "place") == places


def test_a_tie_breaker_that_is_missing_comes_last():
    outcome = outcome_of(
        HEADER + '[[rankings]]\ntie_breakers = ["b"]', {"u": [5, ""], "v": [5, -7], "w": [5, 0], "x": [5, ""]}
    )

    assert points_of(outcome, "place") == ["3", "2", "1", "3"]


@pytest.mark.parametrize(
    ("breakers", "places"),
    [('"b > 0", "-b"', ["3", "1", "2"]), ('"-b", "b > 0"', ["1", "2", "3"]), ('"b", "-b"', ["3", "2", "1"])],
)
def test_tie_breakers_decide_one_after_the_other(breakers, places):
    rows = {"u": [5, 0], "v": [5, 1], "w": [5, 2]}

    assert points_of(outcome_of(f"{HEADER}[[rankings]]\ntie_breakers = [{breakers}]", rows), "place") == places


def test_flags_have_the_number_of_their_rule():
    rules = '[[rankings]]\n[[flags]]\nwhen = "b > 0"\nlabel = "b"\n[[flags]]\nwhen = "place == 1"\nlabel = "first"\n'

    assert outcome_of(HEADER + rules, {"u": [5, 1], "v": [4, 0], "w": [3, ""]}).flags == [(1, 2), (), ()]


def year(overall: str, *lines: list[str], rules: str = "") -> list[tuple[str, str | None, int, str | None]]:
    scheme = read_rule_scheme(f'{HEAD}period = "month"\n{GROUPED}{rules}[overall]\n{overall}')
    outcome = evaluate(scheme, lay_out([["unit", "month", "a", "b", "g"], *lines], scheme)[0])
    return [(one.subject, told(one.total), one.periods, told(one.place)) for one in outcome.overall]


MONTHS = [
    ["u", "2", "90", "1", "A"],
    ["u", "10", "80", "3", "B"],
    ["v", "2", "70", "1", "B"],
    ["v", "10", "", "1", "B"],
]


@pytest.mark.parametrize(
    ("overall", "expected"),
    [
        ('combine = "mean"', [("u", "85", 2, "1"), ("v", "70", 1, "2")]),
        ('combine = "mean"\nweight = "b"', [("u", "82.5", 2, "1"), ("v", "70", 1, "2")]),
        ('combine = "sum"', [("u", "170", 2, "1"), ("v", "70", 1, "2")]),
        ('combine = "min"', [("u", "80", 2, "1"), ("v", "70", 1, "2")]),
        ('combine = "max"', [("u", "90", 2, "1"), ("v", "70", 1, "2")]),
        ('combine = "last"', [("u", "80", 2, "1"), ("v", "70", 1, "2")]),  # the tenth month comes after the second
        ("minimum_count = 2", [("u", "85", 2, "1"), ("v", None, 1, None)]),
        ('combine = "mean"\nweight = "b - 1"', [("u", "80", 2, "1"), ("v", None, 1, None)]),
        ('combine = "mean"\nweight = "1 / (b - 1)"', [("u", "80", 2, "1"), ("v", None, 1, None)]),
        ('weight = "b"\nround = "3 - b"', [("u", "83", 2, "1"), ("v", "70", 1, "2")]),  # as the last month says
    ],
)
def test_a_year_is_made_of_its_months(overall, expected):
    assert year(overall, *MONTHS) == expected


@pytest.mark.parametrize("combine", ["mean", "sum", "min", "max", "last"])
def test_of_months_without_a_total_nothing_is_made(combine):
    assert year(f'combine = "{combine}"', ["w", "2", "", "1", "A"]) == [("w", None, 0, None)]


def test_months_follow_one_another_by_their_numbers_in_whatever_order_they_stand():
    assert year('combine = "last"', *MONTHS[::-1]) == [("v", "70", 1, "2"), ("u", "80", 2, "1")]
    assert outcome_of(HEADER, {"u": [5, 0]}).overall == []


QUARTERS = [
    ["u", "1", "90", "1", "A", "一季"], ["u", "2", "91", "2", "A", "一季"], ["u", "3", "91.01", "1", "A", "一季"],
    ["u", "4", "80", "1", "A", "二季"],
    ["v", "1", "70", "1", "A", "一季"], ["v", "2", "", "1", "A", "一季"], ["v", "4", "", "1", "A", "二季"],
]  # fmt: skip


@pytest.mark.parametrize(
    ("overall", "expected"),
    [
        ("round = 2", [("u", "88", 4, "1"), ("v", "70", 1, "2")]),
        ('round = 2\nfirst = { by = ["q"] }', [("u", "85.34", 2, "1"), ("v", "70", 1, "2")]),
        ('round = 2\nfirst = { by = ["q"], round = 1 }', [("u", "85.35", 2, "1"), ("v", "70", 1, "2")]),
        ('first = { by = ["q"], combine = "max" }', [("u", "85.505", 2, "1"), ("v", "70", 1, "2")]),
        ('first = { by = ["q"], weight = "b", round = 1 }', [("u", "85.4", 2, "1"), ("v", "70", 1, "2")]),
        ('first = { by = ["q"], minimum_count = 2, round = 1 }', [("u", "90.7", 1, "1"), ("v", None, 0, None)]),
        ('minimum_count = 2\nfirst = { by = ["q"], round = 1 }', [("u", "85.35", 2, "1"), ("v", None, 1, None)]),
        (
            'combine = "sum"\nfirst = { by = ["q"], round = 0, rounding = "down" }',
            [("u", "170", 2, "1"), ("v", "70", 1, "2")],
        ),
        (
            "weight = \"if(q == '一季', 3, 1)\"\nfirst = { by = ['q'], round = 1 }",
            [("u", "88.025", 2, "1"), ("v", "70", 1, "2")],
        ),
        (  # a quarter weighs what its last month does
            'weight = "if(a > 91, 3, 1)"\nfirst = { by = ["q"], round = 1 }',
            [("u", "88.025", 2, "1"), ("v", "70", 1, "2")],
        ),
        ('combine = "last"\nfirst = { by = ["q"], round = 1 }', [("u", "80", 2, "1"), ("v", "70", 1, "2")]),
    ],
)  # fmt: skip
def test_quarters_are_made_of_months_before_the_year_is_made_of_them(overall, expected):
    """Means of unrounded, of two and of one place differ in the last digit; a quarter without a total is none."""
    quarter = GROUPED.replace("[measures]\n", '[measures]\nq = { column = "q", type = "text" }\n')
    scheme = read_rule_scheme(f'{HEAD}period = "month"\n{quarter}[overall]\n{overall}')
    outcome = evaluate(scheme, lay_out([["unit", "month", "a", "b", "g", "q"], *QUARTERS], scheme)[0])

    assert [(one.subject, told(one.total), one.periods, told(one.place)) for one in outcome.overall] == expected


def test_a_year_is_ranked_in_the_group_of_the_last_month_as_the_first_ranking_says():
    lines = [*MONTHS, ["w", "10", "99", "1", "A"], ["y", "10", "85", "1", "B"]]

    assert [place for *_, place in year('combine = "mean"', *lines)] == ["1", "3", "1", "1"]
    lower, higher = '[[rankings]]\norder = "ascending"\nties = "last"\n', '[[rankings]]\nkey = "other"\n'
    assert [place for *_, place in year('combine = "mean"', *lines, rules=lower + higher)] == ["3", "1", "1", "3"]
    assert [place for *_, place in year('combine = "mean"', *lines, rules=higher + lower)] == ["1", "3", "1", "1"]


@pytest.mark.parametrize(
    ("more", "total", "places"),
    [
        ("", "50.5", 1),
        ('combine = "sum"', "101", 0),
        ('round = "1 / (b - 1)"', "50.5", 1),
        ("round = 0", "51", 0),
        ('round = 0\nrounding = "down"', "50", 0),
        ("round = 3", "50.5", 3),
    ],
)
def test_a_year_is_rounded_as_it_says(more, total, places):
    scheme = read_rule_scheme(f'{HEAD}period = "month"\n{HEADER}[overall]\n{more}')
    lines = [["unit", "month", "a", "b"], ["u", "1", "50", "1"], ["u", "2", "51", "1"]]

    (one,) = evaluate(scheme, lay_out(lines, scheme)[0]).overall

    assert (told(one.total), one.places) == (total, places)


def test_a_year_that_never_ends_is_cut_at_twelve_places():
    scheme = read_rule_scheme(f'{HEAD}period = "month"\n{HEADER}[overall]\n')
    lines = [["unit", "month", "a", "b"], *(["u", str(month), value, "1"] for month, value in enumerate("112", 1))]

    (one,) = evaluate(scheme, lay_out(lines, scheme)[0]).overall

    assert (str(one.total), one.places) == ("1333333333333/1000000000000", 12)
