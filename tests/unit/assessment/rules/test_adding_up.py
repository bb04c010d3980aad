"""From points to a total: weights, what is made up for, base and scale, limits, and places."""

from fractions import Fraction

import pytest

from services.assessment.domain.rules.faults import BadTable
from tests.unit.assessment.rules.schemes import outcome_of, told, totals_of

AB = '[measures]\na = "a"\nb = "b"\n'


def item(key: str, value: str, rest: str = "") -> str:
    return f'[items.{key}]\nkind = "formula"\nformula = "{value}"\n{rest}\n'


def rescaled(key: str, value: str, full: int, rest: str = "") -> str:
    return item(key, value, f'full = {full}\nmissing = "rescale"\n{rest}')


def parts_of(outcome, at: int = 0) -> list[tuple[str, str, str | None]]:
    one = outcome.totals[at]
    if one.total is not None:
        assert sum(part.amount for part in one.contributions) == one.total
    return [(part.part, part.key, told(part.amount)) for part in one.contributions]


@pytest.mark.parametrize(
    ("section", "rows", "expected"),
    [
        ("weight = 0.5", [30, 20], "35"),
        ("weight = 0.5", ["", 20], "35"),  # 20 of 40, as of the 30 + 40 that there are
        ("weight = 0.5", [30, ""], "35"),  # 15 of 30, as of 70
        ("weight = 0.5\nfull = 100", ["", 20], "45"),  # the section stands for 50
        ("weight = 0.5\nfull = 100", [30, ""], "27"),  # 15 of 50, as of 90
        ("", ["", 20], "50"),
        ("", ["", ""], None),
    ],
)
def test_the_full_mark_of_a_section_stands_in_for_what_is_missing(section, rows, expected):
    scheme = AB + rescaled("x", "a", 60, 'section = "s"') + rescaled("y", "b", 40) + f"[sections.s]\n{section}\n"

    assert totals_of(outcome_of(scheme, {"u": rows})) == [expected]


def test_within_a_section_the_rest_makes_up_for_what_is_missing():
    scheme = (
        AB
        + rescaled("x", "a", 60, 'section = "s"\nweight = 2')
        + rescaled("y", "b", 30, 'section = "s"')
        + item("z", "5")
        + "[sections.s]\nweight = 0.1\n"
    )

    outcome = outcome_of(scheme, {"u": ["", 10], "v": [30, ""]})

    assert parts_of(outcome) == [("item", "z", "5"), ("item", "y", "5")]  # 10 of 30, as of 150, of which a tenth
    assert parts_of(outcome, 1) == [("item", "z", "5"), ("item", "x", "7.5")]  # 60 of 120, as of 150


def test_what_has_no_full_mark_is_not_scaled():
    scheme = AB + rescaled("x", "a", 60) + rescaled("y", "b", 40) + item("z", "7") + "[total]\nceiling = 200"

    assert parts_of(outcome_of(scheme, {"u": ["", 20]})) == [("item", "y", "50"), ("item", "z", "7")]


def test_a_section_without_full_marks_is_not_scaled():
    scheme = AB + rescaled("x", "a", 60) + rescaled("y", "b", 40) + item("z", "7", 'section = "s"') + "[sections.s]\n"

    assert parts_of(outcome_of(scheme, {"u": ["", 20]})) == [("item", "y", "50"), ("item", "z", "7")]


def test_what_weighs_nothing_adds_nothing():
    assert totals_of(outcome_of(AB + item("x", "a", "weight = 0") + item("y", "b"), {"u": [50, 7]})) == ["7"]


def test_where_everything_is_skipped_the_total_is_nothing():
    outcome = outcome_of(AB + item("x", "a", 'missing = "skip"'), {"u": ["", 0]})

    assert (totals_of(outcome), outcome.totals[0].places) == (["0"], 0)


def test_skipped_is_not_made_up_for():
    scheme = AB + item("x", "a", 'full = 60\nmissing = "skip"') + rescaled("y", "b", 40)

    assert parts_of(outcome_of(scheme, {"u": ["", 20]})) == [("item", "y", "20")]


@pytest.mark.parametrize("section", ["", 'section = "s"'])
def test_without_an_item_that_is_needed_there_is_no_total_and_it_is_said_which(section):
    scheme = AB + item("x", "a", section) + item("y", "b", section) + ("[sections.s]\n" if section else "")
    outcome = outcome_of(scheme, {"u": ["", ""], "v": [1, ""], "w": [1, 2]})

    assert totals_of(outcome) == [None, None, "3"]
    assert [one.because for one in outcome.totals] == ["x", "y", None]
    assert [one.places for one in outcome.totals] == [0, 0, 0]


def test_what_was_needed_is_said_of_the_first_one_over_sections_too():
    scheme = AB + item("x", "a", 'section = "s"') + item("y", "b") + "[sections.s]\n"

    assert outcome_of(scheme, {"u": ["", ""]}).totals[0].because == "y"
    assert outcome_of(scheme, {"u": ["", 1]}).totals[0].because == "x"


