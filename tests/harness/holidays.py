"""Write shared/calendars.toml anew from the package `holidays`: python -m tests.harness.holidays

To be run when a new version of the package knows another year; a test compares the two and fails until then.
"""

import sys
from datetime import date, timedelta

from shared.calendars import SHIPPED

FIRST_ANNOUNCED = (
    2001  # the first year with make-up working days in the State Council's notices, as the package has them
)
LAST_EXPECTED = 2060
HEAD = """\
# Days off from Monday to Friday, and Saturdays and Sundays that are worked to make up for others.
# `announced`: as the General Office of the State Council arranged each year. `expected`: what the law gives in later
# years (each holiday, and a working day instead of one on a weekend), until their arrangement is known.
# Made of the package `holidays` by `python -m tests.harness.holidays`; change nothing here by hand.
"""


def main() -> int:
    SHIPPED.write_text(render(), "utf-8")
    return 0


def render() -> str:
    announced, expected = read_package()
    lines = [HEAD]
    for year, (off, worked) in announced.items():
        lines.append(f"[announced.{year}]\nholidays = {_days(off)}\nworking_weekends = {_days(worked)}\n")
    lines.append("[expected]")
    lines.extend(f"{year} = {_days(off)}" for year, off in expected.items())
    return "\n".join(lines) + "\n"


def read_package() -> tuple[dict[int, tuple[list[date], list[date]]], dict[int, list[date]]]:
    """By year: the days off and the weekends worked of the years that were announced, the days off of later ones."""
    from holidays.countries.china import China  # here, because it brings every country along: a second and 46 MB

    known = China(years=range(FIRST_ANNOUNCED, LAST_EXPECTED + 1), expand=False)
    worked = {day for day in known.weekend_workdays if day.year >= FIRST_ANNOUNCED}
    last_announced = max(day.year for day in worked)
    announced = {
        year: (_off(known, year), sorted(day for day in worked if day.year == year))
        for year in range(FIRST_ANNOUNCED, last_announced + 1)
    }
    return announced, {year: _off(known, year) for year in range(last_announced + 1, LAST_EXPECTED + 1)}


def _off(known: dict[date, str], year: int) -> list[date]:
    first = date(year, 1, 1)
    days = (first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days))
    return [day for day in days if day.weekday() < 5 and day in known]


def _days(days: list[date]) -> str:
    rows = [days[at : at + 8] for at in range(0, len(days), 8)]
    if len(rows) <= 1:
        return f"[{', '.join(map(str, days))}]"
    return "[\n" + "".join(f"  {', '.join(map(str, row))},\n" for row in rows) + "]"


if __name__ == "__main__":
    sys.exit(main())
