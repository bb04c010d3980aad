"""Requests about duties."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.intake.domain.commands.base import Command
from services.intake.domain.commands.contacts import ContactKind

DutyPeriod = Literal["month", "quarter", "year"]


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
