"""Reception days: when their times begin, and what may still happen to one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from shared.errors import Conflict, Rejected

DayState = Literal["offered", "held", "cancelled"]
BookingState = Literal["booked", "came", "absent", "cancelled"]

SHORTEST_SLOT: Final = 5
LONGEST_SLOT: Final = 240
LONGEST_DAY: Final = timedelta(hours=24)


class NoReceptionTime(Rejected):
    """The times of a day do not fit together."""

    code = "no-reception-time"


class NotOffered(Conflict):
    """The day was held or cancelled already."""

    code = "reception-day-not-offered"


class NotBegun(Conflict):
    code = "reception-day-not-begun"


class SlotTaken(Conflict):
    code = "slot-taken"


class SlotOver(Conflict):
    code = "slot-over"


class UnknownSlot(Rejected):
    code = "unknown-slot"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionDay:
    """A cadre receives visitors from then until then, in slots of so many minutes."""

    id: UUID
    organisation_id: UUID
    cadre_id: UUID
    place: str
    topic: str | None
    from_at: datetime
    until_at: datetime
    slot_minutes: int
    state: DayState = "offered"
    reason_code: str | None = None
    visitor_count: int | None = None
    sequence: int = 1

    @property
    def slot_count(self) -> int:
        return (self.until_at - self.from_at) // timedelta(minutes=self.slot_minutes)

    def starts_of_slots(self) -> list[datetime]:
        return [self.from_at + timedelta(minutes=self.slot_minutes * number) for number in range(self.slot_count)]


def check_times(*, from_at: datetime, until_at: datetime, slot_minutes: int, now: datetime) -> None:
    """Raises NoReceptionTime."""
    if not SHORTEST_SLOT <= slot_minutes <= LONGEST_SLOT:
        raise NoReceptionTime(f"a visit takes {SHORTEST_SLOT} to {LONGEST_SLOT} minutes")
    if not timedelta(minutes=slot_minutes) <= until_at - from_at <= LONGEST_DAY:
        raise NoReceptionTime("a reception day has room for one visit at least, and ends within 24 hours")
    if from_at <= now:
        raise NoReceptionTime("a reception day is offered before it begins")


def start_of(day: ReceptionDay, slot: int, *, now: datetime) -> datetime:
    """When this slot begins. Raises NotOffered, UnknownSlot, SlotOver."""
    if day.state != "offered":
        raise NotOffered("this reception day takes no more visitors")
    if not 1 <= slot <= day.slot_count:
        raise UnknownSlot("the reception day has no such time")
    starts_at = day.starts_of_slots()[slot - 1]
    if starts_at <= now:
        raise SlotOver("this time has begun")
    return starts_at


def cancel(day: ReceptionDay, *, reason_code: str) -> ReceptionDay:
    """Cancelling again changes nothing. Raises NotOffered."""
    if day.state == "cancelled":
        return day
    if day.state != "offered":
        raise NotOffered("a reception day that was held cannot be cancelled")
    return replace(day, state="cancelled", reason_code=reason_code, sequence=day.sequence + 1)


def hold(day: ReceptionDay, *, cadre_id: UUID, visitor_count: int, now: datetime) -> ReceptionDay:
    """Note that it took place, and who received. The same again changes nothing. Raises NotOffered, NotBegun."""
    held = replace(day, state="held", cadre_id=cadre_id, visitor_count=visitor_count)
    if held == day:
        return day
    if day.state == "cancelled":
        raise NotOffered("a reception day that was cancelled was not held")
    if now < day.from_at:
        raise NotBegun("the reception day has not begun")
    return replace(held, sequence=day.sequence + 1)


def free_slots(day: ReceptionDay, taken: Sequence[int], *, now: datetime) -> list[tuple[int, datetime]]:
    """Number and beginning of each time that can be booked now."""
    if day.state != "offered":
        return []
    starts = enumerate(day.starts_of_slots(), start=1)
    return [(number, starts_at) for number, starts_at in starts if number not in taken and starts_at > now]
