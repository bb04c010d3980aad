"""What intake publishes of ratings, by pseudonym and never with a word of the rater."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Event, Instant

RatingMethod = Literal["link", "callback", "kiosk", "app", "import"]


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


EVENTS: tuple[type[Event], ...] = (RatingSubmitted,)
