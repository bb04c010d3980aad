"""Routes of organisations, cadres, posts and duties."""

from dataclasses import asdict
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Cursor, Day, Limit
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.commands.registers import EndPost, RecordPost, RegisterCadre, RegisterOrganisation
from services.intake.handlers import registers
from services.intake.storage.registers import Cadre, Organisation
from shared.access.principal import Principal
from shared.answers import STEPS, Page, Shown, shows
from shared.contracts.intake.contacts import ContactKind
from shared.contracts.intake.duties import DutyPeriod
from shared.edge import CodeText, ShortText
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1", tags=["registers"])
PathCode = Annotated[CodeText, Path()]
Reader = Annotated[Principal, Depends(permit("register.read"))]
Writer = Annotated[Principal, Depends(permit("register.write"))]


class OrganisationBody(Body):
    name: ShortText
    level: CodeText
    parent_code: CodeText | None = None
    region_type: CodeText | None = None


class CadreBody(Body):
    name: ShortText


class PostBody(Body):
    id: UUID | None = None
    organisation_code: CodeText
    post_kind: CodeText
    post_level: CodeText
    from_on: Day
    until_on: Day | None = None


class PostEndBody(Body):
    until_on: Day


class DutyBody(Body):
    id: UUID | None = None
    post_kind: CodeText
    contact_kind: ContactKind
    required_count: Annotated[int, Field(ge=1, le=10_000)]
    per: DutyPeriod
    valid_from: Day
    valid_until: Day | None = None


class HeldPost(Shown):
    id: UUID
    organisation_code: str
    post_kind: str
    post_level: str
    from_on: date
    until_on: date | None


class CadreWithPosts(Shown):
    id: UUID
    staff_number: str
    name: str
    posts: list[HeldPost]


@router.put("/organisations/{code}", responses=ANSWERS, openapi_extra=describe_body(OrganisationBody))
async def register_organisation(request: Request, principal: Writer, code: PathCode) -> Response:
    body = parse_body(OrganisationBody, await request.body())
    command = RegisterOrganisation(
        **await describe(request, principal),
        code=code,
        name=body.name,
        level=body.level,
        parent_code=body.parent_code,
        region_type=body.region_type,
    )
    return answer(await doors(request).organisations.submit(command), location=f"/v1/organisations/{code}")


@router.get("/organisations", responses=shows(Page[Organisation]))
def list_organisations(request: Request, _: Reader, limit: Limit = 100, cursor: Cursor = None) -> Response:
    after = _after(cursor)
    entries = registers.list_organisations(doors(request).pool, after_code=after, limit=limit)
    following = encode_cursor([entries[-1].code]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/organisations/{code}", responses=shows(Organisation))
def get_organisation(request: Request, _: Reader, code: PathCode) -> Response:
    return json_response(registers.get_organisation(doors(request).pool, code))


@router.put("/cadres/{staff_number}", responses=ANSWERS, openapi_extra=describe_body(CadreBody))
async def register_cadre(request: Request, principal: Writer, staff_number: PathCode) -> Response:
    body = parse_body(CadreBody, await request.body())
    command = RegisterCadre(**await describe(request, principal), staff_number=staff_number, name=body.name)
    return answer(await doors(request).cadres.submit(command), location=f"/v1/cadres/{staff_number}")


@router.get("/cadres", responses=shows(Page[Cadre]))
def list_cadres(request: Request, _: Reader, limit: Limit = 100, cursor: Cursor = None) -> Response:
    entries = registers.list_cadres(doors(request).pool, after_number=_after(cursor), limit=limit)
    following = encode_cursor([entries[-1].staff_number]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/cadres/{staff_number}", responses=shows(CadreWithPosts))
def get_cadre(request: Request, _: Reader, staff_number: PathCode) -> Response:
    cadre, posts = registers.get_cadre(doors(request).pool, staff_number)
    listed = [
        {
            "id": post.id,
            "organisation_code": organisation_code,
            "post_kind": post.post_kind,
            "post_level": post.post_level,
            "from_on": post.from_on,
            "until_on": post.until_on,
        }
        for post, organisation_code in posts
    ]
    return json_response({**asdict(cadre), "posts": listed})


@router.post("/cadres/{staff_number}/posts", responses=ANSWERS, openapi_extra=describe_body(PostBody))
async def record_post(request: Request, principal: Writer, staff_number: PathCode) -> Response:
    body = parse_body(PostBody, await request.body())
    command = RecordPost(
        **await describe(request, principal, record_id=body.id),
        staff_number=staff_number,
        organisation_code=body.organisation_code,
        post_kind=body.post_kind,
        post_level=body.post_level,
        from_on=body.from_on,
        until_on=body.until_on,
    )
    return answer(await doors(request).posts.submit(command), location=f"/v1/cadres/{staff_number}")


@router.post("/posts/{post_id}/end", responses=STEPS, openapi_extra=describe_body(PostEndBody))
async def end_post(request: Request, principal: Writer, post_id: UUID) -> Response:
    body = parse_body(PostEndBody, await request.body())
    command = EndPost(**await describe(request, principal, record_id=post_id), until_on=body.until_on)
    return answer(await doors(request).post_ends.submit(command))


@router.post("/duties", responses=ANSWERS, openapi_extra=describe_body(DutyBody))
async def define_duty(request: Request, principal: Writer) -> Response:
    body = parse_body(DutyBody, await request.body())
    command = DefineDuty(
        **await describe(request, principal, record_id=body.id),
        post_kind=body.post_kind,
        contact_kind=body.contact_kind,
        required_count=body.required_count,
        per=body.per,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
    )
    return answer(await doors(request).duties.submit(command))


def _after(cursor: str | None) -> str:
    return (decode_cursor(cursor, length=1)[0] or "") if cursor is not None else ""
