"""The clocks against a walker that goes through every minute; `python -m tests.harness.clocks` does 100,000 cases."""

import pytest

from tests.harness.clocks import compare, load_calendars, make_case, read


@pytest.fixture(scope="module")
def calendars(tmp_path_factory):
    return load_calendars(tmp_path_factory.mktemp("calendars"))


def test_clocks_and_walker_agree_on_random_cases(calendars):
    faults = compare(range(100), seed=7, calendars=calendars)

    assert [told for _, told in faults] == []


def test_the_cases_cover_every_state_and_every_unit(calendars):
    cases = [make_case(number, seed=7, calendars=calendars) for number in range(800)]
    readings = [(case, walked) for case in cases for walked in read(case)]

    assert {walked.state for _, walked in readings} == {"not_started", "running", "paused", "met", "missed", "ended"}
    assert {rule.limit.unit for case in cases for rule in case.rules.values()} == {
        "minutes",
        "hours",
        "working_hours",
        "natural_days",
        "working_days",
    }
    assert max(len(read(case)) for case in cases) > 2
    spent = [walked for _, walked in readings if walked.paused and walked.budget_left == 0]
    assert len(spent) > 10  # cases in which a pause went beyond its budget
    moved = [
        case
        for case, walked in readings
        if walked.due_at is not None
        and any(case.calendar.day_of(walked.due_at) == day for day in case.calendar.working_weekends)
    ]
    assert len(moved) > 10  # cases due on a day that made up for another
