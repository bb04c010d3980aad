"""What intake publishes of deadlines of issues: where they stand, that one comes near, and that one passed."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.contracts.base import Code, Event, Instant

Clock = Literal["dispatch", "sign_in", "first_contact", "close", "reply", "dispatch_objection"]
Turn = Annotated[int, Field(ge=1)]
Version = Annotated[int, Field(ge=1)]


class Deadlines(BaseModel):
    """Until when an issue must be signed, the citizen contacted, the issue closed and the citizen answered.

    Each with the code and the version of its rule, which are absent where somebody told the deadline. Without an
    instant there is no deadline just now. `missed_due_at` is a closing deadline that was missed before a redo or a
    reopening gave the issue another one: what was missed stays missed. `calendar` is absent where nothing was counted.
    """

    sign_by: Instant | None = None
    sign_rule: Code | None = None
    sign_rule_version: Version | None = None
    respond_by: Instant | None = None
    respond_rule: Code | None = None
    respond_rule_version: Version | None = None
    due_at: Instant | None = None
    due_rule: Code | None = None
    due_rule_version: Version | None = None
    missed_due_at: Instant | None = None
    reply_by: Instant | None = None
    reply_rule: Code | None = None
    reply_rule_version: Version | None = None
    calendar: Code | None = None


class DeadlinesMoved(Deadlines, Event):
    """Deadlines of an issue are others than were told last, by a step or a new calendar: these are all that stand now.

    The newest of these is what an issue is judged by. What stands at the receipt is told with `IssueReceived`.
    """

    type: ClassVar[str] = "cn.lianxin.issue.deadlines_moved.v1"
    key: ClassVar[str] = "intake.issue.deadlines_moved.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "moved_at"
    summary: ClassVar[str] = "Deadlines of an issue moved"

    issue_id: UUID
    moved_at: Instant


class DeadlineApproached(Event):
    """A deadline of an issue comes near. Each level of warning comes once for each turn of a clock."""

    type: ClassVar[str] = "cn.lianxin.issue.deadline_approached.v1"
    key: ClassVar[str] = "intake.issue.deadline_approached.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "warned_at"
    summary: ClassVar[str] = "A deadline of an issue came near"

    issue_id: UUID
    warned_at: Instant
    clock: Clock
    turn: Turn
    level: Annotated[int, Field(ge=1, le=100)]
    due_at: Instant
    rule: Code | None = None  # absent where another system told the deadline
    rule_version: int | None = None
    calendar: Code


class DeadlineMissed(Event):
    """A deadline of an issue passed before what it waits for was done. Once for each turn of a clock."""

    type: ClassVar[str] = "cn.lianxin.issue.deadline_missed.v1"
    key: ClassVar[str] = "intake.issue.deadline_missed.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "missed_at"
    summary: ClassVar[str] = "A deadline of an issue was missed"

    issue_id: UUID
    missed_at: Instant
    found_at: Instant
    clock: Clock
    turn: Turn
    due_at: Instant
    rule: Code | None = None
    rule_version: int | None = None
    calendar: Code


EVENTS: tuple[type[Event], ...] = (
    DeadlinesMoved,
    DeadlineApproached,
    DeadlineMissed,
)
