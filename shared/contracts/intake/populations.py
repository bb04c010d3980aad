"""What intake publishes of groups of the population, and of how many people live where."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Title

Count = Annotated[int, Field(ge=0, le=2_000_000_000)]


class PopulationGroupDefined(Event):
    """A group of the population was defined, renamed or retired. Those that come with the suite are not told of."""

    type: ClassVar[str] = "cn.lianxin.population_group.defined.v1"
    key: ClassVar[str] = "intake.population_group.defined.v1"
    aggregate: ClassVar[str] = "population_group"
    summary: ClassVar[str] = "A group of the population was defined, renamed or retired"

    population_group_id: UUID
    code: Code
    name: Title
    is_retired: bool = False


class PlacePopulationRecorded(Event):
    """How many people of a group, or in all, live in a place by a count of that day. A later sequence corrects it."""

    type: ClassVar[str] = "cn.lianxin.place_population.recorded.v1"
    key: ClassVar[str] = "intake.place_population.recorded.v1"
    aggregate: ClassVar[str] = "place_population"
    summary: ClassVar[str] = "It was counted how many people live in a place"

    place_population_id: UUID
    organisation_id: UUID
    place_code: Code
    population_group: Code | None = None
    counted_on: date
    people_count: Count
    household_count: Count | None = None


EVENTS: tuple[type[Event], ...] = (PopulationGroupDefined, PlacePopulationRecorded)
