"""How every step is taken: the issues locked, what the request decides, then their log, their events and their rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.issue_steps import StepCommand
from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.problems import surface_problem
from services.intake.domain.issues.rules import LifeRules
from services.intake.domain.issues.steps import Step, take
from services.intake.domain.repeats import not_found, outdated
from services.intake.domain.times import TimeCheck
from services.intake.handlers.batches import Events
from services.intake.handlers.clocks.settling import settle
from services.intake.handlers.clocks.telling import tell_moved
from services.intake.handlers.issue_steps.events import events_of
from services.intake.handlers.responsibility import keep_ledgers
from services.intake.handlers.texts import HeldIssues, hold
from services.intake.storage import citizens, registers
from services.intake.storage import issue_steps as storage
from services.intake.storage.reach import find_reached_organisation_ids
from shared.database import Connection
from shared.errors import Conflict, Rejected

Steps = tuple[Step, ...]


class UnknownOrganisation(Rejected):
    code = "unknown-organisation"


class UnknownCadre(Rejected):
    code = "unknown-cadre"


class AbsurdTime(Rejected):
    """Its code is the instance's own: which rule the time breaks."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.code = outcome.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Steps of one issue, decided upon and not written yet."""

    before: Issue
    steps: Steps
    correlation_id: str


@dataclass(slots=True, kw_only=True)
class Turn:
    """What the steps of a batch are decided by. `issues` moves on from step to step."""

    connection: Connection
    now: datetime
    rules: LifeRules
    held: HeldIssues
    issues: dict[UUID, Issue]
    reached: frozenset[UUID]  # by the sender; others are held as well where something follows for them
    organisation_ids: Mapping[str, UUID]
    cadre_ids: Mapping[str, UUID]
    merged: dict[UUID, list[UUID]] = field(default_factory=dict)  # by issue those that were merged into it
    taken: list[Taken] = field(default_factory=list)

    def at(self, command: StepCommand, flag: str, told: datetime | None = None) -> datetime:
        """When the step happened: as it was told, else now. Raises AbsurdTime."""
        instant = told or command.happened_at or self.now
        check = TimeCheck(now=self.now, allow_odd=False)
        if check.bounded(instant):
            check.not_in_future(f"{flag}_in_future", instant)
        if check.refusal is not None:
            raise AbsurdTime(check.refusal)
        return instant

    def organisation_id(self, code: str) -> UUID:
        if code not in self.organisation_ids:
            raise UnknownOrganisation("no such organisation is registered")
        return self.organisation_ids[code]

    def cadre_id(self, staff_number: str | None) -> UUID | None:
        if staff_number is None:
            return None
        if staff_number not in self.cadre_ids:
            raise UnknownCadre("no such cadre is registered")
        return self.cadre_ids[staff_number]

    def take(self, issue: Issue, steps: Steps, correlation_id: str) -> None:
        if steps:
            self.taken.append(Taken(before=issue, steps=steps, correlation_id=correlation_id))
            self.issues[issue.id] = take(issue, steps)


Decide = Callable[[Turn, Issue, Any], Steps]


def begin_turn(
    connection: Connection, commands: Sequence[StepCommand], *, closing: Sequence[UUID], now: datetime, rules: LifeRules
) -> Turn:
    """Hold the issues still. Those merged into one that is `closing` are answered with it, wherever they lie."""
    codes = [code for command in commands for code in command.organisation_codes]
    staff_numbers = [number for command in commands for number in command.staff_numbers]
    locked = storage.lock_issues(
        connection, [issue_id for command in commands for issue_id in (command.id, *command.other_issue_ids)]
    )
    reached = frozenset(locked)
    merged: dict[UUID, list[UUID]] = {}
    if found := [issue_id for issue_id in closing if issue_id in reached]:
        with citizens.elevated(connection):
            merged = storage.list_ids_merged_into(connection, found)
            answered = [issue_id for ids in merged.values() for issue_id in ids]
            locked = {**(storage.lock_issues(connection, answered) if answered else {}), **locked}
    held = hold(locked)
    return Turn(
        connection=connection,
        now=now,
        rules=rules,
        held=held,
        issues=dict(held.before),
        reached=reached,
        organisation_ids=find_reached_organisation_ids(connection, codes) if codes else {},
        cadre_ids=registers.find_cadre_ids(connection, staff_numbers) if staff_numbers else {},
        merged=merged,
    )


def take_step(turn: Turn, command: StepCommand, decide: Decide) -> Outcome:
    """Take one step, and whatever follows from it. What is refused leaves the issue as it was."""
    issue = turn.issues.get(command.id) if command.id in turn.reached else None
    if issue is None:
        return not_found("issue")
    if command.expected is not None and issue.sequence not in command.expected:
        return outdated(issue.id)
    try:
        steps = decide(turn, issue, command)
        steps += surface_problem(take(issue, steps), at=turn.now) if steps else ()
    except Conflict as error:
        return Outcome(status="conflict", id=issue.id, code=error.code, detail=error.detail)
    except Rejected as error:
        return Outcome(status="rejected", id=issue.id, code=error.code, detail=error.detail)
    turn.take(issue, steps, command.correlation_id)
    return Outcome(status="changed" if steps else "unchanged", id=issue.id)


def write_taken(
    connection: Connection,
    held: HeldIssues,
    issues: Mapping[UUID, Issue],
    taken: Sequence[Taken],
    events: Events,
    *,
    now: datetime,
) -> None:
    """Write the log, the events and the rows of what was taken. The rows also go where their sender does not reach."""
    log: list[dict[str, Any]] = []
    replies: dict[UUID, str] = {}
    for one in taken:
        for place, step in enumerate(one.steps, start=1):
            reply_sealed = held.seal_reply(one.before.id, step)
            if reply_sealed is not None:
                replies[one.before.id] = reply_sealed
            log.append(
                {
                    "issue_id": one.before.id,
                    "sequence": one.before.sequence + place,
                    "kind": step.kind,
                    "happened_at": step.happened_at,
                    "actor_id": step.actor.account_id,
                    "actor_person": step.actor.person_id,
                    "reason_code": step.reason_code,
                    "details": step.details.told(),
                    "note_sealed": held.seal_note(one.before.id, step),
                    "reply_sealed": reply_sealed,
                }
            )
    changed = [issue for issue in issues.values() if issue != held.before[issue.id]]
    if not changed:
        return
    correlation_ids = {one.before.id: one.correlation_id for one in taken}
    storage.insert_steps(connection, log, recorded_at=now)
    with citizens.elevated(connection):  # a return, and the reply to those merged, leave the sender's reach
        storage.set_issues(connection, changed, replies=replies, updated_at=now)
    counted = settle(connection, [issue.id for issue in changed], now=now)
    for one in taken:
        told = events_of(one.before, one.steps, one.correlation_id, counted=counted.get(one.before.id), recorded_at=now)
        events.extend(told)
    due_before = {issue.id: held.before[issue.id].due_at for issue in changed}
    events += tell_moved(connection, counted, correlation_ids=correlation_ids, due_before=due_before, now=now)
    due = {issue_id: one.deadlines["due_at"] for issue_id, one in counted.items()}
    issues = {issue.id: replace(issue, due_at=due.get(issue.id, issue.due_at)) for issue in issues.values()}
    steps = [(one.before.id, step.kind, one.correlation_id) for one in taken for step in one.steps]
    keep_ledgers(connection, steps, issues, events, now=now)
