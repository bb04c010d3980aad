"""What intake publishes of contacts: how cadres met the public."""

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


EVENTS: tuple[type[Event], ...] = (ContactRecorded,)
