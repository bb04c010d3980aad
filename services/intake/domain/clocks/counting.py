"""When one run of a clock falls due, and how much of it is used: counting days, or counting time.

Days are counted at one moment each, the one at which that day would be the last: a day counts if the clock is not held
up at its moment. Time is counted while it passes. Either way whole days or exact instants, and never a fraction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.intake.domain.clocks.rules import ClockRule, Unit
from services.intake.domain.times import LATEST
from shared.working_time import ONE_DAY, Calendar, ClockTime, WorkingTime


class Pause(NamedTuple):
    begin: datetime
    end: datetime | None  # None: it goes on
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One stretch that a rule limits: from its start, over all pauses, for the limit with what extensions added."""

    start: datetime
    rule: ClockRule
    total: int
    pauses: Sequence[Pause]  # those whose reasons stop this clock, in order and apart
    not_before: datetime | None = None  # somebody granted that it is not due earlier


class Mark(NamedTuple):
    """A day that could be the last, and its moment. `held_up_by` is a reason of pause; not set where the day counts."""

    day: date
    at: datetime
    held_up_by: str | None
    is_over_budget: bool


class Stretch(NamedTuple):
    begin: datetime
    end: datetime | None
    held_up_by: str | None
    is_over_budget: bool


class Used(NamedTuple):
    """In days where the rule counts days, else in seconds."""

    used: int
    paused: int


UNITS: dict[Unit, timedelta] = {
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "working_hours": timedelta(hours=1),
}


def find_due(run: Run, calendar: Calendar) -> datetime | None:
    """The instant at which the run is over if nothing more happens; None where that is never, or not to be stored."""
    due_at = _count_due(run, calendar)
    return due_at if due_at is None or run.not_before is None else max(due_at, run.not_before)


def _count_due(run: Run, calendar: Calendar) -> datetime | None:
    if run.rule.counts_days:
        counted = 0
        for mark in list_marks(run, calendar):
            counted += mark.held_up_by is None
            if counted == run.total:
                return mark.at
        return None
    time = measure_of(run.rule, calendar)
    left = run.total * UNITS[run.rule.limit.unit]
    for stretch in list_stretches(run, calendar):
        if stretch.held_up_by is not None:
            continue
        passed = None if stretch.end is None else time.between(stretch.begin, stretch.end)
        if passed is None or passed >= left:
            return time.advance(stretch.begin, left)
        left -= passed
    return None


def measure(run: Run, calendar: Calendar, *, until: datetime) -> Used:
    """How much of the run is used, and how much pauses have taken, at that instant."""
    if run.rule.counts_days:
        held_up = [mark.held_up_by is not None for mark in list_marks(run, calendar, until=until)]
        return Used(used=held_up.count(False), paused=held_up.count(True))
    time = measure_of(run.rule, calendar)
    used = paused = timedelta()
    for stretch in list_stretches(run, calendar):
        end = until if stretch.end is None else min(stretch.end, until)
        passed = time.between(stretch.begin, end)
        if stretch.held_up_by is None:
            used += passed
        else:
            paused += passed
    return Used(used=used // timedelta(seconds=1), paused=paused // timedelta(seconds=1))


def is_held_up(run: Run, calendar: Calendar, *, at: datetime) -> bool:
    """Whether a pause holds the run up then. One beyond its budget does not any more."""
    pause, budget = _pause_over(run.pauses, at), run.rule.pause_budget
    if pause is None or budget is None:
        return pause is not None
    if run.rule.counts_days or at <= run.start:
        return measure(run, calendar, until=at).paused < budget
    return any(
        stretch.held_up_by is not None and stretch.begin < at and (stretch.end is None or at <= stretch.end)
        for stretch in list_stretches(run, calendar)
    )


def list_marks(run: Run, calendar: Calendar, *, until: datetime | None = None) -> Iterator[Mark]:
    """The days after the start that could be the last, until then: or for as long as one of them still may be it."""
    rule = run.rule
    budget = rule.pause_budget
    moment = _moment(run, calendar)
    day = calendar.day_of(run.start)
    if not rule.counts_first_day:
        day += ONE_DAY
    while day < LATEST.date():
        at = calendar.at(day, moment) if rule.limit.unit == "natural_days" or calendar.is_working_day(day) else None
        day += ONE_DAY
        if at is None or at <= run.start:
            continue
        pause = _pause_over(run.pauses, at)
        is_endless = pause is not None and pause.end is None and budget is None
        if at > until if until is not None else is_endless:
            return
        is_over_budget = pause is not None and budget == 0
        held_up_by = None if pause is None or is_over_budget else pause.reason
        if held_up_by is not None and budget is not None:
            budget -= 1
        yield Mark(day - ONE_DAY, at, held_up_by, is_over_budget)


def list_stretches(run: Run, calendar: Calendar) -> Iterator[Stretch]:
    """The stretches of running and of being held up, from the start on and without a gap."""
    time = measure_of(run.rule, calendar)
    budget = run.rule.pause_budget
    left = None if budget is None else budget * UNITS[run.rule.limit.unit]
    begin, is_over_budget = run.start, False
    for pause in run.pauses:
        if pause.end is not None and pause.end <= begin:
            continue
        if pause.begin > begin:
            yield Stretch(begin, pause.begin, None, is_over_budget)
            begin = pause.begin
        exhausted = None if left is None else time.advance(begin, left)
        end = pause.end if exhausted is None else min(exhausted, pause.end or exhausted)
        is_over_budget = exhausted is not None and end == exhausted and end != pause.end
        if end is None or end > begin:
            yield Stretch(begin, end, pause.reason, is_over_budget=False)
        if end is None:
            return
        left = None if left is None else left - time.between(begin, end)
        if is_over_budget and pause.end is not None:
            yield Stretch(end, pause.end, None, is_over_budget=True)
            end, is_over_budget = pause.end, False
        begin = end
    yield Stretch(begin, None, None, is_over_budget)


def measure_of(rule: ClockRule, calendar: Calendar) -> ClockTime | WorkingTime:
    return WorkingTime(calendar) if rule.limit.unit == "working_hours" else ClockTime()


def _moment(run: Run, calendar: Calendar) -> timedelta:
    """How long after midnight a day's moment is."""
    if run.rule.ends == "end_of_day":
        return ONE_DAY
    if run.rule.ends == "end_of_working_day":
        return calendar.closes
    wall = run.start.astimezone(calendar.zone)
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def _pause_over(pauses: Sequence[Pause], at: datetime) -> Pause | None:
    """A pause that begins just then has not begun yet, one that ends just then has not ended yet."""
    return next((pause for pause in pauses if pause.begin < at and (pause.end is None or at <= pause.end)), None)
