"""What intake publishes of deadlines of issues that come near, and of those that pass."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant

Clock = Literal["dispatch", "sign_in", "first_contact", "close", "reply", "dispatch_objection"]
Turn = Annotated[int, Field(ge=1)]


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
    DeadlineApproached,
    DeadlineMissed,
)
