"""What may stand in a cell: numbers, times, yes and no, and words of a closed list."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Final, TypeVar

from services.assessment.fair.records import MICRO, Method, Outcome
from services.assessment.importing.records.tables import BadCell

SHANGHAI: Final = timezone(timedelta(hours=8))
EPOCH: Final = datetime(1970, 1, 1, tzinfo=SHANGHAI)
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,12}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,2})?", re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,7}(\.0{1,6})?", re.ASCII)
_MINUTES: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,20})?", re.ASCII)
LARGEST: Final = Decimal(10) ** 9
HOUR: Final = 3_600
QUARTER: Final = 91 * 86_400
EARLIEST_INSTANT: Final = 20 * 366 * 86_400  # plain hours are smaller, dates of records larger
Meaning = TypeVar("Meaning", Outcome, Method)

OUTCOMES: Final[Mapping[str, Outcome]] = {
    "solved": "solved",
    "resolved": "solved",
    "explained": "explained",
    "explained_policy": "explained",
    "unsolved": "unsolved",
    "open": "",
    "not_accepted": "left_out",
    "withdrawn": "left_out",
    "merged": "left_out",
    "excluded": "excluded",
}
METHODS: Final[Mapping[str, Method]] = {
    "callback": "callback",
    "phone": "callback",
    "app": "app",
    "link": "app",
    "sms": "app",
    "web": "app",
    "on_site": "on_site",
    "kiosk": "on_site",
    "paper": "on_site",
    "window": "on_site",
}
_YES_NO: Final = {
    "yes": True,
    "true": True,
    "1": True,
    "1.0": True,
    "no": False,
    "false": False,
    "0": False,
    "0.0": False,
}


def yes_no(cell: str) -> bool:
    value = _YES_NO.get(cell.lower())
    if value is None:
        raise BadCell("must be yes or no")
    return value


def number(cell: str) -> Decimal:
    value = Decimal(cell) if _NUMBER.fullmatch(cell) else None
    if value is None or abs(value) > LARGEST:
        raise BadCell("must be a number such as 12.5")
    return value


def count(cell: str) -> int:
    if not _COUNT.fullmatch(cell):
        raise BadCell("must be a whole number from 0 to 9999999")
    return int(Decimal(cell))


def minutes(cell: str) -> int:
    """Those that are whole."""
    if not _MINUTES.fullmatch(cell):
        raise BadCell("must be a number of minutes from 0 to 9999999")
    return int(Decimal(cell))


def micro(cell: str) -> int:
    """Millionths, half even."""
    return int((number(cell) * MICRO).to_integral_value())


def seconds(cell: str) -> int:
    """Of a number of hours that is not negative."""
    hours = number(cell)
    if hours < 0:
        raise BadCell("must be a number of hours that is not negative")
    return int(hours * HOUR)


def instant(cell: str) -> int:
    """Seconds. A plain number is hours since the period began; else ISO 8601, in Shanghai unless it says so."""
    try:
        if _NUMBER.fullmatch(cell):
            return int((number(cell) * HOUR).to_integral_value())
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise BadCell("must be a time such as 2025-03-01T09:30:00, or hours since the period began") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    try:
        return int((moment - EPOCH).total_seconds())
    except OverflowError:
        raise BadCell("must be a time between the years 1 and 9999") from None


def level(cell: str) -> int:
    if not _COUNT.fullmatch(cell) or not 1 <= Decimal(cell) <= 5:
        raise BadCell("must be a level from 1 to 5")
    return int(Decimal(cell))


def outcome(cell: str) -> Outcome:
    return _look_up(OUTCOMES, cell)


def method(cell: str) -> Method:
    return _look_up(METHODS, cell)


def _look_up(words: Mapping[str, Meaning], cell: str) -> Meaning:
    meaning = words.get(cell.lower())
    if meaning is None:
        raise BadCell(f"must be one of {', '.join(words)}")
    return meaning


def quarter_ends(starts_at: int, ends_at: int) -> tuple[int, ...]:
    """Ends of calendar quarters; of hours since the period began nobody knows the date, so these are cut evenly."""
    if starts_at < EARLIEST_INSTANT:
        count = max(1, round((ends_at - starts_at) / QUARTER))
        return tuple(starts_at + (ends_at - starts_at) * place // count for place in range(1, count + 1))
    ends = []
    moment = EPOCH + timedelta(seconds=starts_at)
    year, quarter = moment.year, (moment.month - 1) // 3 + 1
    while True:
        end = datetime(year + quarter // 4, quarter % 4 * 3 + 1, 1, tzinfo=SHANGHAI)
        ends.append(int((end - EPOCH).total_seconds()))
        if ends[-1] >= ends_at:
            return tuple(ends)
        year, quarter = (year + 1, 1) if quarter == 4 else (year, quarter + 1)
