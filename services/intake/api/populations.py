"""Routes of groups of the population, and of counts of who lives where."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import NO_ID, Cursor, Limit, OnDay, TidyText, decode_id, read_day
from services.intake.domain.commands.populations import DefinePopulationGroup, RecordPopulation
from services.intake.handlers import populations
from services.intake.storage.populations import (
    GroupVersion,
    PlacePopulation,
    PopulationGroup,
    PopulationVersion,
)
from shared.access.principal import Principal
from shared.answers import Listing, Page, refuses, shows
from shared.edge import CodeText, Day
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1", tags=["registers"])
Reader = Annotated[Principal, Depends(permit("register.read"))]
Writer = Annotated[Principal, Depends(permit("register.write"))]
Count = Annotated[int, Field(ge=0, le=2_000_000_000)]


class GroupBody(Body):
    name: TidyText
    is_retired: bool = False


class PopulationBody(Body):
    """Without a group the count is of everybody who lives there."""

    organisation_code: CodeText
    place_code: CodeText
    population_group: CodeText | None = None
    counted_on: Day
    people_count: Count
    household_count: Count | None = None


@router.put("/population-groups/{code}", responses=ANSWERS | refuses(412), openapi_extra=describe_body(GroupBody))
async def define_group(request: Request, principal: Writer, code: Annotated[CodeText, Path()]) -> Response:
    body = parse_body(GroupBody, await request.body())
    command = DefinePopulationGroup(
        **await describe(request, principal), code=code, name=body.name, is_retired=body.is_retired
    )
    return answer(await doors(request).population_groups.submit(command), location="/v1/population-groups")


@router.get("/population-groups", responses=shows(Listing[PopulationGroup]))
def list_groups(request: Request, _: Reader, on: OnDay = None) -> Response:
    """List the groups as they are called, or as they were called on the day `on`."""
    return json_response({"items": populations.list_groups(doors(request).pool, on=read_day(on))})


@router.get("/population-groups/{code}/versions", responses=shows(Listing[GroupVersion]))
def list_group_versions(request: Request, _: Reader, code: Annotated[CodeText, Path()]) -> Response:
    """Every name that the group had, as it was recorded."""
    return json_response({"items": populations.list_group_versions(doors(request).pool, code)})


@router.post("/place-populations", responses=ANSWERS | refuses(412), openapi_extra=describe_body(PopulationBody))
async def record_population(request: Request, principal: Writer) -> Response:
    body = parse_body(PopulationBody, await request.body())
    command = RecordPopulation(
        **await describe(request, principal),
        organisation_code=body.organisation_code,
        place_code=body.place_code,
        population_group=body.population_group,
        counted_on=body.counted_on,
        people_count=body.people_count,
        household_count=body.household_count,
    )
    return answer(await doors(request).populations.submit(command), location="/v1/place-populations")


@router.get("/place-populations", responses=shows(Page[PlacePopulation]))
def list_populations(
    request: Request,
    _: Reader,
    limit: Limit = 100,
    cursor: Cursor = None,
    organisation_code: Annotated[CodeText | None, Query()] = None,
    on: OnDay = None,
) -> Response:
    """List the counts of an organisation and everything below it, or of all within reach.

    With `on` it is the last count by that day of each place and group.
    """
    after = decode_id(decode_cursor(cursor, length=1)[0] if cursor is not None else NO_ID)
    entries = populations.list_populations(
        doors(request).pool, organisation_code=organisation_code, after=after, limit=limit, on=read_day(on)
    )
    following = encode_cursor([str(entries[-1].id)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/place-populations/{population_id}/versions", responses=shows(Listing[PopulationVersion]))
def list_population_versions(request: Request, _: Reader, population_id: UUID) -> Response:
    """The count as it was told first, and each correction of it."""
    return json_response({"items": populations.list_population_versions(doors(request).pool, population_id)})
