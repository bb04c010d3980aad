"""When somebody is told of a deadline: before it is due, when it was missed, and then one level up after another."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from services.intake.domain.clocks.rules import WINDOWS, Clock, Limit
from services.intake.domain.clocks.turns import Reading
from services.intake.domain.times import LATEST
from shared.working_time import Calendar

AlarmKind = Literal["approached", "missed", "escalated"]
# For deadlines that were told, and rules that say nothing: the last working day before, and one level a working day.
WARNINGS: Final = (Limit(count=1, unit="working_days"),)
ESCALATIONS: Final = (Limit(count=0, unit="hours"), Limit(count=1, unit="working_days"))
_ORDER: Final = ("approached", "missed", "escalated")
_INSTANT: Final = timedelta(microseconds=1)


class Alarm(NamedTuple):
    at: datetime
    clock: Clock
    turn: int
    kind: AlarmKind
    level: int
    due_at: datetime


def list_alarms(readings: Sequence[Reading], calendar: Calendar) -> list[Alarm]:
    """Every alarm of these turns, in order. What stopped in time alarms nobody; what was missed goes no higher then.

    A warning that would lie before the start is none: nobody can have been late for it.
    """
    alarms: list[Alarm] = []
    for reading in readings:
        if reading.clock in WINDOWS or reading.due_at is None or reading.started_at is None:
            continue
        if reading.state not in {"running", "paused", "missed"}:
            continue
        alarms += _alarms_of(reading, reading.due_at, reading.started_at, calendar)
    return sorted(alarms, key=lambda alarm: (alarm.at, alarm.clock, alarm.turn, _ORDER.index(alarm.kind), alarm.level))


def _alarms_of(reading: Reading, due_at: datetime, started_at: datetime, calendar: Calendar) -> list[Alarm]:
    rule = reading.rule
    warnings = rule.warnings if rule is not None and rule.warnings else WARNINGS
    escalations = rule.escalations if rule is not None and rule.escalations else ESCALATIONS
    alarms = [Alarm(due_at + _INSTANT, reading.clock, reading.turn, "missed", 0, due_at)]
    for level, delay in enumerate(warnings, start=1):
        at = _before(due_at, delay, calendar)
        if started_at < at < due_at and reading.state != "missed":
            alarms.append(Alarm(at, reading.clock, reading.turn, "approached", level, due_at))
    for level, delay in enumerate(escalations, start=1):
        at = max(_after(due_at, delay, calendar), due_at + _INSTANT)
        if reading.stopped_at is None:
            alarms.append(Alarm(at, reading.clock, reading.turn, "escalated", level, due_at))
    return alarms


def _before(due_at: datetime, delay: Limit, calendar: Calendar) -> datetime:
    """Working days before: when that day's work begins, not at midnight."""
    if delay.unit != "working_days":
        return due_at - timedelta(hours=delay.count)
    day = calendar.step_back(calendar.day_of(due_at - _INSTANT), delay.count)
    return calendar.at(day, calendar.opens)


def _after(due_at: datetime, delay: Limit, calendar: Calendar) -> datetime:
    if delay.unit != "working_days":
        return min(due_at + timedelta(hours=delay.count), LATEST)
    day = calendar.step_forward(calendar.day_of(due_at - _INSTANT), delay.count)
    return min(calendar.at(day, calendar.opens), LATEST)
