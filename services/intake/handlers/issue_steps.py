"""Assigning, responding to and closing issues that stand."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.intake.domain import issues as domain
from services.intake.domain.commands.base import Command, Outcome
from services.intake.domain.commands.issues import AssignIssue, CloseIssue, RespondToIssue
from services.intake.domain.issues import Issue
from services.intake.domain.repeats import not_found
from services.intake.domain.times import TimeCheck
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.texts import hold
from services.intake.storage import issues as storage
from services.intake.storage import recusal, registers
from services.intake.storage.reach import find_reached_organisation_ids
from shared.contracts.intake.issues import IssueAssigned, IssueClosed, IssueResponded
from shared.database import Connection, Pool
from shared.errors import Conflict, Rejected
from shared.outbox import OutgoingEvent

AnyStep = TypeVar("AnyStep", bound=Command)


class UnknownOrganisation(Rejected):
    code = "unknown-organisation"


class UnknownCadre(Rejected):
    code = "unknown-cadre"


class AbsurdTime(Rejected):
    """Its code is the instance's own: which rule the time breaks."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.code = outcome.code


def assign_issues(pool: Pool, commands: Sequence[AssignIssue], *, now: datetime) -> list[Outcome]:
    """Assign issues, or assign them anew. To who leads already changes nothing."""

    def run(connection: Connection, fresh: list[AssignIssue], events: Events) -> list[Outcome]:
        organisation_ids = find_reached_organisation_ids(connection, [item.organisation_code for item in fresh])
        staff_numbers = [command.staff_number for command in fresh if command.staff_number is not None]
        cadre_ids = registers.find_cadre_ids(connection, staff_numbers) if staff_numbers else {}

        def step(issue: Issue, command: AssignIssue) -> Issue:
            if command.organisation_code not in organisation_ids:
                raise UnknownOrganisation("no such organisation is registered")
            cadre_id = _find_cadre(cadre_ids, command.staff_number)
            organisation_id = organisation_ids[command.organisation_code]
            if issue.subject_id is not None and recusal.is_misdirected(
                connection,
                subject_id=issue.subject_id,
                received_at=issue.received_at,
                organisation_id=organisation_id,
                cadre_id=cadre_id,
            ):
                raise domain.HandledBySubject("a complaint does not go to whom it is about, nor to the unit")
            return domain.assign(issue, organisation_id=organisation_id, cadre_id=cadre_id, at=now)

        return _take_steps(connection, fresh, step, events)

    return run_batch("assign_issues", pool, commands, run, now=now)


def respond_to_issues(pool: Pool, commands: Sequence[RespondToIssue], *, now: datetime) -> list[Outcome]:
    """Note when citizens were first contacted. The same time again, or none, changes nothing."""

    def step(issue: Issue, command: RespondToIssue) -> Issue:
        if command.responded_at is None and issue.responded_at is not None:
            return issue
        responded_at = command.responded_at or now
        _refuse_absurd("responded_in_future", responded_at, now)
        return domain.respond(issue, responded_at=responded_at)

    def run(connection: Connection, fresh: list[RespondToIssue], events: Events) -> list[Outcome]:
        return _take_steps(connection, fresh, step, events)

    return run_batch("respond_to_issues", pool, commands, run, now=now)


def close_issues(pool: Pool, commands: Sequence[CloseIssue], *, now: datetime) -> list[Outcome]:
    """Close issues with an outcome and a reply. The same outcome again changes nothing."""

    def step(issue: Issue, command: CloseIssue) -> Issue:
        closed_at = command.closed_at or now
        _refuse_absurd("closed_in_future", closed_at, now)
        return domain.close(issue, outcome=command.outcome, reply=command.reply, closed_at=closed_at)

    def run(connection: Connection, fresh: list[CloseIssue], events: Events) -> list[Outcome]:
        return _take_steps(connection, fresh, step, events)

    return run_batch("close_issues", pool, commands, run, now=now)


def events_between(before: Issue, after: Issue, correlation_id: str) -> list[OutgoingEvent]:
    """The events that lead from one state of an issue to a later one, numbered on."""
    steps: list[IssueAssigned | IssueResponded | IssueClosed] = []
    if (after.organisation_id, after.cadre_id) != (before.organisation_id, before.cadre_id):
        if after.organisation_id is None or after.assigned_at is None:
            raise ValueError("an assignment is never taken back")
        steps.append(
            IssueAssigned(
                issue_id=after.id,
                organisation_id=after.organisation_id,
                cadre_id=after.cadre_id,
                assigned_at=after.assigned_at,
            )
        )
    if after.responded_at is not None and before.responded_at is None:
        steps.append(IssueResponded(issue_id=after.id, responded_at=after.responded_at))
    if after.closed_at is not None and after.outcome is not None and before.closed_at is None:
        steps.append(IssueClosed(issue_id=after.id, closed_at=after.closed_at, outcome=after.outcome))
    return [
        OutgoingEvent(event=event, sequence=before.sequence + place, correlation_id=correlation_id)
        for place, event in enumerate(steps, start=1)
    ]


def _take_steps(
    connection: Connection, commands: list[AnyStep], step: Callable[[Issue, AnyStep], Issue], events: Events
) -> list[Outcome]:
    """Take one step a command under the issues' row locks, several of one issue in their order."""
    held = hold(storage.lock_issues(connection, [command.id for command in commands]))
    issues = dict(held.before)
    outcomes = []
    for command in commands:
        issue = issues.get(command.id)
        if issue is None:
            outcomes.append(not_found("issue"))
            continue
        try:
            moved = step(issue, command)
        except Conflict as error:
            outcomes.append(Outcome(status="conflict", id=issue.id, code=error.code, detail=error.detail))
            continue
        except Rejected as error:
            outcomes.append(Outcome(status="rejected", id=issue.id, code=error.code, detail=error.detail))
            continue
        events.extend(events_between(issue, moved, command.correlation_id))
        outcomes.append(Outcome(status="unchanged" if moved is issue else "changed", id=issue.id))
        issues[issue.id] = moved
    changed = [issue for issue in issues.values() if issue != held.before[issue.id]]
    storage.set_progress(connection, changed, replies=held.seal_replies(changed))
    return outcomes


def _find_cadre(cadre_ids: Mapping[str, UUID], staff_number: str | None) -> UUID | None:
    if staff_number is None:
        return None
    if staff_number not in cadre_ids:
        raise UnknownCadre("no such cadre is registered")
    return cadre_ids[staff_number]


def _refuse_absurd(flag: str, instant: datetime, now: datetime) -> None:
    check = TimeCheck(now=now, allow_odd=False)
    if check.bounded(instant):
        check.not_in_future(flag, instant)
    if check.refusal is not None:
        raise AbsurdTime(check.refusal)
