"""What a register is told of days to come: noted when it is entered, and entered for everybody on its day."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final, Generic, TypeVar

import orjson

from services.intake.domain.commands.base import Command, Outcome
from services.intake.domain.commands.registers import WithdrawComing
from services.intake.domain.registers import day_in_china
from services.intake.domain.repeats import not_found
from services.intake.handlers.batches import Events, run_batch
from services.intake.storage import coming as storage
from services.intake.storage.coming import ChangeKind, ComingChange
from shared.database import Connection, Pool, transaction

AnyCommand = TypeVar("AnyCommand", bound=Command)
OF_THE_REQUEST: Final = frozenset({"id", "correlation_id", "key", "reach", "expected"})
COMES_LATER: Final = "comes_later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead(Generic[AnyCommand]):
    """How changes of a kind are told ahead: their first day, and the entry that they are about."""

    kind: ChangeKind
    begins: Callable[[AnyCommand], date | None]
    names: Callable[[AnyCommand], str]


def put_off(
    connection: Connection,
    commands: Sequence[AnyCommand],
    ahead: Ahead[AnyCommand],
    take: Callable[[list[AnyCommand]], list[Outcome]],
    *,
    now: datetime,
    check: Callable[[AnyCommand], Outcome | None] = lambda _: None,
) -> list[Outcome]:
    """Take what holds by today, and note what begins on a day to come. What can never be is refused at once.

    The same again changes nothing; another content for the same entry and day takes the place of what was noted.
    """
    today = day_in_china(now)
    later = {place: one for place, one in enumerate(commands) if (ahead.begins(one) or today) > today}
    places = [place for place in range(len(commands)) if place not in later]
    taken = take([commands[place] for place in places]) if places else []
    outcomes = dict(zip(places, taken, strict=True))
    for place, command in later.items():
        outcomes[place] = check(command) or _note(connection, command, ahead, now)
    return [outcomes[place] for place in range(len(commands))]


def _note(connection: Connection, command: AnyCommand, ahead: Ahead[AnyCommand], now: datetime) -> Outcome:
    content = {name: value for name, value in asdict(command).items() if name not in OF_THE_REQUEST}
    noted = storage.note_change(
        connection,
        {
            "id": command.id,
            "kind": ahead.kind,
            "code": ahead.names(command),
            "from_on": ahead.begins(command),
            "content": orjson.loads(orjson.dumps(content, default=sorted)),
            "correlation_id": command.correlation_id,
        },
        recorded_at=now,
    )
    if noted is None:
        return Outcome(status="unchanged", flags=(COMES_LATER,))
    change_id, is_new = noted
    return Outcome(status="created" if is_new else "changed", id=change_id, flags=(COMES_LATER,))


def list_coming(pool: Pool, *, limit: int) -> list[ComingChange]:
    """What waits for its day, and what could not be entered on it, in the order of the days."""
    with transaction(pool) as connection:
        return storage.list_coming(connection, limit=limit)


def withdraw_coming(pool: Pool, commands: Sequence[WithdrawComing], *, now: datetime) -> list[Outcome]:
    """Take back what waits. What is not there, or was entered, cannot be."""

    def run(connection: Connection, fresh: list[WithdrawComing], _: Events) -> list[Outcome]:
        return [
            Outcome(status="changed", id=command.id)
            if storage.withdraw(connection, command.id)
            else not_found("coming-change")
            for command in fresh
        ]

    return run_batch("withdraw_coming", pool, commands, run, now=now)
