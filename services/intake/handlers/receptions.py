"""Reception days: offering, cancelling and holding them, and what is announced of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain import receptions as domain
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.receptions import CancelReceptionDay, HoldReceptionDay, OfferReceptionDay
from services.intake.domain.receptions import ReceptionDay
from services.intake.domain.repeats import other_content, out_of_reach, unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.standing import Moved, take_each
from services.intake.storage import receptions as storage
from services.intake.storage import registers
from services.intake.storage.reach import find_reached_organisation_ids
from shared.contracts.intake.participation import ReceptionDayCancelled, ReceptionDayHeld, ReceptionDayOffered
from shared.database import Connection, Pool, transaction
from shared.errors import Rejected
from shared.outbox import OutgoingEvent
from shared.reach import SYSTEM

FIRST = UUID(int=0)


class UnknownCadre(Rejected):
    code = "unknown-cadre"


class FewerThanCame(Rejected):
    code = "fewer-than-came"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTime:
    slot: int
    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What everybody may read of a reception day, with the times that are free."""

    id: UUID
    organisation_code: str
    organisation_name: str
    cadre_name: str
    place: str
    topic: str | None
    from_at: datetime
    until_at: datetime
    slot_minutes: int
    free: list[FreeTime]
    version: int  # may be sent back in If-Match when the day is cancelled or held


def offer_days(pool: Pool, commands: Sequence[OfferReceptionDay], *, now: datetime) -> list[Outcome]:
    """Offer reception days. The same again changes nothing; other content under the same id is a conflict."""

    def run(connection: Connection, fresh: list[OfferReceptionDay], events: Events) -> list[Outcome]:
        organisations = find_reached_organisation_ids(connection, [item.organisation_code for item in fresh])
        cadres = registers.find_cadre_ids(connection, [item.staff_number for item in fresh])
        return [_offer(connection, item, events, organisations, cadres, now) for item in fresh]

    return run_batch("offer_days", pool, commands, run, now=now)


def _offer(
    connection: Connection,
    command: OfferReceptionDay,
    events: Events,
    organisations: dict[str, UUID],
    cadres: dict[str, UUID],
    now: datetime,
) -> Outcome:
    if command.organisation_code not in organisations:
        known = registers.find_organisation_ids(connection, [command.organisation_code])
        return out_of_reach() if known else unknown("organisation")
    if command.staff_number not in cadres:
        return unknown("cadre")
    day = ReceptionDay(
        id=command.id,
        organisation_id=organisations[command.organisation_code],
        cadre_id=cadres[command.staff_number],
        place=command.place,
        topic=command.topic,
        from_at=command.from_at,
        until_at=command.until_at,
        slot_minutes=command.slot_minutes,
    )
    standing = _find(connection, command.id)
    if standing is not None:
        is_same = _announced_part(standing) == _announced_part(day)
        return Outcome(status="unchanged", id=day.id) if is_same else other_content(day.id)
    try:
        domain.check_times(from_at=day.from_at, until_at=day.until_at, slot_minutes=day.slot_minutes, now=now)
    except Rejected as refusal:
        return Outcome(status="rejected", code=refusal.code, detail=refusal.detail)
    if not storage.insert_day(connection, day, recorded_at=now):
        return other_content(day.id)
    event = ReceptionDayOffered(
        reception_day_id=day.id,
        organisation_id=day.organisation_id,
        cadre_id=day.cadre_id,
        from_at=day.from_at,
        until_at=day.until_at,
        slot_count=day.slot_count,
    )
    events.append(OutgoingEvent(event=event, sequence=1, correlation_id=command.correlation_id))
    return Outcome(status="created", id=day.id)


def _find(connection: Connection, day_id: UUID) -> ReceptionDay | None:
    try:
        return storage.lock_day(connection, day_id)
    except storage.ReceptionDayNotFound:
        return None


def _announced_part(day: ReceptionDay) -> tuple[object, ...]:
    return (day.organisation_id, day.cadre_id, day.place, day.topic, day.from_at, day.until_at, day.slot_minutes)


def cancel_days(pool: Pool, commands: Sequence[CancelReceptionDay], *, now: datetime) -> list[Outcome]:
    """Cancel days that were offered. Whoever had booked is told by whoever follows the event."""

    def step(connection: Connection, command: CancelReceptionDay) -> Moved | None:
        before = storage.lock_day(connection, command.id)
        after = domain.cancel(before, reason_code=command.reason_code)
        if after == before:
            return None
        storage.set_day(connection, after)
        event = ReceptionDayCancelled(
            reception_day_id=after.id,
            cancelled_at=now,
            reason_code=command.reason_code,
            booked_count=storage.count_booked(connection, after.id),
        )
        return Moved(event, after.sequence)

    return take_each("cancel_days", pool, commands, step, now=now)


def hold_days(pool: Pool, commands: Sequence[HoldReceptionDay], *, now: datetime) -> list[Outcome]:
    """Note that days took place. Of who had booked and was not marked as come, it says that they did not come."""

    def step(connection: Connection, command: HoldReceptionDay) -> Moved | None:
        before = storage.lock_day(connection, command.id)
        cadre_id = _who_received(connection, before, command.staff_number)
        after = domain.hold(before, cadre_id=cadre_id, visitor_count=command.visitor_count, now=now)
        if after == before:
            return None
        if command.visitor_count < storage.close_bookings(connection, after.id):
            raise FewerThanCame("more visitors were marked as come")
        storage.set_day(connection, after)
        event = ReceptionDayHeld(
            reception_day_id=after.id,
            organisation_id=after.organisation_id,
            cadre_id=after.cadre_id,
            from_at=after.from_at,
            visitor_count=command.visitor_count,
        )
        return Moved(event, after.sequence)

    return take_each("hold_days", pool, commands, step, now=now)


def _who_received(connection: Connection, day: ReceptionDay, staff_number: str | None) -> UUID:
    if staff_number is None:
        return day.cadre_id
    found = registers.find_cadre_ids(connection, [staff_number])
    if staff_number not in found:
        raise UnknownCadre("no such cadre is registered")
    return found[staff_number]


def list_coming(
    pool: Pool, *, organisation_code: str | None, after: tuple[datetime, UUID] | None, limit: int, now: datetime
) -> list[Announcement]:
    """What is announced from now on. It is the same for everybody, so nobody is asked who they are."""
    start = after or (now, FIRST)
    with transaction(pool, reach=SYSTEM) as connection:
        days = storage.list_coming_days(connection, organisation_code=organisation_code, after=start, limit=limit)
    return [_announce(day, now) for day in days]


def get_coming(pool: Pool, day_id: UUID, *, now: datetime) -> Announcement:
    """One day as it is announced. Raises ReceptionDayNotFound, also for one that is over or takes nobody any more."""
    with transaction(pool, reach=SYSTEM) as connection:
        days = storage.list_coming_days(connection, organisation_code=None, after=(now, FIRST), limit=1, day_id=day_id)
    if not days:
        raise storage.ReceptionDayNotFound("there is no such reception day")
    return _announce(days[0], now)


def _announce(announced: storage.AnnouncedDay, now: datetime) -> Announcement:
    day = announced.day
    free = domain.free_slots(day, announced.taken, now=now)
    return Announcement(
        id=day.id,
        organisation_code=announced.organisation_code,
        organisation_name=announced.organisation_name,
        cadre_name=announced.cadre_name,
        place=day.place,
        topic=day.topic,
        from_at=day.from_at,
        until_at=day.until_at,
        slot_minutes=day.slot_minutes,
        free=[FreeTime(slot=number, starts_at=starts_at) for number, starts_at in free],
        version=day.sequence,
    )
