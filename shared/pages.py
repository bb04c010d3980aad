"""Cursors: where the next page of a list begins, as an opaque text that only the reader it was made for can use.

The mark of the reader is no secret: what a forged place in a list shows is decided by row-level security, as ever.
It keeps a page from going on where somebody else, or the same person in another role, left off.
"""

import base64
import binascii
import hashlib

import orjson

from shared.errors import Rejected
from shared.reach import current

LONGEST_CURSOR = 2_000


class BadCursor(Rejected):
    code = "bad-cursor"


def encode_cursor(values: list[str | None]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([*values, _mark_of_reader()])).decode().rstrip("=")


def decode_cursor(text: str, *, length: int) -> list[str | None]:
    """Raises BadCursor for anything that `encode_cursor` did not make from `length` values for the same reader."""
    try:
        if len(text) > LONGEST_CURSOR:
            raise BadCursor("the cursor is too long")
        values = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise BadCursor("the cursor is not one of ours") from None
    if not isinstance(values, list) or len(values) != length + 1:
        raise BadCursor("the cursor belongs to another list")
    if values.pop() != _mark_of_reader():
        raise BadCursor("the cursor belongs to another reader")
    if not all(value is None or (isinstance(value, str) and "\0" not in value) for value in values):
        raise BadCursor("the cursor is not one of ours")
    return values


def _mark_of_reader() -> str:
    reach = current()
    if reach is None:
        return ""
    parts = (str(reach.account_id), reach.kind, *reach.organisation_codes, reach.staff_number or "")
    return hashlib.blake2b(orjson.dumps(parts), digest_size=12).hexdigest()
