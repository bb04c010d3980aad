"""Where gateways tell what became of messages. Each request proves that it is the gateway's, by a secret of its own."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from services.notify.handlers.receipts import take_receipts
from shared.database import Pool
from shared.gateways.described import Gateway
from shared.gateways.receipts import NoReceipts, check_proof, read_receipts
from shared.http import json_response, leave_open


def add_receipts(app: FastAPI, pool: Pool, gateway: Gateway | None) -> None:
    rules = gateway.receipt if gateway is not None else None

    @app.post("/v1/receipts/sms", dependencies=[Depends(leave_open("receipt.take"))])
    def take_sms_receipts(request: Request, body: Annotated[bytes, Depends(_read)]) -> Response:
        if rules is None:
            raise NoReceipts("no gateway tells of receipts here")
        check_proof(rules, request.headers.get(rules.proof_header, ""), body)
        told = read_receipts(rules, body)
        return json_response({"taken": take_receipts(pool, "sms", told, now=datetime.now(UTC))})


async def _read(request: Request) -> bytes:
    return await request.body()
