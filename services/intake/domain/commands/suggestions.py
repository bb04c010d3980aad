"""Requests about suggestions."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.intake.domain.commands.base import Command
from services.intake.domain.consultations import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSuggestion(Command):
    """`id` is that of the issue that suggests. The explanation is for its citizen."""

    decision_id: UUID
    adoption: Decision
    explanation: str = field(repr=False)
    decided_by: UUID | None
    decided_at: datetime | None = None
