"""Cursors that belong to the caller they were given to: nobody goes on with another's page."""

import hashlib

from shared.access.principal import Principal
from shared.pages import BadCursor, decode_cursor, encode_cursor


def bind_cursor(values: list[str | None], reader: Principal) -> str:
    return encode_cursor([*values, _mark(reader)])


def read_cursor(cursor: str, reader: Principal, *, length: int) -> list[str | None]:
    """Raises BadCursor.

    The mark is no secret, and needs none: a cursor says where to go on and never what may be seen.
    """
    *values, mark = decode_cursor(cursor, length=length + 1)
    if mark != _mark(reader):
        raise BadCursor("the cursor belongs to another list")
    return values


def _mark(reader: Principal) -> str:
    return hashlib.sha256(reader.account_id.bytes).hexdigest()[:32]
