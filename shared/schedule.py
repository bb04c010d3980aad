"""How long each class of data is kept: what is shipped, what an installation may change, and the floor under it.

The standard library only: every process reads the schedule before it does anything else.
"""

import re
import tomllib
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import total_ordering
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

Unit = Literal["hours", "days", "months", "years"]
SHIPPED: Final = Path(__file__).with_suffix(".toml")
LONGEST_YEARS: Final = 200
_PERIOD = re.compile(r"([0-9]{1,5}) (hours|days|months|years)", re.ASCII)
_DAYS_OF: Final[Mapping[str, float]] = {"hours": 1 / 24, "days": 1, "months": 28, "years": 365}


class BadSchedule(ValueError):
    """The schedule cannot be used; the message names the class and what is wrong with it."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    count: int
    unit: Unit

    @classmethod
    def read(cls, text: str) -> "Period":
        """Raises BadSchedule for anything but `72 hours`, `7 days`, `24 months`, `10 years` and the like."""
        match = _PERIOD.fullmatch(text)
        if match is None:
            raise BadSchedule(f"{text[:40]!r} is no period such as '24 months'")
        period = cls(int(match[1]), match[2])  # type: ignore[arg-type] # the pattern allows no other unit
        if period._days > LONGEST_YEARS * 366:
            raise BadSchedule(f"{text[:40]!r} is longer than {LONGEST_YEARS} years")
        return period

    def before(self, now: datetime) -> datetime:
        """The instant before which things are over. Months and years are those of the calendar."""
        if self.unit == "hours":
            return now - timedelta(hours=self.count)
        if self.unit == "days":
            return now - timedelta(days=self.count)
        months = now.year * 12 + now.month - 1 - self.count * (12 if self.unit == "years" else 1)
        year, month = divmod(months, 12)
        return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))

    def __lt__(self, other: "Period") -> bool:
        return self._days < other._days

    @property
    def _days(self) -> float:
        """The fewest days that it may be, so that a month is never taken for more than it is sure to have."""
        return self.count * _DAYS_OF[self.unit]

    @property
    def text(self) -> str:
        return f"{self.count} {self.unit}"


# No installation keeps less than this: what the law, the archive or the suite's own promises ask for.
FLOORS: Final[Mapping[str, Period]] = MappingProxyType(
    {
        "audit_files": Period(3, "years"),
        "audit_records": Period(6, "months"),
        "event_log": Period(14, "days"),
        "disclosures": Period(3, "years"),
        "idempotency_keys": Period(24, "hours"),
        "notification_status": Period(6, "months"),
        "rating_links": Period(12, "months"),
        "scores": Period(10, "years"),
        "sent_events": Period(14, "days"),
        "signals": Period(24, "months"),
    }
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`changed` are the classes for which an installation has another period than the one shipped."""

    keep: Mapping[str, Period]
    changed: frozenset[str] = frozenset()


def load_schedule(own: Path | None = None) -> Schedule:
    """The shipped schedule, with what the installation's file says instead. Raises BadSchedule."""
    shipped = _read(SHIPPED)
    stated = _read(own) if own is not None else {}
    unknown = sorted(stated.keys() - shipped.keys())
    if unknown:
        raise BadSchedule(f"{unknown[0]}: there is no such class of data")
    for name, period in stated.items():
        floor = FLOORS.get(name)
        if floor is not None and period < floor and period != floor:
            raise BadSchedule(f"{name}: {period.text} is below the floor of {floor.text}")
    changed = frozenset(name for name, period in stated.items() if period != shipped[name])
    return Schedule(keep=MappingProxyType({**shipped, **stated}), changed=changed)


def _read(path: Path) -> dict[str, Period]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadSchedule(f"{path.name}: cannot be read: {type(error).__name__}") from None
    stated = document.pop("keep", {})
    if document or not isinstance(stated, dict) or not all(isinstance(text, str) for text in stated.values()):
        raise BadSchedule(f"{path.name}: holds one table, keep, with a period for each class")
    try:
        return {name: Period.read(text) for name, text in stated.items()}
    except BadSchedule as error:
        raise BadSchedule(f"{path.name}: {error}") from None
