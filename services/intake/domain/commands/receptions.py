"""Requests about reception days. A booking is none of them: its secret goes back to the citizen at once."""

from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferReceptionDay(Command):
    """Natural key: the id. A repeat with other content is a conflict."""

    organisation_code: str
    staff_number: str
    place: str
    topic: str | None
    from_at: datetime
    until_at: datetime
    slot_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReceptionDay(Command):
    """`id` is the day's, here and in the next."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReceptionDay(Command):
    """Who received need not be the one announced. `visitor_count` has those who came without booking as well."""

    staff_number: str | None
    visitor_count: int
