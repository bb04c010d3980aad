"""Routes of organisations: their entries, what these said on a day, mergers and dissolutions."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Cursor, Limit, OnDay, TidyText, read_day
from services.intake.domain.commands.registers import EndOrganisation, RegisterOrganisation
from services.intake.domain.registers import day_in_china
from services.intake.handlers import register_reading
from services.intake.storage.registers import Organisation
from services.intake.storage.versions import OrganisationVersion
from shared.access.principal import Principal
from shared.answers import Listing, Page, refuses, shows
from shared.conditions import tagged
from shared.edge import CodeText, Day
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1/organisations", tags=["registers"])
PathCode = Annotated[CodeText, Path()]
Reader = Annotated[Principal, Depends(permit("register.read"))]
Writer = Annotated[Principal, Depends(permit("register.write"))]


class OrganisationBody(Body):
    """`from_on` is the first day on which the entry says so; a change without one holds from today."""

    name: TidyText
    level: CodeText
    parent_code: CodeText | None = None
    region_type: CodeText | None = None
    division_code: CodeText | None = None
    credit_code: CodeText | None = None
    from_on: Day | None = None


class MergerBody(Body):
    successor_code: CodeText
    merged_on: Day


class DissolutionBody(Body):
    dissolved_on: Day


@router.put("/{code}", responses=ANSWERS | refuses(412), openapi_extra=describe_body(OrganisationBody))
async def register_organisation(request: Request, principal: Writer, code: PathCode) -> Response:
    body = parse_body(OrganisationBody, await request.body())
    command = RegisterOrganisation(
        **await describe(request, principal),
        code=code,
        name=body.name,
        level=body.level,
        parent_code=body.parent_code,
        region_type=body.region_type,
        division_code=body.division_code,
        credit_code=body.credit_code,
        from_on=body.from_on,
    )
    return answer(await doors(request).organisations.submit(command), location=f"/v1/organisations/{code}")


@router.post("/{code}/merger", responses=ANSWERS | refuses(412), openapi_extra=describe_body(MergerBody))
async def merge_organisation(request: Request, principal: Writer, code: PathCode) -> Response:
    body = parse_body(MergerBody, await request.body())
    command = EndOrganisation(
        **await describe(request, principal), code=code, ended_on=body.merged_on, successor_code=body.successor_code
    )
    return answer(await doors(request).organisation_ends.submit(command), location=f"/v1/organisations/{code}")


@router.post("/{code}/dissolution", responses=ANSWERS | refuses(412), openapi_extra=describe_body(DissolutionBody))
async def dissolve_organisation(request: Request, principal: Writer, code: PathCode) -> Response:
    body = parse_body(DissolutionBody, await request.body())
    command = EndOrganisation(**await describe(request, principal), code=code, ended_on=body.dissolved_on)
    return answer(await doors(request).organisation_ends.submit(command), location=f"/v1/organisations/{code}")


@router.get("", responses=shows(Page[Organisation]))
def list_organisations(
    request: Request, _: Reader, limit: Limit = 100, cursor: Cursor = None, on: OnDay = None
) -> Response:
    """List the register of today, or of the day `on`."""
    after = (decode_cursor(cursor, length=1)[0] or "") if cursor is not None else ""
    day = read_day(on) or day_in_china(datetime.now(UTC))
    entries = register_reading.list_organisations(doors(request).pool, after_code=after, limit=limit, on=day)
    following = encode_cursor([entries[-1].code]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/{code}", responses=shows(Organisation, headers=("ETag",)))
def get_organisation(request: Request, _: Reader, code: PathCode, on: OnDay = None) -> Response:
    pool, day = doors(request).pool, read_day(on)
    version = register_reading.find_version(pool, "organisation", code) if day is None else None
    return tagged(request, register_reading.get_organisation(pool, code, on=day), version=version)


@router.get("/{code}/versions", responses=shows(Listing[OrganisationVersion]))
def list_versions(request: Request, _: Reader, code: PathCode) -> Response:
    """List every change of the entry, as it was recorded; of two that begin on one day the later corrects the other."""
    return json_response({"items": register_reading.list_organisation_versions(doors(request).pool, code)})
