"""Registering organisations and cadres, and reading the registers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.registers import RegisterCadre, RegisterOrganisation
from services.intake.domain.registers import Turns, refuse_broken_trees, split_into_turns
from services.intake.handlers.batches import Events, run_batch
from services.intake.storage import posts
from services.intake.storage import registers as storage
from shared.contracts.intake.registers import CadreRegistered, OrganisationRegistered
from shared.database import Connection, Pool, transaction
from shared.outbox import OutgoingEvent

AnyCommand = TypeVar("AnyCommand")


def register_organisations(pool: Pool, commands: Sequence[RegisterOrganisation], *, now: datetime) -> list[Outcome]:
    """Enter organisations, or bring their entries up to date. Parents may stand in the same batch."""

    def run(connection: Connection, fresh: list[RegisterOrganisation], events: Events) -> list[Outcome]:
        storage.lock_organisations(connection)
        split = split_into_turns(fresh, key=lambda command: command.code, content=_organisation_content)
        return _run_in_turns(
            fresh, split, lambda commands: _register_distinct_organisations(connection, commands, events, now)
        )

    return run_batch("register_organisations", pool, commands, run, now=now)


def _register_distinct_organisations(
    connection: Connection, commands: list[RegisterOrganisation], events: Events, now: datetime
) -> list[Outcome]:
    codes = {code for command in commands for code in (command.code, command.parent_code) if code is not None}
    standing = storage.list_organisations_upwards(connection, sorted(codes))
    outcomes = refuse_broken_trees(commands, {code: entry.parent_code for code, entry in standing.items()})
    ids = {code: entry.id for code, entry in standing.items()}
    accepted = [command for command in commands if command.code not in outcomes]
    for command in accepted:
        ids.setdefault(command.code, command.id)
    to_write = []
    for command in accepted:
        entry = storage.Organisation(
            id=ids[command.code],
            code=command.code,
            name=command.name,
            level=command.level,
            parent_code=command.parent_code,
            region_type=command.region_type,
        )
        if standing.get(command.code) == entry:
            outcomes[command.code] = Outcome(status="unchanged", id=entry.id)
            continue
        outcomes[command.code] = Outcome(status="changed" if command.code in standing else "created", id=entry.id)
        parent_id = ids[command.parent_code] if command.parent_code is not None else None
        to_write.append({"parent_id": parent_id, **_fields(entry)})
    correlation_ids = {command.code: command.correlation_id for command in accepted}
    written = storage.upsert_organisations(connection, to_write, recorded_at=now) if to_write else []
    for row in _parents_first(written):
        event = OrganisationRegistered(
            organisation_id=row.id,
            code=row.code,
            name=row.name,
            level=row.level,
            parent_id=row.parent_id,
            region_type=row.region_type,
        )
        events.append(OutgoingEvent(event=event, sequence=row.sequence, correlation_id=correlation_ids[row.code]))
    return [outcomes[command.code] for command in commands]


def _parents_first(written: list[storage.WrittenOrganisation]) -> list[storage.WrittenOrganisation]:
    """Readers do not need this order, but it lets them place nearly every organisation at once."""
    pending = {row.id: row for row in written}
    ordered: list[storage.WrittenOrganisation] = []
    for row in written:
        way = []
        step: storage.WrittenOrganisation | None = row
        while step is not None and step.id in pending:
            way.append(pending.pop(step.id))
            step = pending.get(step.parent_id) if step.parent_id is not None else None
        ordered.extend(reversed(way))
    return ordered


def _fields(entry: storage.Organisation) -> dict[str, object]:
    return {name: getattr(entry, name) for name in ("id", "code", "name", "level", "region_type")}


def register_cadres(pool: Pool, commands: Sequence[RegisterCadre], *, now: datetime) -> list[Outcome]:
    """Enter cadres, or bring their names up to date."""

    def run(connection: Connection, fresh: list[RegisterCadre], events: Events) -> list[Outcome]:
        split = split_into_turns(fresh, key=lambda command: command.staff_number, content=lambda command: command.name)
        return _run_in_turns(
            fresh, split, lambda commands: _register_distinct_cadres(connection, commands, events, now)
        )

    return run_batch("register_cadres", pool, commands, run, now=now)


def _register_distinct_cadres(
    connection: Connection, commands: list[RegisterCadre], events: Events, now: datetime
) -> list[Outcome]:
    rows = [{"id": item.id, "staff_number": item.staff_number, "name": item.name} for item in commands]
    written = {row.staff_number: row for row in storage.upsert_cadres(connection, rows, recorded_at=now)}
    missing = [item.staff_number for item in commands if item.staff_number not in written]
    standing = storage.list_cadres_by_number(connection, missing) if missing else {}
    outcomes = []
    for command in commands:
        row = written.get(command.staff_number)
        if row is None:
            outcomes.append(Outcome(status="unchanged", id=standing[command.staff_number].id))
            continue
        outcomes.append(Outcome(status="created" if row.sequence == 1 else "changed", id=row.id))
        event = CadreRegistered(cadre_id=row.id, staff_number=row.staff_number, name=row.name)
        events.append(OutgoingEvent(event=event, sequence=row.sequence, correlation_id=command.correlation_id))
    return outcomes


def _run_in_turns(
    commands: Sequence[AnyCommand], split: Turns, run: Callable[[list[AnyCommand]], list[Outcome]]
) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    for turn in split.turns:
        outcomes.update(zip(turn, run([commands[position] for position in turn]), strict=True))
    for position, earlier in split.copies.items():
        outcome = outcomes[earlier]
        outcomes[position] = replace(outcome, status="unchanged") if outcome.id is not None else outcome
    return [outcomes[position] for position in range(len(commands))]


def _organisation_content(command: RegisterOrganisation) -> tuple[str | None, ...]:
    return (command.name, command.level, command.parent_code, command.region_type)


def list_organisations(pool: Pool, *, after_code: str, limit: int) -> list[storage.Organisation]:
    with transaction(pool) as connection:
        return storage.list_organisations_after(connection, after_code=after_code, limit=limit)


def get_organisation(pool: Pool, code: str) -> storage.Organisation:
    """Raises OrganisationNotFound."""
    with transaction(pool) as connection:
        return storage.get_organisation(connection, code)


def list_cadres(pool: Pool, *, after_number: str, limit: int) -> list[storage.Cadre]:
    with transaction(pool) as connection:
        return storage.list_cadres_after(connection, after_number=after_number, limit=limit)


def get_cadre(pool: Pool, staff_number: str) -> tuple[storage.Cadre, list[tuple[posts.Post, str]]]:
    """Return a cadre with the posts held, each with its organisation's code. Raises CadreNotFound."""
    with transaction(pool) as connection:
        cadre = storage.get_cadre(connection, staff_number)
        return cadre, posts.list_posts_of(connection, cadre.id)
