"""One thing to tell one recipient, and who that is."""

import re
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Final, Literal
from uuid import UUID

from services.notify.domain.messages import Language
from services.notify.domain.rules import Habits, Mode
from shared.errors import NotFound, Rejected

_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
Dropped = Literal["expired", "settled"]

# What clocks of intake are called in a sentence.
CLOCKS: Final[dict[str, dict[Language, str]]] = {
    "dispatch": {"zh": "派单", "en": "dispatch it"},
    "sign_in": {"zh": "签收", "en": "sign for it"},
    "first_contact": {"zh": "先行联系", "en": "contact the citizen"},
    "close": {"zh": "办结", "en": "close it"},
    "reply": {"zh": "答复", "en": "reply"},
    "dispatch_objection": {"zh": "派单异议", "en": "object to it"},
}
SINGLES_AT_ONCE: Final = 3  # of more that are due together, such as after quiet hours, one digest is made


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """By what a recipient is known: exactly one of the three."""

    staff_number: str | None = None
    account_id: UUID | None = None
    robot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    id: UUID
    staff_number: str | None
    account_id: UUID | None
    robot: str | None
    language: Language = "zh"
    email: str | None = None
    mobile: str | None = None
    channels: list[str] = field(default_factory=lambda: ["inbox"])
    quiet_from: time = time(21)
    quiet_until: time = time(7, 30)
    digest_at: time = time(8, 30)
    daily_cap: int = 20
    version: int = 1  # of what the person says of themselves

    @property
    def habits(self) -> Habits:
        return Habits(quiet_from=self.quiet_from, quiet_until=self.quiet_until, digest_at=self.digest_at)

    def address_for(self, channel: str) -> str | None:
        """None: the channel cannot reach this recipient."""
        if self.robot is not None:
            return self.robot
        return {"email": self.email, "sms": self.mobile}.get(channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`facts` are codes, ids, counts and times, and never what a citizen said or who anybody is."""

    id: UUID
    recipient_id: UUID
    rule: str
    topic: str
    event_id: UUID
    issue_id: UUID | None
    facts: dict[str, Any]
    mode: Mode
    is_compulsory: bool
    made_at: datetime
    due_at: datetime
    valid_until: datetime


class BadHabit(Rejected):
    """A time or a number that nobody can be told by."""

    code = "bad-setting"


class UnknownRule(Rejected):
    code = "unknown-rule"


class UnknownUnit(NotFound):
    """There is none, or it is out of the asking person's reach."""

    code = "unknown-organisation"


class UnsafeNumber(Rejected):
    """Not one mobile number of mainland China: others cost more than anybody has agreed to."""

    code = "unsafe-number"


def check_mobile(number: str) -> None:
    """Raises UnsafeNumber."""
    if not _MOBILE.fullmatch(number):
        raise UnsafeNumber("a mobile number has eleven digits, such as 13800000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMessage:
    """One message in somebody's inbox. Numbers grow by one with each."""

    id: UUID
    number: int
    composed_at: datetime
    language: Language
    notice_count: int
    subject: str
    text: str
    read_at: datetime | None
