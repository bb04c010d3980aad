"""Contact points, contact households, and the cadres who keep in touch with them."""

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from uuid import UUID, uuid4

from services.intake.domain.citizens import Citizen, mask_name
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.liaisons import AssignLiaison, RegisterHousehold, RegisterPoint
from services.intake.domain.registers import rejected
from services.intake.domain.repeats import unknown
from services.intake.domain.times import digest
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.ledger import ENDS_BEFORE_BEGIN, Ledger
from services.intake.handlers.records import hexadecimal
from services.intake.sealing import vault
from services.intake.storage import citizens, populations, registers
from services.intake.storage import liaisons as storage
from services.intake.storage.reach import find_reached_organisation_ids
from shared.contracts.intake.liaisons import ContactHouseholdRegistered, ContactPointRegistered, LiaisonAssigned
from shared.database import Connection, Pool, transaction

ONE_OF_BOTH = rejected("assigns-one-thing", "an assignment names a household or a contact point, and not both")


def register_points(pool: Pool, commands: Sequence[RegisterPoint], *, now: datetime) -> list[Outcome]:
    """Register contact points. A repeat changes nothing, or ends the point where the command may amend."""

    def run(connection: Connection, fresh: list[RegisterPoint], events: Events) -> list[Outcome]:
        organisations = registers.find_organisation_ids(connection, [one.organisation_code for one in fresh])
        asked = [_ask_point(command, organisations.get(command.organisation_code)) for command in fresh]
        rows = [point for point in asked if isinstance(point, storage.StoredPoint)]
        inserted = storage.insert_points(connection, rows, recorded_at=now) if rows else []
        ledger = Ledger(inserted, events, key=_key_of_point, tell=_tell_point, what="contact-point")
        left = [point for point in rows if point.id not in ledger.fresh]
        if left:
            ledger.add(storage.lock_points(connection, left))
        outcomes = [
            point
            if isinstance(point, Outcome)
            else ledger.take(point, amend=command.amend, correlation_id=command.correlation_id)
            for point, command in zip(asked, fresh, strict=True)
        ]
        storage.end_points(connection, list(ledger.amended.values()))
        return outcomes

    return run_batch("register_points", pool, commands, run, now=now)


def _ask_point(command: RegisterPoint, organisation_id: UUID | None) -> storage.StoredPoint | Outcome:
    if organisation_id is None:
        return unknown("organisation")
    if command.until_on is not None and command.until_on < command.from_on:
        return ENDS_BEFORE_BEGIN
    return storage.StoredPoint(
        id=command.id,
        organisation_id=organisation_id,
        code=command.code,
        kind=command.kind,
        name=command.name,
        place_code=command.place_code,
        from_on=command.from_on,
        until_on=command.until_on,
        sequence=1,
    )


def _key_of_point(point: storage.StoredPoint) -> Hashable:
    return (point.code, point.from_on)


def _tell_point(point: storage.StoredPoint) -> ContactPointRegistered:
    told = {name: value for name, value in asdict(point).items() if name not in {"id", "sequence"}}
    return ContactPointRegistered(contact_point_id=point.id, **told)


def register_households(pool: Pool, commands: Sequence[RegisterHousehold], *, now: datetime) -> list[Outcome]:
    """Register contact households. Who heads one is sealed under a pseudonym of its own, which no issue bears."""

    def run(connection: Connection, fresh: list[RegisterHousehold], events: Events) -> list[Outcome]:
        organisations = find_reached_organisation_ids(connection, [one.organisation_code for one in fresh])
        groups = populations.find_group_ids(connection, [one.population_group for one in fresh])
        asked = [
            _ask_household(command, organisations.get(command.organisation_code))
            if command.population_group in groups
            else unknown("population-group")
            for command in fresh
        ]
        rows = [household for household in asked if isinstance(household, storage.StoredHousehold)]
        as_json = [
            {**asdict(row), "head_hash": hexadecimal(row.head_hash) if row.head_hash is not None else None}
            for row in rows
        ]
        inserted = storage.insert_households(connection, as_json, recorded_at=now) if rows else []
        ledger = Ledger(inserted, events, key=_key_of_household, tell=_tell_household, what="household")
        left = [household for household in rows if household.id not in ledger.fresh]
        known = {}
        if left:
            found = storage.lock_households(connection, [one.id for one in left], [_key(one) for one in left])
            ledger.add(found)
            known = {_key(one): one for one in found}
        heads = {command.id: command.head for command in fresh if command.head is not None}
        _enter_heads(connection, {one.id: heads[one.id] for one in inserted if one.id in heads}, now=now)
        outcomes = [
            household
            if isinstance(household, Outcome)
            else ledger.take(
                _fill_head(household, known.get(_key(household))),
                amend=command.amend,
                correlation_id=command.correlation_id,
            )
            for household, command in zip(asked, fresh, strict=True)
        ]
        storage.end_households(connection, list(ledger.amended.values()))
        return outcomes

    return run_batch("register_households", pool, commands, run, now=now)


