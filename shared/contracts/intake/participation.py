"""What intake publishes of suggestions, reception days and consultations: never who came or what was said."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant

Adoption = Literal["adopted", "partly_adopted", "not_adopted"]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class ReceptionDayOffered(Event):
    """A cadre will receive visitors; citizens may book the times."""

    type: ClassVar[str] = "cn.lianxin.reception_day.offered.v1"
    key: ClassVar[str] = "intake.reception_day.offered.v1"
    aggregate: ClassVar[str] = "reception_day"
    dated_by: ClassVar[str | None] = "from_at"
    summary: ClassVar[str] = "A reception day was offered"

    reception_day_id: UUID
    organisation_id: UUID
    cadre_id: UUID
    from_at: Instant
    until_at: Instant
    slot_count: Count


class ReceptionDayCancelled(Event):
    """A reception day will not be held."""

    type: ClassVar[str] = "cn.lianxin.reception_day.cancelled.v1"
    key: ClassVar[str] = "intake.reception_day.cancelled.v1"
    aggregate: ClassVar[str] = "reception_day"
    dated_by: ClassVar[str | None] = "cancelled_at"
    summary: ClassVar[str] = "A reception day was cancelled"

    reception_day_id: UUID
    cancelled_at: Instant
    reason_code: Code
    booked_count: Count  # who had booked and has to be told


class ReceptionDayHeld(Event):
    """A reception day was held, with so many visitors; those who had booked and did not come are not among them."""

    type: ClassVar[str] = "cn.lianxin.reception_day.held.v1"
    key: ClassVar[str] = "intake.reception_day.held.v1"
    aggregate: ClassVar[str] = "reception_day"
    dated_by: ClassVar[str | None] = "from_at"
    summary: ClassVar[str] = "A reception day was held"

    reception_day_id: UUID
    organisation_id: UUID
    cadre_id: UUID  # who received the visitors, who need not be the one announced
    from_at: Instant
    visitor_count: Count


class SuggestionDecided(Event):
    """Whether what a citizen suggested is adopted was decided."""

    type: ClassVar[str] = "cn.lianxin.suggestion.decided.v1"
    key: ClassVar[str] = "intake.suggestion.decided.v1"
    aggregate: ClassVar[str] = "suggestion_decision"
    dated_by: ClassVar[str | None] = "decided_at"
    summary: ClassVar[str] = "Whether a suggestion is adopted was decided"

    suggestion_decision_id: UUID
    issue_id: UUID
    adoption: Adoption
    decided_at: Instant


class ConsultationOpened(Event):
    """The public is asked for its opinion on a decision that an organisation is about to take."""

    type: ClassVar[str] = "cn.lianxin.consultation.opened.v1"
    key: ClassVar[str] = "intake.consultation.opened.v1"
    aggregate: ClassVar[str] = "consultation"
    dated_by: ClassVar[str | None] = "opens_at"
    summary: ClassVar[str] = "A public consultation was announced"

    consultation_id: UUID
    organisation_id: UUID
    opens_at: Instant
    closes_at: Instant


class ConsultationAnswered(Event):
    """The organisation published what became of the opinions that it had asked for."""

    type: ClassVar[str] = "cn.lianxin.consultation.answered.v1"
    key: ClassVar[str] = "intake.consultation.answered.v1"
    aggregate: ClassVar[str] = "consultation"
    dated_by: ClassVar[str | None] = "answered_at"
    summary: ClassVar[str] = "A public consultation was answered"

    consultation_id: UUID
    answered_at: Instant
    opinion_count: Count
    adopted_count: Count  # themes of the opinions, by what became of them
    partly_adopted_count: Count
    not_adopted_count: Count


class ConsultationWithdrawn(Event):
    """A consultation was taken back before it was answered."""

    type: ClassVar[str] = "cn.lianxin.consultation.withdrawn.v1"
    key: ClassVar[str] = "intake.consultation.withdrawn.v1"
    aggregate: ClassVar[str] = "consultation"
    dated_by: ClassVar[str | None] = "withdrawn_at"
    summary: ClassVar[str] = "A public consultation was withdrawn"

    consultation_id: UUID
    withdrawn_at: Instant
    reason_code: Code


EVENTS: tuple[type[Event], ...] = (
    SuggestionDecided,
    ReceptionDayOffered,
    ReceptionDayCancelled,
    ReceptionDayHeld,
    ConsultationOpened,
    ConsultationAnswered,
    ConsultationWithdrawn,
)
