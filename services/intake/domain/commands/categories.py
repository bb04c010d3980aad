"""Requests about the categories of issues."""

from dataclasses import dataclass
from datetime import date

from services.intake.domain.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineCategory(Command):
    """Natural key: organisation and code. It holds for the organisation and below it, or everywhere without one.

    The parent is one of the same organisation, else one of everywhere, and may stand in the same batch.
    """

    code: str
    name: str
    organisation_code: str | None = None
    parent_code: str | None = None
    is_retired: bool = False
    from_on: date | None = None
