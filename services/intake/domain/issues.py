"""The life of an issue: received, assigned, responded, closed. Pure: each step takes an issue and returns it moved on.

The state follows from what is known and is never set by itself: closed when there is a closing time, else responded
when the citizen was contacted, else assigned when a unit leads, else received. An issue may be assigned anew until it
is closed, the citizen is first contacted once, and a closed issue does not open again. Signing, transfer, extension
and reopening are further steps that this life leaves room for.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.citizens import digestible
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.issues import IssueOutcome, ReceiveIssue
from services.intake.domain.times import TimeCheck, digest
from shared.errors import Conflict, Rejected

State = Literal["received", "assigned", "responded", "closed"]


class AlreadyClosed(Conflict):
    code = "already-closed"


class AlreadyResponded(Conflict):
    code = "already-responded"


class BeforeReceived(Rejected):
    code = "before-received"


class HandledBySubject(Rejected):
    """An accusation is not passed on to the accused, nor to where they serve."""

    code = "handled-by-subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What decides what may happen to an issue. Mirrors the columns of the same names."""

    id: UUID
    source: str
    source_number: str | None
    received_at: datetime
    organisation_id: UUID | None = None
    cadre_id: UUID | None = None
    assigned_at: datetime | None = None
    responded_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: IssueOutcome | None = None
    reply: str | None = None
    citizen_ref: UUID | None = None
    subject_id: UUID | None = None
    sequence: int
    flags: list[str]
    content_hash: bytes
    progress_hash: bytes

    @property
    def status(self) -> State:
        return state_of(
            closed_at=self.closed_at, responded_at=self.responded_at, is_assigned=self.organisation_id is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an issue has come, as another system tells it."""

    organisation_id: UUID | None
    cadre_id: UUID | None
    responded_at: datetime | None
    closed_at: datetime | None
    outcome: IssueOutcome | None
    reply: str | None


def state_of(*, closed_at: datetime | None, responded_at: datetime | None, is_assigned: bool) -> State:
    if closed_at is not None:
        return "closed"
    if responded_at is not None:
        return "responded"
    return "assigned" if is_assigned else "received"


def assign(issue: Issue, *, organisation_id: UUID, cadre_id: UUID | None, at: datetime) -> Issue:
    """Give the lead to a unit and its cadre. Who leads already stays so, and nothing changes."""
    if (issue.organisation_id, issue.cadre_id) == (organisation_id, cadre_id):
        return issue
    if issue.closed_at is not None:
        raise AlreadyClosed("a closed issue cannot be assigned")
    return replace(
        issue, organisation_id=organisation_id, cadre_id=cadre_id, assigned_at=at, sequence=issue.sequence + 1
    )


def respond(issue: Issue, *, responded_at: datetime) -> Issue:
    if issue.responded_at == responded_at:
        return issue
    if issue.responded_at is not None:
        raise AlreadyResponded("the citizen was contacted first at another time")
    if issue.closed_at is not None:
        raise AlreadyClosed("a closed issue cannot be responded to")
    if responded_at < issue.received_at:
        raise BeforeReceived("an issue cannot be responded to before it was received")
    return replace(issue, responded_at=responded_at, sequence=issue.sequence + 1)


def close(issue: Issue, *, outcome: IssueOutcome, reply: str, closed_at: datetime) -> Issue:
    """Close with an outcome and the reply to the citizen. Closing again with the same outcome changes nothing."""
    if issue.closed_at is not None:
        if issue.outcome == outcome:
            return issue
        raise AlreadyClosed("the issue was closed with another outcome")
    if closed_at < issue.received_at:
        raise BeforeReceived("an issue cannot be closed before it was received")
    return replace(issue, outcome=outcome, reply=reply, closed_at=closed_at, sequence=issue.sequence + 1)


def catch_up(issue: Issue, progress: Progress, *, at: datetime) -> tuple[Issue, bool]:
    """Bring an issue up to what its source tells now, and say whether anything that it tells was not taken over.

    Only forward: what stands is not taken back because a later export lacks it or tells it otherwise.
    """
    moved = issue
    if moved.closed_at is None:
        if progress.organisation_id is not None:
            assigned_at = at if progress.closed_at is None else min(at, progress.closed_at)
            keeps_cadre = progress.cadre_id is None and progress.organisation_id == moved.organisation_id
            cadre_id = moved.cadre_id if keeps_cadre else progress.cadre_id
            moved = assign(moved, organisation_id=progress.organisation_id, cadre_id=cadre_id, at=assigned_at)
        if progress.responded_at is not None and moved.responded_at is None:
            moved = replace(moved, responded_at=progress.responded_at, sequence=moved.sequence + 1)
        if progress.closed_at is not None and progress.outcome is not None:
            moved = replace(
                moved,
                closed_at=progress.closed_at,
                outcome=progress.outcome,
                reply=progress.reply,
                sequence=moved.sequence + 1,
            )
    return moved, progress_of(moved) != progress


def progress_of(issue: Issue) -> Progress:
    return Progress(
        organisation_id=issue.organisation_id,
        cadre_id=issue.cadre_id,
        responded_at=issue.responded_at,
        closed_at=issue.closed_at,
        outcome=issue.outcome,
        reply=issue.reply,
    )


def check_issue(command: ReceiveIssue, *, received_at: datetime, now: datetime, allow_odd: bool) -> TimeCheck:
    check = TimeCheck(now=now, allow_odd=allow_odd)
    instants = (received_at, command.respond_by, command.due_at, command.responded_at, command.closed_at)
    if not check.bounded(*instants):
        return check
    if (command.closed_at is None) != (command.outcome is None):
        detail = "a closing time and an outcome come together"
        check.refusal = Outcome(status="rejected", code="incomplete-closure", detail=detail)
        return check
    check.not_in_future("received_in_future", received_at)
    check.not_in_future("responded_in_future", command.responded_at)
    check.not_in_future("closed_in_future", command.closed_at)
    check.in_order("closed_before_received", received_at, command.closed_at)
    check.in_order("responded_before_received", received_at, command.responded_at)
    check.in_order("closed_before_responded", command.responded_at, command.closed_at)
    check.in_order("due_before_received", received_at, command.due_at)
    check.in_order("respond_by_before_received", received_at, command.respond_by)
    check.odd("closed_without_reply", when=command.closed_at is not None and not command.reply)
    return check


def digest_content(command: ReceiveIssue) -> bytes:
    return digest(
        (
            command.type,
            command.category,
            command.channel,
            command.urgency,
            command.title,
            command.description,
            command.received_at,
            command.respond_by,
            command.due_at,
            command.contact_id,
            command.contact_source_number,
            *digestible(command.citizen),
            *([] if command.subject_staff_number is None else [("subject", command.subject_staff_number)]),
        )
    )


def digest_progress(command: ReceiveIssue) -> bytes:
    return digest(
        (
            command.organisation_code,
            command.staff_number,
            command.responded_at,
            command.closed_at,
            command.outcome,
            command.reply,
        )
    )
