"""Defining the categories of issues, reading them, and telling which issues name none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.intake.domain.commands.base import Outcome, Status
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.registers import (
    BEGINNING,
    day_in_china,
    refuse_broken_trees,
    settle_day,
    split_into_turns,
    take_in_turns,
)
from services.intake.domain.repeats import unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.coming import Ahead, put_off
from services.intake.storage import categories as storage
from services.intake.storage import registers
from shared.contracts.intake.categories import CategoryDefined
from shared.database import Connection, Pool, transaction
from shared.outbox import OutgoingEvent

CATEGORIES: Final[Ahead[DefineCategory]] = Ahead(
    kind="category",
    begins=lambda command: command.from_on,
    names=lambda command: "/".join(filter(None, (command.organisation_code, command.code))),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trees:
    """The trees of one scope: its own categories, and those of everywhere, which its own may stand below."""

    own: Mapping[str, storage.StandingCategory]
    everywhere: Mapping[str, storage.StandingCategory]

    def parents(self) -> dict[str, str | None]:
        """Own categories with their parents; those of everywhere as roots, for whatever stands above them is sound."""
        return {
            **dict.fromkeys(self.everywhere),
            **{code: entry.parent_code if entry.parent_code in self.own else None for code, entry in self.own.items()},
        }

    def find_id(self, code: str | None) -> UUID | None:
        found = self.own.get(code or "") or self.everywhere.get(code or "")
        return found.id if found is not None else None


def define_categories(pool: Pool, commands: Sequence[DefineCategory], *, now: datetime) -> list[Outcome]:
    """Define categories, or bring them up to date from a day on. Parents may stand in the same batch."""

    def run(connection: Connection, fresh: list[DefineCategory], events: Events) -> list[Outcome]:
        def take(some: list[DefineCategory]) -> list[Outcome]:
            split = split_into_turns(
                some,
                key=lambda command: (command.organisation_code, command.code),
                content=lambda command: (command.name, command.parent_code, command.is_retired, command.from_on),
            )
            return take_in_turns(some, split, lambda commands: _define(connection, commands, events, now))

        storage.lock_categories(connection)
        return put_off(connection, fresh, CATEGORIES, take, now=now)

    return run_batch("define_categories", pool, commands, run, now=now)


def _define(connection: Connection, commands: list[DefineCategory], events: Events, now: datetime) -> list[Outcome]:
    scopes = {command.organisation_code for command in commands}
    organisation_ids = registers.find_organisation_ids(connection, [code for code in scopes if code is not None])
    outcomes: dict[int, Outcome] = {}
    for scope in sorted(scopes, key=lambda code: code or ""):  # everywhere first: the others may stand below it
        positions = [position for position, one in enumerate(commands) if one.organisation_code == scope]
        if scope is not None and scope not in organisation_ids:
            outcomes |= dict.fromkeys(positions, unknown("organisation"))
            continue
        organisation_id = organisation_ids[scope] if scope is not None else None
        done = _define_in_scope(
            connection, [commands[position] for position in positions], organisation_id, events, now
        )
        outcomes |= zip(positions, done, strict=True)
    return [outcomes[position] for position in range(len(commands))]


def _define_in_scope(
    connection: Connection,
    commands: Sequence[DefineCategory],
    organisation_id: UUID | None,
    events: Events,
    now: datetime,
) -> list[Outcome]:
    trees = _read_trees(connection, organisation_id)
    outcomes = {}
    for command in commands:
        entry = trees.own.get(command.code)
        day = settle_day(command.from_on, entry, today=day_in_china(now))
        if entry is not None and _content(entry) == _content(command):
            outcomes[command.code] = Outcome(status="unchanged", id=entry.id)
        elif isinstance(day, Outcome):
            outcomes[command.code] = day
    while True:
        left = [command for command in commands if command.code not in outcomes]
        further = refuse_broken_trees(left, trees.parents())
        if not further:
            break
        outcomes |= further
    ids = {command.code: command.id for command in left if command.code not in trees.own}
    rows = []
    for command in left:
        known = trees.own.get(command.code)
        status: Status = "created" if known is None else "changed"
        outcomes[command.code] = Outcome(status=status, id=known.id if known is not None else command.id)
        rows.append(
            {
                "id": command.id,
                "organisation_id": organisation_id,
                "code": command.code,
                "name": command.name,
                "parent_id": ids.get(command.parent_code or "") or trees.find_id(command.parent_code),
                "is_retired": command.is_retired,
                "from_on": settle_day(command.from_on, known, today=day_in_china(now)),
            }
        )
    correlation_ids = {command.code: command.correlation_id for command in left}
    for row in storage.upsert_categories(connection, rows, recorded_at=now) if rows else []:
        events.append(_announce(row, correlation_ids[row.code]))
    return [outcomes[command.code] for command in commands]


def _read_trees(connection: Connection, organisation_id: UUID | None) -> _Trees:
    standing = storage.list_trees(connection, [organisation_id] if organisation_id is not None else [])
    return _Trees(
        own={entry.code: entry for entry in standing if entry.organisation_id == organisation_id},
        everywhere={entry.code: entry for entry in standing if entry.organisation_id is None},
    )


def _content(entry: DefineCategory | storage.StandingCategory) -> tuple[object, ...]:
    return (entry.name, entry.parent_code, entry.is_retired)


def _announce(row: storage.WrittenCategory, correlation_id: str) -> OutgoingEvent:
    event = CategoryDefined(
        category_id=row.id,
        code=row.code,
        name=row.name,
        parent_id=row.parent_id,
        organisation_id=row.organisation_id,
        is_retired=row.is_retired,
        from_on=row.from_on if row.from_on != BEGINNING else None,
    )
    return OutgoingEvent(event=event, sequence=row.sequence, correlation_id=correlation_id)


def list_categories(
    pool: Pool, *, on: date, organisation_code: str | None, after: tuple[str, str], limit: int
) -> list[storage.Category]:
    with transaction(pool) as connection:
        return storage.list_categories_on(connection, on, organisation_code=organisation_code, after=after, limit=limit)


def list_category_versions(pool: Pool, category_id: UUID) -> list[storage.CategoryVersion]:
    """Raises CategoryNotFound."""
    with transaction(pool) as connection:
        return storage.list_category_versions(connection, category_id)
