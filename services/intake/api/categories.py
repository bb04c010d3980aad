"""Routes of the categories of issues."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import NO_ID, Cursor, Limit, OnDay, TidyText, decode_id, read_day
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.registers import day_in_china
from services.intake.handlers import categories
from services.intake.storage.categories import Category, CategoryVersion
from shared.access.principal import Principal
from shared.answers import Listing, Page, refuses, shows
from shared.edge import CodeText, Day
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1/categories", tags=["registers"])
Reader = Annotated[Principal, Depends(permit("register.read"))]
Writer = Annotated[Principal, Depends(permit("register.write"))]


class CategoryBody(Body):
    """`organisation_code` says where the category holds, with everything below; absent, everywhere."""

    name: TidyText
    organisation_code: CodeText | None = None
    parent_code: CodeText | None = None
    is_retired: bool = False
    from_on: Day | None = None


@router.put("/{code}", responses=ANSWERS | refuses(412), openapi_extra=describe_body(CategoryBody))
async def define_category(request: Request, principal: Writer, code: Annotated[CodeText, Path()]) -> Response:
    body = parse_body(CategoryBody, await request.body())
    command = DefineCategory(
        **await describe(request, principal),
        code=code,
        name=body.name,
        organisation_code=body.organisation_code,
        parent_code=body.parent_code,
        is_retired=body.is_retired,
        from_on=body.from_on,
    )
    outcome = await doors(request).categories.submit(command)
    return answer(outcome, location=f"/v1/categories/{outcome.id}/versions")


@router.get("", responses=shows(Page[Category]))
def list_categories(
    request: Request,
    _: Reader,
    limit: Limit = 100,
    cursor: Cursor = None,
    organisation_code: Annotated[CodeText | None, Query()] = None,
    on: OnDay = None,
) -> Response:
    """List the categories of today, or of the day `on`; with an organisation, those that hold for it."""
    code, identifier = decode_cursor(cursor, length=2) if cursor is not None else ("", NO_ID)
    entries = categories.list_categories(
        doors(request).pool,
        on=read_day(on) or day_in_china(datetime.now(UTC)),
        organisation_code=organisation_code,
        after=(code or "", str(decode_id(identifier))),
        limit=limit,
    )
    following = encode_cursor([entries[-1].code, str(entries[-1].id)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/{category_id}/versions", responses=shows(Listing[CategoryVersion]))
def list_versions(request: Request, _: Reader, category_id: UUID) -> Response:
    return json_response({"items": categories.list_category_versions(doors(request).pool, category_id)})
