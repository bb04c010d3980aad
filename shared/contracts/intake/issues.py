"""What intake publishes of issues, step by step of their life."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant
from shared.contracts.intake.deadlines import Deadlines

IssueType = Literal["enquiry", "help", "complaint", "report", "suggestion", "thanks"]
IssueOutcome = Literal["resolved", "explained_policy", "not_accepted", "withdrawn", "merged"]
Urgency = Literal["normal", "urgent", "critical"]
AssignmentKind = Literal["dispatch", "transfer", "return", "redispatch"]
ReplyMeans = Literal["phone", "sms", "letter", "mail", "app", "web", "in_person", "imported"]
Channel = Literal["phone", "web", "app", "mailbox", "contact", "reception", "staff", "social_media", "other_system"]

ReplyCharacters = Annotated[int, Field(ge=0, le=1_000_000)]  # how long a reply is; what it says stays with intake


class IssueReceived(Deadlines, Event):
    """A citizen's issue came in, with its first deadlines. Where it was assigned at once, it says to whom."""

    type: ClassVar[str] = "cn.lianxin.issue.received.v1"
    key: ClassVar[str] = "intake.issue.received.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "received_at"
    summary: ClassVar[str] = "An issue raised by a citizen was received"

    issue_id: UUID
    issue_type: IssueType
    category: Code
    channel: Channel
    urgency: Urgency = "normal"
    source: Code
    received_at: Instant
    organisation_id: UUID | None = None
    cadre_id: UUID | None = None
    contact_id: UUID | None = None
    citizen_ref: UUID | None = None  # a pseudonym; who it is stays with intake
    # How often another system says that it came back, or had to be done again, before it was taken over.
    told_return_count: Annotated[int, Field(ge=0, le=10_000)] | None = None
    told_redo_count: Annotated[int, Field(ge=0, le=10_000)] | None = None


class IssueAssigned(Event):
    """An issue was assigned, or assigned anew, to a lead unit and a responsible cadre."""

    type: ClassVar[str] = "cn.lianxin.issue.assigned.v1"
    key: ClassVar[str] = "intake.issue.assigned.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "assigned_at"
    summary: ClassVar[str] = "An issue was assigned to a lead unit and a responsible cadre"

    issue_id: UUID
    organisation_id: UUID
    cadre_id: UUID | None = None
    assigned_at: Instant
    kind: AssignmentKind | None = None  # absent where an older release told it
    reason_code: Code | None = None


class IssueResponded(Event):
    """The citizen was first contacted about the issue.

    `recorded_at` where a person told it afterwards: when that was. Without it the time is the server's, or that of
    another system.
    """

    type: ClassVar[str] = "cn.lianxin.issue.responded.v1"
    key: ClassVar[str] = "intake.issue.responded.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "responded_at"
    summary: ClassVar[str] = "The citizen was first contacted about an issue"

    issue_id: UUID
    responded_at: Instant
    recorded_at: Instant | None = None


class IssueClosed(Deadlines, Event):
    """An issue was closed with an outcome, in time or late by the deadlines that stood then.

    Where an older release told it there are none: then what was told last stands. `recorded_at` where a person told it
    afterwards, as of a first contact.
    """

    type: ClassVar[str] = "cn.lianxin.issue.closed.v1"
    key: ClassVar[str] = "intake.issue.closed.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "closed_at"
    summary: ClassVar[str] = "An issue was closed with an outcome"

    issue_id: UUID
    closed_at: Instant
    outcome: IssueOutcome
    reply_characters: ReplyCharacters | None = None  # of the reply that it was closed with, where it was with one
    recorded_at: Instant | None = None


EVENTS: tuple[type[Event], ...] = (
    IssueReceived,
    IssueAssigned,
    IssueResponded,
    IssueClosed,
)
