"""What intake can be asked to do, one dataclass a request, and what comes of it. Values are checked at the doors."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from services.intake.domain.citizens import Citizen
from shared.reach import Reach

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
Status = Literal["created", "unchanged", "changed", "rejected", "conflict"]

DIRECT = "lianxin"  # the source of whatever was entered here and not taken over from another system


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one command: `code` is stable and for programs, `flags` name what is odd but was accepted."""

    status: Status
    id: UUID | None = None
    code: str = ""
    detail: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A caller's own name for a request, with a digest of the request it stood for."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`id` is the client's own where it made one, else the door's; a record that already exists keeps the id it has.

    `reach` is what its sender may touch; absent, the batch may touch what its pool may.
    """

    id: UUID
    correlation_id: str
    key: IdempotencyKey | None = None
    reach: Reach | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOrganisation(Command):
    """Natural key: code. The parent may stand in the same batch, before or after."""

    code: str
    name: str
    level: str
    parent_code: str | None = None
    region_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCadre(Command):
    """Natural key: staff_number."""

    staff_number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPost(Command):
    """Natural key: cadre, organisation, post kind and first day. `amend` lets a repeat bring the last day."""

    staff_number: str
    organisation_code: str
    post_kind: str
    post_level: str
    from_on: date
    until_on: date | None = None
    amend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPost(Command):
    """`id` is the post's."""

    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineDuty(Command):
    """Natural key: post kind, contact kind, period and first day. `amend` lets a repeat bring the last day."""

    post_kind: str
    contact_kind: ContactKind
    required_count: int
    per: DutyPeriod
    valid_from: date
    valid_until: date | None = None
    amend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContact(Command):
    """Natural key: source and source number where there is one, else the id. `recorded_at` absent: now."""

    staff_number: str
    kind: ContactKind
    occurred_at: datetime
    organisation_code: str | None = None
    recorded_at: datetime | None = None
    duration_minutes: int | None = None
    population_group: str | None = None
    people_count: int | None = None
    place_code: str | None = None
    note: str | None = None
    citizen: Citizen | None = None
    source: str = DIRECT
    source_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveIssue(Command):
    """A new issue, with as much of its later life as is known already. Natural key as for contacts.

    A repeat under a source number brings the issue up to date: it may assign it anew, respond and close it.
    `respond_within` makes the response deadline where `respond_by` is absent. `subject_staff_number` is the official
    whom the issue complains about, who never handles it.
    """

    type: IssueType
    category: str
    channel: Channel
    title: str
    urgency: Urgency = "normal"
    description: str | None = None
    received_at: datetime | None = None
    respond_by: datetime | None = None
    respond_within: timedelta | None = None
    due_at: datetime | None = None
    organisation_code: str | None = None
    staff_number: str | None = None
    contact_id: UUID | None = None
    contact_source_number: str | None = None
    responded_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: IssueOutcome | None = None
    reply: str | None = None
    citizen: Citizen | None = None
    subject_staff_number: str | None = None
    source: str = DIRECT
    source_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignIssue(Command):
    """`id` is the issue's, here and in the next two."""

    organisation_code: str
    staff_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondToIssue(Command):
    responded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIssue(Command):
    outcome: IssueOutcome
    reply: str
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRating(Command):
    """Exactly one of the four references names what is rated. Natural key as for contacts."""

    level: int
    method: RatingMethod
    solved: bool | None = None
    rated_at: datetime | None = None
    issue_id: UUID | None = None
    contact_id: UUID | None = None
    issue_source_number: str | None = None
    contact_source_number: str | None = None
    source: str = DIRECT
    source_number: str | None = None
