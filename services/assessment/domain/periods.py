"""Months, quarters, half-years and years: the periods that scores are given for, or published for."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from shared.errors import Rejected

PeriodKind = Literal["month", "quarter", "half_year", "year"]
MONTHS_OF: dict[PeriodKind, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
_WRITTEN = re.compile(
    r"(?P<year>(?:19|20|21)[0-9]{2})(?:Q(?P<quarter>[1-4])|H(?P<half>[12])|-(?P<month>0[1-9]|1[0-2]))?", re.ASCII
)


class BadPeriod(Rejected):
    code = "bad-period"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """A calendar month, quarter, half-year or year by its first day. It is also what a duty is owed per."""

    kind: PeriodKind
    start: date

    @property
    def end(self) -> date:
        """The last day, included."""
        return self.next_start - timedelta(days=1)

    @property
    def next_start(self) -> date:
        months = self.start.year * 12 + self.start.month - 1 + MONTHS_OF[self.kind]
        return date(months // 12, months % 12 + 1, 1)

    @property
    def days(self) -> int:
        return (self.next_start - self.start).days

    @property
    def label(self) -> str:
        if self.kind == "year":
            return f"{self.start.year}"
        if self.kind == "half_year":
            return f"{self.start.year}H{(self.start.month + 5) // 6}"
        if self.kind == "quarter":
            return f"{self.start.year}Q{(self.start.month + 2) // 3}"
        return f"{self.start.year}-{self.start.month:02}"


def parse_period(text: str) -> Period:
    """Read 2025, 2025Q1 or 2025-03: the periods that scores are computed for. Raises BadPeriod."""
    period = parse_published_period(text)
    if period.kind == "half_year":
        raise BadPeriod("a period is written 2025, 2025Q1 or 2025-03")
    return period


def parse_published_period(text: str) -> Period:
    """Read 2025, 2025H1, 2025Q1 or 2025-03. Raises BadPeriod."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise BadPeriod("a period is written 2025, 2025H1, 2025Q1 or 2025-03")
    year = int(written["year"])
    if written["half"]:
        return Period(kind="half_year", start=date(year, int(written["half"]) * 6 - 5, 1))
    if written["quarter"]:
        return Period(kind="quarter", start=date(year, int(written["quarter"]) * 3 - 2, 1))
    if written["month"]:
        return Period(kind="month", start=date(year, int(written["month"]), 1))
    return Period(kind="year", start=date(year, 1, 1))


def period_of(kind: PeriodKind, day: date) -> Period:
    if kind == "year":
        return Period(kind=kind, start=date(day.year, 1, 1))
    if kind == "half_year":
        return Period(kind=kind, start=date(day.year, (day.month - 1) // 6 * 6 + 1, 1))
    if kind == "quarter":
        return Period(kind=kind, start=date(day.year, (day.month - 1) // 3 * 3 + 1, 1))
    return Period(kind=kind, start=date(day.year, day.month, 1))


def periods_covering(day: date) -> tuple[Period, Period, Period]:
    return period_of("month", day), period_of("quarter", day), period_of("year", day)


def duty_units_covering(day: date) -> tuple[Period, Period, Period, Period]:
    """What a duty can be owed per."""
    return period_of("month", day), period_of("quarter", day), period_of("half_year", day), period_of("year", day)


def periods_ending_with(month: date) -> list[Period]:
    """What is closed when this month is: itself, and the quarter, half-year and year whose last month it is."""
    next_start = period_of("month", month).next_start
    return [period for kind in MONTHS_OF if (period := period_of(kind, month)).next_start == next_start]
