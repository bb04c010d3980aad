"""Working days in China: the shipped days against their sources, and the file of an installation."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from shared.calendars import SHIPPED, BadCalendar, load_calendar
from shared.working_time import ClockTime, WorkingTime, first_unannounced
from tests.harness.holidays import render

ZONE = ZoneInfo("Asia/Shanghai")
SHIPPED_CALENDAR = load_calendar(None, zone=ZONE)


@pytest.fixture
def load(tmp_path):
    def write(text: str):
        (tmp_path / "own.toml").write_text(text, "utf-8")
        return load_calendar(tmp_path / "own.toml", zone=ZONE)

    return write


def days_of(*years):
    return [date(year, 1, 1) + timedelta(days=number) for year in years for number in range(365)]


def test_what_is_shipped_is_what_the_package_knows():
    assert SHIPPED.read_text("utf-8") == render()


def test_a_second_source_knows_the_same_working_days():
    """It lacks the Saturday that made up for New Year's Day of 2006, which its own notice lists."""
    last = max(SHIPPED_CALENDAR.announced_years)

    differing = [
        day
        for day in days_of(*range(2004, last + 1))
        if chinese_calendar.is_workday(day) != SHIPPED_CALENDAR.is_working_day(day)
    ]

    assert differing == [date(2005, 12, 31)]


@pytest.mark.parametrize(
    ("day", "is_worked"),
    [
        (date(2026, 2, 14), True),  # a Saturday that makes up for the Spring Festival
        (date(2026, 2, 15), False),
        (date(2026, 2, 23), False),
        (date(2026, 2, 24), True),
        (date(2026, 10, 10), True),
        (date(2020, 1, 31), False),  # the holiday that an epidemic prolonged
        (date(2024, 10, 12), True),
    ],
)
def test_some_days_that_everybody_remembers(day, is_worked):
    assert SHIPPED_CALENDAR.is_working_day(day) is is_worked


def test_a_year_that_nobody_announced_has_the_laws_days_and_says_so():
    calendar = SHIPPED_CALENDAR
    last = max(calendar.announced_years)
    new_year = date(last + 1, 1, 1)

    assert not calendar.is_announced(new_year)
    assert not any(calendar.is_working_day(day) for day in (date(2027, 1, 1), date(2027, 2, 8), date(2027, 10, 4)))
    assert not any(day.year > last for day in calendar.working_weekends)
    assert first_unannounced(calendar, date(last, 12, 30), new_year) == last + 1
    assert first_unannounced(calendar, date(2025, 1, 1), date(2026, 12, 31)) is None


@pytest.mark.parametrize("year", [1950, 2000, 2061, 2199])
def test_a_year_far_away_has_weekends_and_nothing_else(year):
    assert all(SHIPPED_CALENDAR.is_working_day(day) == (day.weekday() < 5) for day in days_of(year))
    assert not SHIPPED_CALENDAR.is_announced(date(year, 5, 1))


def test_an_own_file_arranges_a_whole_year(load):
    calendar = load("announced = [2027]\ndays_off = [2027-02-05, 2027-02-06]\nworking_days = [2027-02-20]\n")

    assert calendar.is_announced(date(2027, 5, 1))
    assert not calendar.is_working_day(date(2027, 2, 5))
    assert calendar.is_working_day(date(2027, 2, 20))
    assert calendar.is_working_day(date(2027, 2, 8))  # the law's day, which the arrangement does not list
    assert calendar.is_working_day(date(2026, 2, 14))
    assert not calendar.is_working_day(date(2028, 1, 3))


def test_an_own_file_adds_days_of_the_place_and_takes_days_away(load):
    calendar = load("days_off = [2026-06-01, 2026-02-14]\nworking_days = [2026-10-01]\n")

    assert not calendar.is_working_day(date(2026, 6, 1))
    assert not calendar.is_working_day(date(2026, 2, 14))
    assert calendar.is_working_day(date(2026, 10, 1))
    assert not calendar.is_working_day(date(2026, 10, 2))


def test_the_version_tells_every_content_from_every_other(load):
    versions = {
        load(text).version for text in ("", "days_off = [2026-06-01]", "announced = [2027]", 'hours = ["09:00-17:00"]')
    }

    assert len(versions) == 4
    assert load("").version == SHIPPED_CALENDAR.version
    assert load("announced = [2027]").version.startswith("2027-")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("days_of = []", "days_of: there is no such key"),
        ("days_off = [2026-02-30]", "is no TOML"),
        ('days_off = ["2026-02-03"]', "is no day such as"),
        ("days_off = [2026-02-03T00:00:00]", "is no day such as"),
        ("days_off = [1899-12-31]", "is no day such as"),
        ("days_off = [2026-02-03, 2026-02-03]", "stands there twice"),
        ("days_off = 2026-02-03", "is a list of days"),
        ("days_off = [2026-02-03]\nworking_days = [2026-02-03]", "is both a day off and a working day"),
        ("announced = [true]", "is a list of years"),
        ("announced = [99999999999]", "is a list of years"),
        ("hours = []", "are spans in order"),
        ('hours = ["12:00-08:00"]', "are spans in order"),
        ('hours = ["08:00-12:00", "11:00-13:00"]', "are spans in order"),
        ('hours = ["08:00-24:30"]', "are spans in order"),
        ('hours = ["08:00-08:00"]', "are spans in order"),
        ('hours = ["٠٨:٠٠-١٢:٠٠"]', "are spans in order"),
        ("hours = [8]", "are spans in order"),
        ("a = " + "[" * 5_000, "is no TOML"),
        ("#" * 1_100_000, "is larger than"),
    ],
)
def test_a_bad_file_is_refused_and_the_key_is_named(load, text, fault):
    with pytest.raises(BadCalendar, match=r"^own\.toml: ") as raised:
        load(text)

    assert fault in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(BadCalendar, match="FileNotFoundError"):
        load_calendar(tmp_path / "missing.toml", zone=ZONE)
    with pytest.raises(BadCalendar, match="IsADirectoryError"):
        load_calendar(tmp_path, zone=ZONE)
    with pytest.raises(BadCalendar, match=r"binary\.toml"):
        load_calendar(tmp_path / "binary.toml", zone=ZONE)


def test_working_time_passes_in_working_hours_alone():
    time = WorkingTime(SHIPPED_CALENDAR)
    friday_evening = datetime(2026, 2, 13, 20, tzinfo=ZONE)

    assert time.advance(friday_evening, timedelta(hours=7)) == datetime(2026, 2, 14, 17, 30, tzinfo=ZONE)  # made up
    assert time.advance(friday_evening, timedelta(hours=7, minutes=1)) == datetime(2026, 2, 24, 8, 31, tzinfo=ZONE)
    assert time.between(friday_evening, datetime(2026, 2, 24, 14, tzinfo=ZONE)) == timedelta(hours=10, minutes=30)


def test_time_that_ends_beyond_the_storable_years_never_ends():
    last = datetime(2199, 12, 31, 12, tzinfo=UTC)

    assert ClockTime().advance(last, timedelta(days=1)) is None
    assert WorkingTime(SHIPPED_CALENDAR).advance(last, timedelta(hours=100)) is None
    assert ClockTime().advance(last, timedelta(hours=1)) == last + timedelta(hours=1)
