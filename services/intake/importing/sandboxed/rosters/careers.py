"""Days of cadre files in their many forms, and the dated lines of a CV."""

import calendar
import re
from datetime import date, timedelta
from typing import Final

DAY: Final = re.compile(
    r"((?:19|20)[0-9]{2})[.年/-]?(0?[1-9]|1[0-2])(?:[.月/-]?(0?[1-9]|[12][0-9]|3[01])日?|月)?(?: 00:00:00)?", re.ASCII
)
MONTH: Final = r"((?:19|20)[0-9]{2})\s*[.．年/-]\s*(0?[1-9]|1[0-2])\s*月?"
# 1998.09--2001.07  text; an open line has blanks, or a word, where its last month would stand.
LINE: Final = re.compile(rf"\s*{MONTH}\s*(?:--|[—－–~～至-])+\s*(?:{MONTH}|至今|今|现在)?\s*[，,：:]?\s*(.*)", re.ASCII)
MOST_LINES: Final = 200
LONGEST_LINE: Final = 2_000
EMPTY: Final = frozenset({"", "无", "(无)", "（无）", "NULL"})


class BadDay(ValueError):
    """The text is no day or month; it is not repeated here."""


class BadCareer(ValueError):
    """The text has no dated line at its beginning, or more than any CV has."""


def read_day(text: str) -> str:
    """A day, or the first of a month. Raises BadDay."""
    return _day(text).isoformat()


def read_last_day(removed: str, first: str) -> str:
    """The day before a removal, and never before the first. Raises BadDay."""
    return max(_day(removed) - timedelta(days=1), date.fromisoformat(first)).isoformat()


def _day(text: str) -> date:
    found = DAY.fullmatch(text.strip())
    if found is None:
        raise BadDay
    try:
        return date(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        raise BadDay from None


def read_career(text: str) -> list[tuple[str, str, str]]:
    """The lines: first day, last day or nothing, and the text. Lines without a date go on with the one before.

    Raises BadCareer.
    """
    if text.strip() in EMPTY:
        return []
    lines: list[tuple[str, str, str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        found = LINE.fullmatch(line)
        if found is not None:
            lines.append((_first(found[1], found[2]), _last(found[3], found[4]), found[5].strip()))
        elif lines:
            first, last, before = lines[-1]
            lines[-1] = (first, last, f"{before}\n{line}")
        else:
            raise BadCareer
    if len(lines) > MOST_LINES or any(len(told) > LONGEST_LINE for _, _, told in lines):
        raise BadCareer
    if any(not told or (last and last < first) for first, last, told in lines):
        raise BadCareer
    return lines


def _first(year: str, month: str) -> str:
    return date(int(year), int(month), 1).isoformat()


def _last(year: str | None, month: str | None) -> str:
    if year is None or month is None:
        return ""
    return date(int(year), int(month), calendar.monthrange(int(year), int(month))[1]).isoformat()
