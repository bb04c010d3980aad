"""Requests about groups of the population, and about how many people live where."""

from dataclasses import dataclass
from datetime import date

from services.intake.domain.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinePopulationGroup(Command):
    """Natural key: code."""

    code: str
    name: str
    is_retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPopulation(Command):
    """Natural key: organisation, place, group and day of the count. Without a group it counts everybody."""

    organisation_code: str
    place_code: str
    counted_on: date
    people_count: int
    household_count: int | None = None
    population_group: str | None = None
