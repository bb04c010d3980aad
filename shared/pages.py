"""Cursors: where the next page of a list begins, as an opaque text that only the reader it was made for can use.

A cursor carries a MAC over its place and its reader: nobody makes up a place, and none goes on where somebody else, or
the same person in another role, left off. What a page shows is decided by row-level security, as ever.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import orjson

from shared.errors import Rejected
from shared.reach import current

LONGEST_CURSOR = 2_000
MAC_BYTES = 16


class BadCursor(Rejected):
    code = "bad-cursor"


@dataclass(slots=True)
class _Wiring:
    """Without a key of its installation, a process reads back its own cursors and no other's."""

    key: bytes


_wiring = _Wiring(secrets.token_bytes(32))


def use_key(secret: str) -> None:
    """All processes of a service are given the same secret, and none but they know it."""
    _wiring.key = hashlib.blake2b(secret.encode(), person=b"lianxin.cursors", digest_size=32).digest()


def encode_cursor(values: list[str | None]) -> str:
    place = orjson.dumps(values)
    return base64.urlsafe_b64encode(_mac(place) + place).decode().rstrip("=")


def decode_cursor(text: str, *, length: int) -> list[str | None]:
    """Raises BadCursor for anything that `encode_cursor` did not make from `length` values for the same reader."""
    try:
        if len(text) > LONGEST_CURSOR:
            raise BadCursor("the cursor is too long")
        written = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadCursor("the cursor is not one of ours") from None
    mac, place = written[:MAC_BYTES], written[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(place)):
        raise BadCursor("the cursor is not one of ours, or belongs to another reader")
    values: list[str | None] = orjson.loads(place)
    if len(values) != length:
        raise BadCursor("the cursor belongs to another list")
    return values


def _mac(place: bytes) -> bytes:
    return hashlib.blake2b(_mark_of_reader() + place, key=_wiring.key, digest_size=MAC_BYTES).digest()


def _mark_of_reader() -> bytes:
    """Of a fixed length, so that no place can pass for a part of it."""
    reach = current()
    parts = (
        []
        if reach is None
        else [str(reach.account_id), reach.kind, *reach.organisation_codes, reach.staff_number or ""]
    )
    return hashlib.blake2b(orjson.dumps(parts), digest_size=16).digest()