@pytest.mark.parametrize(
    ("needed", "expected"),
    [("60", "50"), ("60.01", None), ("a", "50")],  # what cannot be told is not asked for
)
def test_so_much_of_the_full_marks_must_be_at_hand(needed, expected):
    """Sixty of a hundred are."""
    scheme = (
        AB + rescaled("x", "a", 20, "weight = 2") + rescaled("y", "b", 60) + f'[total]\nminimum_present = "{needed}"'
    )

    outcome = outcome_of(scheme, {"u": ["", 30]})

    assert totals_of(outcome) == [expected]
    assert outcome.totals[0].because == (None if expected else "present")


def test_base_and_scale_hold_for_the_whole_sum():
    scheme = AB + item("x", "a") + '[total]\nbase = 100\nscale = "100 / 150"'
    plain = AB + item("x", "a") + "[total]\nbase = 60"

    assert totals_of(outcome_of(scheme, {"u": [50, 0], "v": [20, 0]})) == ["100", "80"]
    assert [part.amount for part in outcome_of(scheme, {"u": [50, 0]}).totals[0].contributions] == [
        Fraction("66.666666666667"),
        Fraction("33.333333333333"),
    ]
    assert parts_of(outcome_of(plain, {"u": [5, 0]})) == [("base", "total", "60"), ("item", "x", "5")]
    assert parts_of(outcome_of(AB + item("x", "a"), {"u": [5, 0]})) == [("item", "x", "5")]


@pytest.mark.parametrize("what", ["base", "scale"])
def test_without_base_or_scale_there_is_no_total(what):
    outcome = outcome_of(AB + item("x", "a") + f'[total]\n{what} = "1 / b"', {"u": [5, 0], "v": [5, 1]})

    assert [one.because for one in outcome.totals] == ["total", None]
    assert outcome.totals[0].contributions == ()


@pytest.mark.parametrize("place", ["item", "section"])
def test_a_weight_that_cannot_be_told_is_a_fault_of_the_table(place):
    weight = 'weight = "1 / b"'
    scheme = (
        AB + item("x", "a", weight)
        if place == "item"
        else AB + item("x", "a", 'section = "s"') + f"[sections.s]\n{weight}\n"
    )

    with pytest.raises(BadTable, match=r"(items\.x|sections\.s)\.weight"):
        outcome_of(scheme, {"u": [5, 0]})


def test_limits_are_parts_of_their_own_where_they_hold():
    scheme = AB + item("x", "a") + item("y", "b") + "[total]\nfloor = 10\nceiling = 100"
    outcome = outcome_of(scheme, {"u": [90, 20], "v": [3, 4], "w": [60, 40], "x": [4, 6]})

    assert [parts_of(outcome, at)[2:] for at in range(4)] == [
        [("limit", "total", "-10")],
        [("limit", "total", "3")],
        [],
        [],
    ]


def test_a_section_is_rounded_with_its_parts():
    scheme = (
        AB
        + item("x", "a", 'section = "s"')
        + item("y", "b", 'section = "s"')
        + "[sections.s]\nround = 0\nceiling = 9\n"
    )
    outcome = outcome_of(scheme, {"u": ["1.4", "1.3"], "v": ["5.6", "4.6"]})

    assert parts_of(outcome) == [("item", "x", "2"), ("item", "y", "1")]
    assert totals_of(outcome) == ["3", "9"]
    assert parts_of(outcome, 1) == [("item", "x", "6"), ("item", "y", "4"), ("limit", "s", "-1")]


@pytest.mark.parametrize(
    ("rule", "row", "total", "places"),
    [
        ("", ["1.5", "2.25"], "3.75", 2),
        ("", ["1", "2"], "3", 0),
        ("[total]\nround = 0", ["1.5", "1.25"], "3", 0),
        ("[total]\nround = 12", ["1.5", "1.25"], "2.75", 12),
        ('[total]\nround = "b"', ["1.5", "1"], "2.5", 1),
    ],
)
def test_a_total_has_the_places_that_are_stated_or_those_that_it_takes(rule, row, total, places):
    outcome = outcome_of(AB + item("x", "a") + item("y", "b") + rule, {"u": row})

    assert (totals_of(outcome), outcome.totals[0].places) == ([total], places)


def test_a_total_that_never_ends_is_cut_at_twelve_places_with_its_parts():
    outcome = outcome_of(AB + item("x", "a / 3") + item("y", "b / 3") + item("z", "1"), {"u": [1, 1]})

    one = outcome.totals[0]
    assert (one.total, one.places) == (Fraction("1.666666666667"), 12)
    assert [part.amount for part in one.contributions] == [
        Fraction("0.333333333334"),
        Fraction("0.333333333333"),
        Fraction(1),
    ]


@pytest.mark.parametrize("places", ["13", "1.5", "-1"])
def test_places_are_whole_and_at_most_twelve(places):
    with pytest.raises(BadTable, match="0 to 12 places"):
        outcome_of(AB + item("x", "a") + '[total]\nround = "b"', {"u": ["1.5", places]})


@pytest.mark.parametrize("places", ["0", "12"])
def test_a_total_has_as_few_or_as_many_places_as_is_stated(places):
    outcome = outcome_of(AB + item("x", "a") + '[total]\nround = "b"', {"u": ["2", places]})

    assert (outcome.totals[0].total, outcome.totals[0].places) == (Fraction(2), int(places))
