"""Taking a batch of steps, of whatever kinds, in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.issue_steps import CloseIssue, MergeIssue, StepCommand
from services.intake.domain.issues.rules import LifeRules
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.issue_steps import ending, leading, reviewing, working
from services.intake.handlers.issue_steps.taking import Decide, begin_turn, take_step, write_taken
from shared.database import Connection, Pool

DECIDE: dict[type, Decide] = {**leading.STEPS, **working.STEPS, **ending.STEPS, **reviewing.STEPS}


def take_steps(
    pool: Pool, commands: Sequence[StepCommand], *, now: datetime, rules: LifeRules | None = None
) -> list[Outcome]:
    """Take one step a command under the issues' row locks, several of one issue in their order."""

    def run(connection: Connection, fresh: list[StepCommand], events: Events) -> list[Outcome]:
        closing = [command.id for command in fresh if isinstance(command, CloseIssue | MergeIssue)]
        turn = begin_turn(connection, fresh, closing=closing, now=now, rules=rules or LifeRules())
        outcomes = [take_step(turn, command, DECIDE[type(command)]) for command in fresh]
        write_taken(connection, turn.held, turn.issues, turn.taken, events, now=now)
        return outcomes

    return run_batch("take_steps", pool, commands, run, now=now)
