"""Requests about ratings."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.commands.base import DIRECT, Command

RatingMethod = Literal["link", "callback", "kiosk", "app", "import"]
CallOrigin = Literal["sample", "lowest", "targeted", "follow_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingTrace:
    """Where a rating came from: keyed digests, and how long the page was open. Kept apart from it, and not for long."""

    network: bytes | None = None
    device: bytes | None = None
    fill_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRating(Command):
    """Exactly one of the four references names what is rated. Natural key as for contacts."""

    level: int
    method: RatingMethod
    solved: bool | None = None
    attitude: int | None = None
    speed: int | None = None
    comment: str | None = field(default=None, repr=False)
    trace: RatingTrace | None = None
    rated_at: datetime | None = None
    issue_id: UUID | None = None
    contact_id: UUID | None = None
    issue_source_number: str | None = None
    contact_source_number: str | None = None
    source: str = DIRECT
    source_number: str | None = None
    call_origin: CallOrigin | None = None
