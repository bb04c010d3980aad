from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessment.domain.measures import MEASURES
from services.assessment.domain.schemes import merge_definition, read_scheme
from services.assessment.scoring.composites import checker, compute_score, half_up
from services.assessment.scoring.numbers import settle

HOME = Path(__file__).parents[3] / "services" / "assessment"
SCHEME_TEXT = (HOME / "schemes" / "basic-1.toml").read_text("utf-8")
INDICATORS_TEXT = (HOME / "indicators.toml").read_text("utf-8")
DEFINITION = merge_definition(SCHEME_TEXT, INDICATORS_TEXT)
SCHEME = read_scheme(DEFINITION)


def measures(**given_measures):
    return dict.fromkeys(MEASURES, 0) | given_measures


def perfect(**more):
    return measures(
        duties_owed=4, duties_met=4, responded=6, resolved=6, closed_on_time=6, ratings=5, satisfied=5, **more
    )


def test_each_indicator_is_worth_its_rate_times_its_weight():
    given_measures = measures(
        duties_owed=8,
        duties_met=6,  # 0.75 of 25 = 18.75
        responded=9,
        response_overdue=1,  # 0.9 of 10 = 9
        resolved=6,
        denied=1,
        open_overdue=1,  # 6/8 of 30 = 22.5
        closed_on_time=6,
        closed_late=1,  # with the open one 6/8 of 15 = 11.25
        ratings=10,
        satisfied=8,  # 0.8 of 20 = 16
    )

    result = compute_score(given_measures, SCHEME)

    assert [part.points for part in result.indicators] == [
        Decimal("18.75"), Decimal("9.00"), Decimal("22.50"), Decimal("11.25"), Decimal("16.00")
    ]  # fmt: skip
    assert result.composite == Decimal("77.50")


def test_the_weights_that_are_present_are_scaled_to_a_hundred():
    result = compute_score(
        measures(responded=7, resolved=5, denied=1, open_overdue=1, closed_on_time=4, closed_late=2), SCHEME
    )

    assert result.present_weight == 55
    assert result.composite == Decimal("72.73")  # (10 + 30 x 5/7 + 15 x 4/7) / 55
    assert sum(part.points for part in result.indicators if part.points is not None) == result.composite


def test_a_perfect_record_is_worth_a_hundred_whatever_is_missing():
    everything = compute_score(perfect(), SCHEME)
    without_ratings = compute_score(perfect() | {"ratings": 0, "satisfied": 0}, SCHEME)

    assert everything.composite == without_ratings.composite == Decimal("100.00")


def test_too_few_cases_are_missing_and_not_zero():
    result = compute_score(perfect() | {"ratings": 4, "satisfied": 0}, SCHEME)

    satisfaction = result.indicators[-1]
    assert (satisfaction.value, satisfaction.points, satisfaction.weight) == (
        Decimal("0.0000"),
        None,
        Decimal("0.0000"),
    )
    assert result.composite == Decimal("100.00")
    assert result.present_weight == 80
    assert compute_score(perfect(), SCHEME).present_weight == 100


def test_too_little_weight_present_gives_no_composite():
    result = compute_score(measures(ratings=50, satisfied=50), SCHEME)

    assert result.composite is None
    assert result.present_weight == 20
    assert result.indicators[-1].value == Decimal("1.0000")


def test_just_the_weight_that_is_needed_is_enough():
    of_forty = compute_score(measures(responded=6, resolved=6), SCHEME)
    of_35 = compute_score(measures(closed_on_time=6, ratings=10, satisfied=8), SCHEME)

    assert (of_forty.present_weight, of_forty.composite) == (Decimal(40), Decimal("100.00"))
    assert (of_35.present_weight, of_35.composite) == (Decimal(35), None)


def test_a_half_of_the_last_place_goes_up_in_the_composite():
    result = compute_score(measures(responded=1, response_overdue=999, resolved=6), SCHEME)

    assert result.composite == Decimal("75.03")  # (10 x 0.001 + 30) / 40 is 75.025 per cent
    assert [part.points for part in result.indicators][1:3] == [Decimal("0.03"), Decimal("75.00")]


def test_of_equal_remainders_the_first_gets_what_is_missing():
    result = compute_score(measures(responded=1, response_overdue=29, resolved=1, denied=89), SCHEME)

    assert result.composite == Decimal("1.67")  # (10 / 30 + 30 / 90) / 40: five sixths of a per cent each
    assert [part.points for part in result.indicators][1:3] == [Decimal("0.84"), Decimal("0.83")]


def test_a_measure_that_is_told_rounded_counts_as_the_fraction_that_it_stands_for():
    result = compute_score(perfect() | {"ratings": 10, "satisfied": Fraction(17, 2)}, SCHEME)

    satisfaction = result.indicators[-1]
    assert (satisfaction.numerator, satisfaction.value, satisfaction.points) == (
        Fraction(17, 2), Decimal("0.8500"), Decimal("17.00"),
    )  # fmt: skip
    assert result.composite == Decimal("97.00")


@pytest.mark.parametrize(
    ("told", "right"),
    [
        ("{6,8,9,10,6,8,6,8,8,10} 77.50 100", True),
        ("{6,8,9,10,6,8,6,8,8,10} 77.51 100", False),
        ("{6,8,9,10,6,8,6,8,8,10} 77.50 80", False),
        ("{6,8,9,10,6,8,6,8,8,10} - 100", False),
        ("{0,0,0,0,0,0,6,6,8,10} - 35", True),
        ("{0,0,0,0,0,0,6,6,8,10} 88.57 35", False),
    ],
)
def test_a_score_that_was_written_is_right_only_if_its_counts_come_to_it(told, right):
    assert checker(SCHEME)(told) is right


def test_no_evidence_at_all_gives_no_composite():
    assert compute_score(measures(), SCHEME).composite is None


@given(st.fixed_dictionaries({name: st.integers(0, 10**9) for name in MEASURES}))
def test_points_add_up_and_stay_in_bounds(numbers):
    numbers["duties_met"] = min(numbers["duties_met"], numbers["duties_owed"])
    numbers["satisfied"] = min(numbers["satisfied"], numbers["ratings"])

    result = compute_score(numbers, SCHEME)

    if result.composite is not None:
        assert 0 <= result.composite <= 100
        assert sum(part.points for part in result.indicators if part.points is not None) == result.composite


@pytest.mark.parametrize(
    ("fraction", "rounded"),
    [((1, 8), "0.13"), ((5, 1000), "0.01"), ((4999, 1000000), "0.00"), ((2, 3), "0.67"), ((1, 1), "1.00")],
)
def test_a_half_goes_up(fraction, rounded):
    assert str(half_up(Fraction(*fraction), 2)) == rounded


def test_remainders_go_to_the_largest_first():
    parts = settle([Fraction(100, 3)] * 3, Fraction(100), 2)

    assert parts == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
