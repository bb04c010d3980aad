"""Requests about duties."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.intake.domain.commands.base import Command
from services.intake.domain.commands.contacts import ContactKind

DutyPeriod = Literal["month", "quarter", "half_year", "year"]
DutyUnit = Literal["count", "days", "households"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineDuty(Command):
    """Natural key: organisation, post kind and level, contact kind, unit, period and first day.

    It is owed in the organisation and below it, or everywhere without one; by posts of one level, or of all.
    `amend` lets a repeat bring the last day.
    """

    post_kind: str
    contact_kind: ContactKind
    required_count: int
    per: DutyPeriod
    valid_from: date
    valid_until: date | None = None
    organisation_code: str | None = None
    post_level: str | None = None
    unit: DutyUnit = "count"
    amend: bool = False
