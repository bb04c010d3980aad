"""Working days, holidays and make-up days in China, as the shipped calendar has them; and instants at +08:00."""

from datetime import date, datetime, time, timedelta, timezone
from functools import cache

from shared.calendars import load_calendar
from shared.working_time import Calendar

ZONE = timezone(timedelta(hours=8))
OPENS = time(8, 30)
CLOSES = time(17, 30)
ONE_DAY = timedelta(days=1)


@cache
def _calendar() -> Calendar:
    """Of a year that nobody has arranged yet it has the holidays of the law."""
    return load_calendar(None, zone=ZONE)


@cache
def is_working_day(day: date) -> bool:
    return _calendar().is_working_day(day)


@cache
def is_holiday(day: date) -> bool:
    """A day off that is no plain weekend: of the days off around it one at least is a weekday."""
    if is_working_day(day):
        return False
    first = last = day
    while not is_working_day(first - ONE_DAY):
        first -= ONE_DAY
    while not is_working_day(last + ONE_DAY):
        last += ONE_DAY
    return any(off.weekday() < 5 for off in days_between(first, last))


def days_between(first: date, last: date) -> tuple[date, ...]:
    """Both included; none where the last lies before the first."""
    return tuple(first + timedelta(days=offset) for offset in range((last - first).days + 1))


def add_working_days(day: date, count: int) -> date:
    while count > 0:
        day += ONE_DAY
        count -= is_working_day(day)
    return day


def at(day: date, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=ZONE)


def in_office_hours(moment: datetime, minutes_after_opening: int) -> datetime:
    """The moment itself if offices are open then, else so many minutes into the next working morning."""
    if is_working_day(moment.date()) and OPENS <= moment.time() <= CLOSES:
        return moment
    day = moment.date()
    if not is_working_day(day) or moment.time() > CLOSES:
        day = add_working_days(day, 1)
    return datetime.combine(day, OPENS, tzinfo=ZONE) + timedelta(minutes=minutes_after_opening)
