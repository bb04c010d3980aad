from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.assessment.domain.duties import DutyTally, DutyUnit, owed_so_far, tally_duties
from services.assessment.domain.measures import NOBODY, IssueFact, measure_issue
from services.assessment.domain.organisations import DEEPEST, depth_of, line_of
from services.assessment.domain.periods import BadPeriod, Period, parse_period, periods_covering

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
ONE = UUID(int=1)


ISSUE = IssueFact(
    issue_id=ONE,
    organisation_id=NOBODY,
    cadre_id=NOBODY,
    category="roads",
    received_at=NOON,
    respond_by=None,
    due_at=None,
    responded_at=None,
    closed_at=None,
    outcome=None,
    denied=False,
)
UNIT = DutyUnit(
    organisation_id=ONE,
    cadre_id=ONE,
    post_id=ONE,
    duty_id=ONE,
    contact_kind="visit",
    required_count=4,
    unit="count",
    per="month",
    unit_start=date(2025, 3, 1),
    held_froms=[date(2025, 3, 1)],
    held_untils=[date(2025, 3, 31)],
    done=0,
)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2025", date(2025, 1, 1), date(2025, 12, 31)),
        ("2025Q1", date(2025, 1, 1), date(2025, 3, 31)),
        ("2025Q4", date(2025, 10, 1), date(2025, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025H2", date(2025, 7, 1), date(2025, 12, 31)),
        ("2025-03-05..2025-04-20", date(2025, 3, 5), date(2025, 4, 20)),
        ("2199-12", date(2199, 12, 1), date(2199, 12, 31)),
    ],
)
def test_a_written_period_is_read_and_written_back(text, start, end):
    period = parse_period(text)

    assert (period.start, period.end, period.label) == (start, end, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "25",
        "2025Q5",
        "2025Q0",
        "2025-00",
        "2025-13",
        "2025-3",
        "2025q1",
        "2025\n",
        "٢٠٢٥",
        "0000",
        "9999",
        "2025-03-01",
    ],
)
def test_anything_else_is_no_period(text):
    with pytest.raises(BadPeriod):
        parse_period(text)


def test_a_day_lies_in_a_month_a_quarter_a_half_year_and_a_year():
    covering = ["2025-08", "2025Q3", "2025H2", "2025"]
    assert [period.label for period in periods_covering(date(2025, 8, 31))] == covering


@pytest.mark.parametrize(
    "text", ["2025-02-29..2025-03-01", "2025-03-02..2025-03-01", "2025-01-01..", "2020-01-01..2030-06-01"]
)
def test_days_that_are_none_or_too_many_are_no_period(text):
    with pytest.raises(BadPeriod):
        parse_period(text)


def test_days_that_make_up_a_period_of_the_calendar_are_that_period():
    assert parse_period("2025-01-01..2025-06-30") == parse_period("2025H1")
    assert parse_period("2025-03-01..2025-03-31").label == "2025-03"
    assert parse_period("2024-11-01..2025-10-31").label == "2024-11-01..2025-10-31"


def test_a_period_knows_the_months_that_lie_in_it_whole():
    period = parse_period("2025-03-05..2025-06-29")

    assert [month.label for month in period.months_touched] == ["2025-03", "2025-04", "2025-05", "2025-06"]
    assert [month.label for month in period.months] == ["2025-04", "2025-05"]
    assert not period.contains(parse_period("2025Q2"))
    assert parse_period("2025-04-01..2025-07-01").contains(parse_period("2025Q2"))


@pytest.mark.parametrize(
    ("required", "held_days", "unit_days", "owed"),
    [(4, 31, 31, 4), (4, 30, 31, 3), (4, 7, 31, 0), (4, 8, 31, 1), (1, 364, 365, 0), (1, 365, 365, 1)],
)
def test_nobody_owes_a_part_of_a_contact(required, held_days, unit_days, owed):
    assert owed_so_far(required, held_days, unit_days) == owed


def test_what_is_owed_grows_with_the_days_gone_by():
    days = [date(2025, 2, 1), date(2025, 3, 1), date(2025, 3, 9), date(2025, 3, 31), date(2025, 4, 1), date(2026, 1, 1)]

    assert [UNIT.owed(day) for day in days] == [0, 0, 1, 3, 4, 4]


