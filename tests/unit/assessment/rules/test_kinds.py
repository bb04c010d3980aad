"""Each kind of rule, by the examples that the page for administrators gives."""

import pytest

from services.assessment.domain.rules.faults import BadTable
from tests.unit.assessment.rules.schemes import outcome_of, points_of

RATE = '[measures]\nrate = "rate"\n[items.x]\n'


def rates(*values: object) -> dict[str, list[object]]:
    return {f"unit {number}": [value] for number, value in enumerate(values)}


def test_proportional_is_the_share_of_the_full_mark_within_its_bounds():
    rule = RATE + 'kind = "proportional"\nvalue = "rate"\nfull = 20'

    assert points_of(outcome_of(rule, rates("98.06", 0, 120))) == ["19.612", "0", "20"]
    assert points_of(outcome_of(rule + "\nwhole = 90", rates(45, 90, 95))) == ["10", "20", "20"]


def test_a_slope_falls_from_the_target_to_the_floor():
    rule = RATE + 'kind = "target_slope"\nvalue = "rate"\ntarget = 98\nfull = 25\nslope = 0.5\nfloor = 12.5\nround = 2'

    assert points_of(outcome_of(rule, rates(99, 98, "87.5", "83.33", 50))) == ["25", "25", "19.75", "17.67", "12.5"]


def test_a_value_has_the_limits_of_its_kind_as_an_item_has():
    rule = (
        '[measures]\nrate = "rate"\n[values.kept]\nkind = "proportional"\nvalue = "rate"\nfull = 20\n'
        '[values.free]\nkind = "proportional"\nvalue = "rate"\nfull = 20\nfloor = "none"\nceiling = "none"\n'
    )
    outcome = outcome_of(rule, rates(-10, 50, 120))

    assert points_of(outcome, "kept") == ["0", "10", "20"]
    assert points_of(outcome, "free") == ["-2", "10", "24"]


def test_a_gain_of_nothing_is_none_and_the_full_mark_stays_the_ceiling():
    rule = RATE + 'kind = "target_slope"\nvalue = "rate"\ntarget = 90\nfull = 10\nslope = -1\ngain = '

    assert points_of(outcome_of(rule + "0", rates(80, 95))) == ["10", "10"]
    assert points_of(outcome_of(rule + '"0"', rates(80, 95))) == ["10", "10"]
    assert points_of(outcome_of(rule + "1", rates(80, 95))) == ["20", "15"]


@pytest.mark.parametrize(("steps", "expected"), [("exact", "8.8"), ("started", "8"), ("whole", "9")])
def test_a_point_that_has_only_begun_counts_as_the_scheme_says(steps, expected):
    rule = RATE + f'kind = "target_slope"\nvalue = "rate"\ntarget = 90\nfull = 10\nslope = 1\nsteps = "{steps}"'

    assert points_of(outcome_of(rule, rates("88.8"))) == [expected]


def test_a_slope_can_reward_what_is_beyond_the_target_and_turn_round():
    gain = RATE + ('kind = "target_slope"\nvalue = "rate"\ntarget = 90\nfull = 10\nslope = 1\ngain = 0.5\nceiling = 12')
    lower = RATE + 'kind = "target_slope"\nvalue = "rate"\ntarget = 2\nfull = 5\nslope = 1\ndirection = "lower"'

    assert points_of(outcome_of(gain, rates(92, 99, 89))) == ["11", "12", "9"]
    assert points_of(outcome_of(lower, rates(1, 2, 4, 9))) == ["5", "5", "3", "0"]


def test_the_first_band_that_fits_counts():
    rule = RATE + (
        'kind = "bands"\nvalue = "rate"\n'
        'bands = [{ at_least = 90, points = 200 }, { above = 60, points = 170 }, { when = "rate == 60", points = 7 }]\n'
        "otherwise = 130"
    )

    assert points_of(outcome_of(rule, rates(90, "89.99", 60, 10))) == ["200", "170", "7", "130"]


def test_between_two_points_the_line_counts():
    rule = RATE + 'kind = "interpolate"\nvalue = "rate"\npoints = [[60, 0], [80, 10], [100, 30]]'

    assert points_of(outcome_of(rule, rates(50, 70, 80, 95, 110))) == ["0", "5", "10", "25", "30"]
    assert points_of(outcome_of(rule + '\noutside = "extend"', rates(50, 110))) == ["-5", "40"]


def test_a_text_is_looked_up_and_several_give_their_mean():
    rule = (
        '[measures]\nvotes = { column = "votes", type = "texts" }\n[items.x]\n'
        'kind = "lookup"\nvalue = "votes"\ntable = { "优秀" = 100, "称职" = 80 }'
    )

    assert points_of(outcome_of(rule, {"a": ["优秀"], "b": ["优秀；称职"]})) == ["100", "90"]
    with pytest.raises(BadTable, match="b: 好 is not among 优秀, 称职"):
        outcome_of(rule, {"b": ["好"]})


