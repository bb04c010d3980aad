"""Requests about contact households, contact points, and the cadres who keep in touch with them."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.base import Command

PointKind = Literal["village", "firm", "school", "project", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPoint(Command):
    """Natural key: code and first day. `amend` lets a repeat bring the last day."""

    code: str
    organisation_code: str
    kind: PointKind
    name: str
    from_on: date
    place_code: str | None = None
    until_on: date | None = None
    amend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterHousehold(Command):
    """Natural key: number and first day. A repeat that does not say who heads it leaves that as it is."""

    number: str
    organisation_code: str
    place_code: str
    population_group: str
    from_on: date
    until_on: date | None = None
    head: Citizen | None = None
    amend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignLiaison(Command):
    """Natural key: household or point, cadre and first day. `amend` lets a repeat bring the last day."""

    staff_number: str
    from_on: date
    until_on: date | None = None
    household_number: str | None = None
    point_code: str | None = None
    amend: bool = False
