"""Positions in the feed of changes: a place that every reader can come back to, as an opaque text. Pure."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from shared.errors import Rejected

# Who a citizen is stays a pseudonym that no other system can put records together by.
WITHHELD: Final = frozenset({"citizen_ref", "rater_ref"})
FOLLOWED: Final = (
    "appraisal_result",
    "cadre",
    "category",
    "clock_rule",
    "consultation",
    "contact",
    "contact_household",
    "contact_point",
    "duty",
    "issue",
    "liaison_assignment",
    "organisation",
    "place_population",
    "population_group",
    "post",
    "published_channel",
    "rating",
    "rating_invitation",
    "reachability_check",
    "reception_day",
    "responsibility",
    "suggestion_decision",
)
# Single ratings and who was asked for one, people in need and who visits them, grades and shares of persons: for people
# who decide on them, and for no other system.
FOR_PEOPLE: Final = frozenset(
    {
        "appraisal_result",
        "contact_household",
        "liaison_assignment",
        "rating",
        "rating_invitation",
        "responsibility",
    }
)
_WRITTEN = re.compile(r"1\.(\d{1,20})\.(\d{1,19})\.(\d{1,11})", re.ASCII)


class BadPosition(Rejected):
    code = "bad-position"


class PositionExpired(Rejected):
    """Some of what came after it is not kept any more: only reading the records anew shows how things stand."""

    code = "position-expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """After this event of this transaction. `at` is when it was given out."""

    transaction: int
    event: int
    at: datetime

    def written(self) -> str:
        plain = f"1.{self.transaction}.{self.event}.{int(self.at.timestamp())}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_position(text: str) -> Position:
    """Raises BadPosition."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise BadPosition("the position is not one of ours") from None
    found = _WRITTEN.fullmatch(plain)
    if found is None or int(found[1]) >= 2**64 or int(found[2]) >= 2**63:
        raise BadPosition("the position is not one of ours")
    return Position(transaction=int(found[1]), event=int(found[2]), at=datetime.fromtimestamp(int(found[3]), UTC))
