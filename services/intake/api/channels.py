"""Routes of published channels and of checks whether they can be reached."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import NO_ID, Cursor, Limit, OnDay, TidyText, decode_id, read_day
from services.intake.domain.commands.channels import ChannelKind, CheckChannel, EndChannel, PublishChannel
from services.intake.handlers import channels
from services.intake.storage.channels import Channel, StoredCheck
from shared.access.principal import Principal
from shared.answers import GUARDED, Listing, Page, shows
from shared.edge import CodeText, Day, Instant
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1/channels", tags=["channels"])
Reader = Annotated[Principal, Depends(permit("register.read"))]
Writer = Annotated[Principal, Depends(permit("register.write"))]
Checker = Annotated[Principal, Depends(permit("channel.check"))]
CheckReader = Annotated[Principal, Depends(permit("channel.read_checks"))]


class ChannelBody(Body):
    id: UUID | None = None
    organisation_code: CodeText
    kind: ChannelKind
    address: TidyText
    hours: TidyText | None = None
    from_on: Day
    until_on: Day | None = None


class ChannelEndBody(Body):
    until_on: Day


class CheckBody(Body):
    id: UUID | None = None
    checked_at: Instant
    is_reached: bool
    waited_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None


@router.post("", responses=ANSWERS, openapi_extra=describe_body(ChannelBody))
async def publish_channel(request: Request, principal: Writer) -> Response:
    body = parse_body(ChannelBody, await request.body())
    command = PublishChannel(
        **await describe(request, principal, record_id=body.id),
        organisation_code=body.organisation_code,
        kind=body.kind,
        address=body.address,
        hours=body.hours,
        from_on=body.from_on,
        until_on=body.until_on,
    )
    return answer(await doors(request).channels.submit(command), location="/v1/channels")


@router.post("/{channel_id}/end", responses=GUARDED, openapi_extra=describe_body(ChannelEndBody))
async def end_channel(request: Request, principal: Writer, channel_id: UUID) -> Response:
    body = parse_body(ChannelEndBody, await request.body())
    command = EndChannel(**await describe(request, principal, record_id=channel_id), until_on=body.until_on)
    return answer(await doors(request).channel_ends.submit(command))


@router.post("/{channel_id}/checks", responses=ANSWERS, openapi_extra=describe_body(CheckBody))
async def check_channel(request: Request, principal: Checker, channel_id: UUID) -> Response:
    """Record that somebody tried the channel: whether they got through, and how long it took."""
    body = parse_body(CheckBody, await request.body())
    command = CheckChannel(
        **await describe(request, principal, record_id=body.id),
        channel_id=channel_id,
        checked_at=body.checked_at,
        is_reached=body.is_reached,
        waited_seconds=body.waited_seconds,
    )
    return answer(await doors(request).channel_checks.submit(command), location=f"/v1/channels/{channel_id}/checks")


@router.get("", responses=shows(Page[Channel]))
def list_channels(
    request: Request,
    _: Reader,
    limit: Limit = 100,
    cursor: Cursor = None,
    organisation_code: Annotated[CodeText | None, Query()] = None,
    on: OnDay = None,
) -> Response:
    """List the channels that were ever published, or those of the day `on`, of all organisations or of one."""
    after = decode_id(decode_cursor(cursor, length=1)[0] if cursor is not None else NO_ID)
    entries = channels.list_channels(
        doors(request).pool, on=read_day(on), organisation_code=organisation_code, after=after, limit=limit
    )
    following = encode_cursor([str(entries[-1].id)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/{channel_id}/checks", responses=shows(Listing[StoredCheck]))
def list_checks(request: Request, _: CheckReader, channel_id: UUID, limit: Limit = 100) -> Response:
    return json_response({"items": channels.list_checks(doors(request).pool, channel_id, limit=limit)})