@pytest.mark.parametrize(
    ("combine", "expected"),
    [
        ("mean", ["4", "10", None, None]),
        ("sum", ["12", "10", None, None]),
        ("max", ["10", "10", None, None]),
        ("min", ["1", "10", None, None]),
    ],
)
def test_several_texts_add_up_or_the_best_or_least_of_them_counts(combine, expected):
    """Where one has no points, or there is no text, nothing can be told."""
    rule = (
        '[measures]\nb = "b"\nlevels = { column = "levels", type = "texts" }\n[items.x]\nmissing = "skip"\n'
        f'kind = "lookup"\nvalue = "levels"\ncombine = "{combine}"\ntable = {{ "国" = 10, "市" = 1, "未定" = "b" }}'
    )
    rows = {"u": ["", "国；市；市"], "v": ["", "国"], "w": ["", "国；未定"], "x": ["", ""]}

    assert points_of(outcome_of(rule, rows)) == expected


def test_each_of_several_texts_may_have_its_points_in_a_list():
    rule = (
        '[measures]\nb = "b"\nlevels = { column = "levels", type = "texts" }\n'
        'times = { column = "times", type = "list" }\n[values.each]\nkind = "lookup"\nvalue = "levels"\n'
        'combine = "each"\nround = 1\ntable = { "国" = 10.04, "市" = 1, "未定" = "b" }\n'
        '[values]\nx = "sum(each * times)"\n'
    )
    rows = {"u": ["", "国；未定；市", "2;9;3"], "v": ["", "国", "2"], "w": ["", "", "2"]}
    outcome = outcome_of(rule, rows)

    assert outcome.columns["each"] == [(10, None, 1), (10,), None]
    assert points_of(outcome) == ["23", "20", None]
    with pytest.raises(BadTable, match=r"items\.y: u: needs a number and finds a list"):
        outcome_of(rule + '[items.y]\nkind = "formula"\nformula = "each"\n', rows)


def test_a_number_of_a_rule_that_cannot_be_told_makes_the_item_missing():
    head = '[measures]\na = "a"\nb = "b"\nt = { column = "t", type = "text" }\n[items.x]\nmissing = "skip"\n'
    lookup = head + 'kind = "lookup"\nvalue = "t"\ntable = { "p" = 1, "q" = "b" }'
    places = head + 'kind = "rank_points"\nplace = "a"\nplaces = [10, 7]\notherwise = "b"'
    growing = head + 'kind = "deduction"\ncount = "a"\neach = 1\ngrowth = "b"'

    assert points_of(outcome_of(lookup, {"u": [1, "", "q"], "v": [1, "", "p"], "w": [1, 5, "q"]})) == [None, "1", "5"]
    assert points_of(outcome_of(places, {"u": [2, "", "q"], "v": [3, "", "q"], "w": [3, 4, "q"]})) == ["7", None, "4"]
    assert points_of(outcome_of(growing, {"u": [3, "", "q"], "v": [3, 2, "q"]})) == [None, "-7"]


def test_the_best_of_the_group_has_the_full_mark():
    rule = RATE + 'kind = "best_ratio"\nvalue = "rate"\nfull = 600\nround = 2'

    assert points_of(outcome_of(rule, rates(90, 60, 45))) == ["600", "400", "300"]
    assert points_of(outcome_of(rule + '\ndirection = "lower"', rates(2, 4, 8))) == ["600", "300", "150"]
    assert points_of(outcome_of(rule + '\nreference = "mean"', rates(30, 90))) == ["300", "600"]


def test_places_are_worth_points_by_step_or_by_list():
    step = RATE + 'kind = "rank_points"\nvalue = "rate"\nfirst = 200\nstep = 4'
    listed = RATE + 'kind = "rank_points"\nvalue = "rate"\nplaces = [10, 8, 7]\nstep = 1'

    assert points_of(outcome_of(step, rates(50, 70, 60, 60))) == ["188", "200", "196", "196"]
    assert points_of(outcome_of(step + '\nties = "average"', rates(50, 70, 60, 60))) == ["188", "200", "194", "194"]
    assert points_of(outcome_of(listed, rates(5, 4, 3, 2, 1))) == ["10", "8", "7", "6", "5"]
    without_step = listed.replace("\nstep = 1", "")
    assert points_of(outcome_of(without_step, rates(5, 4, 3, 2))) == ["10", "8", "7", "0"]
    assert points_of(outcome_of(without_step + "\notherwise = 4", rates(5, 4, 3, 2))) == ["10", "8", "7", "4"]


def test_places_that_raters_gave_are_each_worth_points():
    rule = (
        '[measures]\nplaces = { column = "places", type = "list" }\n[items.x]\n'
        'kind = "rank_points"\nplace = "places"\nfirst = 200\nstep = "200 * 0.02"'
    )

    assert points_of(outcome_of(rule, {"a": ["1；2；3；2"]})) == ["196"]


