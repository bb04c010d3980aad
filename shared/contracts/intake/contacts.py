"""What intake publishes of contacts: how cadres met the public, and how the record of it was put right."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant

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
PeopleCount = Annotated[int, Field(ge=0, le=100_000)]
Minutes = Annotated[int, Field(ge=0, le=525_600)]


class _Contact(Event):
    """Every event of a contact tells the whole of it as it stands since: the highest sequence is all a reader needs."""

    aggregate: ClassVar[str] = "contact"
    dated_by: ClassVar[str | None] = "occurred_at"

    contact_id: UUID
    cadre_id: UUID  # who led it, and whose it is
    organisation_id: UUID | None = None
    kind: ContactKind
    occurred_at: Instant
    recorded_at: Instant
    duration_minutes: Minutes | None = None
    population_group: Code | None = None  # of several groups the largest
    people_count: PeopleCount | None = None
    place_code: Code | None = None
    people_by_group: dict[Code, PeopleCount] | None = None
    companion_ids: tuple[UUID, ...] | None = None  # the cadres who came along
    first_on: date | None = None  # of a stay
    last_on: date | None = None  # included
    citizen_ref: UUID | None = None  # a pseudonym, where it is known whom it was with; who it is stays with intake


class ContactRecorded(_Contact):
    """A cadre met the public."""

    type: ClassVar[str] = "cn.lianxin.contact.recorded.v1"
    key: ClassVar[str] = "intake.contact.recorded.v1"
    summary: ClassVar[str] = "A contact of a cadre with the public was recorded"


class ContactAmended(_Contact):
    """The record of a contact was put right."""

    type: ClassVar[str] = "cn.lianxin.contact.amended.v1"
    key: ClassVar[str] = "intake.contact.amended.v1"
    summary: ClassVar[str] = "The record of a contact was put right"

    counts: bool = True
    amended_at: Instant
    reason_code: Code


class ContactVoided(_Contact):
    """A contact was recorded in error: it counts for nothing from now on. The record is kept."""

    type: ClassVar[str] = "cn.lianxin.contact.voided.v1"
    key: ClassVar[str] = "intake.contact.voided.v1"
    summary: ClassVar[str] = "A contact that was recorded in error was voided"

    counts: Literal[False] = False
    voided_at: Instant
    reason_code: Code


class ContactReviewed(_Contact):
    """A person decided whether a contact counts that looked odd."""

    type: ClassVar[str] = "cn.lianxin.contact.reviewed.v1"
    key: ClassVar[str] = "intake.contact.reviewed.v1"
    summary: ClassVar[str] = "A person decided whether a contact that looked odd counts"

    counts: bool
    reviewed_at: Instant
    reason_code: Code


EVENTS: tuple[type[Event], ...] = (ContactRecorded, ContactAmended, ContactVoided, ContactReviewed)
