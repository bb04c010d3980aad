"""Where gateways tell what became of messages. Each request proves that it is the gateway's, by a secret of its own."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from services.notify.handlers.receipts import take_receipts
from shared.answers import Shown, refuses, shows
from shared.gateways.described import Receipts
from shared.gateways.receipts import NoReceipts, check_proof, read_receipts
from shared.http import AppPool, json_response, leave_open

router = APIRouter()


class Taken(Shown):
    """How many of these were news: a repeat is none."""

    taken: int


# What a receipt looks like is the gateway's affair: the installation says where in it the reference and the state are.
BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}}


async def receipts_of(request: Request) -> Receipts | None:
    """What the gateway's receipts look like, where there is a gateway."""
    receipts: Receipts | None = request.app.state.receipts
    return receipts


async def _read(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/v1/receipts/sms",
    dependencies=[Depends(leave_open("receipt.take", any_query=True))],
    openapi_extra=BODY,
    responses=shows(Taken)
    | refuses(_401="It does not prove to come from the gateway.", _404="No gateway tells of receipts here."),
)
def take_sms_receipts(
    request: Request,
    body: Annotated[bytes, Depends(_read)],
    pool: AppPool,
    rules: Annotated[Receipts | None, Depends(receipts_of)],
) -> Response:
    if rules is None:
        raise NoReceipts("no gateway tells of receipts here")
    check_proof(rules, request.headers.get(rules.proof_header, ""), body)
    told = read_receipts(rules, body)
    return json_response({"taken": take_receipts(pool, "sms", told, now=datetime.now(UTC))})
