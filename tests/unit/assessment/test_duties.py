"""What a post owes in the days that it is held, which may be several stretches."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from services.assessment.domain.duties import DutyTally, DutyUnit, tally_duties

ONE, OTHER = UUID(int=1), UUID(int=2)
UNIT = DutyUnit(
    organisation_id=ONE,
    cadre_id=ONE,
    post_id=ONE,
    duty_id=ONE,
    contact_kind="visit",
    required_count=30,
    unit="count",
    per="month",
    unit_start=date(2025, 4, 1),
    held_froms=[date(2025, 4, 5), date(2025, 4, 20)],
    held_untils=[date(2025, 4, 10), date(2025, 4, 20)],
    done=4,
)


@pytest.mark.parametrize(
    ("day", "owed"),
    [(5, 0), (6, 1), (10, 5), (11, 6), (12, 6), (20, 6), (21, 7), (30, 7)],  # owed once the day is over
)
def test_a_contact_a_day_is_owed_for_the_days_held_that_are_over(day, owed):
    today = date(2025, 4, day)

    assert UNIT.owed(today) == owed
    assert UNIT.met(today) == min(4, owed)


def test_a_post_is_held_from_its_first_day_to_its_last_and_not_in_between():
    held = {number + 1 for number in range(30) if UNIT.is_held_on(date(2025, 4, 1) + timedelta(days=number))}

    assert held == {5, 6, 7, 8, 9, 10, 20}
    assert (UNIT.held_from, UNIT.held_until) == (date(2025, 4, 5), date(2025, 4, 20))
    assert replace(UNIT, held_untils=[date(2025, 4, 10)]).held_until == date(2025, 4, 10)


def test_duties_are_summed_by_whose_they_are_and_by_what_they_are_owed_per():
    units = [
        UNIT,
        replace(UNIT, done=1),
        replace(UNIT, cadre_id=OTHER),
        replace(UNIT, per="quarter", required_count=91),
        replace(UNIT, per="half_year", required_count=181, done=0),
        replace(UNIT, per="year", unit_start=date(2025, 1, 1), required_count=365),
    ]

    tallies = {cell: told(tally) for cell, tally in tally_duties(units, date(2025, 5, 1)).items()}

    assert tallies == {
        (ONE, ONE, date(2025, 4, 1)): {
            "owed_month": 14, "met_month": 5, "owed_quarter": 7, "met_quarter": 4, "owed_half_year": 6
        },
        (ONE, OTHER, date(2025, 4, 1)): {"owed_month": 7, "met_month": 4},
        (ONE, ONE, date(2025, 1, 1)): {"owed_year": 7, "met_year": 4},
    }  # fmt: skip


def told(tally: DutyTally) -> dict[str, int]:
    return {name: amount for name, amount in asdict(tally).items() if amount}
