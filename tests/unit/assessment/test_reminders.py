"""When reminders of duties are due, who falls short by then, and files that cannot be."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.assessment.domain.duties import DutyUnit
from services.assessment.domain.periods import period_of
from services.assessment.domain.reminders import Look, Reminders, find_shortfalls, looks_due, shortfall_id
from services.assessment.handlers.reminders import load_reminders
from shared.settings import UnsafeSetting

ZONE = ZoneInfo("Asia/Shanghai")
REMINDERS = Reminders(at_hour=6, days_before={"month": [7, 2], "quarter": [21]})
TOWN, WANG, LI, MA, ZHAO = (UUID(int=number) for number in range(1, 6))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def unit(cadre_id=WANG, *, required=4, done=0, start=date(2025, 3, 1), until=date(2025, 3, 31), first=None) -> DutyUnit:
    return DutyUnit(
        organisation_id=TOWN,
        cadre_id=cadre_id,
        post_id=UUID(int=9),
        duty_id=UUID(int=8),
        contact_kind="visit",
        required_count=required,
        unit="count",
        per="month",
        unit_start=start,
        held_froms=[first or start],
        held_untils=[until],
        done=done,
    )


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2025-03-09T12:00", []),
        ("2025-03-10T05:59", []),
        ("2025-03-10T06:00", ["2025Q1/21"]),
        ("2025-03-24T05:59", ["2025Q1/21"]),
        ("2025-03-24T06:00", ["2025-03/7", "2025Q1/21"]),
        ("2025-03-29T06:00", ["2025-03/2", "2025Q1/21"]),
        ("2025-03-31T23:59", ["2025-03/2", "2025Q1/21"]),
        ("2025-04-01T00:00", []),
        ("2025-02-21T06:00", ["2025-02/7"]),
    ],
)
def test_of_each_period_that_runs_the_newest_look_is_due(now, due):
    found = looks_due(REMINDERS, ZONE, now=wall(now))

    assert [f"{look.period.label}/{look.days_before}" for look in found] == due


def test_a_look_before_the_period_began_is_none():
    early = Reminders(at_hour=6, days_before={"month": [40]})

    assert looks_due(early, ZONE, now=wall("2025-03-15T12:00")) == []


def test_a_look_may_be_on_the_first_day_of_the_period():
    first = Reminders(at_hour=6, days_before={"month": [30]})

    assert [look.day for look in looks_due(first, ZONE, now=wall("2025-03-15T12:00"))] == [date(2025, 3, 1)]
    assert looks_due(first, ZONE, now=wall("2025-02-15T12:00")) == []


def test_who_has_done_less_than_the_whole_period_asks_for_falls_short():
    left = unit(ZHAO, until=date(2025, 3, 20))
    units = [left, unit(MA), unit(done=3), unit(done=4), unit(required=2, done=0), unit(LI, done=9)]

    owing, short = find_shortfalls(units, today=date(2025, 3, 24))

    assert owing == {WANG, LI, MA}
    assert [(one.cadre_id, one.duties_short, one.missing_count) for one in short] == [(WANG, 2, 3), (MA, 1, 4)]


def test_a_post_that_ends_or_begins_within_the_period_owes_its_part():
    half = unit(first=date(2025, 3, 17), done=1)  # 15 of 31 days: 1 of 4

    assert find_shortfalls([half], today=date(2025, 3, 24)) == ({WANG}, [])


def test_nobody_is_reminded_for_a_post_that_is_not_held_any_more():
    left = unit(until=date(2025, 3, 20))

    assert find_shortfalls([left], today=date(2025, 3, 24)) == (set(), [])


def test_who_owes_no_whole_contact_owes_nothing():
    assert find_shortfalls([unit(required=1, first=date(2025, 3, 20))], today=date(2025, 3, 24)) == (set(), [])


def test_each_look_and_person_has_an_id_of_its_own():
    days = (date(2025, 1, 1), date(2025, 4, 1))
    periods = [period_of("month", day) for day in days] + [period_of("quarter", day) for day in days]
    looks = [Look(period=period, days_before=days_before) for period in periods for days_before in (7, 2)]

    ids = {shortfall_id(look, unit, cadre) for look in looks for unit in (TOWN, MA) for cadre in (WANG, LI, None)}

    assert len(ids) == 48  # and whoever keeps one keeps it
    assert shortfall_id(looks[0], TOWN, WANG) == UUID("6a8abbf5-efff-5c83-a637-9911ec138afd")
    assert shortfall_id(looks[0], TOWN) == UUID("70ad39e4-a1ae-5e5f-b9ae-dc27f5475631")


def test_what_is_shipped_reminds_of_every_period():
    shipped = load_reminders()

    assert {per for per, days in shipped.days_before.items() if days} == {"month", "quarter", "half_year", "year"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("at_hour = 24\n[days_before]\n", "at_hour"),
        ("at_hour = 6\n[days_before]\nmonth = [-1]\n", "days_before.month.0"),
        ("at_hour = 6\n[days_before]\nweek = [1]\n", "days_before.week"),
        ("at_hour = 6\n", "days_before"),
        ("at_hour = ", "TOMLDecodeError"),
    ],
)
def test_a_file_that_cannot_be_is_named_at_the_start(tmp_path, text, why):
    file = tmp_path / "reminders.toml"
    file.write_text(text)

    with pytest.raises(UnsafeSetting, match=why):
        load_reminders(file)


def test_a_file_that_is_missing_is_named_at_the_start(tmp_path):
    with pytest.raises(UnsafeSetting, match="FileNotFoundError"):
        load_reminders(tmp_path / "none.toml")
