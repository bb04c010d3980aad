"""Requests about public consultations."""

from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.commands.base import Command
from services.intake.domain.consultations import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceConsultation(Command):
    """Natural key: the id. A repeat with other content is a conflict."""

    organisation_code: str
    title: str
    question: str
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawConsultation(Command):
    """`id` is the consultation's, here and in the next."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerConsultation(Command):
    text: str
    themes: tuple[Theme, ...]
