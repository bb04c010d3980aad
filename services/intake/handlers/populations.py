"""Groups of the population, and counts of how many people live where."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.populations import DefinePopulationGroup, RecordPopulation
from services.intake.domain.registers import IN_FUTURE, day_in_china, split_into_turns, take_in_turns
from services.intake.domain.repeats import unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.storage import populations as storage
from services.intake.storage import registers
from shared.contracts.intake.populations import PlacePopulationRecorded, PopulationGroupDefined
from shared.database import Connection, Pool, transaction
from shared.outbox import OutgoingEvent


def define_groups(pool: Pool, commands: Sequence[DefinePopulationGroup], *, now: datetime) -> list[Outcome]:
    """Define groups, or bring their entries up to date."""

    def run(connection: Connection, fresh: list[DefinePopulationGroup], events: Events) -> list[Outcome]:
        split = split_into_turns(
            fresh, key=lambda command: command.code, content=lambda command: (command.name, command.is_retired)
        )
        return take_in_turns(fresh, split, lambda some: _define_groups(connection, some, events, now))

    return run_batch("define_groups", pool, commands, run, now=now)


def _define_groups(
    connection: Connection, commands: list[DefinePopulationGroup], events: Events, now: datetime
) -> list[Outcome]:
    rows = [{"id": one.id, "code": one.code, "name": one.name, "is_retired": one.is_retired} for one in commands]
    written = {row.code: row for row in storage.upsert_groups(connection, rows, recorded_at=now)}
    known = storage.find_group_ids(connection, [command.code for command in commands])
    outcomes = []
    for command in commands:
        row = written.get(command.code)
        if row is None:
            outcomes.append(Outcome(status="unchanged", id=known[command.code]))
            continue
        outcomes.append(Outcome(status="created" if row.sequence == 1 else "changed", id=row.id))
        event = PopulationGroupDefined(
            population_group_id=row.id, code=row.code, name=row.name, is_retired=row.is_retired
        )
        events.append(OutgoingEvent(event=event, sequence=row.sequence, correlation_id=command.correlation_id))
    return outcomes


def record_populations(pool: Pool, commands: Sequence[RecordPopulation], *, now: datetime) -> list[Outcome]:
    """Record counts. Other figures for the same place, group and day correct those that stand."""

    def run(connection: Connection, fresh: list[RecordPopulation], events: Events) -> list[Outcome]:
        split = split_into_turns(
            fresh, key=_key_of, content=lambda command: (command.people_count, command.household_count)
        )
        return take_in_turns(fresh, split, lambda some: _record(connection, some, events, now))

    return run_batch("record_populations", pool, commands, run, now=now)


def _record(connection: Connection, commands: list[RecordPopulation], events: Events, now: datetime) -> list[Outcome]:
    organisations = registers.find_organisation_ids(connection, [one.organisation_code for one in commands])
    groups = storage.find_group_ids(connection, [one.population_group for one in commands if one.population_group])
    outcomes: list[Outcome] = []
    rows = []
    for command in commands:
        if command.organisation_code not in organisations:
            outcomes.append(unknown("organisation"))
        elif command.population_group is not None and command.population_group not in groups:
            outcomes.append(unknown("population-group"))
        elif command.counted_on > day_in_china(now):
            outcomes.append(IN_FUTURE)
        else:
            outcomes.append(Outcome(status="unchanged"))
            rows.append(
                {
                    "id": command.id,
                    "organisation_id": organisations[command.organisation_code],
                    "place_code": command.place_code,
                    "population_group": command.population_group,
                    "counted_on": command.counted_on,
                    "people_count": command.people_count,
                    "household_count": command.household_count,
                }
            )
    found = storage.upsert_populations(connection, rows, recorded_at=now) if rows else []
    written = {(row.organisation_id, row.place_code, row.population_group, row.counted_on): row for row in found}
    for position, command in enumerate(commands):
        organisation_id = organisations.get(command.organisation_code)
        row = written.get((organisation_id, command.place_code, command.population_group, command.counted_on))  # type: ignore[arg-type] # None is no key
        if row is not None and outcomes[position].status == "unchanged":
            outcomes[position] = Outcome(status="created" if row.sequence == 1 else "changed", id=row.id)
            events.append(_tell(row, command.correlation_id))
    return outcomes


def _key_of(command: RecordPopulation) -> tuple[object, ...]:
    return (command.organisation_code, command.place_code, command.population_group, command.counted_on)


def _tell(row: storage.StoredPopulation, correlation_id: str) -> OutgoingEvent:
    event = PlacePopulationRecorded(
        place_population_id=row.id,
        organisation_id=row.organisation_id,
        place_code=row.place_code,
        population_group=row.population_group,
        counted_on=row.counted_on,
        people_count=row.people_count,
        household_count=row.household_count,
    )
    return OutgoingEvent(event=event, sequence=row.sequence, correlation_id=correlation_id)


def list_groups(pool: Pool, *, on: date | None = None) -> list[storage.PopulationGroup]:
    """As they are called, or as they were called that day."""
    with transaction(pool) as connection:
        return storage.list_groups(connection) if on is None else storage.list_groups_on(connection, on)


def list_group_versions(pool: Pool, code: str) -> list[storage.GroupVersion]:
    """Raises GroupNotFound."""
    with transaction(pool) as connection:
        return storage.list_group_versions(connection, code)


def list_population_versions(pool: Pool, population_id: UUID) -> list[storage.PopulationVersion]:
    """Raises PopulationNotFound."""
    with transaction(pool) as connection:
        return storage.list_population_versions(connection, population_id)


def list_populations(
    pool: Pool, *, organisation_code: str | None, after: UUID, limit: int, on: date | None = None
) -> list[storage.PlacePopulation]:
    with transaction(pool) as connection:
        return storage.list_populations(
            connection, organisation_code=organisation_code, on=on, after=after, limit=limit
        )
