"""Routes of cadres and their posts."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Cursor, Limit, OnDay, TidyText, read_day
from services.intake.domain.commands.registers import (
    EndPost,
    LeavingReason,
    RecordDeparture,
    RecordPost,
    RegisterCadre,
)
from services.intake.domain.registers import day_in_china
from services.intake.handlers import register_reading
from services.intake.storage.registers import Cadre
from services.intake.storage.versions import CadreVersion, Departure
from shared.access.principal import Principal
from shared.answers import GUARDED, Page, Shown, refuses, shows
from shared.conditions import tagged
from shared.edge import CodeText, Day
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1", tags=["registers"])
PathCode = Annotated[CodeText, Path()]
Reader = Annotated[Principal, Depends(permit("register.read"))]
Writer = Annotated[Principal, Depends(permit("register.write"))]


class CadreBody(Body):
    """`from_on` is the first day of the name; a new name without one is the name from today."""

    name: TidyText
    from_on: Day | None = None


class PostBody(Body):
    id: UUID | None = None
    organisation_code: CodeText
    post_kind: CodeText
    post_level: CodeText
    from_on: Day
    until_on: Day | None = None


class PostEndBody(Body):
    until_on: Day


class HeldPost(Shown):
    """`version` may be sent back in If-Match when the post is ended."""

    id: UUID
    organisation_code: str
    post_kind: str
    post_level: str
    from_on: date
    until_on: date | None
    version: int


class CadreWithPosts(Shown):
    id: UUID
    staff_number: str
    name: str
    from_on: date | None
    posts: list[HeldPost]
    names: list[CadreVersion]
    departures: list[Departure]


class DepartureBody(Body):
    left_on: Day
    reason_code: LeavingReason


@router.put("/cadres/{staff_number}", responses=ANSWERS | refuses(412), openapi_extra=describe_body(CadreBody))
async def register_cadre(request: Request, principal: Writer, staff_number: PathCode) -> Response:
    body = parse_body(CadreBody, await request.body())
    command = RegisterCadre(
        **await describe(request, principal), staff_number=staff_number, name=body.name, from_on=body.from_on
    )
    return answer(await doors(request).cadres.submit(command), location=f"/v1/cadres/{staff_number}")


@router.get("/cadres", responses=shows(Page[Cadre]))
def list_cadres(request: Request, _: Reader, limit: Limit = 100, cursor: Cursor = None, on: OnDay = None) -> Response:
    """List the cadres by the names of today, or of the day `on`."""
    day = read_day(on) or day_in_china(datetime.now(UTC))
    entries = register_reading.list_cadres(doors(request).pool, after_number=_after(cursor), limit=limit, on=day)
    following = encode_cursor([entries[-1].staff_number]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/cadres/{staff_number}", responses=shows(CadreWithPosts, headers=("ETag",)))
def get_cadre(request: Request, _: Reader, staff_number: PathCode, on: OnDay = None) -> Response:
    """A cadre with all posts, names and departures; with `on`, by the name and the posts of that day."""
    pool, day = doors(request).pool, read_day(on)
    version = register_reading.find_version(pool, "cadre", staff_number) if day is None else None
    record = register_reading.get_cadre(pool, staff_number, on=day)
    listed = [
        {
            "id": post.id,
            "organisation_code": organisation_code,
            "post_kind": post.post_kind,
            "post_level": post.post_level,
            "from_on": post.from_on,
            "until_on": post.until_on,
            "version": post.sequence,
        }
        for post, organisation_code in record.posts
    ]
    more = {"posts": listed, "names": record.names, "departures": record.departures}
    return tagged(request, {**asdict(record.cadre), **more}, version=version)


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


@router.post("/posts/{post_id}/end", responses=GUARDED, openapi_extra=describe_body(PostEndBody))
async def end_post(request: Request, principal: Writer, post_id: UUID) -> Response:
    body = parse_body(PostEndBody, await request.body())
    command = EndPost(**await describe(request, principal, record_id=post_id), until_on=body.until_on)
    return answer(await doors(request).post_ends.submit(command))


@router.post(
    "/cadres/{staff_number}/departure",
    responses=ANSWERS | refuses(412),
    openapi_extra=describe_body(DepartureBody),
)
async def record_departure(request: Request, principal: Writer, staff_number: PathCode) -> Response:
    """Record that a cadre left the service; the posts held until then end on the same day."""
    body = parse_body(DepartureBody, await request.body())
    command = RecordDeparture(
        **await describe(request, principal),
        staff_number=staff_number,
        left_on=body.left_on,
        reason_code=body.reason_code,
    )
    return answer(await doors(request).departures.submit(command), location=f"/v1/cadres/{staff_number}")


def _after(cursor: str | None) -> str:
    return (decode_cursor(cursor, length=1)[0] or "") if cursor is not None else ""
