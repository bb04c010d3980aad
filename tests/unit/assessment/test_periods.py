"""Periods by their first day, which is the key that scores and tallies stand under."""

from datetime import date, timedelta

import pytest

from services.assessment.domain.periods import (
    LONGEST_DAYS,
    BadPeriod,
    Period,
    custom_period,
    list_thirds,
    parse_calendar_period,
    parse_period,
    periods_covering,
    periods_ending_with,
    units_within,
)

FIRST_MONTHS = {
    "month": range(1, 13),
    "quarter": (1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10),
    "half_year": (1, 1, 1, 1, 1, 1, 7, 7, 7, 7, 7, 7),
    "year": (1,) * 12,
}


@pytest.mark.parametrize("month", range(1, 13))
def test_the_periods_of_a_day_begin_on_the_first_of_their_first_month(month):
    covering = periods_covering(date(2025, month, 17))

    assert {period.kind: period.start for period in covering} == {
        kind: date(2025, months[month - 1], 1) for kind, months in FIRST_MONTHS.items()
    }
    for period in covering:
        assert parse_period(period.label) == period
        assert period.start <= date(2025, month, 17) <= period.end


@pytest.mark.parametrize(
    ("month", "kinds"),
    [(1, ["month"]), (3, ["month", "quarter"]), (6, ["month", "quarter", "half_year"]), (9, ["month", "quarter"]),
     (12, ["month", "quarter", "half_year", "year"])],
)  # fmt: skip
def test_with_a_month_all_periods_close_whose_last_month_it_is(month, kinds):
    assert [period.kind for period in periods_ending_with(date(2025, month, 1))] == kinds


def test_scores_are_kept_for_periods_of_the_calendar():
    assert parse_calendar_period("2025Q1") == parse_period("2025Q1")
    assert parse_calendar_period("2025-01-01..2025-03-31") == parse_period("2025Q1")
    with pytest.raises(BadPeriod, match="periods of the calendar"):
        parse_calendar_period("2025-01-01..2025-03-30")


def test_a_period_has_at_least_a_day_and_at_most_ten_years():
    day = date(2025, 3, 5)

    assert custom_period(day, day).days == 1
    assert custom_period(day, day + timedelta(days=3_659)).days == LONGEST_DAYS == 3_660
    for last in (day - timedelta(days=1), day + timedelta(days=3_660)):
        with pytest.raises(BadPeriod):
            custom_period(day, last)


def test_what_ends_a_day_early_or_begins_a_day_late_is_no_period_of_the_calendar():
    assert custom_period(date(2025, 1, 1), date(2025, 3, 31)).kind == "quarter"
    assert custom_period(date(2025, 1, 1), date(2025, 3, 30)).kind == "custom"
    assert custom_period(date(2025, 1, 2), date(2025, 3, 31)).kind == "custom"
    assert custom_period(date(2025, 2, 1), date(2025, 4, 30)).kind == "custom"


def test_a_period_contains_itself_and_what_ends_with_it():
    quarter = parse_period("2025Q1")

    assert quarter.contains(quarter)
    assert quarter.contains(parse_period("2025-03"))
    assert not quarter.contains(parse_period("2025-03-31..2025-04-01"))
    assert not quarter.contains(parse_period("2024-12-31..2025-01-01"))
    assert [month.label for month in quarter.months_touched] == ["2025-01", "2025-02", "2025-03"]
    assert Period(kind="custom", start=date(2025, 3, 5)).end == date(2025, 3, 5)


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("2025-02", [(2, 1), (2, 11), (2, 21), (3, 1)]),
        ("2025-03-11..2025-03-21", [(3, 11), (3, 21), (4, 1)]),  # the last one ends later than the period
        ("2025-03-12..2025-04-01", [(3, 21), (4, 1), (4, 11)]),
        ("2025-03-12..2025-03-20", []),
    ],
)
def test_thirds_of_months_belong_where_they_begin(period, days):
    assert list_thirds(parse_period(period)) == [date(2025, *day) for day in days]


def test_units_lie_whole_in_the_period_or_not_in_it():
    assert [unit.label for unit in units_within(parse_period("2025-03-31..2025-06-30"))] == [
        "2025-04",
        "2025-05",
        "2025-06",
        "2025Q2",
    ]
    assert len(units_within(parse_period("2025"))) == 12 + 4 + 2 + 1
