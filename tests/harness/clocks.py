"""Compare the clocks with the walker on random cases: python -m tests.harness.clocks --cases 100000 --seed 1

A case is one clock with its rules and a log of up to eleven events: near make-up working days, holidays, year ends, the
nights from 1986 to 1991 in which clocks were put forward and back, and in years that nobody has announced. It ends with
1 and prints the first cases that differ, each with the number that makes it again: --only NUMBER.
"""

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from services.intake.domain.clocks.evaluation import read_clock
from services.intake.domain.clocks.events import ClockEvent, EventKind, Turn
from services.intake.domain.clocks.rules import CLOCKS, ClockRule, Limit, Scope, Unit, Urgency
from services.intake.domain.clocks.turns import Reading
from shared.calendars import load_calendar
from shared.working_time import Calendar
from tests.harness.clock_walker import Case, Walked, walk

ZONE = ZoneInfo("Asia/Shanghai")
REASONS = ("awaiting_citizen", "awaiting_unit", "hearing")
URGENCIES: tuple[Urgency, ...] = ("normal", "urgent", "critical")
OCCASIONS = ("first", "transferred", "redo_ordered", "reopened")
LONGEST: dict[Unit, int] = {"minutes": 90, "hours": 72, "working_hours": 30, "natural_days": 15, "working_days": 10}
KINDS: dict[EventKind, int] = {
    "assigned": 3,
    "transferred": 2,
    "returned": 1,
    "objected": 1,
    "signed": 1,
    "contacted": 1,
    "paused": 8,
    "resumed": 6,
    "extended": 3,
    "urgency_set": 2,
    "replied": 1,
    "closed": 1,
    "redo_ordered": 1,
    "reopened": 1,
}


def make_case(number: int, *, seed: int, calendars: tuple[Calendar, ...]) -> Case:
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - cases, not secrets
    calendar = rng.choice(calendars)
    begin = _begin(rng, calendar)
    clock = rng.choice(CLOCKS)
    rules = _rules(rng, is_in_summer_time_years=1985 < begin.year < 1993)
    events = [ClockEvent(kind="received", at=begin, organisation="a", urgency=rng.choice(URGENCIES))]
    at = begin
    for _ in range(rng.randrange(11)):
        at += _gap(rng)
        events.append(_event(rng, at, clock, begin, calendar))
    now = at + _gap(rng) * rng.randrange(3)
    return Case(clock=clock, events=events, rules=rules, calendar=calendar, now=now)


def _begin(rng: random.Random, calendar: Calendar) -> datetime:
    """Two in three begin within days of something special."""
    choices = (
        lambda: (
            date(rng.choice((1986, 1988, 1991, 2005, 2024, 2026, 2027, 2030, 2061)), 1, 1)
            + timedelta(days=rng.randrange(365))
        ),
        lambda: rng.choice(sorted(calendar.working_weekends)),
        lambda: rng.choice(sorted(calendar.holidays)),
        lambda: date(rng.choice((2019, 2025, 2026, 2027)), 12, 31),
        lambda: rng.choice((date(1986, 5, 4), date(1986, 9, 14), date(1991, 4, 14), date(1991, 9, 15))),
    )
    day = rng.choice(choices)() + timedelta(days=rng.randrange(-4, 3))
    wall = rng.choice((0, 510, 720, 840, 1050, 1439, *(rng.randrange(1440) for _ in range(6))))
    return calendar.at(day, timedelta(minutes=wall))


def _gap(rng: random.Random) -> timedelta:
    kind = rng.randrange(6)
    if kind == 0:
        return timedelta()
    longest = (0, 3, 90, 720, 1_440, 4_320)[kind]
    minutes = rng.randint(1, longest)
    return timedelta(minutes=minutes - minutes % 30 if rng.random() < 0.3 else minutes)


def _rules(rng: random.Random, *, is_in_summer_time_years: bool) -> dict[tuple[str, str], ClockRule]:
    rules: dict[tuple[str, str], ClockRule] = {}
    occasions = ["first", *rng.sample(OCCASIONS[1:], rng.randrange(4))]
    for occasion in occasions:
        base = _rule(rng, f"{occasion}-normal", is_in_summer_time_years=is_in_summer_time_years)
        for urgency in URGENCIES:
            is_own = urgency != "normal" and rng.random() < 0.5
            name = f"{occasion}-{urgency}"
            rules[occasion, urgency] = (
                _rule(rng, name, is_in_summer_time_years=is_in_summer_time_years) if is_own else base
            )
    return rules


