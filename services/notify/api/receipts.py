"""Where gateways tell what became of messages. Each request proves that it is the gateway's, by a secret of its own."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request, Response

from services.notify.handlers.receipts import take_receipts
from shared.answers import Shown, refuses, shows
from shared.database import Pool
from shared.gateways.described import Gateway
from shared.gateways.receipts import NoReceipts, check_proof, read_receipts
from shared.http import json_response, leave_open


class Taken(Shown):
    """How many of these were news: a repeat is none."""

    taken: int


# What a receipt looks like is the gateway's affair: the installation says where in it the reference and the state are.
BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}}


def add_receipts(app: FastAPI, pool: Pool, gateway: Gateway | None) -> None:
    rules = gateway.receipt if gateway is not None else None

    @app.post(
        "/v1/receipts/sms",
        dependencies=[Depends(leave_open("receipt.take", any_query=True))],
        openapi_extra=BODY,
        responses=shows(Taken)
        | refuses(_401="It does not prove to come from the gateway.", _404="No gateway tells of receipts here."),
    )
    def take_sms_receipts(request: Request, body: Annotated[bytes, Depends(_read)]) -> Response:
        if rules is None:
            raise NoReceipts("no gateway tells of receipts here")
        check_proof(rules, request.headers.get(rules.proof_header, ""), body)
        told = read_receipts(rules, body)
        return json_response({"taken": take_receipts(pool, "sms", told, now=datetime.now(UTC))})


async def _read(request: Request) -> bytes:
    return await request.body()
