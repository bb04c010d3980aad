"""Steps of things that stand, a batch at a time: each step by itself is taken whole or refused, and tells of itself."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from services.intake.domain.commands.base import Command, Outcome
from services.intake.handlers.batches import Events, run_batch
from shared.contracts.base import Event
from shared.database import Connection, Pool
from shared.errors import Conflict, NotFound, Rejected
from shared.outbox import OutgoingEvent

AnyStep = TypeVar("AnyStep", bound=Command)


class Moved(NamedTuple):
    """What a step that changed something tells, and the thing's sequence from then on."""

    event: Event
    sequence: int


Step = Callable[[Connection, AnyStep], Moved | None]  # None: it stood so already. Raises NotFound, Conflict, Rejected


def take_each(
    use_case: str, pool: Pool, commands: Sequence[AnyStep], step: Step[AnyStep], *, now: datetime
) -> list[Outcome]:
    """A command's id is that of what it is about; they are taken in its order, so that two batches cannot deadlock."""

    def run(connection: Connection, fresh: list[AnyStep], events: Events) -> list[Outcome]:
        in_order = sorted(range(len(fresh)), key=lambda place: fresh[place].id)
        outcomes = {place: _take(connection, fresh[place], step, events) for place in in_order}
        return [outcomes[place] for place in range(len(fresh))]

    return run_batch(use_case, pool, commands, run, now=now)


def _take(connection: Connection, command: AnyStep, step: Step[AnyStep], events: Events) -> Outcome:
    try:
        with connection.transaction():
            moved = step(connection, command)
    except Conflict as refusal:
        return Outcome(status="conflict", id=command.id, code=refusal.code, detail=refusal.detail)
    except (NotFound, Rejected) as refusal:
        return Outcome(status="rejected", code=refusal.code, detail=refusal.detail)
    if moved is None:
        return Outcome(status="unchanged", id=command.id)
    events.append(OutgoingEvent(event=moved.event, sequence=moved.sequence, correlation_id=command.correlation_id))
    return Outcome(status="changed", id=command.id)
