"""Stamps that prove that a page was opened before its form was sent, and which answers were shown to be confirmed."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Literal

from services.intake.sealing import vault
from shared.errors import Rejected

Kind = Literal["rating-page", "rating-confirmation"]
STAMP_LIVES_FOR = timedelta(hours=2)
LONGEST_STAMP = 200


class StalePage(Rejected):
    """Whoever sends a form has to have opened its page not long ago. It says nothing of any link."""

    code = "stale-page"

    def __init__(self) -> None:
        super().__init__("the page has to be opened first, and not too long ago")


def stamp(kind: Kind, opened_at: datetime, shown: str = "") -> str:
    """`shown` is what the page showed, a token among it: only a digest of all goes in."""
    seconds = int(opened_at.timestamp())
    return f"{seconds:x}." + base64.urlsafe_b64encode(_proof(kind, seconds, shown)).decode().rstrip("=")


def check_stamp(kind: Kind, given: str, *, now: datetime, shown: str = "") -> datetime:
    """Return when the page was opened. Raises StalePage."""
    head, _, _ = given.partition(".")
    if len(given) > LONGEST_STAMP or not given.isascii() or not 1 <= len(head) <= 10:
        raise StalePage
    try:
        opened_at = datetime.fromtimestamp(int(head, 16), UTC)
    except (ValueError, OverflowError, OSError):
        raise StalePage from None
    if not hmac.compare_digest(stamp(kind, opened_at, shown).encode(), given.encode()):
        raise StalePage
    if not timedelta(0) <= now - opened_at <= STAMP_LIVES_FOR:
        raise StalePage
    return opened_at


def _proof(kind: Kind, seconds: int, shown: str) -> bytes:
    digest = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()
    return vault().handles(kind, f"{seconds}|{digest}")[0]
