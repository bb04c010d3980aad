"""Days that are worked and days that are not, and the hours of a working day. Where the days come from is not here.

A year whose arrangement nobody has announced yet is counted by what the law alone says of it (weekends, and the
holidays that it gives, as far as the calendar names them); whatever was counted over such a year is provisional.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # what can be stored
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
ONE_MINUTE = timedelta(minutes=1)
MINUTES_A_DAY = 1_440
FIRST_WEEKEND_DAY = 5  # Saturday, as `date.weekday` numbers it


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """`version` names exactly this content. `hours` are spans in minutes from midnight, in order and apart."""

    version: str
    zone: tzinfo
    announced_years: frozenset[int]
    holidays: frozenset[date]  # days off from Monday to Friday
    working_weekends: frozenset[date]  # Saturdays and Sundays that are worked, to make up for others
    hours: tuple[tuple[int, int], ...]

    def is_working_day(self, day: date) -> bool:
        if day.weekday() >= FIRST_WEEKEND_DAY:
            return day in self.working_weekends
        return day not in self.holidays

    def is_announced(self, day: date) -> bool:
        return day.year in self.announced_years

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def at(self, day: date, since_midnight: timedelta) -> datetime:
        """The instant at which clocks on the wall show that much after midnight. A day's end is the next midnight."""
        days, rest = divmod(since_midnight, ONE_DAY)
        wall = datetime.combine(day + timedelta(days=days), time(), tzinfo=None) + rest
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    @property
    def opens(self) -> timedelta:
        return timedelta(minutes=self.hours[0][0])

    @property
    def closes(self) -> timedelta:
        return timedelta(minutes=self.hours[-1][1])

    @property
    def working_time(self) -> timedelta:
        """How long a working day is."""
        return timedelta(minutes=sum(end - begin for begin, end in self.hours))

    def step_back(self, day: date, working_days: int) -> date:
        """The day that lies so many working days before this one."""
        while working_days > 0:
            day -= ONE_DAY
            working_days -= self.is_working_day(day)
        return day

    def step_forward(self, day: date, working_days: int) -> date:
        while working_days > 0:
            day += ONE_DAY
            working_days -= self.is_working_day(day)
        return day


def first_unannounced(calendar: Calendar, first: date, last: date) -> int | None:
    """The first year between two days, both included, of which only the law's own days are known."""
    return next((year for year in range(first.year, last.year + 1) if year not in calendar.announced_years), None)


class ClockTime:
    """Time that always passes."""

    def advance(self, begin: datetime, amount: timedelta) -> datetime | None:
        """The first instant by which so much has passed; None beyond the years that can be stored."""
        return begin + amount if amount <= LATEST - begin else None

    def between(self, begin: datetime, end: datetime) -> timedelta:
        return max(end - begin, timedelta())


class WorkingTime:
    """Time that passes in the working hours of working days."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def advance(self, begin: datetime, amount: timedelta) -> datetime | None:
        """As for clock time."""
        if amount <= timedelta():
            return begin
        day = self._calendar.day_of(begin)
        while day <= LATEST.date():
            for opens, closes in self._spans(day):
                passed = closes - max(opens, begin)
                if passed <= timedelta():
                    continue
                if passed >= amount:
                    return max(opens, begin) + amount
                amount -= passed
            day += ONE_DAY
        return None

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """Whole days in between are counted, not walked through: a pause may last for years."""
        total = timedelta()
        if end <= begin:
            return total
        first, last = self._calendar.day_of(begin), self._calendar.day_of(end)
        for day in {first, last}:
            for opens, closes in self._spans(day):
                total += max(min(closes, end) - max(opens, begin), timedelta())
        day = first + ONE_DAY
        while day < last:
            total += self._calendar.working_time if self._calendar.is_working_day(day) else timedelta()
            day += ONE_DAY
        return total

    def _spans(self, day: date) -> Iterable[tuple[datetime, datetime]]:
        if not self._calendar.is_working_day(day):
            return ()
        return [
            (self._calendar.at(day, begin * ONE_MINUTE), self._calendar.at(day, end * ONE_MINUTE))
            for begin, end in self._calendar.hours
        ]


def are_in_order(hours: Iterable[tuple[int, int]]) -> bool:
    """Whether spans lie within a day, one after another, each with some time in it."""
    flat = [minute for span in hours for minute in span]
    return (
        bool(flat)
        and all(0 <= minute <= MINUTES_A_DAY for minute in flat)
        and all(earlier <= later for earlier, later in pairwise(flat))
        and all(begin < end for begin, end in zip(flat[::2], flat[1::2], strict=True))
    )
