"""Requests about ratings."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.commands.base import DIRECT, Command

RatingMethod = Literal["link", "callback", "kiosk", "app", "import"]


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
