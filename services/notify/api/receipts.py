"""Where gateways tell what became of messages. Each request proves that it is the gateway's, by a secret of its own."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, FastAPI, Request, Response

from services.notify.channels.files import read_secret
from services.notify.channels.gateways import Gateway, Receipts, as_text, look_up
from services.notify.handlers.receipts import Told, take_receipts
from shared.database import Pool
from shared.errors import NotFound, Rejected, Unauthenticated
from shared.http import json_response, leave_open

MOST_RECEIPTS = 1_000


class NoReceipts(NotFound):
    """The installation has set no gateway up that tells of receipts."""

    code = "no-receipts"


class BadReceipt(Rejected):
    code = "bad-receipt"


def add_receipts(app: FastAPI, pool: Pool, gateway: Gateway | None) -> None:
    rules = gateway.receipt if gateway is not None else None

    @app.post("/v1/receipts/sms", dependencies=[Depends(leave_open("receipt.take"))])
    def take_sms_receipts(request: Request, body: Annotated[bytes, Depends(_read)]) -> Response:
        if rules is None:
            raise NoReceipts("no gateway tells of receipts here")
        _check_proof(rules, request.headers.get(rules.proof_header, ""), body)
        told = _read_receipts(rules, body)
        return json_response({"taken": take_receipts(pool, "sms", told, now=datetime.now(UTC))})


async def _read(request: Request) -> bytes:
    return await request.body()


def _check_proof(rules: Receipts, given: str, body: bytes) -> None:
    """Raises Unauthenticated. In constant time, whatever was given."""
    secret = read_secret(rules.secret_file)
    expected = secret
    if rules.proof == "hmac-sha256":
        expected = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
        given = given.removeprefix("sha256=").lower()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Unauthenticated("the receipt does not prove to come from the gateway")


def _read_receipts(rules: Receipts, body: bytes) -> list[Told]:
    """Raises BadReceipt. States that are neither, such as that it is still under way, say nothing yet."""
    document = orjson.loads(body)
    items = look_up(document, rules.items) if rules.items else [document]
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_RECEIPTS:
        raise BadReceipt(f"holds 1 to {MOST_RECEIPTS} receipts")
    read = [_read_receipt(rules, item) for item in items]
    return [told for told in read if told is not None]


def _read_receipt(rules: Receipts, item: Any) -> Told | None:  # noqa: ANN401 - as JSON has it
    reference, state = as_text(look_up(item, rules.reference)), as_text(look_up(item, rules.state))
    if not reference or len(reference) > 200 or "\0" in reference or state is None:
        raise BadReceipt("a receipt has a reference and a state")
    at = _instant(look_up(item, rules.at)) if rules.at else None
    if state in rules.delivered:
        return Told(reference=reference, state="delivered", at=at)
    return Told(reference=reference, state="undelivered", at=at) if state in rules.undelivered else None


def _instant(value: Any) -> datetime | None:  # noqa: ANN401 - as JSON has it
    """A time with its offset, or seconds of the epoch; None for whatever else it is."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return instant.astimezone(UTC) if instant is not None and instant.tzinfo is not None else None
