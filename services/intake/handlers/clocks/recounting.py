"""Counting every issue again from its log: what stands in the columns must come out once more."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.handlers.clocks.settling import COLUMNS, Counted, count, row_of
from services.intake.handlers.clocks.telling import tell_moved
from services.intake.storage import clock_rules
from services.intake.storage import clocks as storage
from shared import calendars, outbox
from shared.database import Connection, Pool, transaction
from shared.observability import correlation_id
from shared.reach import SYSTEM
from shared.working_time import Calendar

ISSUES_A_COMMIT = 500
FIRST = UUID(int=0)


@dataclass(slots=True, kw_only=True)
class Recount:
    counted: int = 0
    uncounted: int = 0  # open, and never counted yet
    differing: int = 0


def keep_calendar(pool: Pool, *, now: datetime) -> None:
    """Keep the calendar in use, so that what is counted by it can always be counted again."""
    calendar = calendars.current()
    document = calendars.describe_calendar(calendar)
    with transaction(pool, reach=SYSTEM) as connection:
        clock_rules.keep_calendar(connection, calendar.version, document, recorded_at=now)


def recount(pool: Pool, *, now: datetime, apply: bool = False) -> Recount:
    """Compare, each issue by the calendar that it was counted by; or count open ones by the calendar in use."""
    found, after = Recount(), FIRST
    while True:
        with transaction(pool, reach=SYSTEM) as connection:
            ids = storage.list_open_ids(connection, after=after, limit=ISSUES_A_COMMIT)
            if not ids:
                return found
            after = ids[-1]
            if apply:
                _apply(connection, ids, found, now)
            else:
                _compare(connection, ids, found, now)


def _compare(connection: Connection, ids: list[UUID], found: Recount, now: datetime) -> None:
    by_calendar: dict[str, list[UUID]] = {}
    for issue in storage.list_counted_issues(connection, ids):
        if issue.calendar is None:
            found.uncounted += 1
        else:
            by_calendar.setdefault(issue.calendar, []).append(issue.id)
    for version, same in by_calendar.items():
        calendar = _calendar(connection, version)
        for counted in count(connection, same, calendar=calendar, now=now).values():
            found.counted += 1
            found.differing += _differs(counted)


def _differs(counted: Counted) -> bool:
    kept = {column: getattr(counted.issue, column) for column in COLUMNS.values()}
    return kept != dict(counted.deadlines) or dict(counted.issue.clock_rules) != dict(counted.chosen)


def _apply(connection: Connection, ids: list[UUID], found: Recount, now: datetime) -> None:
    calendar = calendars.current()
    counted = count(connection, ids, calendar=calendar, now=now)
    found.counted += len(counted)
    found.differing += sum(_differs(one) for one in counted.values())
    storage.set_deadlines(connection, [row_of(one, calendar, now=now) for one in counted.values()])
    moved = tell_moved(connection, counted, correlation_ids={}, now=now)
    outbox.append(connection, moved, recorded_at=now, correlation_id=correlation_id())


def _calendar(connection: Connection, version: str) -> Calendar:
    if version == calendars.current().version:
        return calendars.current()
    document = clock_rules.find_calendar(connection, version)
    if document is None:
        raise LookupError(f"the calendar {version} was not kept")
    return calendars.restore_calendar(version, document)
