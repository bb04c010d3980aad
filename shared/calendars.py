"""Which days are worked in China: what is shipped, and what the file of an installation says instead.

`calendars.toml` holds what the State Council announced year by year, with make-up working days, and for later years the
days that the law gives: an upgrade brings the next year, and so does the installation's own file until then.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.working_time import EARLIEST, FIRST_WEEKEND_DAY, LATEST, Calendar, are_in_order

SHIPPED: Final = Path(__file__).with_suffix(".toml")
ZONE: Final = "Asia/Shanghai"
HOURS: Final = ("08:30-12:00", "14:00-17:30")
LARGEST_FILE: Final = 1024 * 1024
_SPAN = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)


class BadCalendar(ValueError):
    """The calendar cannot be used; the message names the file, the key and what is wrong with it."""


@dataclass(slots=True)
class _Days:
    announced: set[int] = field(default_factory=set)
    holidays: set[date] = field(default_factory=set)
    working_weekends: set[date] = field(default_factory=set)

    def set_day(self, day: date, *, is_worked: bool) -> None:
        is_weekend = day.weekday() >= FIRST_WEEKEND_DAY
        days = self.working_weekends if is_weekend else self.holidays
        if is_weekend == is_worked:
            days.add(day)
        else:
            days.discard(day)

    def forget_year(self, year: int) -> None:
        self.holidays = {day for day in self.holidays if day.year != year}
        self.working_weekends = {day for day in self.working_weekends if day.year != year}


def load_calendar(own: Path | None, *, zone: tzinfo) -> Calendar:
    """The shipped calendar with what the installation's file says instead. Raises BadCalendar."""
    days = _shipped()
    hours = _read_hours(SHIPPED.name, list(HOURS))
    if own is not None:
        hours = _apply(own, days) or hours
    calendar = Calendar(
        version="",
        zone=zone,
        announced_years=frozenset(days.announced),
        holidays=frozenset(days.holidays),
        working_weekends=frozenset(days.working_weekends),
        hours=hours,
    )
    return replace(calendar, version=_version(calendar))


def _shipped() -> _Days:
    document = tomllib.loads(SHIPPED.read_text("utf-8"))
    days = _Days()
    for year, listed in document["announced"].items():
        days.announced.add(int(year))
        days.holidays.update(listed["holidays"])
        days.working_weekends.update(listed["working_weekends"])
    for listed in document["expected"].values():
        days.holidays.update(listed)
    return days


def _apply(own: Path, days: _Days) -> tuple[tuple[int, int], ...] | None:
    """Put an installation's days in the place of those shipped; return its hours, if it states some."""
    document = _read(own)
    announced = document.pop("announced", [])
    off, worked = (_read_days(own.name, key, document.pop(key, [])) for key in ("days_off", "working_days"))
    hours = document.pop("hours", None)
    if document:
        raise BadCalendar(f"{own.name}: {min(document)}: there is no such key")
    if not isinstance(announced, list) or not all(_is_year(year) for year in announced):
        raise BadCalendar(f"{own.name}: announced: is a list of years such as [2027]")
    both = sorted(off & worked)
    if both:
        raise BadCalendar(f"{own.name}: {both[0]} is both a day off and a working day")
    for year in announced:
        days.announced.add(year)
        days.forget_year(year)
    for day in off:
        days.set_day(day, is_worked=False)
    for day in worked:
        days.set_day(day, is_worked=True)
    return None if hours is None else _read_hours(own.name, hours)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size <= LARGEST_FILE:
            return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadCalendar(f"{path.name}: cannot be read: {type(error).__name__}") from None
    except (ValueError, RecursionError) as error:
        raise BadCalendar(f"{path.name}: is no TOML in UTF-8: {str(error)[:200]}") from None
    raise BadCalendar(f"{path.name}: is larger than {LARGEST_FILE} bytes")


def _read_days(name: str, key: str, value: object) -> set[date]:
    if not isinstance(value, list):
        raise BadCalendar(f"{name}: {key}: is a list of days such as [2027-02-05]")
    days: set[date] = set()
    for day in value:
        if not isinstance(day, date) or isinstance(day, datetime) or not EARLIEST.date() <= day < LATEST.date():
            raise BadCalendar(f"{name}: {key}: {str(day)[:40]!r} is no day such as 2027-02-05, without quotes")
        if day in days:
            raise BadCalendar(f"{name}: {key}: {day} stands there twice")
        days.add(day)
    return days


def _read_hours(name: str, value: object) -> tuple[tuple[int, int], ...]:
    matches = [_SPAN.fullmatch(span) for span in value if isinstance(span, str)] if isinstance(value, list) else []
    spans = [tuple(int(part) for part in match.groups()) for match in matches if match is not None]
    hours = tuple((begin * 60 + minute, end * 60 + last) for begin, minute, end, last in spans)
    if not isinstance(value, list) or len(hours) != len(value) or not are_in_order(hours):
        raise BadCalendar(f'{name}: hours: are spans in order such as ["08:30-12:00", "14:00-17:30"]')
    return hours


def _is_year(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and EARLIEST.year <= value < LATEST.year


def describe_calendar(calendar: Calendar) -> dict[str, Any]:
    """All of a calendar, as it is kept for counting again what was counted by it."""
    return {
        "announced": sorted(calendar.announced_years),
        "holidays": sorted(day.isoformat() for day in calendar.holidays),
        "working_weekends": sorted(day.isoformat() for day in calendar.working_weekends),
        "hours": [list(span) for span in calendar.hours],
        "zone": str(calendar.zone),
    }


def restore_calendar(version: str, document: Mapping[str, Any]) -> Calendar:
    return Calendar(
        version=version,
        zone=ZoneInfo(document["zone"]),
        announced_years=frozenset(document["announced"]),
        holidays=frozenset(date.fromisoformat(day) for day in document["holidays"]),
        working_weekends=frozenset(date.fromisoformat(day) for day in document["working_weekends"]),
        hours=tuple((begin, end) for begin, end in document["hours"]),
    )


def _version(calendar: Calendar) -> str:
    """The last year announced, and a digest of all that can change what is counted."""
    content = json.dumps(describe_calendar(calendar), sort_keys=True).encode()
    return f"{max(calendar.announced_years)}-{hashlib.blake2b(content, digest_size=6).hexdigest()}"


@dataclass(slots=True)
class _Wiring:
    """The calendar of this process: what is shipped, unless the process has opened another."""

    calendar: Calendar | None = None


_wiring = _Wiring()


def use(calendar: Calendar | None) -> None:
    _wiring.calendar = calendar


def current() -> Calendar:
    if _wiring.calendar is None:
        _wiring.calendar = load_calendar(None, zone=ZoneInfo(ZONE))
    return _wiring.calendar
