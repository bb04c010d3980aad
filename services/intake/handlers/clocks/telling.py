"""Telling others of deadlines: which stand, by which rules and calendar, and that they moved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake.domain.clocks.rules import Clock
from services.intake.domain.clocks.turns import Reading
from services.intake.domain.times import LATEST
from services.intake.handlers.clocks.settling import COLUMNS, Counted
from services.intake.storage import clocks as storage
from services.intake.storage.citizens import elevated
from shared import calendars
from shared.contracts.intake.deadlines import DeadlinesMoved
from shared.database import Connection
from shared.outbox import OutgoingEvent

RULED: Final[Mapping[Clock, str]] = {"sign_in": "sign", "first_contact": "respond", "close": "due", "reply": "reply"}


def name_deadlines(counted: Counted, *, at: datetime | None = None) -> dict[str, Any]:
    """The deadlines that stand, as events name them; or those of the turns that had begun at an instant."""
    named: dict[str, Any] = {**counted.deadlines, "calendar": calendars.current().version}
    begun = [one for one in counted.readings if one.clock in RULED and not _begins_after(one, at)]
    for reading in begun:
        named |= _name(reading)
    closing = [one for one in begun if one.clock == "close"]
    missed = (one.due_at for one in closing[:-1] if one.state == "missed")
    return named | {"missed_due_at": next(missed, None)}


def _begins_after(reading: Reading, at: datetime | None) -> bool:
    return at is not None and reading.turn > 1 and reading.started_at is not None and reading.started_at > at


def _name(reading: Reading) -> dict[str, Any]:
    is_known = reading.due_at is not None and reading.due_at <= LATEST
    prefix, rule = RULED[reading.clock], reading.rule
    return {
        COLUMNS[reading.clock]: reading.due_at if is_known else None,
        f"{prefix}_rule": rule.code if rule else None,
        f"{prefix}_rule_version": rule.version if rule else None,
    }


def tell_moved(
    connection: Connection,
    counted: Mapping[UUID, Counted],
    *,
    correlation_ids: Mapping[UUID, str],
    now: datetime,
    due_before: Mapping[UUID, datetime | None] | None = None,
) -> list[OutgoingEvent]:
    """The events of issues whose deadlines are others than they were, numbered on after what was written of each.

    `due_before` says what stood before a step that set `due_at` itself: a grant that came too late moves nothing, and
    was told all the same.
    """
    before = due_before or {}
    moved = [one for one in counted.values() if _differs(one, before.get(one.issue.id, one.issue.due_at))]
    if not moved:
        return []
    with elevated(connection):  # as the rows of the steps: they also go where their sender does not reach
        numbers = storage.number_on(connection, [one.issue.id for one in moved])
    return [
        OutgoingEvent(
            event=DeadlinesMoved(issue_id=one.issue.id, moved_at=now, **name_deadlines(one)),
            sequence=numbers[one.issue.id],
            correlation_id=correlation_ids.get(one.issue.id),
        )
        for one in moved
    ]


def _differs(counted: Counted, due_before: datetime | None) -> bool:
    told = {column: getattr(counted.issue, column) for column in COLUMNS.values()}
    return told != counted.deadlines or due_before != counted.deadlines["due_at"]
