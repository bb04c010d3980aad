"""What intake publishes of issues that somebody above has to look at."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant


class IssueSupervised(Event):
    """Somebody above the lead unit watches over the issue."""

    type: ClassVar[str] = "cn.lianxin.issue.supervised.v1"
    key: ClassVar[str] = "intake.issue.supervised.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "supervised_at"
    summary: ClassVar[str] = "An issue was put under supervision"

    issue_id: UUID
    supervised_at: Instant
    reason_code: Code


class IssueEscalated(Event):
    """The issue was put before the next level above."""

    type: ClassVar[str] = "cn.lianxin.issue.escalated.v1"
    key: ClassVar[str] = "intake.issue.escalated.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "escalated_at"
    summary: ClassVar[str] = "An issue was escalated"

    issue_id: UUID
    escalated_at: Instant
    level: Annotated[int, Field(ge=1, le=100)]
    reason_code: Code
    organisation_id: UUID | None = None  # before whom it was put
    cadre_id: UUID | None = None
    clock: Code | None = None  # of which a deadline was missed; absent where a person escalated it
    turn: int | None = None


class ProblemOrderRaised(Event):
    """The issue goes in circles: done again too often, passed on by unit after unit, or objected to again."""

    type: ClassVar[str] = "cn.lianxin.issue.problem_raised.v1"
    key: ClassVar[str] = "intake.issue.problem_raised.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "raised_at"
    summary: ClassVar[str] = "An issue became a problem order"

    issue_id: UUID
    raised_at: Instant
    reason_code: Code


EVENTS: tuple[type[Event], ...] = (
    IssueSupervised,
    IssueEscalated,
    ProblemOrderRaised,
)
