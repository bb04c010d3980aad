"""Routes of what citizens are told by messages: whether they want it, what became of it, and receipts."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api.doors import doors
from services.intake.api.fields import Cursor, Limit
from services.intake.api.paging import page, place_after
from services.intake.api.repeats import Keyed
from services.intake.domain.citizen_messages import Kind, State
from services.intake.handlers import citizen_messages
from services.intake.storage.citizen_messages import Message
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.database import Pool
from shared.gateways.receipts import NoReceipts, Receipt, check_proof, read_receipts
from shared.http import Body, describe_body, json_body, json_response, leave_open, permit

router = APIRouter(tags=["messages to citizens"])
Reader = Annotated[Principal, Depends(permit("citizen_message.read"))]
# What a receipt looks like is the gateway's affair: the installation says where in it the reference and the state are.
RECEIPTS: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}}


class WishBody(Body):
    """Whether whoever raised the issue wants to be told by messages of what they raise."""

    wanted: bool


class KnownWish(Shown):
    wanted: bool


class ShownMessage(Shown):
    id: UUID
    at: datetime
    issue_id: UUID
    kind: Kind
    state: State
    valid_until: datetime
    attempts: int
    settled_at: datetime | None
    reason: str | None
    receipt: Receipt | None
    receipt_at: datetime | None


class ToldOfIssue(Shown):
    """`wanted` is what the citizen said; null where nobody asked."""

    wanted: bool | None
    items: list[ShownMessage]


class Taken(Shown):
    """How many of these were news: a repeat is none."""

    taken: int


@router.put(
    "/v1/issues/{issue_id}/citizen-messages",
    responses=shows(KnownWish) | refuses(_409="The issue names nobody who could be told."),
    openapi_extra=describe_body(WishBody),
)
def set_wish(
    request: Request,
    principal: Annotated[Principal, Depends(permit("citizen_message.set_wish"))],
    issue_id: UUID,
    body: Annotated[WishBody, Depends(json_body(WishBody))],
) -> Response:
    """Whether whoever raised it wants messages: of this and of everything else they raise."""
    citizen_messages.set_wish(
        doors(request).pool,
        issue_id,
        wants_messages=body.wanted,
        by=principal.account_id,
        now=datetime.now(UTC),
    )
    return json_response({"wanted": body.wanted})


@router.get("/v1/issues/{issue_id}/citizen-messages", responses=shows(ToldOfIssue))
def list_of_issue(request: Request, _: Reader, issue_id: UUID) -> Response:
    """What the citizen was told of it: that, when and how, and neither the words nor the phone."""
    told = citizen_messages.list_of_issue(doors(request).pool, issue_id)
    return json_response({"wanted": told.wants_messages, "items": [_show(message) for message in told.messages]})


@router.get("/v1/citizen-messages", responses=shows(Page[ShownMessage]))
def list_messages(
    request: Request,
    _: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[State | None, Query()] = None,
) -> Response:
    """The newest first. What failed is looked at here, and sent again by `/replay`."""
    found = citizen_messages.list_messages(doors(request).pool, state=state, after=place_after(cursor), limit=limit)
    return page([_show(message) for message in found], limit)


@router.post(
    "/v1/citizen-messages/{message_id}/replay",
    responses=shows(ShownMessage) | refuses(_409="It is under way, arrived, or is not kept any more."),
)
def replay_message(
    request: Request,
    _: Annotated[Principal, Depends(permit("citizen_message.replay"))],
    once: Keyed,
    message_id: UUID,
) -> Response:
    """Send again what failed, expired or was not delivered, under the same reference."""
    return once.run(partial(_replay, message_id=message_id, valid_for=request.app.state.telling.valid_for))


async def _read(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/v1/receipts/sms",
    dependencies=[Depends(leave_open("receipt.take", any_query=True))],
    openapi_extra=RECEIPTS,
    responses=shows(Taken)
    | refuses(_401="It does not prove to come from the gateway.", _404="No gateway tells of receipts here."),
)
def take_receipts(request: Request, body: Annotated[bytes, Depends(_read)]) -> Response:
    """What the gateway of citizens' messages tells afterwards."""
    rules = request.app.state.citizen_receipts
    if rules is None:
        raise NoReceipts("no gateway tells of receipts here")
    check_proof(rules, request.headers.get(rules.proof_header, ""), body)
    told = read_receipts(rules, body)
    return json_response({"taken": citizen_messages.take_receipts(doors(request).pool, told, now=datetime.now(UTC))})


def _replay(pool: Pool, *, message_id: UUID, valid_for: timedelta) -> Response:
    replayed = citizen_messages.replay_message(pool, message_id, valid_for=valid_for, now=datetime.now(UTC))
    return json_response(_show(replayed))


def _show(message: Message) -> dict[str, Any]:
    shown = asdict(message)
    return {"at": shown.pop("made_at"), **shown}
