"""Instants and days out of other systems' texts: fixed formats, local zones with their gaps and doubled hours, fast.

A file names few days many times, so the day part is worked out once and kept; the time of day is added to it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Oddity = Literal["", "time-ambiguous", "time-in-gap"]
Parsed = tuple[datetime, Oddity]
ISO = "iso"
MOST_DAYS_KEPT = 20_000
MOST_TIMES_KEPT = 86_400  # every second of a day
FIRST_YEAR = 1900
LAST_YEAR = 2199
DATE_PARTS = {"%Y": r"(?P<Y>[0-9]{4})", "%m": r"(?P<m>[0-9]{1,2})", "%d": r"(?P<d>[0-9]{1,2})"}
TIME_PARTS = {
    "%H": r"(?P<H>[0-9]{1,2})",
    "%I": r"(?P<I>[0-9]{1,2})",
    "%M": r"(?P<M>[0-9]{2})",
    "%S": r"(?P<S>[0-9]{2})",
    "%f": r"(?P<f>[0-9]{1,6})",
    "%p": r"(?P<p>[AaPp][Mm])",
}
HALF_A_DAY = 12


class BadFormat(ValueError):
    """The format of a profile is not one that can be read; the message says why."""


class NotAnInstant(ValueError):
    """The text does not fit; the message says what was expected and does not repeat the text."""


@dataclass(frozen=True, slots=True)
class _Format:
    """One format, as a pattern for the day and, after the separator, one for the time of day."""

    text: str
    day: re.Pattern[str]
    separator: str
    time: re.Pattern[str] | None


def compile_format(text: str) -> _Format:
    """Raises BadFormat."""
    cut = re.search(r"(?<=%[Ymd])(\D?)([T ])(?=\D*%[HI])", text)
    day_text, separator, time_text = (text, "", "") if cut is None else (text[: cut.end(1)], cut[2], text[cut.end() :])
    day = _pattern_of(day_text, DATE_PARTS)
    if set(day.groupindex) != {"Y", "m", "d"}:
        raise BadFormat("a format needs each of %Y, %m and %d once, before the time of day")
    if not time_text:
        return _Format(text, day, "", None)
    time = _pattern_of(time_text, TIME_PARTS)
    names = set(time.groupindex)
    if (
        "M" not in names
        or len(names & {"H", "I"}) != 1
        or ("I" in names) != ("p" in names)
        or ("f" in names) > ("S" in names)
    ):
        raise BadFormat("a time of day needs %H, or %I and %p, and %M; %f needs %S")
    return _Format(text, day, separator, time)


class InstantParser:
    """Parses by the first format that fits. Without a zone of its own a text needs an offset from UTC."""

    def __init__(self, formats: list[str], zone: ZoneInfo | None) -> None:
        self._accepts_iso = ISO in formats
        self._formats = [compile_format(text) for text in formats if text != ISO]
        if self._formats and zone is None:
            raise BadFormat("formats without an offset need a time zone")
        self._zone = zone
        self._days: dict[str, _Day | None] = {}
        self._times: dict[str, timedelta | None] = {}
        self.expected = " or ".join(formats)

    def parse(self, text: str) -> Parsed:
        """Return the instant in UTC and what is odd about it. Raises NotAnInstant."""
        for format_ in self._formats:
            parsed = self._parse_one(format_, text)
            if parsed is not None:
                return parsed
        if self._accepts_iso:
            return self._parse_iso(text)
        raise NotAnInstant(f"is no time written as {self.expected}")

    def _parse_one(self, format_: _Format, text: str) -> Parsed | None:
        day_text, _, time_text = text.partition(format_.separator) if format_.time else (text, "", "")
        day = self._kept_day(format_, day_text)
        if day is None:
            return None
        time = self._kept_time(format_.time, time_text) if format_.time else timedelta()
        if time is None:
            return None
        if day.start_utc is not None:
            return day.start_utc + time, ""
        return _localise(day.midnight + time, day.zone)

    def _kept_day(self, format_: _Format, text: str) -> "_Day | None":
        key = text if len(self._formats) == 1 else f"{format_.text}\n{text}"
        try:
            return self._days[key]
        except KeyError:
            if len(self._days) >= MOST_DAYS_KEPT:
                self._days.clear()
        day = _read_day(format_.day, text)
        self._days[key] = kept = _Day.of(day, self._zone) if day and self._zone else None
        return kept

    def _kept_time(self, pattern: re.Pattern[str], text: str) -> timedelta | None:
        key = text if len(self._formats) == 1 else f"{pattern.pattern}\n{text}"
        try:
            return self._times[key]
        except KeyError:
            if len(self._times) >= MOST_TIMES_KEPT:
                self._times.clear()
        self._times[key] = kept = _read_time(pattern, text)
        return kept

    def _parse_iso(self, text: str) -> Parsed:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise NotAnInstant(f"is no time written as {self.expected}") from None
        if not FIRST_YEAR < instant.year <= LAST_YEAR:
            raise NotAnInstant(f"lies outside the years {FIRST_YEAR + 1} to {LAST_YEAR}")
        if instant.tzinfo is not None:
            return instant.astimezone(UTC), ""
        if self._zone is None:
            raise NotAnInstant("has no offset from UTC, such as +08:00")
        return _localise(instant, self._zone)


@dataclass(frozen=True, slots=True)
class _Day:
    midnight: datetime
    zone: ZoneInfo
    start_utc: datetime | None  # None on days whose clock is changed: each time is then worked out on its own

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> "_Day":
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local time, its zone is applied next
        hours = (midnight + timedelta(hours=hour) for hour in range(25))
        offsets = {hour.replace(tzinfo=zone, fold=fold).utcoffset() for hour in hours for fold in (0, 1)}
        start = midnight.replace(tzinfo=zone).astimezone(UTC) if len(offsets) == 1 else None
        return cls(midnight, zone, start)


def day_parser(formats: list[str]) -> Callable[[str], date]:
    """Make a function from text to day. It raises NotAnInstant."""
    patterns = [compile_format(text) for text in formats if text != ISO]
    expected = " or ".join(formats)
    kept: dict[str, date] = {}

    def parse(text: str) -> date:
        if text in kept:
            return kept[text]
        days = [_read_day(format_.day, text) for format_ in patterns]
        if ISO in formats and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            days.append(_read_day(ISO_DAY, text))
        day = next((day for day in days if day is not None), None)
        if day is None:
            raise NotAnInstant(f"is no day written as {expected}")
        if len(kept) < MOST_DAYS_KEPT:
            kept[text] = day
        return day

    return parse


def _localise(local: datetime, zone: ZoneInfo) -> Parsed:
    """Read a local time. One that came twice is taken as the first; one that never came, by the offset before it."""
    first = local.replace(tzinfo=zone, fold=0)
    second = local.replace(tzinfo=zone, fold=1)
    instant = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return instant, ""
    exists = instant.astimezone(zone).replace(tzinfo=None) == local
    return instant, "time-ambiguous" if exists else "time-in-gap"


def _read_day(pattern: re.Pattern[str], text: str) -> date | None:
    match = pattern.fullmatch(text)
    if match is None or not FIRST_YEAR < int(match["Y"]) <= LAST_YEAR:
        return None
    try:
        return date(int(match["Y"]), int(match["m"]), int(match["d"]))
    except ValueError:
        return None


def _read_time(pattern: re.Pattern[str], text: str) -> timedelta | None:
    match = pattern.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    hour = int(parts.get("H") or 0)
    if "I" in parts:
        if not 1 <= int(parts["I"]) <= HALF_A_DAY:
            return None
        hour = int(parts["I"]) % HALF_A_DAY + (HALF_A_DAY if parts["p"].lower() == "pm" else 0)
    minute, second = int(parts["M"]), int(parts.get("S") or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return timedelta(
        hours=hour, minutes=minute, seconds=second, microseconds=int((parts.get("f") or "0").ljust(6, "0"))
    )


def _pattern_of(text: str, parts: dict[str, str]) -> re.Pattern[str]:
    made = []
    for piece in re.findall(r"%.?|[^%]+", text):
        if piece.startswith("%") and piece not in parts:
            raise BadFormat(f"{piece} has no place here; a format knows {', '.join(parts)} in this part")
        made.append(parts.get(piece) or re.escape(piece))
    try:
        return re.compile("".join(made), re.ASCII)
    except re.error:
        raise BadFormat("a part is named twice") from None


ISO_DAY = _pattern_of("%Y-%m-%d", DATE_PARTS)