def _ask_household(command: RegisterHousehold, organisation_id: UUID | None) -> storage.StoredHousehold | Outcome:
    if organisation_id is None:
        return unknown("organisation")
    if command.until_on is not None and command.until_on < command.from_on:
        return ENDS_BEFORE_BEGIN
    head = command.head
    told = digest((head.name, head.phone, head.address)) if head is not None else None
    return storage.StoredHousehold(
        id=command.id,
        organisation_id=organisation_id,
        number=command.number,
        place_code=command.place_code,
        population_group=command.population_group,
        from_on=command.from_on,
        until_on=command.until_on,
        head_hash=vault().keyed(told) if told is not None else None,
        sequence=1,
    )


def _fill_head(asked: storage.StoredHousehold, known: storage.StoredHousehold | None) -> storage.StoredHousehold:
    """A repeat that does not say who heads the household says nothing against who does."""
    return replace(asked, head_hash=known.head_hash) if known is not None and asked.head_hash is None else asked


def _enter_heads(connection: Connection, heads: dict[UUID, Citizen], *, now: datetime) -> None:
    """Each is a new citizen whom nothing finds: no household shall lead to what its people ever complained of."""
    if not heads:
        return
    rows = []
    refs = {}
    for household_id, head in heads.items():
        ref = refs[household_id] = uuid4()
        new = vault().new_key(ref)
        sealed = {
            name: vault().seal_if("citizen", name, ref, getattr(head, name), new.key)
            for name in ("name", "phone", "address")
        }
        rows.append({"ref": ref, **sealed, "wrapped": "\\x" + new.wrapped.hex(), "epoch": new.epoch})
    with citizens.elevated(connection):
        citizens.insert_citizens(connection, rows, [], recorded_at=now)
    storage.set_heads(connection, refs)


def _key(household: storage.StoredHousehold) -> tuple[str, date]:
    return (household.number, household.from_on)


def _key_of_household(household: storage.StoredHousehold) -> Hashable:
    return _key(household)


def _tell_household(household: storage.StoredHousehold) -> ContactHouseholdRegistered:
    return ContactHouseholdRegistered(
        contact_household_id=household.id,
        organisation_id=household.organisation_id,
        place_code=household.place_code,
        population_group=household.population_group,
        from_on=household.from_on,
        until_on=household.until_on,
    )


def assign_liaisons(pool: Pool, commands: Sequence[AssignLiaison], *, now: datetime) -> list[Outcome]:
    """Assign cadres to households and points. A repeat changes nothing, or ends what it may amend."""

    def run(connection: Connection, fresh: list[AssignLiaison], events: Events) -> list[Outcome]:
        cadre_ids = registers.find_cadre_ids(connection, [command.staff_number for command in fresh])
        households = storage.find_households(
            connection, [one.household_number for one in fresh if one.household_number is not None]
        )
        points = storage.find_points(connection, [one.point_code for one in fresh if one.point_code is not None])
        asked = [
            _ask_assignment(
                command,
                cadre_ids.get(command.staff_number),
                households.get(command.household_number or ""),
                points.get(command.point_code or ""),
            )
            for command in fresh
        ]
        rows = [one for one in asked if isinstance(one, storage.StoredAssignment)]
        inserted = storage.insert_assignments(connection, rows, recorded_at=now) if rows else []
        ledger = Ledger(inserted, events, key=_key_of_assignment, tell=_tell_assignment, what="assignment")
        left = [one for one in rows if one.id not in ledger.fresh]
        if left:
            ledger.add(storage.lock_assignments(connection, left))
        outcomes = [
            one
            if isinstance(one, Outcome)
            else ledger.take(one, amend=command.amend, correlation_id=command.correlation_id)
            for one, command in zip(asked, fresh, strict=True)
        ]
        storage.end_assignments(connection, list(ledger.amended.values()))
        return outcomes

    return run_batch("assign_liaisons", pool, commands, run, now=now)


