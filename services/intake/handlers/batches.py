"""What the use cases have in common: one transaction for a batch, with its events, its keys and its count."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from services.intake import metrics
from services.intake.domain.commands import Command, Outcome
from services.intake.handlers.keys import run_once_per_key
from shared import crash, outbox
from shared.database import Connection, Pool, transaction
from shared.errors import Transient

AnyCommand = TypeVar("AnyCommand", bound=Command)
Events = list[outbox.OutgoingEvent]
Run = Callable[[Connection, list[AnyCommand], Events], list[Outcome]]


class BatchRaced(Transient):
    """A register changed between two statements of the batch; the same batch will see it as it is now."""

    code = "raced"


def run_batch(
    use_case: str, pool: Pool, commands: Sequence[AnyCommand], run: Run[AnyCommand], *, now: datetime
) -> list[Outcome]:
    """Run a batch in one transaction with the events it gave rise to; return an outcome a command, in order."""
    if not commands:
        return []
    with transaction(pool) as connection:
        events: Events = []
        outcomes = run_once_per_key(connection, commands, lambda fresh: run(connection, fresh, events), now=now)
        outbox.append(connection, events, recorded_at=now, correlation_id=commands[0].correlation_id)
        crash.point("intake.before_commit")
    metrics.count_outcomes(use_case, [outcome.status for outcome in outcomes])
    return outcomes