def test_more_of_one_kind_does_not_make_up_for_another():
    today = date(2025, 5, 1)
    units = [
        replace(UNIT, done=9),
        replace(UNIT, contact_kind="reception", done=1),
        replace(UNIT, per="year", unit_start=date(2025, 1, 1), done=2),
    ]

    tallied = tally_duties(units, today)

    assert tallied[ONE, ONE, date(2025, 3, 1)] == DutyTally(owed_month=8, met_month=5)
    assert tallied[ONE, ONE, date(2025, 1, 1)] == DutyTally(owed_year=0, met_year=0)


@pytest.mark.parametrize(
    ("given", "measures"),
    [
        ({}, set()),
        ({"due_at": NOON}, set()),  # exactly at the deadline nothing is late
        ({"due_at": NOON - timedelta(seconds=1)}, {"open_overdue", "response_overdue"}),
        ({"due_at": NOON - timedelta(days=1), "responded_at": NOON}, {"open_overdue", "responded"}),
        (
            {"respond_by": NOON - timedelta(days=1), "due_at": NOON + timedelta(days=1)},
            {"response_overdue", "contact_overdue"},
        ),
        (
            {"closed_at": NOON, "due_at": NOON, "outcome": "resolved"},
            {"closed", "responded", "closed_on_time", "resolved"},
        ),
        ({"closed_at": NOON, "outcome": "resolved", "denied": True}, {"closed", "responded", "denied"}),
        (
            {"closed_at": NOON, "due_at": NOON - timedelta(seconds=1), "outcome": "withdrawn", "denied": True},
            {"closed", "responded", "closed_late", "withdrawn"},
        ),
    ],
)
def test_what_an_issue_counts_for(given, measures):
    course = {"ended", "closed_first_time"} if "closed_at" in given else set()
    assert measure_issue(replace(ISSUE, **given), NOON) == measures | course | {"issues_received"}


@pytest.mark.parametrize(
    ("given", "measures"),
    [
        ({"is_returned": True}, {"returned"}),
        ({"issue_type": "suggestion"}, {"suggestions"}),
        ({"issue_type": "suggestion", "suggestion_answered_at": NOON}, {"suggestions", "suggestions_answered"}),
        ({"suggestion_answered_at": NOON}, set()),
        ({"respond_by": NOON, "responded_at": NOON}, {"contacted_on_time", "responded"}),
        ({"respond_by": NOON, "responded_at": NOON + timedelta(seconds=1)}, {"contacted_late", "responded"}),
        ({"respond_by": NOON}, set()),  # exactly at the end of the time it has not passed
        ({"is_reopened": True}, {"ended", "reopened"}),
        ({"is_redone": True, "is_reopened": True}, {"ended", "reopened", "redone"}),
        (
            {"is_redone": True, "closed_at": NOON, "outcome": "withdrawn", "replied_at": NOON},
            {"ended", "redone", "replied", "closed", "responded", "withdrawn"},
        ),
        ({"replied_at": NOON}, set()),  # of what is not closed nothing can have arrived
    ],
)
def test_what_the_course_of_an_issue_counts_for(given, measures):
    assert measure_issue(replace(ISSUE, **given), NOON) == measures | {"issues_received"}


def test_what_was_merged_into_another_issue_counts_as_that_alone():
    merged = replace(ISSUE, closed_at=NOON, due_at=NOON, responded_at=NOON, outcome="merged", merged_into=UUID(int=7))

    assert measure_issue(merged, NOON) == {"merged"}


def test_a_line_ends_at_the_root_at_a_gap_and_in_a_circle():
    one, two, three, absent = (UUID(int=number) for number in (1, 2, 3, 4))

    assert line_of(one, {one: two, two: three, three: None}) == [one, two, three]
    assert line_of(one, {one: absent}) == [one]
    assert line_of(one, {one: two, two: one}) == [one, two]
    assert depth_of(one, {one: two, two: three, three: None}) == 2


def test_a_line_ends_where_it_is_deeper_than_any_office():
    deep: dict[UUID, UUID | None] = {UUID(int=number): UUID(int=number + 1) for number in range(100)}

    assert len(line_of(UUID(int=0), deep)) == DEEPEST == 32


def test_periods_know_their_days():
    assert Period(kind="year", start=date(2024, 1, 1)).days == 366
