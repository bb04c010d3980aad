"""What a gateway tells afterwards: whether it is the gateway, and what of each message it says."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson

from shared.errors import NotFound, Rejected, Unauthenticated
from shared.gateways.described import Receipts, as_text, look_up
from shared.gateways.files import read_secret

Receipt = Literal["delivered", "undelivered"]
MOST_RECEIPTS: Final = 1_000


class NoReceipts(NotFound):
    """The installation has set no gateway up that tells of receipts."""

    code = "no-receipts"


class BadReceipt(Rejected):
    code = "bad-receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One receipt. `reference` is our own id of the message, or what the gateway calls it."""

    reference: str
    state: Receipt
    at: datetime | None


def check_proof(rules: Receipts, given: str, body: bytes) -> None:
    """Raises Unauthenticated. In constant time, whatever was given."""
    secret = read_secret(rules.secret_file)
    expected = secret
    if rules.proof == "hmac-sha256":
        expected = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
        given = given.removeprefix("sha256=").lower()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Unauthenticated("the receipt does not prove to come from the gateway")


def read_receipts(rules: Receipts, body: bytes) -> list[Told]:
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
