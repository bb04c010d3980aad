"""The sweep: who is late, or soon will be, is said once, to the right level, also after a long downtime.

What was said is a row with a key in the same transaction: two sweeps, or one that is killed, say nothing twice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.intake import metrics
from services.intake.domain.clocks.alarms import Alarm, list_alarms
from services.intake.domain.clocks.turns import Reading
from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.steps import Details, Step
from services.intake.handlers.clocks.settling import Counted, count, row_of
from services.intake.handlers.clocks.telling import tell_moved
from services.intake.handlers.issue_steps.events import event_of
from services.intake.storage import clocks as storage
from services.intake.storage import issue_steps
from shared import calendars, crash, outbox
from shared.contracts.base import Event
from shared.contracts.intake.deadlines import DeadlineApproached, DeadlineMissed
from shared.database import Connection, Pool, transaction
from shared.observability import correlation_id
from shared.outbox import OutgoingEvent
from shared.reach import SYSTEM

ISSUES_A_COMMIT = 200
COMMITS_A_SWEEP = 50  # the next sweep goes on: other tasks have to come to their turn

Raised = tuple[UUID, Alarm]
Superiors = Mapping[int, tuple[UUID | None, UUID | None]]


def sweep_alarms(pool: Pool, *, now: datetime, commits: int = COMMITS_A_SWEEP) -> int:
    """Raise every alarm whose time has come; return how many. What is left is for the next sweep."""
    total = 0
    for _ in range(commits):
        looked_at, raised = _sweep_some(pool, now)
        total += raised
        if looked_at < ISSUES_A_COMMIT:
            break
    return total


def measure_due(pool: Pool) -> tuple[int, float]:
    """How many issues wait for the sweep, and for how many seconds the oldest has."""
    with transaction(pool, reach=SYSTEM) as connection:
        return storage.measure_alarms_due(connection)


def _sweep_some(pool: Pool, now: datetime) -> tuple[int, int]:
    calendar = calendars.current()
    with transaction(pool, reach=SYSTEM) as connection:
        ids = storage.claim_alarmed_ids(connection, now=now, limit=ISSUES_A_COMMIT)
        if not ids:
            return 0, 0
        counted = count(connection, ids, calendar=calendar, now=now)
        fresh = _claim(connection, counted, now)
        _announce(connection, counted, fresh, now)
        rows = [row_of(one, calendar, now=now) for one in counted.values()]
        coming = {issue_id: _next_alarm(one, now) for issue_id, one in counted.items()}
        storage.set_deadlines(connection, [{**row, "alarm_at": coming[row["id"]]} for row in rows])
        moved = tell_moved(connection, counted, correlation_ids={}, now=now)  # by a calendar that was changed
        outbox.append(connection, moved, recorded_at=now, correlation_id=correlation_id())
        crash.point("intake.before_commit")
    for _, alarm in fresh:
        metrics.alarms_raised_total.labels(alarm.kind).inc()
    return len(ids), len(fresh)


def _next_alarm(counted: Counted, now: datetime) -> datetime | None:
    """All that lie behind were raised in this transaction or before it."""
    return next((alarm.at for alarm in list_alarms(counted.readings, calendars.current()) if alarm.at > now), None)


def _claim(connection: Connection, counted: Mapping[UUID, Counted], now: datetime) -> list[Raised]:
    """The alarms whose time has come and that nobody has raised yet. A warning that came too late is none any more."""
    due = [
        (issue_id, alarm)
        for issue_id, one in counted.items()
        for alarm in list_alarms(one.readings, calendars.current())
        if alarm.at <= now and not (alarm.kind == "approached" and alarm.due_at < now)
    ]
    if not due:
        return []
    rows = [
        {
            "issue_id": issue_id,
            "clock": alarm.clock,
            "turn": alarm.turn,
            "kind": alarm.kind,
            "level": alarm.level,
            "due_at": alarm.due_at,
        }
        for issue_id, alarm in due
    ]
    new = storage.insert_alarms(connection, rows, raised_at=now)
    return [(issue_id, alarm) for issue_id, alarm in due if _key(issue_id, alarm) in new]


def _key(issue_id: UUID, alarm: Alarm) -> storage.RaisedAlarm:
    return storage.RaisedAlarm(
        issue_id=issue_id, clock=alarm.clock, turn=alarm.turn, kind=alarm.kind, level=alarm.level
    )


def _announce(connection: Connection, counted: Mapping[UUID, Counted], fresh: Sequence[Raised], now: datetime) -> None:
    """An event each, numbered on; what goes up a level is a step of the issue's log as well."""
    if not fresh:
        return
    held = issue_steps.lock_issues(connection, list({issue_id for issue_id, _ in fresh}))
    wanted = [
        {"number": number, "issue_id": issue_id, "level": alarm.level}
        for number, (issue_id, alarm) in enumerate(fresh)
        if alarm.kind == "escalated"
    ]
    superiors = storage.find_superiors(connection, wanted, on=now) if wanted else {}
    sequences = {issue_id: locked.issue.sequence for issue_id, locked in held.items()}
    levels = dict.fromkeys(sequences, 0)
    events, log = [], []
    for number, (issue_id, alarm) in enumerate(fresh):
        sequences[issue_id] += 1
        if alarm.kind == "escalated":
            step = _escalated(alarm, superiors.get(number, (None, None)), now)
            levels[issue_id] = max(levels[issue_id], alarm.level)
            log.append(_logged(held[issue_id].issue, step, sequences[issue_id]))
            event: Event = event_of(issue_id, step).model_copy(update={"clock": alarm.clock, "turn": alarm.turn})
        else:
            event = _event(issue_id, alarm, _reading(counted[issue_id], alarm), now)
        events.append(OutgoingEvent(event=event, sequence=sequences[issue_id]))
    issue_steps.insert_steps(connection, log, recorded_at=now)
    outbox.append(connection, events, recorded_at=now, correlation_id=correlation_id())
    storage.set_alarmed(
        connection,
        [{"id": issue_id, "sequence": sequences[issue_id], "level": levels[issue_id]} for issue_id in sequences],
    )


def _escalated(alarm: Alarm, superior: tuple[UUID | None, UUID | None], now: datetime) -> Step:
    details = Details(level=alarm.level, organisation_id=superior[0], cadre_id=superior[1])
    return Step(kind="escalated", happened_at=now, reason_code="overdue", details=details)


def _logged(issue: Issue, step: Step, sequence: int) -> dict[str, object]:
    return {
        "issue_id": issue.id,
        "sequence": sequence,
        "kind": step.kind,
        "happened_at": step.happened_at,
        "reason_code": step.reason_code,
        "details": step.details.told(),
    }


def _reading(counted: Counted, alarm: Alarm) -> Reading:
    return next(one for one in counted.readings if (one.clock, one.turn) == (alarm.clock, alarm.turn))


def _event(issue_id: UUID, alarm: Alarm, reading: Reading, now: datetime) -> Event:
    rule = reading.rule
    known = {
        "issue_id": issue_id,
        "clock": alarm.clock,
        "turn": alarm.turn,
        "due_at": alarm.due_at,
        "rule": rule.code if rule else None,
        "rule_version": rule.version if rule else None,
        "calendar": calendars.current().version,
    }
    if alarm.kind == "missed":
        return DeadlineMissed(**known, missed_at=alarm.due_at, found_at=now)
    return DeadlineApproached(**known, level=alarm.level, warned_at=now)
