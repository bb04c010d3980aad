"""Registering organisations and cadres, and reading the registers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.intake.domain.commands.base import Outcome, Status
from services.intake.domain.commands.registers import RegisterCadre, RegisterOrganisation
from services.intake.domain.registers import (
    BEFORE_LAST_CHANGE,
    BEGINNING,
    check_organisation,
    day_in_china,
    refuse_broken_trees,
    refuse_misplaced,
    rejected,
    settle_day,
    split_into_turns,
    take_in_turns,
)
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.coming import Ahead, put_off
from services.intake.storage import registers as storage
from shared.contracts.intake.registers import CadreRegistered, OrganisationRegistered
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent

ORGANISATIONS: Final[Ahead[RegisterOrganisation]] = Ahead(
    kind="organisation",
    begins=lambda command: command.from_on,
    names=lambda command: command.code,
)
CADRES: Final[Ahead[RegisterCadre]] = Ahead(
    kind="cadre", begins=lambda command: command.from_on, names=lambda command: command.staff_number
)


def register_organisations(pool: Pool, commands: Sequence[RegisterOrganisation], *, now: datetime) -> list[Outcome]:
    """Enter organisations, or bring their entries up to date from a day on. Parents may stand in the same batch."""

    def run(connection: Connection, fresh: list[RegisterOrganisation], events: Events) -> list[Outcome]:
        def take(some: list[RegisterOrganisation]) -> list[Outcome]:
            split = split_into_turns(some, key=lambda command: command.code, content=_asked_content)
            return take_in_turns(
                some, split, lambda commands: _register_distinct_organisations(connection, commands, events, now)
            )

        storage.lock_organisations(connection)
        return put_off(connection, fresh, ORGANISATIONS, take, now=now, check=check_organisation)

    return run_batch("register_organisations", pool, commands, run, now=now)


def _register_distinct_organisations(
    connection: Connection, commands: list[RegisterOrganisation], events: Events, now: datetime
) -> list[Outcome]:
    codes = {code for command in commands for code in (command.code, command.parent_code) if code is not None}
    standing = storage.list_organisations_upwards(connection, sorted(codes))
    commands = [_fill_untold(command, standing.get(command.code)) for command in commands]
    today = day_in_china(now)
    outcomes = {
        command.code: Outcome(status="unchanged", id=entry.id)
        for command in commands
        if (entry := standing.get(command.code)) is not None and _content(entry) == _content(command)
    }
    changing = [command for command in commands if command.code not in outcomes]
    outcomes |= _refuse(connection, changing, standing, today)
    accepted = [command for command in changing if command.code not in outcomes]
    ids = {code: entry.id for code, entry in standing.items()}
    for command in accepted:
        ids.setdefault(command.code, command.id)
    to_write = []
    for command in accepted:
        status: Status = "changed" if command.code in standing else "created"
        outcomes[command.code] = Outcome(status=status, id=ids[command.code])
        day = settle_day(command.from_on, standing.get(command.code), today=today)
        parent_id = ids[command.parent_code] if command.parent_code is not None else None
        to_write.append(row_of(command, organisation_id=ids[command.code], parent_id=parent_id, from_on=day))
    correlation_ids = {command.code: command.correlation_id for command in accepted}
    written = storage.upsert_organisations(connection, to_write, recorded_at=now) if to_write else []
    for row in _parents_first(written):
        events.append(announce(row, row.sequence, correlation_ids[row.code]))
    return [outcomes[command.code] for command in commands]


def _refuse(
    connection: Connection,
    commands: Sequence[RegisterOrganisation],
    standing: Mapping[str, storage.Organisation],
    today: date,
) -> dict[str, Outcome]:
    """Refuse what cannot be, then again and again what hangs on something refused, until what is left can stand."""
    refused = _refuse_taken_credit_codes(connection, commands)
    for command in commands:
        entry = standing.get(command.code)
        day = settle_day(command.from_on, entry, today=today)
        refusal = check_organisation(command) or (day if isinstance(day, Outcome) else None)
        if refusal is not None:
            refused[command.code] = replace(refusal, id=entry.id if entry is not None else None)
    parents = {code: entry.parent_code for code, entry in standing.items()}
    divisions = {code: entry.division_code for code, entry in standing.items()}
    moved = frozenset(command.code for command in commands if _is_moved(command, standing.get(command.code)))
    while True:
        left = [command for command in commands if command.code not in refused]
        further = {**refuse_misplaced(left, divisions, moved), **refuse_broken_trees(left, parents)}
        if not further:
            return refused
        refused |= further


def _is_moved(command: RegisterOrganisation, standing: storage.Organisation | None) -> bool:
    if standing is None:
        return True
    return (command.division_code, command.parent_code) != (standing.division_code, standing.parent_code)


def _refuse_taken_credit_codes(connection: Connection, commands: Sequence[RegisterOrganisation]) -> dict[str, Outcome]:
    wanted = [command for command in commands if command.credit_code is not None]
    if not wanted:
        return {}
    holders = storage.list_credit_code_holders(connection, [command.credit_code or "" for command in wanted])
    refused = {}
    for command in wanted:
        if holders.setdefault(command.credit_code or "", command.code) != command.code:
            refused[command.code] = rejected("credit-code-taken", "another organisation has this credit code")
    return refused


def _fill_untold(command: RegisterOrganisation, standing: storage.Organisation | None) -> RegisterOrganisation:
    """Let what the sender said nothing of stay as it stands."""
    if standing is None or not command.untold:
        return command
    return replace(command, **{name: getattr(standing, name) for name in command.untold})


def row_of(
    entry: RegisterOrganisation | storage.Organisation,
    *,
    organisation_id: UUID,
    parent_id: UUID | None,
    from_on: object,
) -> dict[str, object]:
    return {
        "id": organisation_id,
        "code": entry.code,
        "name": entry.name,
        "level": entry.level,
        "parent_id": parent_id,
        "region_type": entry.region_type,
        "division_code": entry.division_code,
        "credit_code": entry.credit_code,
        "from_on": from_on,
        "ended_on": None,
        "successor_id": None,
        "steps": 1,
    }


def announce(row: storage.WrittenOrganisation, sequence: int, correlation_id: str) -> OutgoingEvent:
    event = OrganisationRegistered(
        organisation_id=row.id,
        code=row.code,
        name=row.name,
        level=row.level,
        parent_id=row.parent_id,
        region_type=row.region_type,
        division_code=row.division_code,
        from_on=row.from_on if row.from_on != BEGINNING else None,
        ended_on=row.ended_on,
    )
    return OutgoingEvent(event=event, sequence=sequence, correlation_id=correlation_id)


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


def register_cadres(pool: Pool, commands: Sequence[RegisterCadre], *, now: datetime) -> list[Outcome]:
    """Enter cadres, or bring their names up to date from a day on."""

    def run(connection: Connection, fresh: list[RegisterCadre], events: Events) -> list[Outcome]:
        def take(some: list[RegisterCadre]) -> list[Outcome]:
            split = split_into_turns(
                some, key=lambda command: command.staff_number, content=lambda command: (command.name, command.from_on)
            )
            return take_in_turns(
                some, split, lambda commands: _register_distinct_cadres(connection, commands, events, now)
            )

        return put_off(connection, fresh, CADRES, take, now=now)

    return run_batch("register_cadres", pool, commands, run, now=now)


def _register_distinct_cadres(
    connection: Connection, commands: list[RegisterCadre], events: Events, now: datetime
) -> list[Outcome]:
    today = day_in_china(now)
    rows = [
        {"id": item.id, "staff_number": item.staff_number, "name": item.name, "from_on": item.from_on}
        for item in commands
    ]
    found = storage.upsert_cadres(connection, rows, today=today, recorded_at=now) if rows else []
    written = {row.staff_number: row for row in found}
    missing = [item.staff_number for item in commands if item.staff_number not in written]
    standing = storage.list_cadres_by_number(connection, missing) if missing else {}
    outcomes = []
    for command in commands:
        row = written.get(command.staff_number)
        if row is None:
            outcomes.append(_settle_unwritten(command, standing.get(command.staff_number)))
            continue
        outcomes.append(Outcome(status="created" if row.sequence == 1 else "changed", id=row.id))
        event = CadreRegistered(
            cadre_id=row.id,
            staff_number=row.staff_number,
            name=row.name,
            from_on=row.from_on if row.from_on != BEGINNING else None,
        )
        events.append(OutgoingEvent(event=event, sequence=row.sequence, correlation_id=command.correlation_id))
    return outcomes


def _settle_unwritten(command: RegisterCadre, standing: storage.Cadre | None) -> Outcome:
    if standing is not None and standing.name == command.name:
        return Outcome(status="unchanged", id=standing.id)
    return replace(BEFORE_LAST_CHANGE, id=standing.id if standing is not None else None)


def _asked_content(command: RegisterOrganisation) -> tuple[object, ...]:
    return (*_content(command), command.from_on, command.untold)


def _content(entry: RegisterOrganisation | storage.Organisation) -> tuple[str | None, ...]:
    return (entry.name, entry.level, entry.parent_code, entry.region_type, entry.division_code, entry.credit_code)
