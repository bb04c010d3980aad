"""Which days the demo tells of: the last full year, and the running one until the evening before it is loaded."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from demo import workdays

LENGTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A calendar year as far as it is told of."""

    year: int
    last_day: date

    @property
    def first_day(self) -> date:
        return date(self.year, 1, 1)

    @property
    def end(self) -> datetime:
        return workdays.at(self.last_day, 23, 59, 59)

    @property
    def days(self) -> tuple[date, ...]:
        return workdays.days_between(self.first_day, self.last_day)

    @property
    def whole_year(self) -> tuple[date, ...]:
        return workdays.days_between(self.first_day, date(self.year, 12, 31))

    def periods(self, per: str) -> tuple[tuple[date, date], ...]:
        """First and last day of every month, quarter or year that has begun; the last one may not be over."""
        length = LENGTHS[per]
        starts = [date(self.year, month, 1) for month in range(1, 13, length)]
        ends = [start - timedelta(days=1) for start in (*starts[1:], date(self.year + 1, 1, 1))]
        return tuple((start, end) for start, end in zip(starts, ends, strict=True) if start <= self.last_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    today: date  # of which nothing is told yet

    @property
    def last_year(self) -> int:
        """The one that is over, and is closed as soon as it is loaded."""
        return self.today.year - 1

    @property
    def end(self) -> datetime:
        return workdays.at(self.today - timedelta(days=1), 23, 59, 59)

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """On New Year's Day there is nothing of the running year."""
        both = (
            Stretch(year=self.last_year, last_day=date(self.last_year, 12, 31)),
            Stretch(year=self.today.year, last_day=self.today - timedelta(days=1)),
        )
        return tuple(stretch for stretch in both if stretch.days)
