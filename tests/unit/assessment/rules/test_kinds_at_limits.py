"""Each kind of rule at its limits: on the line, beyond it, and where something is missing."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from services.assessment.domain.rules.faults import BadTable
from tests.unit.assessment.rules.schemes import outcome_of, points_of

ABC = '[measures]\na = "a"\nb = "b"\nc = "c"\n'
GROUPED = '[measures]\na = "a"\ng = { column = "g", type = "text" }\n[groups]\nby = ["g"]\n'
FREE = 'floor = "none"\nceiling = "none"'


def points(rule: str, *rows: Sequence[object], head: str = ABC) -> list[str | None]:
    return points_of(outcome_of(f"{head}[items.x]\n{rule}", {f"u{n}": row for n, row in enumerate(rows)}))


def test_a_share_is_missing_where_one_of_its_numbers_is_or_the_whole_is_nothing():
    rule = 'kind = "proportional"\nvalue = "a"\nwhole = "b"\nfull = "c"'

    assert points(rule, [5, 10, 20], ["", 10, 20], [5, "", 20], [5, 10, ""], [5, 0, 20]) == ["10", *[None] * 4]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("exact", ["10", "9.5", "10.25", "8", "11", "10.75"]),
        ("started", ["10", "9", "10", "8", "11", "10.5"]),  # a gain that has only begun is not given
        ("whole", ["10", "10", "10", "8", "11", "10.5"]),
    ],
)
def test_on_the_target_there_is_the_full_mark_and_steps_count_on_both_sides(steps, expected):
    rule = (
        f'kind = "target_slope"\nvalue = "a"\ntarget = 90\nfull = 10\nslope = 1\ngain = 0.5\nsteps = "{steps}"\n{FREE}'
    )

    rows = [[value, 0, 0] for value in (90, "89.5", "90.5", 88, 92, "91.5")]
    assert points(rule, *rows) == expected


def test_a_slope_is_missing_where_one_of_its_numbers_is_and_falls_by_units():
    rule = f'kind = "target_slope"\nvalue = "a"\ntarget = "b"\nfull = 10\nslope = 1\nper = "c"\n{FREE}'

    assert points(rule, [80, 90, 5], ["", 90, 5], [80, "", 5], [80, 90, ""], [0, 0, 5]) == ["8", None, None, None, "10"]
    for per in (0, -1):  # in the same column
        with pytest.raises(BadTable, match="per: must be above 0"):
            points(rule, [80, 90, per])


def test_it_is_told_by_how_many_units_the_target_was_missed_or_passed():
    rule = f'kind = "target_slope"\nvalue = "a"\ntarget = 90\nfull = 10\nslope = 1\n{FREE}'
    rows: dict[str, list[object]] = {"u": [88, 0, 0], "v": ["", 0, 0], "w": ["90.5", 0, 0], "x": [90, 0, 0]}

    outcome = outcome_of(f"{ABC}[items.x]\n{rule}", rows)

    assert outcome.facts["x"]["units"] == [-2, None, Fraction(1, 2), 0]


def test_a_band_has_its_bounds_or_not():
    rule = (
        'kind = "bands"\nvalue = "a"\n'
        "bands = [{ at_least = 90, at_most = 95, points = 3 }, { above = 80, below = 90, points = 2 },"
        ' { at_least = "b", points = 1 }]\notherwise = 0'
    )

    rows = [[value, 70, 0] for value in (90, 95, 96, "89.9", 80, 70, 69)]
    assert points(rule, *rows) == ["3", "3", "1", "2", "1", "1", "0"]
    assert points(rule, ["", 70, 0], [75, "", 0]) == [
        None,
        "0",
    ]  # an unknown value is missing, an unknown bound not met


def test_a_band_with_bounds_and_a_condition_needs_both():
    rule = 'kind = "bands"\nvalue = "a"\nbands = [{ at_least = 5, when = "b > 0", points = 1 }]\notherwise = 0'

    assert points(rule, [5, 1, 0], [4, 1, 0], [5, 0, 0]) == ["1", "0", "0"]


def test_bands_may_go_by_a_condition_alone():
    rule = 'kind = "bands"\nbands = [{ when = "a > b", points = "c" }]\notherwise = "a"'

    assert points(rule, [2, 1, 9], [1, 2, 9], ["", 2, 9]) == ["9", "1", None]


@pytest.mark.parametrize(
    ("outside", "expected"),
    [("hold", ["0", "0", "5", "10", "20", "30", "30"]), ("extend", ["-5", "0", "5", "10", "20", "30", "40"])],
)
def test_a_line_runs_through_its_points(outside, expected):
    rule = f'kind = "interpolate"\nvalue = "a"\npoints = [[60, 0], [80, 10], [100, 30]]\noutside = "{outside}"\n{FREE}'

    assert points(rule, *([value, 0, 0] for value in (50, 60, 70, 80, 90, 100, 110))) == expected
    assert points(rule, ["", 0, 0]) == [None]


def test_what_is_looked_up_may_be_a_number_and_may_have_a_rest():
    rule = 'kind = "lookup"\nvalue = "a"\ntable = { "1" = 10, "2.5" = "b" }'

    assert points(rule, [1, 7, 0], ["2.5", 7, 0], ["", 7, 0]) == ["10", "7", None]
    assert points(rule + "\notherwise = 3", [4, 7, 0]) == ["3"]
    with pytest.raises(BadTable, match=r"4 is not among 1, 2\.5"):
        points(rule, [4, 7, 0])


@pytest.mark.parametrize(
    ("rule", "rows", "expected"),
    [
        ("", [40, 20, ""], ["100", "50", None]),
        ("", [0, 0], [None, None]),
        ('without_reference = "full"', [0, 0], ["100", "100"]),
        ('without_reference = "zero"', [0, 0], ["0", "0"]),
        ('direction = "lower"', [2, 4, ""], ["100", "50", None]),
        ('direction = "lower"\nwithout_reference = "full"', [0, 4], ["100", "0"]),
        ('reference = "median"', [10, 20, 90], ["50", "100", "100"]),
        ('reference = "sum"', [10, 30], ["25", "75"]),
        (f'reference = "mean"\n{FREE}', [10, 30], ["50", "150"]),
        (f'without_reference = "zero"\n{FREE}', [0, 0], ["0", "0"]),
        (FREE, [0, 40], ["0", "100"]),
    ],
)
def test_against_the_best_the_middle_or_the_sum_of_the_group(rule, rows, expected):
    rule = f'kind = "best_ratio"\nvalue = "a"\nfull = 100\n{rule}'

    assert points(rule, *([value, 0, 0] for value in rows)) == expected


def test_several_texts_are_all_to_be_known():
    rule = 'kind = "lookup"\nvalue = "t"\ntable = { "good" = 10, "poor" = 0 }'

    with pytest.raises(BadTable, match="good, fair is not among"):
        points(rule, ["good;fair"], head='[measures]\nt = { column = "t", type = "texts" }\n')


def test_where_nobody_counts_there_is_no_best_and_without_a_full_mark_nothing_to_share():
    members = '[measures]\na = "a"\nf = "f"\n[groups]\nmembers = "a > 50"\n'
    rule = 'kind = "best_ratio"\nvalue = "a"\nfull = "f"'

    assert points(rule, [10, 100], [20, 100], head=members) == [None, None]
    assert points(rule, [60, ""], [60, 100], head=members) == [None, "100"]


def test_a_group_is_compared_within_itself_or_with_all():
    rule = 'kind = "best_ratio"\nvalue = "a"\nfull = 100'
    rows = [[10, "A"], [5, "A"], [4, "B"]]

    assert points(rule, *rows, head=GROUPED) == ["100", "50", "100"]
    assert points(rule + "\nwithin = []", *rows, head=GROUPED) == ["100", "50", "40"]


@pytest.mark.parametrize(
    ("rule", "rows", "expected"),
    [
        ("first = 10\nstep = 2", [9, 7, "", 7], ["10", "8", None, "8"]),
        ('direction = "lower"\nfirst = 10\nstep = 2', [9, 7, 8], ["6", "10", "8"]),
        ('ties = "average"\nplaces = [10, 6, 1]', [9, 9, 5], ["8", "8", "1"]),  # between the first and the second
        ('ties = "average"\nplaces = [10, 6]\nstep = 1', [9, 5, 5], ["10", "5.5", "5.5"]),
        ("places = [10, 6]\nstep = 1", [9, 8, 7, 6], ["10", "6", "5", "4"]),
        ("places = [10, 6]\nstep = 2", [9, 8, 7, 6], ["10", "6", "4", "2"]),
        ("places = [10, 6]\notherwise = 2", [9, 8, 7, 6], ["10", "6", "2", "2"]),
    ],
)
def test_places_are_worth_points(rule, rows, expected):
    assert points(f'kind = "rank_points"\nvalue = "a"\n{rule}', *([value, 0, 0] for value in rows)) == expected


def test_a_place_that_is_given_is_one_or_more():
    rule = 'kind = "rank_points"\nplace = "a"\nfirst = "b"\nstep = "c"'

    assert points(rule, [1, 10, 2], [3, 10, 2], ["", 10, 2], [1, "", 2], [1, 10, ""]) == ["10", "6", None, None, None]
    with pytest.raises(BadTable, match="a place is 1 or more"):
        points(rule, [0, 10, 2])


@pytest.mark.parametrize(
    ("counting", "expected"),
    [
        ("half_up", ["10", "10", "8", "8", "0"]),
        ("down", ["10", "8", "8", "0", "0"]),
        ("up", ["10", "10", "8", "8", "0"]),
        ("exact", ["10", "8", "8", "0", "0"]),
    ],
)
def test_a_share_of_the_group_is_counted_as_the_scheme_says(counting, expected):
    """Thirty per cent of five are one and a half, and seventy three and a half."""
    rule = f'kind = "quantile_bands"\nvalue = "a"\ncounting = "{counting}"\n' + (
        "bands = [{ top = 30, points = 10 }, { top = 70, points = 8 }]\notherwise = 0"
    )

    assert points(rule, *([value, 0, 0] for value in (9, 8, 7, 6, 5))) == expected
    assert points(rule, *([value, 0, 0] for value in (9, 8, "", 7, 6, 5)))[2] is None


def test_a_share_of_nothing_or_that_cannot_be_told_is_nobodys():
    rule = 'kind = "quantile_bands"\nvalue = "a"\ncounting = "up"\nbands = [{ top = "b", points = 1 }]\notherwise = 0'

    assert points(rule, [9, 0, 0], [8, "", 0], [7, 100, 0]) == ["0", "0", "1"]


@pytest.mark.parametrize("counting", ["up", "down", "exact"])
def test_of_a_hundred_a_fifth_are_twenty(counting):
    rule = f'kind = "quantile_bands"\nvalue = "a"\ncounting = "{counting}"\n'
    rule += "bands = [{ top = 20, points = 1 }]\notherwise = 0"

    assert points(rule, *([value, 0, 0] for value in range(100))).count("1") == 20


@pytest.mark.parametrize(("counting", "expected"), [("exact", ["1", "1", "0", "0", "0"]), ("down", ["0"] * 5)])
def test_a_shared_place_between_two_may_be_within_the_exact_share(counting, expected):
    rule = f'kind = "quantile_bands"\nvalue = "a"\nties = "average"\ncounting = "{counting}"\n'
    rule += "bands = [{ top = 30, points = 1 }]\notherwise = 0"

    assert points(rule, *([value, 0, 0] for value in (9, 9, 3, 2, 1))) == expected


@pytest.mark.parametrize(
    ("rule", "rows", "expected"),
    [
        ("", [[80, 90, ""]], ["86"]),
        ("", [[80, "", ""], ["", "", ""]], [None, None]),
        ('missing_parts = "rescale"', [["", 90, ""], ["", "", ""]], ["90", None]),
        ('missing_parts = "zero"', [["", 90, ""], ["", "", ""]], ["54", None]),
    ],
)
def test_a_weighted_mean_of_what_is_at_hand(rule, rows, expected):
    assert points(f'kind = "weighted_mean"\nparts = {{ a = 0.4, b = 0.6 }}\n{rule}', *rows) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", ["86", None, "90"]),
        ('missing_parts = "rescale"', ["86", "90", "90"]),
        ('missing_parts = "zero"', ["86", "90", "90"]),
    ],
)
def test_a_part_without_a_weight_is_missing_and_one_of_no_weight_has_no_say(rule, expected):
    rule = f'kind = "weighted_mean"\nparts = {{ a = "c", b = 0.6 }}\n{rule}'

    assert points(rule, [80, 90, "0.4"], [80, 90, ""], [80, 90, 0]) == expected


def test_where_no_part_weighs_there_is_no_mean():
    rule = 'kind = "weighted_mean"\nparts = { a = "c", b = "c" }'

    assert points(rule, [80, 90, 0]) == [None]


COUNTED = '[measures]\nn = { column = "n", blank = 0 }\nf = { column = "f", blank = 0 }\n'
LISTED = '[measures]\nn = { column = "n", type = "list", blank = 0 }\nf = { column = "f", blank = 0 }\n'


def charge(rule: str, *rows: Sequence[object], head: str = COUNTED) -> list[str | None]:
    return points(f'kind = "deduction"\nstart = 100\ncount = "n"\neach = 1\n{FREE}\n{rule}', *rows, head=head)


@pytest.mark.parametrize(
    ("rule", "rows", "expected"),
    [
        ('free = "f"', [[2, 2], [3, 2], ["2.5", 2]], ["100", "99", "99.5"]),
        ("tiers = [{ from = 3, each = 2 }, { from = 5, each = 10 }]", [[2, 0], [3, 0], [4, 0], [5, 0], [6, 0]],
         ["98", "96", "94", "84", "74"]),
        ("tiers = [{ from = 3, each = 2 }]", [["2.5", 0]], ["97"]),  # a part of an event at the price of its stretch
        ("tiers = [{ from = 3, each = 0 }]", [[4, 0]], ["98"]),
        ('tiers = [{ from = 3, each = 2 }]\nfree = "f"', [[4, 1], [4, 3]], ["95", "98"]),
        ('tiers = [{ from = 3, each = 2 }]\nescalation = "all"\nfree = "f"', [[2, 0], [3, 0], [4, 1]],
         ["98", "94", "94"]),
        ('escalation = "all"\nfree = "f"', [[1, 3], [3, -2]], ["100", "97"]),  # fewer than none are never free
        ('free = "f"', [[3, -2]], ["97"]),
        ('growth = 2\nfree = "f"', [[3, -2], ["0.5", "0.5"]], ["93", "100"]),
        ("growth = 1", [[1_000, 0]], ["-900"]),
        ("growth = 2", [[0, 0], [1, 0], [3, 0]], ["100", "99", "93"]),
        ('growth = 2\nfree = "f"', [[3, 1], [3, 3]], ["97", "100"]),
        ('growth = "f"', [[3, 3]], ["87"]),
        ("per = 2", [[3, 0]], ["98.5"]),
        ('per = 2\nsteps = "started"', [[3, 0], [4, 0]], ["98", "98"]),
        ('per = 2\nsteps = "whole"', [[3, 0]], ["99"]),
        ("times = 3", [[2, 0]], ["94"]),
        ("at_most = 2", [[2, 0], [3, 0]], ["98", "98"]),
    ],
)  # fmt: skip
def test_events_are_charged_by_their_number(rule, rows, expected):
    assert charge(rule, *rows) == expected


@pytest.mark.parametrize(
    ("rule", "row", "expected"),
    [
        ("", ["1;2;0.5", 0], "96.5"),
        ("", ["0;0", 0], "100"),
        ("tiers = [{ from = 3, each = 9 }]", ["1;0;1", 0], "98"),  # one that weighs nothing is none
        ('free = "f"', ["3;1;2", 1], "97"),  # the first one is free, whatever its weight
        ("tiers = [{ from = 3, each = 2 }]", ["1;1;3", 0], "92"),
        ('tiers = [{ from = 3, each = 2 }]\nescalation = "all"', ["1;1;3", 0], "90"),
        ("growth = 2", ["1;1;3", 0], "85"),
        ('growth = 2\nfree = "f"', ["1;1;3", 1], "93"),
        ('growth = 2\nfree = "f"', ["1;1;3", "0.5"], "85"),  # a part of one makes none free
        ('growth = 2\nfree = "f"', ["1;1;3", "1.5"], "93"),
        ('growth = 2\nfree = "f"', ["1;1;3", -1], "85"),
        ("tiers = [{ from = 3, each = 9 }]", ["1;;1", 0], "98"),
        ('growth = 2\nescalation = "all"', ["1;1;3", 0], "85"),
    ],
)  # fmt: skip
def test_events_in_a_list_are_charged_one_after_another_by_their_weight(rule, row, expected):
    assert charge(rule, row, head=LISTED) == [expected]


@pytest.mark.parametrize(
    ("rule", "row", "complaint"),
    [
        ("", [-1, 0], "0 or more"),
        ('per = "f"', [1, 0], "per must be above 0"),
        ("growth = 2", ["1.5", 0], "events that grow dearer are whole"),
        ('growth = 2\nfree = "f"', [2, "0.5"], "events that grow dearer are whole"),
        ("growth = 2", [1_001, 0], "at most 1000"),
    ],
)
def test_what_is_no_number_of_events_is_refused(rule, row, complaint):
    with pytest.raises(BadTable, match=complaint):
        charge(rule, row)


def test_events_are_counted_by_numbers_and_not_by_texts():
    rule = 'kind = "deduction"\ncount = "t"\neach = 1'

    with pytest.raises(BadTable, match="events are counted by numbers"):
        points(rule, ["1;two"], head='[measures]\nt = { column = "t", type = "texts" }\n')
    with pytest.raises(BadTable, match="events are counted by numbers"):
        points(rule.replace('"t"', '"list(1, t)"'), ["two"], head='[measures]\nt = { column = "t", type = "text" }\n')
    with pytest.raises(BadTable, match="a count of events is a number"):
        points(rule, ["two"], head='[measures]\nt = { column = "t", type = "text" }\n')


def test_no_event_of_a_list_counts_less_than_nothing():
    head = '[measures]\nt = { column = "t", type = "list" }\n'
    for kind in ("deduction", "bonus"):
        rule = f'kind = "{kind}"\ncount = "t"\neach = 1'

        assert points(rule, ["1;0;2"], head=head) == ["-3" if kind == "deduction" else "3"]
        with pytest.raises(BadTable, match="t: u0: an event counts 0 times or more") as refused:
            points(rule, ["1;-0.5;2"], head=head)
        assert refused.value.detail_zh == "t：u0：每件的倍数应为0或以上"


def test_so_many_events_in_one_cell_are_refused():
    assert charge("", [";".join(["1"] * 1_000), 0], head=LISTED) == ["-900"]
    with pytest.raises(BadTable, match="more than 1000 events"):
        points('kind = "deduction"\ncount = "list(n, 1)"\neach = 1', [";".join(["1"] * 1_000), 0], head=LISTED)


def test_what_is_too_long_to_be_written_is_refused_unless_it_is_capped():
    """A thousand events, each eleven times as dear as the one before, cost a number of 1041 digits."""
    lines = 'kind = "deduction"\nlines = [{{ count = "a", each = 1, growth = 11{} }}]'
    steps = '[values.v{}]\nkind = "proportional"\nvalue = "{}"\nfull = 1e15\nwhole = 1e-12\nceiling = "none"\n'
    chain = "".join(steps.format(at, f"v{at - 1}" if at else "a") for at in range(38))  # 27 digits more each

    assert points(lines.format(", at_most = 5"), [1_000, 0, 0]) == ["-5"]
    with pytest.raises(BadTable, match="a: a result is too large"):
        points(lines.format(""), [1_000, 0, 0])
    assert points(
        'kind = "formula"\nformula = "v36 > 1"', [10, 0, 0], head=ABC + chain.partition("[values.v37]")[0]
    ) == ["1"]
    with pytest.raises(BadTable, match="v37: a result is too large"):
        points('kind = "formula"\nformula = "v37 > 1"', [10, 0, 0], head=ABC + chain)


def test_a_price_that_is_missing_leaves_the_points_missing_unless_the_line_does_not_hold():
    rule = (
        f'kind = "deduction"\nstart = "c"\nlines = [{{ title = "t", count = "a", each = "b", when = "a > 0" }}]\n{FREE}'
    )

    assert points(rule, [1, 2, 10], [1, "", 10], [0, "", 10], [1, 2, ""]) == ["8", None, "10", None]


def test_one_line_that_cannot_be_told_leaves_the_points_missing():
    lines = '[{ count = "a", each = "c", title = "a" }, { count = "b", each = 2, title = "b" }]'

    assert points(f'kind = "deduction"\nstart = 10\nlines = {lines}', [1, 2, ""], [1, 2, 1]) == [None, "5"]


def test_lines_have_a_limit_together():
    lines = '[{ count = "a", each = 1, title = "a" }, { count = "b", each = 2, title = "b" }]'
    rule = f'kind = "bonus"\nat_most = 5\nlines = {lines}'

    assert points(rule, [1, 2, 0], [1, 3, 0], [2, 1, 0]) == ["5", "5", "4"]
