"""The calendar of 2025 in China: working days, holidays, make-up days, and instants at +08:00."""

from datetime import date, datetime, time, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
YEAR = 2025
FIRST_DAY = date(YEAR, 1, 1)
LAST_DAY = date(YEAR, 12, 31)
END = datetime(YEAR, 12, 31, 23, 59, 59, tzinfo=ZONE)
OPENS = time(8, 30)
CLOSES = time(17, 30)


def _days(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=offset) for offset in range((last - first).days + 1))


DAYS = _days(FIRST_DAY, LAST_DAY)
# State Council General Office, arrangement of public holidays in 2025.
HOLIDAYS = frozenset(
    (
        date(2025, 1, 1),
        *_days(date(2025, 1, 28), date(2025, 2, 4)),
        *_days(date(2025, 4, 4), date(2025, 4, 6)),
        *_days(date(2025, 5, 1), date(2025, 5, 5)),
        *_days(date(2025, 5, 31), date(2025, 6, 2)),
        *_days(date(2025, 10, 1), date(2025, 10, 8)),
    )
)
MAKE_UP_DAYS = frozenset(
    (date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11))
)


def is_working_day(day: date) -> bool:
    return day in MAKE_UP_DAYS or (day.weekday() < 5 and day not in HOLIDAYS)


def add_working_days(day: date, count: int) -> date:
    while count > 0:
        day += timedelta(days=1)
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


def periods(per: str) -> tuple[tuple[date, date], ...]:
    """First and last day of every month, quarter or year of the calendar year."""
    length = {"month": 1, "quarter": 3, "year": 12}[per]
    starts = [date(YEAR, month, 1) for month in range(1, 13, length)]
    ends = [start - timedelta(days=1) for start in starts[1:]]
    return tuple(zip(starts, [*ends, LAST_DAY], strict=True))
