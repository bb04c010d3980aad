"""Routes of contact points, contact households, and the cadres who keep in touch with them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import NO_ID, Cursor, Limit, OnDay, TidyText, decode_id, read_day
from services.intake.domain.citizens import describe_citizen
from services.intake.domain.commands.liaisons import AssignLiaison, PointKind, RegisterHousehold, RegisterPoint
from services.intake.handlers import liaisons
from services.intake.handlers.liaisons import Household
from services.intake.storage.liaisons import Assignment, Point
from shared.access.principal import Principal
from shared.answers import Page, refuses, shows
from shared.conditions import tagged
from shared.edge import CodeText, Day, ShortText
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1", tags=["liaisons"])
Reader = Annotated[Principal, Depends(permit("register.read"))]
Writer = Annotated[Principal, Depends(permit("register.write"))]
HouseholdReader = Annotated[Principal, Depends(permit("household.read"))]
HouseholdWriter = Annotated[Principal, Depends(permit("household.write"))]


class PointBody(Body):
    id: UUID | None = None
    code: CodeText
    organisation_code: CodeText
    kind: PointKind
    name: TidyText
    place_code: CodeText | None = None
    from_on: Day
    until_on: Day | None = None


class HeadBody(Body):
    """Who heads a household, sealed like every citizen. No document number is asked for: none is needed to visit."""

    name: ShortText
    phone: ShortText | None = None
    address: ShortText | None = None


class HouseholdBody(Body):
    id: UUID | None = None
    number: CodeText
    organisation_code: CodeText
    place_code: CodeText
    population_group: CodeText
    from_on: Day
    until_on: Day | None = None
    head: HeadBody | None = None


class AssignmentBody(Body):
    id: UUID | None = None
    staff_number: CodeText
    household_number: CodeText | None = None
    point_code: CodeText | None = None
    from_on: Day
    until_on: Day | None = None


@router.post("/contact-points", responses=ANSWERS | refuses(412), openapi_extra=describe_body(PointBody))
async def register_point(request: Request, principal: Writer) -> Response:
    """Register a contact point. The same again with a last day ends it."""
    body = parse_body(PointBody, await request.body())
    command = RegisterPoint(
        **await describe(request, principal, record_id=body.id),
        code=body.code,
        organisation_code=body.organisation_code,
        kind=body.kind,
        name=body.name,
        place_code=body.place_code,
        from_on=body.from_on,
        until_on=body.until_on,
        amend=True,
    )
    return answer(await doors(request).points.submit(command), location="/v1/contact-points")


@router.get("/contact-points", responses=shows(Page[Point]))
def list_points(request: Request, _: Reader, limit: Limit = 100, cursor: Cursor = None, on: OnDay = None) -> Response:
    after = decode_id(decode_cursor(cursor, length=1)[0] if cursor is not None else NO_ID)
    entries = liaisons.list_points(doors(request).pool, on=read_day(on), after=after, limit=limit)
    following = encode_cursor([str(entries[-1].id)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.post("/contact-households", responses=ANSWERS | refuses(412), openapi_extra=describe_body(HouseholdBody))
async def register_household(request: Request, principal: HouseholdWriter) -> Response:
    """Register a contact household. The same again with a last day ends it."""
    body = parse_body(HouseholdBody, await request.body())
    command = RegisterHousehold(
        **await describe(request, principal, record_id=body.id),
        number=body.number,
        organisation_code=body.organisation_code,
        place_code=body.place_code,
        population_group=body.population_group,
        from_on=body.from_on,
        until_on=body.until_on,
        head=(
            describe_citizen(name=body.head.name, phone=body.head.phone, address=body.head.address, today=None)
            if body.head is not None
            else None
        ),
        amend=True,
    )
    outcome = await doors(request).households.submit(command)
    return answer(outcome, location=f"/v1/contact-households/{outcome.id}")


@router.get("/contact-households", responses=shows(Page[Household]))
def list_households(request: Request, _: HouseholdReader, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List the households within reach, their heads masked."""
    after = decode_id(decode_cursor(cursor, length=1)[0] if cursor is not None else NO_ID)
    entries = liaisons.list_households(doors(request).pool, after=after, limit=limit)
    following = encode_cursor([str(entries[-1].id)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/contact-households/{household_id}", responses=shows(Household))
def get_household(request: Request, _: HouseholdReader, household_id: UUID) -> Response:
    """One household with who heads it and where: whoever visits must find the door."""
    found = liaisons.get_household(doors(request).pool, household_id)
    return tagged(request, found, version=found.version)


@router.post("/liaison-assignments", responses=ANSWERS | refuses(412), openapi_extra=describe_body(AssignmentBody))
async def assign_liaison(request: Request, principal: HouseholdWriter) -> Response:
    """Assign a cadre to a household or a point. The same again with a last day ends the assignment."""
    body = parse_body(AssignmentBody, await request.body())
    command = AssignLiaison(
        **await describe(request, principal, record_id=body.id),
        staff_number=body.staff_number,
        household_number=body.household_number,
        point_code=body.point_code,
        from_on=body.from_on,
        until_on=body.until_on,
        amend=True,
    )
    return answer(await doors(request).liaisons.submit(command), location="/v1/liaison-assignments")


@router.get("/liaison-assignments", responses=shows(Page[Assignment]))
def list_assignments(request: Request, _: HouseholdReader, limit: Limit = 100, cursor: Cursor = None) -> Response:
    after = decode_id(decode_cursor(cursor, length=1)[0] if cursor is not None else NO_ID)
    entries = liaisons.list_assignments(doors(request).pool, after=after, limit=limit)
    following = encode_cursor([str(entries[-1].id)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})
