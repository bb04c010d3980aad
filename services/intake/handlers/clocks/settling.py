"""Counting the clocks of issues from their logs, and keeping their deadlines in the transaction of the step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.clocks.alarms import list_alarms
from services.intake.domain.clocks.categories import CategoryTree
from services.intake.domain.clocks.evaluation import evaluate, read_clock
from services.intake.domain.clocks.events import ClockEvent, Told, Turn
from services.intake.domain.clocks.log import LoggedStep, events_of_log
from services.intake.domain.clocks.rules import Clock, ClockRule, Occurrence, choose
from services.intake.domain.clocks.turns import Reading
from services.intake.domain.times import LATEST
from services.intake.storage import clock_rules
from services.intake.storage import clocks as storage
from services.intake.storage.citizens import elevated
from services.intake.storage.clocks import CountedIssue
from shared import calendars
from shared.database import Connection
from shared.working_time import Calendar

COLUMNS: Mapping[Clock, str] = {
    "sign_in": "sign_by",
    "first_contact": "respond_by",
    "close": "due_at",
    "reply": "reply_by",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The turns of an issue's clocks, by which versions of which rules, and what that makes of its columns."""

    issue: CountedIssue
    readings: list[Reading]
    chosen: Mapping[str, str | None]
    deadlines: Mapping[str, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What issues are counted by: rules by name, by organisation the codes of itself and all above it, categories."""

    rules: Mapping[str, ClockRule]
    lines: Mapping[str, tuple[str, ...]]
    categories: CategoryTree
    calendar: Calendar


def settle(connection: Connection, ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Counted]:
    """Count issues anew after steps that are in the log already, and keep what came of it."""
    with elevated(connection):
        counted = count(connection, ids, calendar=calendars.current(), now=now)
        storage.set_deadlines(connection, [row_of(one, calendars.current(), now=now) for one in counted.values()])
    return counted


def count(connection: Connection, ids: Sequence[UUID], *, calendar: Calendar, now: datetime) -> dict[UUID, Counted]:
    """Count issues from their logs; nothing is kept."""
    issues = storage.list_counted_issues(connection, ids)
    logs = storage.list_logged_steps(connection, ids)
    organisations = {
        str(step.details["organisation_id"])
        for steps in logs.values()
        for step in steps
        if step.details.get("organisation_id") is not None
    }
    rules = clock_rules.list_rules(connection)
    asks_for_categories = any(rule.scope.categories is not None for rule in rules)
    codes = sorted({issue.category for issue in issues}) if asks_for_categories else []
    ground = Ground(
        rules={rule.name: rule for rule in rules},
        lines=storage.list_lines(connection, sorted(organisations)),
        categories=CategoryTree(storage.list_category_versions(connection, codes) if codes else ()),
        calendar=calendar,
    )
    return {issue.id: count_issue(issue, logs.get(issue.id, ()), ground, now=now) for issue in issues}


def count_issue(issue: CountedIssue, steps: Iterable[LoggedStep], ground: Ground, *, now: datetime) -> Counted:
    events = events_of_log(steps, urgency=issue.urgency)
    choice = _Choice(issue, ground)
    told = Told(close=issue.told_due_at, first_contact=issue.told_respond_by)
    readings = evaluate(events, choice.rule_for, ground.calendar, now=now, told=told)
    if issue.respond_by is not None and all(reading.clock != "first_contact" for reading in readings):
        readings += _fixed_at_receipt(events, issue.respond_by, ground.calendar, now)
    deadlines = {
        column: getattr(issue, column) if column in {"respond_by", "due_at"} else None for column in COLUMNS.values()
    }
    for reading in readings:
        column = COLUMNS.get(reading.clock)
        if column is not None:
            deadlines[column] = reading.due_at if reading.due_at is None or reading.due_at <= LATEST else None
    return Counted(issue=issue, readings=readings, chosen=choice.chosen, deadlines=deadlines)


def _fixed_at_receipt(
    events: Sequence[ClockEvent], respond_by: datetime, calendar: Calendar, now: datetime
) -> list[Reading]:
    """Without a rule, the setting `respond_within_hours` gave the issue its deadline once and for all."""
    ordered = sorted(events, key=lambda event: event.at)
    return read_clock("first_contact", ordered, lambda _: None, calendar, now=now, told_due=respond_by)


def row_of(counted: Counted, calendar: Calendar, *, now: datetime) -> dict[str, Any]:
    """What of it is kept. An alarm whose time has passed may have been raised: the sweep knows, and looks at once."""
    alarms = list_alarms(counted.readings, calendar)
    alarm_at = None if not alarms else max(alarms[0].at, now)
    return {
        "id": counted.issue.id,
        "clock_rules": dict(counted.chosen),
        "calendar": calendar.version,
        "alarm_at": alarm_at,
        **counted.deadlines,
    }


class _Choice:
    """Which rule a turn follows: the version that it was given once, else the nearest now. No later rule moves it."""

    def __init__(self, issue: CountedIssue, ground: Ground) -> None:
        self._issue = issue
        self._ground = ground
        self.chosen = dict(issue.clock_rules)

    def rule_for(self, turn: Turn) -> ClockRule | None:
        place = "placed" if turn.organisation is not None else "unplaced"
        key = f"{turn.clock}.{turn.number}.{turn.urgency}.{place}"
        if key not in self.chosen:
            rule = choose(self._ground.rules.values(), self._occurrence(turn))
            self.chosen[key] = None if rule is None else rule.name
        name = self.chosen[key]
        return None if name is None else self._ground.rules[name]

    def _occurrence(self, turn: Turn) -> Occurrence:
        on = self._ground.calendar.day_of(turn.begun_at)
        line = self._ground.lines.get(turn.organisation or "", ())
        return Occurrence(
            clock=turn.clock,
            occasion=turn.occasion,
            on=on,
            issue_type=self._issue.type,
            channel=self._issue.channel,
            urgency=turn.urgency,
            categories=self._ground.categories.line(self._issue.category, on=on, place=line),
            line=line,
        )
