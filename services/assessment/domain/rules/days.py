"""A day, or a moment of one, as a number of days: two can be subtracted and compared."""

import re
from datetime import date, time
from fractions import Fraction
from typing import Final

SECONDS: Final = 24 * 60 * 60
_MOMENT: Final = re.compile(
    r"(?P<day>[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日)"
    r"(?:[ T](?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]{1,9})?)?"
)


def find_day(text: str) -> Fraction | None:
    """Days since a fixed one, with the part of the day if a time is written, to the second; None if it is no day."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = map(int, re.findall("[0-9]+", found["day"]))
    clock = map(int, found["time"].split(":")) if found["time"] else ()
    try:
        moment = time(*clock)
        return date(year, month, day).toordinal() + Fraction(
            (moment.hour * 60 + moment.minute) * 60 + moment.second, SECONDS
        )
    except ValueError:
        return None
