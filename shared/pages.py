"""Cursors: where the next page of a list begins, as an opaque text."""

import base64
import binascii

import orjson

from shared.errors import Rejected

LONGEST_CURSOR = 2_000


class BadCursor(Rejected):
    code = "bad-cursor"


def encode_cursor(values: list[str | None]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def decode_cursor(text: str, *, length: int) -> list[str | None]:
    """Raises BadCursor for anything that `encode_cursor` did not make from `length` values."""
    try:
        if len(text) > LONGEST_CURSOR:
            raise BadCursor("the cursor is too long")
        values = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise BadCursor("the cursor is not one of ours") from None
    if not isinstance(values, list) or len(values) != length:
        raise BadCursor("the cursor belongs to another list")
    if not all(value is None or (isinstance(value, str) and "\0" not in value) for value in values):
        raise BadCursor("the cursor is not one of ours")
    return values
