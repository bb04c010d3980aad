"""Bookings of reception times: by citizens, who keep a token and nothing else, and what the reception desk sees."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.intake.domain import receptions as domain
from services.intake.domain.citizens import normalise_name, normalise_phone
from services.intake.domain.receptions import BookingState, DayState
from services.intake.sealing import vault
from services.intake.storage import receptions as storage
from shared import limits
from shared.audit import chain
from shared.database import Pool, transaction
from shared.errors import Conflict
from shared.reach import SYSTEM

TRIES_AN_HOUR = 20
MOST_OPEN = 2  # visits to come that one phone may have booked

TABLE: Final = "reception_booking"


class TooManyBookings(Conflict):
    code = "too-many-bookings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a citizen says when booking."""

    id: UUID
    reception_day_id: UUID
    slot: int
    name: str = field(repr=False)
    phone: str = field(repr=False)
    topic: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBooking:
    """What a citizen can see by the token: when and where, and nothing of what was said."""

    place: str
    starts_at: datetime
    state: BookingState
    day_state: DayState


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """What the reception desk sees. What was forgotten is not there any more."""

    id: UUID
    slot: int
    starts_at: datetime
    state: BookingState
    name: str | None
    phone: str | None
    topic: str | None


def count_try(pool: Pool, network: str, *, now: datetime) -> None:
    """Call before anything is looked at that a citizen sent. Raises TooMany."""
    limits.take(pool, f"reception:{network}", limit=TRIES_AN_HOUR, per_seconds=3600, now=now)


def book(pool: Pool, wanted: Wanted, token: str, *, now: datetime) -> datetime:
    """Book a time for the bearer of the token, and return when it begins.

    It acts as the system: a citizen has no account, and what is booked is announced to everybody. Raises NotValid for
    a name or phone that cannot be one, ReceptionDayNotFound, NotOffered, UnknownSlot, SlotOver, SlotTaken,
    TooManyBookings.
    """
    phone, name = normalise_phone(wanted.phone), normalise_name(wanted.name)
    topic = None if wanted.topic is None else vault().seal(TABLE, "topic", wanted.id, wanted.topic)
    booking = storage.NewBooking(
        id=wanted.id,
        reception_day_id=wanted.reception_day_id,
        slot=wanted.slot,
        digest=digest(token),
        name_sealed=vault().seal(TABLE, "name", wanted.id, name),
        phone_sealed=vault().seal(TABLE, "phone", wanted.id, phone),
        topic_sealed=topic,
        phone_handle=vault().handle("phone", phone),
        person_handle=vault().handle("phone_and_name", f"{phone}|{name}"),
        booked_at=now,
    )
    handles = vault().handles("phone", phone)
    with transaction(pool, reach=SYSTEM) as connection:
        day = storage.lock_day(connection, wanted.reception_day_id)
        starts_at = domain.start_of(day, wanted.slot, now=now)
        if storage.count_open_bookings(connection, handles) >= MOST_OPEN:
            raise TooManyBookings(f"{MOST_OPEN} visits to come are booked under this phone already")
        storage.insert_booking(connection, booking)
    return starts_at


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def look_at(pool: Pool, token: str) -> OwnBooking:
    """Raises BookingNotFound for whatever is no token of a booking."""
    with transaction(pool, reach=SYSTEM) as connection:
        found = storage.find_booking(connection, digest(token))
    if found is None:
        raise storage.BookingNotFound("there is no such booking")
    booking, day = found
    starts_at = day.starts_of_slots()[booking.slot - 1]
    return OwnBooking(place=day.place, starts_at=starts_at, state=booking.state, day_state=day.state)


def give_up(pool: Pool, token: str, *, now: datetime) -> None:
    """Let somebody else have the time. Again changes nothing. Raises BookingNotFound, SlotOver."""
    with transaction(pool, reach=SYSTEM) as connection:
        found = storage.find_booking(connection, digest(token))
        if found is None:
            raise storage.BookingNotFound("there is no such booking")
        booking, day = found
        if booking.state == "cancelled":
            return
        if booking.state != "booked" or day.starts_of_slots()[booking.slot - 1] <= now:
            raise domain.SlotOver("this time has begun")
        storage.set_booking_state(connection, booking.id, day_id=day.id, was=["booked"], state="cancelled")


def list_visitors(pool: Pool, day_id: UUID) -> list[Visitor]:
    """Who has booked, with names. Raises ReceptionDayNotFound for a day that is not the reader's to receive."""
    with transaction(pool) as connection:
        day = storage.lock_day(connection, day_id)
        rows = storage.list_bookings(connection, day_id)
    starts = day.starts_of_slots()
    return [
        Visitor(
            id=row.id,
            slot=row.slot,
            starts_at=starts[row.slot - 1],
            state=row.state,
            name=vault().open(TABLE, "name", row.id, row.name_sealed, None),
            phone=vault().open(TABLE, "phone", row.id, row.phone_sealed, None),
            topic=vault().open(TABLE, "topic", row.id, row.topic_sealed, None),
        )
        for row in rows
    ]


def mark(pool: Pool, day_id: UUID, booking_id: UUID, state: Literal["came", "absent"]) -> None:
    """Note whether a visitor came; it can be put right until the day is noted as held.

    Raises ReceptionDayNotFound, NotOffered, BookingNotFound.
    """
    with transaction(pool) as connection:
        day = storage.lock_day(connection, day_id)
        if day.state != "offered":
            raise domain.NotOffered("this reception day is over")
        if not storage.set_booking_state(
            connection, booking_id, day_id=day_id, was=["booked", "came", "absent"], state=state
        ):
            raise storage.BookingNotFound("there is no such booking")
        chain.note(
            connection,
            chain.Line(
                action="reception.mark", object_type="reception_booking", object_id=booking_id, details={"state": state}
            ),
        )
