"""What intake publishes of how an issue ends, and of one that does not stay ended."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant
from shared.contracts.intake.issues import ReplyCharacters, ReplyMeans


class IssueReplied(Event):
    """The citizen was told what came of the issue."""

    type: ClassVar[str] = "cn.lianxin.issue.replied.v1"
    key: ClassVar[str] = "intake.issue.replied.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "replied_at"
    summary: ClassVar[str] = "The citizen was replied to about an issue"

    issue_id: UUID
    replied_at: Instant
    means: ReplyMeans
    reply_characters: ReplyCharacters | None = None  # absent where an older release told it


class IssueMerged(Event):
    """The issue was found to be the same as another one, which goes on for both. That it is closed says IssueClosed."""

    type: ClassVar[str] = "cn.lianxin.issue.merged.v1"
    key: ClassVar[str] = "intake.issue.merged.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "merged_at"
    summary: ClassVar[str] = "An issue was merged into another one"

    issue_id: UUID
    merged_at: Instant
    merged_into: UUID


class RedoOrdered(Event):
    """The work has to be done again: the issue is not closed any more."""

    type: ClassVar[str] = "cn.lianxin.issue.redo_ordered.v1"
    key: ClassVar[str] = "intake.issue.redo_ordered.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "ordered_at"
    summary: ClassVar[str] = "An issue has to be done again"

    issue_id: UUID
    ordered_at: Instant
    reason_code: Code
    redo_count: Annotated[int, Field(ge=1, le=10_000)]


class IssueReopened(Event):
    """The issue is not closed any more. Where that gives it other deadlines, `DeadlinesMoved` tells them."""

    type: ClassVar[str] = "cn.lianxin.issue.reopened.v1"
    key: ClassVar[str] = "intake.issue.reopened.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "reopened_at"
    summary: ClassVar[str] = "A closed issue was opened again"

    issue_id: UUID
    reopened_at: Instant
    reason_code: Code
    asked_by: Literal["citizen", "clerk"]


EVENTS: tuple[type[Event], ...] = (
    IssueReplied,
    IssueMerged,
    RedoOrdered,
    IssueReopened,
)