def _rule(rng: random.Random, code: str, *, is_in_summer_time_years: bool) -> ClockRule:
    unit = rng.choice(tuple(LONGEST))
    count = rng.randint(1, LONGEST[unit]) if rng.random() < 0.3 else rng.randint(1, 5)
    endings = ("end_of_day", "end_of_working_day", *(() if is_in_summer_time_years else ("same_time",)))
    return ClockRule(
        code=code,
        version=1,
        clock="close",
        limit=Limit(count=count, unit=unit),
        scope=Scope(valid_from=date(1900, 1, 1)),
        starts_on=rng.choice(("received", "received", "assigned", "signed")),
        counts_first_day=rng.random() < 0.2,
        ends=rng.choice(endings),
        restarts_on=frozenset(rng.sample(("transferred", "redo_ordered", "reopened"), rng.randrange(4))),
        pause_reasons=frozenset(rng.sample(REASONS, rng.randrange(4))),
        pause_budget=rng.choice((None, 0, 1, 2, 5, rng.randint(1, 20))),
        extension_most=rng.choice((0, 1, 5)),
        extension_counts_from=rng.choice(("decision", "request")),
    )


def _event(rng: random.Random, at: datetime, clock: str, begin: datetime, calendar: Calendar) -> ClockEvent:
    kind = rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
    if kind == "paused":
        if rng.random() < 0.15:
            at = max(calendar.at(calendar.day_of(at), timedelta()), begin)
        return ClockEvent(kind=kind, at=at, reason=rng.choice(REASONS))
    if kind == "extended":
        extension = Limit(count=rng.randint(1, 4), unit=rng.choice(tuple(LONGEST)))
        asked_at = rng.choice((None, at, max(at - _gap(rng), begin)))
        meant = clock if rng.random() < 0.8 else "reply"
        return ClockEvent(kind=kind, at=at, clock=meant, extension=extension, asked_at=asked_at)  # type: ignore[arg-type] # a clock
    return ClockEvent(
        kind=kind,
        at=at,
        organisation="b" if kind in {"assigned", "transferred"} else None,
        urgency=rng.choice(URGENCIES) if kind == "urgency_set" else None,
        outcome=rng.choice(("resolved", "withdrawn")) if kind == "closed" else None,
    )


def read(case: Case) -> list[Walked]:
    """What the clocks make of the case, in the walker's words."""

    def rule_for(turn: Turn) -> ClockRule | None:
        return case.rules.get((turn.occasion, turn.urgency))

    ordered = sorted(case.events, key=lambda event: event.at)
    return [_said(reading) for reading in read_clock(case.clock, ordered, rule_for, case.calendar, now=case.now)]


def _said(reading: Reading) -> Walked:
    return Walked(
        state=reading.state,
        started_at=reading.started_at,
        due_at=reading.due_at,
        stopped_at=reading.stopped_at,
        used=reading.used,
        paused=reading.paused,
        budget_left=reading.budget_left,
        rule=reading.rule.name if reading.rule is not None and reading.state != "not_started" else "",
    )


def load_calendars(folder: Path) -> tuple[Calendar, ...]:
    """The shipped one, and one with hours of its own: from midnight and up to midnight."""
    shipped = load_calendar(None, zone=ZONE)
    own = folder / "own.toml"
    own.write_text('hours = ["00:00-09:30", "13:00-24:00"]\nworking_days = [2027-02-13, 2027-02-20]\n', "utf-8")
    return shipped, load_calendar(own, zone=ZONE)


def compare(numbers: range, *, seed: int, calendars: tuple[Calendar, ...]) -> list[tuple[int, str]]:
    """The cases in which the two differ, with what each of them says."""
    faults = []
    for number in numbers:
        case = make_case(number, seed=seed, calendars=calendars)
        found, expected = read(case), walk(case)
        if found != expected:
            told = "\n".join(
                [f"case {number}: {case.clock}, read at {case.now}"]
                + [f"  {event}" for event in sorted(case.events, key=lambda event: event.at)]
                + [f"  {key}: {rule}" for key, rule in case.rules.items()]
                + [f"  clocks {one}" for one in found]
                + [f"  walker {one}" for one in expected]
            )
            faults.append((number, told))
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.clocks", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one case alone")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        calendars = load_calendars(Path(folder))
    begun = time.monotonic()
    if options.only is not None:
        faults = compare(range(options.only, options.only + 1), seed=options.seed, calendars=calendars)
    else:
        chunks = [range(at, min(at + 500, options.cases)) for at in range(0, options.cases, 500)]
        with ProcessPoolExecutor(max_workers=options.processes) as executor:
            parts = executor.map(partial(compare, seed=options.seed, calendars=calendars), chunks)
            faults = [fault for part in parts for fault in part]
    for _, told in faults[:5]:
        sys.stdout.write(told + "\n")
    count = 1 if options.only is not None else options.cases
    sys.stdout.write(
        f"{count} cases with seed {options.seed}: {len(faults)} differ; {time.monotonic() - begun:.0f} seconds\n"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