def _ask_assignment(
    command: AssignLiaison, cadre_id: UUID | None, household: storage.Target | None, point: storage.Target | None
) -> storage.StoredAssignment | Outcome:
    if (command.household_number is None) == (command.point_code is None):
        return ONE_OF_BOTH
    if cadre_id is None:
        return unknown("cadre")
    target = household or point
    if target is None:
        return unknown("household" if command.household_number is not None else "contact-point")
    if command.until_on is not None and command.until_on < command.from_on:
        return ENDS_BEFORE_BEGIN
    return storage.StoredAssignment(
        id=command.id,
        household_id=household.id if household is not None else None,
        contact_point_id=point.id if point is not None else None,
        organisation_id=target.organisation_id,
        cadre_id=cadre_id,
        from_on=command.from_on,
        until_on=command.until_on,
        sequence=1,
    )


def _key_of_assignment(one: storage.StoredAssignment) -> Hashable:
    return (one.household_id, one.contact_point_id, one.cadre_id, one.from_on)


def _tell_assignment(one: storage.StoredAssignment) -> LiaisonAssigned:
    return LiaisonAssigned(
        liaison_assignment_id=one.id,
        cadre_id=one.cadre_id,
        contact_household_id=one.household_id,
        contact_point_id=one.contact_point_id,
        from_on=one.from_on,
        until_on=one.until_on,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A household as it is shown: in lists with the head's name masked and no address, alone with both.

    The pseudonym is that of the head in this household alone: by it the head's data is disclosed, restricted or erased.
    `version` may be sent back in If-Match when the household is ended.
    """

    id: UUID
    organisation_code: str
    number: str
    place_code: str
    population_group: str
    from_on: date
    until_on: date | None
    version: int
    citizen_ref: UUID | None
    head_name: str | None = field(repr=False)
    head_phone: str | None = field(repr=False)
    head_address: str | None = field(repr=False)


def list_points(pool: Pool, *, on: date | None, after: UUID, limit: int) -> list[storage.Point]:
    with transaction(pool) as connection:
        return storage.list_points(connection, on, after=after, limit=limit)


def list_assignments(pool: Pool, *, after: UUID, limit: int) -> list[storage.Assignment]:
    with transaction(pool) as connection:
        return storage.list_assignments(connection, after=after, limit=limit)


def list_households(pool: Pool, *, after: UUID, limit: int) -> list[Household]:
    with transaction(pool) as connection:
        sealed = storage.list_households(connection, after=after, limit=limit)
    return [_show(household, whole=False) for household in sealed]


def get_household(pool: Pool, household_id: UUID) -> Household:
    """Raises HouseholdNotFound."""
    with transaction(pool) as connection:
        sealed = storage.get_household(connection, household_id)
    return _show(sealed, whole=True)


def _show(household: storage.SealedHousehold, *, whole: bool) -> Household:
    ref = household.citizen_ref
    key = vault().open_key(ref, household.wrapped) if ref is not None else None
    opened = {
        name: vault().open("citizen", name, ref, getattr(household, name), key) if ref is not None else None
        for name in ("name", "phone", "address")
    }
    name = opened["name"]
    return Household(
        id=household.id,
        organisation_code=household.organisation_code,
        number=household.number,
        place_code=household.place_code,
        population_group=household.population_group,
        from_on=household.from_on,
        until_on=household.until_on,
        version=household.version,
        citizen_ref=ref if whole else None,
        head_name=name if whole or name is None else mask_name(name),
        head_phone=opened["phone"] if whole else None,
        head_address=opened["address"] if whole else None,
    )
