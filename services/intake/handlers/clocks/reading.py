"""Reading the clocks of one issue, with the working of every deadline."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.clocks.explaining import Reason, explain
from services.intake.domain.clocks.rules import Clock, Occasion, Unit
from services.intake.domain.clocks.turns import Reading, State
from services.intake.handlers.clocks.settling import count
from services.intake.storage.citizens import elevated
from services.intake.storage.clocks import list_counted_issues
from services.intake.storage.issues import IssueNotFound
from shared import calendars
from shared.database import Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """Amounts are in days where the limit is, else in seconds. Without a rule the deadline was told."""

    clock: Clock
    turn: int
    occasion: Occasion
    state: State
    started_at: datetime | None
    due_at: datetime | None
    stopped_at: datetime | None
    rule: str | None
    rule_version: int | None
    limit_count: int | None
    limit_unit: Unit | None
    used: int
    paused: int
    pause_budget_left: int | None
    calendar: str
    is_provisional: bool
    explanation: list[Reason]


def read_clocks(pool: Pool, issue_id: UUID, *, now: datetime) -> list[ClockView]:
    """Raises IssueNotFound."""
    calendar = calendars.current()
    with transaction(pool) as connection:
        if not list_counted_issues(connection, [issue_id]):
            raise IssueNotFound("there is no such issue")
        with elevated(connection):  # the line above its unit decides which rules are its own, whoever reads
            counted = count(connection, [issue_id], calendar=calendar, now=now)
    return [_view(reading) for reading in counted[issue_id].readings]


def _view(reading: Reading) -> ClockView:
    calendar = calendars.current()
    rule, run = reading.rule, reading.run
    explanation = explain(reading, calendar)
    return ClockView(
        clock=reading.clock,
        turn=reading.turn,
        occasion=reading.occasion,
        state=reading.state,
        started_at=reading.started_at,
        due_at=reading.due_at,
        stopped_at=reading.stopped_at,
        rule=rule.code if rule else None,
        rule_version=rule.version if rule else None,
        limit_count=run.total if run else (rule.limit.count if rule else None),
        limit_unit=rule.limit.unit if rule else None,
        used=reading.used,
        paused=reading.paused,
        pause_budget_left=reading.budget_left,
        calendar=calendar.version,
        is_provisional=any(reason.code == "year_not_announced" for reason in explanation),
        explanation=explanation,
    )
