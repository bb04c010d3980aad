"""Under what agreement another system is told of events: which ones, of which organisations, with what in them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from shared.errors import Conflict, NotFound, Rejected

# ids: what happened to which record, which the system reads for itself. facts: also the event's codes, numbers, times.
Content = Literal["ids", "facts"]
AgreementStatus = Literal["proposed", "agreed", "refused", "ended"]
LONGEST: Final = timedelta(days=3 * 366)
FIRST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2190, 1, 1, tzinfo=UTC)
_CLIENT_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,62}[a-z0-9])", re.ASCII)
_NUMBER: Final = re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,62}[^\s\x00-\x1f])?")


class UnknownAgreement(NotFound):
    code = "unknown-agreement"


class UnsoundAgreement(Rejected):
    """It asks for what no agreement can give."""

    code = "unsound-agreement"


class NumberTaken(Conflict):
    code = "agreement-number-taken"


class NotInForce(Conflict):
    """The agreement has not begun, has ended, or was never agreed to by two persons."""

    code = "agreement-not-in-force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is agreed. `client_id` is the machine client that may read the feed and keep endpoints of its own.

    Without an organisation it covers everything, else that organisation and all below it. Without types it covers every
    type that is open to partners, also those that later releases open.
    """

    number: str
    partner: str
    client_id: str | None
    event_types: tuple[str, ...]
    organisation_id: UUID | None
    content: Content
    valid_from: datetime
    valid_until: datetime

    def check(self, *, open_types: Collection[str], now: datetime) -> None:
        """Raises UnsoundAgreement."""
        if not _NUMBER.fullmatch(self.number):
            raise UnsoundAgreement("the number of an agreement has 1 to 64 characters on one line")
        if self.client_id is not None and not _CLIENT_ID.fullmatch(self.client_id):
            raise UnsoundAgreement("a client id has 3 to 64 small letters, digits and hyphens")
        if set(self.event_types) - set(open_types):
            raise UnsoundAgreement("it names a type of event that is told to no other system")
        if not FIRST <= self.valid_from < LAST:
            raise UnsoundAgreement("an agreement begins in our times")
        if not self.valid_from < self.valid_until <= self.valid_from + LONGEST:
            raise UnsoundAgreement("an agreement ends after it begins, and within three years")
        if self.valid_until <= now:
            raise UnsoundAgreement("the agreement would be over already")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    id: UUID
    number: str
    partner: str
    client_id: str | None
    event_types: list[str]
    organisation_id: UUID | None
    content: Content
    valid_from: datetime
    valid_until: datetime
    status: AgreementStatus
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    ended_at: datetime | None

    def is_in_force(self, now: datetime) -> bool:
        return self.status == "agreed" and self.valid_from <= now < self.valid_until


def narrow(agreed: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """The types that pass both; none wanted means all. Raises UnsoundAgreement for a wish beyond what is agreed."""
    if agreed and set(wanted) - set(agreed):
        raise UnsoundAgreement("the agreement does not cover every type that is asked for")
    return tuple(dict.fromkeys(wanted))
