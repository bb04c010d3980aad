"""What notify knows of: subscriptions, news of scores, digests, deliveries, and what may happen to them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from shared.errors import Conflict, NotFound, Rejected

Channel = Literal["inbox", "email"]
Language = Literal["zh", "en"]
SubjectKind = Literal["cadre", "organisation"]
PeriodKind = Literal["month", "quarter", "year"]
DeliveryStatus = Literal["due", "claimed", "sent", "failed"]

LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64
LONGEST_NAME = 100
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_SUBSCRIPTION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class UnsafeAddress(Rejected):
    """Not one plain e-mail address: two of them, a line break, a name in brackets, ..."""

    code = "unsafe-address"


class UnsafeName(Rejected):
    code = "unsafe-name"


class MissingAddress(Rejected):
    code = "missing-address"


class UnknownOrganisation(Rejected):
    """There is none, or it is out of the asking person's reach."""

    code = "unknown-organisation"


class NameTaken(Conflict):
    code = "name-taken"


class UnknownSubscription(NotFound):
    code = "unknown-subscription"


class UnknownMessage(NotFound):
    code = "unknown-message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be told: of one organisation and all below it, or, without one, of the whole county."""

    name: str
    recipient_name: str
    email: str | None
    organisation_id: UUID | None
    language: Language
    channels: tuple[Channel, ...]

    def check(self) -> None:
        """Raises UnsafeName, UnsafeAddress, MissingAddress. What passes can stand in a mail header."""
        if not _SUBSCRIPTION_NAME.fullmatch(self.name):
            raise UnsafeName("a subscription's name has 1 to 64 letters, digits, dots, hyphens and underscores")
        check_display_name(self.recipient_name)
        if self.email is not None:
            check_address(self.email)
        if "email" in self.channels and self.email is None:
            raise MissingAddress("delivery by e-mail needs an address")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A score as it stood at one sequence number."""

    score_id: UUID
    sequence: int
    subject_kind: SubjectKind
    subject_id: UUID
    subject_code: str
    subject_name: str
    organisation_path: tuple[UUID, ...]
    period_kind: PeriodKind
    period_start: date
    composite: Decimal | None
    previous: Decimal | None
    scheme: str
    scheme_version: int
    computed_at: datetime
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCount:
    period_kind: PeriodKind
    period_start: date
    subject_kind: SubjectKind
    new_count: int
    changed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    subject_kind: SubjectKind
    subject_code: str
    subject_name: str
    period_kind: PeriodKind
    period_start: date
    before: Decimal
    composite: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    subject: str
    text_body: str
    html_body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One attempt at one delivery. `attempt` tells a late answer to an earlier attempt from the answer to this one."""

    delivery_id: UUID
    attempt: int
    message_id: str
    recipient_name: str
    address: str
    language: Language
    subject: str
    text_body: str
    html_body: str
    composed_at: datetime
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of an attempt. `unused` means that it was not made: there was no time left for it."""

    outcome: Literal["sent", "retry", "failed", "unused"]
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """When to try again: twice as long after every attempt, up to a longest pause, and a random part of that.

    So deliveries that failed together do not come back together.
    """

    shortest: timedelta = timedelta(seconds=20)
    longest: timedelta = timedelta(minutes=30)

    def pause(self, attempts: int, *, draw: float) -> timedelta:
        doubled = self.shortest * 2.0 ** min(attempts - 1, 20)
        return min(doubled, self.longest) * (0.5 + draw / 2)


def check_address(address: str) -> None:
    """Raises UnsafeAddress."""
    local_part = address.partition("@")[0]
    if len(address) > LONGEST_ADDRESS or len(local_part) > LONGEST_LOCAL_PART or not _ADDRESS.fullmatch(address):
        raise UnsafeAddress("not one plain e-mail address")


def check_display_name(name: str) -> None:
    """Raises UnsafeName. An encoded word (=?...?=) is refused too: mail libraries decode it, line breaks and all."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise UnsafeName(f"a recipient's name has 1 to {LONGEST_NAME} characters")
    if "=?" in name or any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in name):
        raise UnsafeName("a recipient's name has no control characters")


def newest_per_score(news: Iterable[News]) -> list[News]:
    """Keep of each score what has the highest sequence, in the order of score ids: every writer locks in this order."""
    newest: dict[UUID, News] = {}
    for item in news:
        known = newest.get(item.score_id)
        if known is None or known.sequence < item.sequence:
            newest[item.score_id] = item
    return [newest[score_id] for score_id in sorted(newest)]


def message_id_of(delivery_id: UUID, domain: str) -> str:
    """The same for every attempt, so that a receiver recognises a mail that it was handed twice."""
    return f"<{delivery_id}@{domain}>"
