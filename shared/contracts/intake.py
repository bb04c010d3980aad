"""The events that intake publishes: registers, duties, contacts, issues and ratings, by opaque ids."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant, Title

ContactKind = Literal[
    "visit",
    "reception",
    "outreach_reception",
    "field_stay",
    "paired_assistance",
    "discussion_meeting",
    "field_study",
    "volunteer_service",
    "online",
    "hotline_duty",
]
IssueType = Literal["enquiry", "help", "complaint", "report", "suggestion", "thanks"]
IssueOutcome = Literal["resolved", "explained_policy", "not_accepted", "withdrawn", "merged"]
Urgency = Literal["normal", "urgent", "critical"]
Channel = Literal["phone", "web", "app", "mailbox", "contact", "reception", "staff", "social_media", "other_system"]
RatingMethod = Literal["link", "callback", "kiosk", "app", "import"]
DutyPeriod = Literal["month", "quarter", "year"]
PeopleCount = Annotated[int, Field(ge=0, le=100_000)]
Minutes = Annotated[int, Field(ge=0, le=525_600)]


class OrganisationRegistered(Event):
    """An organisation was entered in the register, or its entry changed."""

    type: ClassVar[str] = "cn.lianxin.organisation.registered.v1"
    key: ClassVar[str] = "intake.organisation.registered.v1"
    aggregate: ClassVar[str] = "organisation"
    summary: ClassVar[str] = "An organisation was registered or its entry changed"

    organisation_id: UUID
    code: Code
    name: Title
    level: Code  # GB/T 12404 subordination code
    parent_id: UUID | None = None
    region_type: Code | None = None


class CadreRegistered(Event):
    """A cadre was entered in the register, or the entry changed."""

    type: ClassVar[str] = "cn.lianxin.cadre.registered.v1"
    key: ClassVar[str] = "intake.cadre.registered.v1"
    aggregate: ClassVar[str] = "cadre"
    summary: ClassVar[str] = "A cadre was registered or the entry changed"

    cadre_id: UUID
    staff_number: Code
    name: Title


class PostRecorded(Event):
    """A cadre holds, or held, a post from one day to another. A transfer ends one post and records the next."""

    type: ClassVar[str] = "cn.lianxin.post.recorded.v1"
    key: ClassVar[str] = "intake.post.recorded.v1"
    aggregate: ClassVar[str] = "post"
    summary: ClassVar[str] = "A dated post of a cadre was recorded or ended"

    post_id: UUID
    cadre_id: UUID
    organisation_id: UUID
    post_kind: Code
    post_level: Code
    from_on: date
    until_on: date | None = None  # the last day, included


class DutyDefined(Event):
    """What contact a kind of post owes in a period."""

    type: ClassVar[str] = "cn.lianxin.duty.defined.v1"
    key: ClassVar[str] = "intake.duty.defined.v1"
    aggregate: ClassVar[str] = "duty"
    summary: ClassVar[str] = "A contact duty of a kind of post was defined"

    duty_id: UUID
    post_kind: Code
    contact_kind: ContactKind
    required_count: Annotated[int, Field(ge=1, le=10_000)]
    per: DutyPeriod
    valid_from: date
    valid_until: date | None = None  # the last day, included


class ContactRecorded(Event):
    """A cadre met the public."""

    type: ClassVar[str] = "cn.lianxin.contact.recorded.v1"
    key: ClassVar[str] = "intake.contact.recorded.v1"
    aggregate: ClassVar[str] = "contact"
    dated_by: ClassVar[str | None] = "occurred_at"
    summary: ClassVar[str] = "A contact of a cadre with the public was recorded"

    contact_id: UUID
    cadre_id: UUID
    organisation_id: UUID | None = None
    kind: ContactKind
    occurred_at: Instant
    recorded_at: Instant
    duration_minutes: Minutes | None = None
    population_group: Code | None = None
    people_count: PeopleCount | None = None
    place_code: Code | None = None


class IssueReceived(Event):
    """A citizen's issue came in. Where it was assigned at once, the lead unit and responsible cadre are named."""

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
    respond_by: Instant | None = None
    due_at: Instant | None = None
    organisation_id: UUID | None = None
    cadre_id: UUID | None = None
    contact_id: UUID | None = None
    citizen_ref: UUID | None = None  # a pseudonym; who it is stays with intake


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


class IssueResponded(Event):
    """The citizen was first contacted about the issue."""

    type: ClassVar[str] = "cn.lianxin.issue.responded.v1"
    key: ClassVar[str] = "intake.issue.responded.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "responded_at"
    summary: ClassVar[str] = "The citizen was first contacted about an issue"

    issue_id: UUID
    responded_at: Instant


class IssueClosed(Event):
    """An issue was closed with an outcome."""

    type: ClassVar[str] = "cn.lianxin.issue.closed.v1"
    key: ClassVar[str] = "intake.issue.closed.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "closed_at"
    summary: ClassVar[str] = "An issue was closed with an outcome"

    issue_id: UUID
    closed_at: Instant
    outcome: IssueOutcome


class RatingSubmitted(Event):
    """A citizen rated how an issue was handled, or how a contact went: 5 very satisfied to 1 very dissatisfied."""

    type: ClassVar[str] = "cn.lianxin.rating.submitted.v1"
    key: ClassVar[str] = "intake.rating.submitted.v1"
    aggregate: ClassVar[str] = "rating"
    dated_by: ClassVar[str | None] = "rated_at"
    summary: ClassVar[str] = "A citizen rated an issue or a contact"

    rating_id: UUID
    issue_id: UUID | None = None  # exactly one of issue_id and contact_id
    contact_id: UUID | None = None
    level: Annotated[int, Field(ge=1, le=5)]
    solved: bool | None = None
    method: RatingMethod
    rated_at: Instant
    rater_ref: UUID | None = None  # the pseudonym of the citizen whose issue or contact is rated, where one is known


class CitizenErased(Event):
    """What tells who a citizen is was destroyed; the pseudonym remains, and leads nowhere any more."""

    type: ClassVar[str] = "cn.lianxin.citizen.erased.v1"
    key: ClassVar[str] = "intake.citizen.erased.v1"
    aggregate: ClassVar[str] = "citizen"
    identified_by: ClassVar[str | None] = "citizen_ref"
    summary: ClassVar[str] = "The identity of a citizen was erased"

    citizen_ref: UUID
    erased_at: Instant