def test_the_top_share_of_a_group_is_a_count_that_is_never_exceeded():
    rule = RATE + (
        'kind = "quantile_bands"\nvalue = "rate"\nties = "last"\n'
        "bands = [{ top = 20, points = 10 }, { top = 60, points = 8 }]\notherwise = 6"
    )

    assert points_of(outcome_of(rule, rates(9, 8, 7, 6, 5))) == ["10", "8", "8", "6", "6"]
    assert points_of(outcome_of(rule, rates(9, 9, 7, 6, 5))) == ["8", "8", "8", "6", "6"]


def test_the_top_share_may_be_of_the_least_and_be_named():
    rule = (
        '[measures]\ndays = "days"\n[values.x]\nkind = "quantile_bands"\nvalue = "days"\ndirection = "lower"\n'
        'bands = [{ top = 40, label = "快" }]\notherwise_label = "慢"\n'
    )

    assert points_of(outcome_of(rule, rates(9, 2, 5, 1, 7))) == ["慢", "快", "慢", "快", "慢"]


EVENTS = '[measures]\nevents = { column = "events", type = "list", blank = 0 }\n[items.x]\n'


def test_from_the_third_on_an_event_costs_more():
    rule = (
        EVENTS
        + 'kind = "deduction"\nstart = 5\ncount = "events"\neach = 0.2\ntiers = [{ from = 3, each = 0.5 }]\nfloor = 0'
    )
    counted = rule.replace(', type = "list"', "")

    assert points_of(outcome_of(counted, rates(0, 2, 3, 20))) == ["5", "4.6", "4.1", "0"]
    assert points_of(outcome_of(rule, rates("1;1;1", "1;2;1"))) == ["4.1", "3.9"]
    whole = counted + '\nescalation = "all"'
    assert points_of(outcome_of(whole, rates(2, 3))) == ["4.6", "3.5"]


def test_each_further_event_can_cost_twice_the_one_before():
    rule = (
        EVENTS.replace(', type = "list"', "") + 'kind = "deduction"\nstart = 20\ncount = "events"\neach = 1\ngrowth = 2'
    )

    assert points_of(outcome_of(rule, rates(0, 1, 2, 3, 4))) == ["20", "19", "17", "13", "5"]


def test_free_events_units_of_ten_and_caps():
    plain = EVENTS.replace(', type = "list"', "")
    free = plain + 'kind = "deduction"\ncount = "events"\neach = 1\nfree = 2\nat_most = 3'
    tens = plain + 'kind = "bonus"\ncount = "events"\neach = 0.5\nper = 10\nsteps = "whole"\nat_most = 2'

    assert points_of(outcome_of(free, rates(2, 4, 9))) == ["0", "-2", "-3"]
    assert points_of(outcome_of(tens, rates(9, 25, 400))) == ["0", "1", "2"]


def test_lines_have_caps_conditions_and_multipliers_of_their_own():
    rule = '[measures]\na = "a"\nb = "b"\n[items.x]\nkind = "deduction"\nstart = 10\nlines = [\n' + (
        '{ title = "late", count = "a", each = 1, at_most = 2 },\n'
        '{ title = "exposed", count = "b", each = 1, times = 2, when = "a > 0" },\n]'
    )

    assert points_of(outcome_of(rule, {"u": [5, 1], "v": [0, 3]})) == ["6", "10"]


def test_a_weighted_mean_can_do_with_the_parts_at_hand():
    rule = '[measures]\na = "a"\nb = "b"\n[items.x]\nkind = "weighted_mean"\n' + (
        'parts = { a = 0.4, b = 0.6 }\nmissing = "skip"'
    )
    rows: dict[str, list[object]] = {"u": [80, 90], "v": [80, ""]}

    assert points_of(outcome_of(rule, rows)) == ["86", None]
    assert points_of(outcome_of(rule + '\nmissing_parts = "rescale"', rows)) == ["86", "80"]
    assert points_of(outcome_of(rule + '\nmissing_parts = "zero"', rows)) == ["86", "32"]


def test_postponed_cases_leave_the_denominator():
    rule = (
        '[measures]\nclosed = "closed"\ndue = "due"\npostponed = { column = "postponed", blank = 0 }\n'
        '[items.x]\nkind = "target_slope"\nvalue = "closed / (due - postponed) * 100"\n'
        "target = 70\nfull = 50\nslope = 1\nround = 2"
    )

    assert points_of(outcome_of(rule, {"u": [60, 100, 20], "v": [60, 100, ""]})) == ["50", "40"]


def test_a_count_below_nothing_is_refused_with_its_row():
    rule = EVENTS.replace(', type = "list"', "") + 'kind = "deduction"\ncount = "events"\neach = 1'

    with pytest.raises(BadTable, match="unit 0: a count of events is a number, 0 or more"):
        outcome_of(rule, rates(-1))
