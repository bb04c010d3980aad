"""What intake publishes of ratings, by pseudonym and never with a word of the rater."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant

RatingMethod = Literal["link", "callback", "kiosk", "app", "import"]
InvitationMethod = Literal["link", "callback", "kiosk"]
CallOrigin = Literal["sample", "lowest", "targeted", "follow_up"]
Denial = Literal["no_such_matter", "did_not_ask"]
Level = Annotated[int, Field(ge=1, le=5)]  # 5 very satisfied to 1 very dissatisfied


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
    level: Level
    solved: bool | None = None
    attitude: Level | None = None
    speed: Level | None = None
    method: RatingMethod
    rated_at: Instant
    rater_ref: UUID | None = None  # the pseudonym of the citizen whose issue or contact is rated, where one is known
    call_origin: CallOrigin | None = (
        None  # why the citizen was called; absent for other methods and calls nobody asked for
    )


class RatingAmended(Event):
    """The citizen put other answers in the place of the ones given before: all of them, not only those that differ."""

    type: ClassVar[str] = "cn.lianxin.rating.amended.v1"
    key: ClassVar[str] = "intake.rating.amended.v1"
    aggregate: ClassVar[str] = "rating"
    dated_by: ClassVar[str | None] = "amended_at"
    summary: ClassVar[str] = "A citizen amended a rating"

    rating_id: UUID
    level: Level
    solved: bool | None = None
    attitude: Level | None = None
    speed: Level | None = None
    amended_at: Instant


class RatingQuarantined(Event):
    """Something about a rating is odd: it does not count until a person has looked at it."""

    type: ClassVar[str] = "cn.lianxin.rating.quarantined.v1"
    key: ClassVar[str] = "intake.rating.quarantined.v1"
    aggregate: ClassVar[str] = "rating"
    dated_by: ClassVar[str | None] = "quarantined_at"
    summary: ClassVar[str] = "A rating was set aside until it is reviewed"

    rating_id: UUID
    signals: list[Code]
    rules: Code  # name and version of the thresholds that it was held against
    quarantined_at: Instant


class RatingReviewed(Event):
    """A person decided, with a reason, whether a rating counts."""

    type: ClassVar[str] = "cn.lianxin.rating.reviewed.v1"
    key: ClassVar[str] = "intake.rating.reviewed.v1"
    aggregate: ClassVar[str] = "rating"
    dated_by: ClassVar[str | None] = "reviewed_at"
    summary: ClassVar[str] = "A person decided whether a rating counts"

    rating_id: UUID
    counts: bool
    reason_code: Code
    reviewed_at: Instant


class RatingInvited(Event):
    """A citizen was asked to rate an issue or a contact."""

    type: ClassVar[str] = "cn.lianxin.rating_invitation.made.v1"
    key: ClassVar[str] = "intake.rating_invitation.made.v1"
    aggregate: ClassVar[str] = "rating_invitation"
    identified_by: ClassVar[str | None] = "invitation_id"
    dated_by: ClassVar[str | None] = "invited_at"
    summary: ClassVar[str] = "A citizen was invited to rate an issue or a contact"

    invitation_id: UUID
    issue_id: UUID | None = None  # exactly one of issue_id and contact_id
    contact_id: UUID | None = None
    method: InvitationMethod
    invited_at: Instant


class MatterDenied(Event):
    """Whoever was called back said that there was no such matter, or that it was somebody else who asked.

    It stands until it is overruled.
    """

    type: ClassVar[str] = "cn.lianxin.rating_invitation.denied.v1"
    key: ClassVar[str] = "intake.rating_invitation.denied.v1"
    aggregate: ClassVar[str] = "rating_invitation"
    identified_by: ClassVar[str | None] = "invitation_id"
    dated_by: ClassVar[str | None] = "denied_at"
    summary: ClassVar[str] = "A citizen who was called back did not know of the issue or contact"

    invitation_id: UUID  # the one that the call was
    issue_id: UUID | None = None  # exactly one of issue_id and contact_id
    contact_id: UUID | None = None
    denial: Denial
    call_origin: CallOrigin | None = None
    denied_at: Instant


class DenialOverruled(Event):
    """In a later call, by another person, the citizen rated what was denied before."""

    type: ClassVar[str] = "cn.lianxin.rating_invitation.denial_overruled.v1"
    key: ClassVar[str] = "intake.rating_invitation.denial_overruled.v1"
    aggregate: ClassVar[str] = "rating_invitation"
    identified_by: ClassVar[str | None] = "invitation_id"
    dated_by: ClassVar[str | None] = "overruled_at"
    summary: ClassVar[str] = "A later call showed that there was an issue or contact which was denied before"

    invitation_id: UUID  # the one that was denied
    issue_id: UUID | None = None
    contact_id: UUID | None = None
    overruled_at: Instant


EVENTS: tuple[type[Event], ...] = (
    RatingSubmitted,
    RatingAmended,
    RatingQuarantined,
    RatingReviewed,
    RatingInvited,
    MatterDenied,
    DenialOverruled,
)
