"""Requests about organisations, cadres and their posts."""

from dataclasses import dataclass
from datetime import date

from services.intake.domain.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOrganisation(Command):
    """Natural key: code. The parent may stand in the same batch, before or after."""

    code: str
    name: str
    level: str
    parent_code: str | None = None
    region_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCadre(Command):
    """Natural key: staff_number."""

    staff_number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPost(Command):
    """Natural key: cadre, organisation, post kind and first day. `amend` lets a repeat bring the last day."""

    staff_number: str
    organisation_code: str
    post_kind: str
    post_level: str
    from_on: date
    until_on: date | None = None
    amend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPost(Command):
    """`id` is the post's."""

    until_on: date
