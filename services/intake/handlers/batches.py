"""What the use cases have in common: one transaction for a batch, with its events, its keys and its count."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from services.intake import metrics
from services.intake.domain.commands.base import Command, Outcome
from services.intake.handlers.expected import run_expected
from services.intake.handlers.keys import run_once_per_key
from shared import crash, outbox
from shared.audit.chain import Line, append, as_row
from shared.database import Connection, Deadlocked, Pool, set_reach, transaction
from shared.errors import Transient
from shared.observability import correlated
from shared.reach import Reach, acting, current

AnyCommand = TypeVar("AnyCommand", bound=Command)
Events = list[outbox.OutgoingEvent]
Parts = dict[Reach | None, list[int]]
# Registers and duties decide what a cadre is measured by, and corrections what counts: who changes them is kept, by use
# case and kind of record.
AUDITED = {
    "amend_contacts": "contact",
    "void_contacts": "contact",
    "decide_reviews": "contact",
    "register_organisations": "organisation",
    "end_organisations": "organisation",
    "register_cadres": "cadre",
    "record_departures": "cadre",
    "withdraw_coming": "coming_change",
    "record_posts": "post",
    "end_posts": "post",
    "define_duties": "duty",
    "define_categories": "category",
    "define_groups": "population_group",
    "record_populations": "place_population",
    "register_points": "contact_point",
    "register_households": "contact_household",
    "assign_liaisons": "liaison_assignment",
    "publish_channels": "published_channel",
    "end_channels": "published_channel",
}
Run = Callable[[Connection, list[AnyCommand], Events], list[Outcome]]


class BatchRaced(Transient):
    """A register changed between two statements of the batch; the same batch will see it as it is now."""

    code = "raced"


def run_batch(
    use_case: str, pool: Pool, commands: Sequence[AnyCommand], run: Run[AnyCommand], *, now: datetime
) -> list[Outcome]:
    """Run a batch in one transaction with the events it gave rise to; return an outcome a command, in order.

    Senders of different reach share the commit and nothing else: the commands of each run under their own reach, and
    those without one under that of whoever called.
    """
    if not commands:
        return []
    try:
        outcomes = _run_parts(use_case, pool, commands, run, now=now)
    except Deadlocked:  # with another batch whose senders stood in another order; it has gone on meanwhile
        outcomes = _run_parts(use_case, pool, commands, run, now=now)
    metrics.count_outcomes(use_case, [outcome.status for outcome in outcomes])
    return outcomes


def _run_parts(
    use_case: str, pool: Pool, commands: Sequence[AnyCommand], run: Run[AnyCommand], *, now: datetime
) -> list[Outcome]:
    parts = _split_by_reach(commands)
    outcomes: dict[int, Outcome] = {}
    events: Events = []
    first = next(iter(parts))
    with transaction(pool, reach=first) as connection:
        for reach, positions in parts.items():
            if reach is not None and reach != first:
                set_reach(connection, reach)
            with acting(reach or current()):
                done = run_once_per_key(
                    connection,
                    [commands[position] for position in positions],
                    lambda fresh: run_expected(use_case, connection, fresh, lambda some: run(connection, some, events)),
                    now=now,
                )
            outcomes.update(zip(positions, done, strict=True))
        outbox.append(connection, events, recorded_at=now, correlation_id=commands[0].correlation_id)
        if use_case in AUDITED:
            _note_changes(connection, AUDITED[use_case], commands, outcomes)
        crash.point("intake.before_commit")
    return [outcomes[position] for position in range(len(commands))]


def _note_changes(
    connection: Connection, topic: str, commands: Sequence[AnyCommand], outcomes: Mapping[int, Outcome]
) -> None:
    """Keep in the audit who changed a register. What an import changes is told by the import's own records."""
    rows = []
    for position, outcome in outcomes.items():
        command = commands[position]
        if command.reach is not None and outcome.status in {"created", "changed"}:
            with acting(command.reach), correlated(command.correlation_id):
                line = Line(action=f"{topic}.{outcome.status}", object_type=topic, object_id=outcome.id)
                rows.append(as_row(line))
    append(connection, rows)


def _split_by_reach(commands: Sequence[AnyCommand]) -> Parts:
    """The places of the commands by their senders' reach; those without one first, while the pool's own holds."""
    parts: Parts = {}
    for position, command in enumerate(commands):
        parts.setdefault(command.reach, []).append(position)
    return dict(sorted(parts.items(), key=lambda part: part[0] is not None))
