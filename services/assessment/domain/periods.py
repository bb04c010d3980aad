"""Months, quarters, half-years, years, and any days from one to another: the periods that scores are given for."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from shared.errors import Rejected

CalendarKind = Literal["month", "quarter", "half_year", "year"]
PeriodKind = Literal["month", "quarter", "half_year", "year", "custom"]
MONTHS_OF: dict[CalendarKind, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
LONGEST_DAYS = 3_660
_WRITTEN = re.compile(
    r"(?P<year>(?:19|20|21)[0-9]{2})(?:Q(?P<quarter>[1-4])|H(?P<half>[12])|-(?P<month>0[1-9]|1[0-2]))?", re.ASCII
)
_CUSTOM = re.compile(r"((?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})\.\.((?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})", re.ASCII)
_HOW = "a period is written 2025, 2025H1, 2025Q1, 2025-03 or 2025-03-05..2025-04-20"


class BadPeriod(Rejected):
    code = "bad-period"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """A calendar month, quarter, half-year or year by its first day, which is also what a duty is owed per.

    Or any days: a custom one has a last day, and no other has.
    """

    kind: PeriodKind
    start: date
    last: date | None = None

    @property
    def end(self) -> date:
        """The last day, included."""
        return self.next_start - timedelta(days=1)

    @property
    def next_start(self) -> date:
        if self.kind == "custom":
            return (self.last or self.start) + timedelta(days=1)
        months = self.start.year * 12 + self.start.month - 1 + MONTHS_OF[self.kind]
        return date(months // 12, months % 12 + 1, 1)

    @property
    def days(self) -> int:
        return (self.next_start - self.start).days

    def contains(self, other: "Period") -> bool:
        """Whether the other one lies in it whole."""
        return self.start <= other.start and other.next_start <= self.next_start

    @property
    def months(self) -> list["Period"]:
        """The calendar months that lie in it whole."""
        return [month for month in self.months_touched if self.contains(month)]

    @property
    def months_touched(self) -> list["Period"]:
        touched = [period_of("month", self.start)]
        while touched[-1].next_start < self.next_start:
            touched.append(Period(kind="month", start=touched[-1].next_start))
        return touched

    @property
    def label(self) -> str:
        if self.kind == "custom":
            return f"{self.start}..{self.end}"
        if self.kind == "year":
            return f"{self.start.year}"
        if self.kind == "half_year":
            return f"{self.start.year}H{(self.start.month + 5) // 6}"
        if self.kind == "quarter":
            return f"{self.start.year}Q{(self.start.month + 2) // 3}"
        return f"{self.start.year}-{self.start.month:02}"


def parse_period(text: str) -> Period:
    """Read 2025, 2025H1, 2025Q1, 2025-03 or 2025-03-05..2025-04-20. Raises BadPeriod."""
    if custom := _CUSTOM.fullmatch(text):
        return _read_days(*custom.groups())
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise BadPeriod(_HOW)
    year = int(written["year"])
    if written["half"]:
        return Period(kind="half_year", start=date(year, int(written["half"]) * 6 - 5, 1))
    if written["quarter"]:
        return Period(kind="quarter", start=date(year, int(written["quarter"]) * 3 - 2, 1))
    if written["month"]:
        return Period(kind="month", start=date(year, int(written["month"]), 1))
    return Period(kind="year", start=date(year, 1, 1))


def parse_calendar_period(text: str) -> Period:
    """Read a period of the calendar: those that scores are kept for. Raises BadPeriod."""
    period = parse_period(text)
    if period.kind == "custom":
        raise BadPeriod("this is answered for periods of the calendar: 2025, 2025H1, 2025Q1 or 2025-03")
    return period


def custom_period(first: date, last: date) -> Period:
    """The days from first to last. What is a period of the calendar is that, so that nothing has two names."""
    if not first <= last or (last - first).days >= LONGEST_DAYS:
        raise BadPeriod(f"a period has a last day on or after its first, and at most {LONGEST_DAYS} days")
    for kind in MONTHS_OF:
        if (calendar := period_of(kind, first)).start == first and calendar.end == last:
            return calendar
    return Period(kind="custom", start=first, last=last)


def _read_days(first: str, last: str) -> Period:
    try:
        return custom_period(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        raise BadPeriod(_HOW) from None


def period_of(kind: CalendarKind, day: date) -> Period:
    if kind == "year":
        return Period(kind=kind, start=date(day.year, 1, 1))
    if kind == "half_year":
        return Period(kind=kind, start=date(day.year, (day.month - 1) // 6 * 6 + 1, 1))
    if kind == "quarter":
        return Period(kind=kind, start=date(day.year, (day.month - 1) // 3 * 3 + 1, 1))
    return Period(kind=kind, start=date(day.year, day.month, 1))


def periods_covering(day: date) -> tuple[Period, Period, Period, Period]:
    """What scores are kept for; a duty can be owed per each of them."""
    return period_of("month", day), period_of("quarter", day), period_of("half_year", day), period_of("year", day)


def list_thirds(period: Period) -> list[date]:
    """The first days of the thirds of months that begin in it, in order, and the day after the last of these."""
    later = Period(kind="month", start=period.months_touched[-1].next_start)
    days = [month.start.replace(day=day) for month in (*period.months_touched, later) for day in (1, 11, 21)]
    begun = [day for day in days if period.start <= day < period.next_start]
    return begun + [day for day in days if day >= period.next_start][:1] if begun else []


def units_within(period: Period) -> list[Period]:
    """The months, quarters, half-years and years that lie whole in it."""
    touched = {unit for month in period.months_touched for unit in periods_covering(month.start)}
    return sorted(unit for unit in touched if period.contains(unit))


def periods_ending_with(month: date) -> list[Period]:
    """What is closed when this month is: itself, and the quarter, half-year and year whose last month it is."""
    next_start = period_of("month", month).next_start
    return [period for kind in MONTHS_OF if (period := period_of(kind, month)).next_start == next_start]
