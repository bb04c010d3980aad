"""Receiving an issue: odd times, digests, and catching up with what its source tells later."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.domain.citizens import digestible
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.issues import IssueOutcome, ReceiveIssue
from services.intake.domain.issues.leading import assign
from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.steps import Details, Step, take
from services.intake.domain.times import TimeCheck, digest

UNSAID: Final = ("assigned_at", "signed_at", "replied_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an issue has come, as another system tells it. Of the last three a source may say nothing."""

    organisation_id: UUID | None
    cadre_id: UUID | None
    responded_at: datetime | None
    closed_at: datetime | None
    outcome: IssueOutcome | None
    reply: str | None
    assigned_at: datetime | None = None
    signed_at: datetime | None = None
    replied_at: datetime | None = None


def catch_up(issue: Issue, progress: Progress, *, at: datetime) -> tuple[tuple[Step, ...], bool]:
    """The steps that bring an issue up to what its source tells now, and whether anything it tells is not taken over.

    Only forward: what stands is not taken back because a later export lacks it or tells it otherwise. A source tells
    what was done elsewhere, so its times are taken as they are.
    """
    steps: tuple[Step, ...] = ()
    if issue.closed_at is None:
        if progress.organisation_id is not None:
            known_by = at if progress.closed_at is None else min(at, progress.closed_at)
            assigned_at = progress.assigned_at or known_by
            keeps_cadre = progress.cadre_id is None and progress.organisation_id == issue.organisation_id
            cadre_id = issue.cadre_id if keeps_cadre else progress.cadre_id
            steps += assign(issue, organisation_id=progress.organisation_id, cadre_id=cadre_id, at=assigned_at)
        if progress.signed_at is not None and take(issue, steps).signed_at is None:
            steps += (Step(kind="signed", happened_at=progress.signed_at),)
        if progress.responded_at is not None and issue.responded_at is None:
            steps += (Step(kind="contacted", happened_at=progress.responded_at),)
        answered = progress.replied_at is not None and issue.replied_at is None
        if progress.replied_at is not None and answered:
            told = Details(means="imported")
            steps += (Step(kind="replied", happened_at=progress.replied_at, details=told, reply=progress.reply),)
        taken_back = (
            progress.closed_at is not None and issue.reopened_at is not None and progress.closed_at < issue.reopened_at
        )
        if progress.closed_at is not None and progress.outcome is not None and not taken_back:
            details = Details(outcome=progress.outcome)
            reply = None if answered else progress.reply
            steps += (Step(kind="closed", happened_at=progress.closed_at, details=details, reply=reply),)
    reached = progress_of(take(issue, steps))
    unsaid = {name: None for name in UNSAID if getattr(progress, name) is None}
    return steps, replace(reached, **unsaid) != progress


def progress_of(issue: Issue) -> Progress:
    return Progress(
        organisation_id=issue.organisation_id,
        cadre_id=issue.cadre_id,
        responded_at=issue.responded_at,
        closed_at=issue.closed_at,
        outcome=issue.outcome,
        reply=issue.reply,
        assigned_at=issue.assigned_at,
        signed_at=issue.signed_at,
        replied_at=issue.replied_at,
    )


def check_issue(command: ReceiveIssue, *, received_at: datetime, now: datetime, allow_odd: bool) -> TimeCheck:
    check = TimeCheck(now=now, allow_odd=allow_odd)
    done = (command.assigned_at, command.signed_at, command.responded_at, command.replied_at, command.closed_at)
    if not check.bounded(received_at, command.respond_by, command.due_at, *done):
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
    for name in UNSAID:
        check.not_in_future(f"{name.removesuffix('_at')}_in_future", getattr(command, name))
        check.in_order(f"{name.removesuffix('_at')}_before_received", received_at, getattr(command, name))
    check.in_order("signed_before_assigned", command.assigned_at, command.signed_at)
    check.in_order("closed_before_signed", command.signed_at, command.closed_at)
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
            *([] if command.return_count is None else [("returns", command.return_count)]),
            *([] if command.redo_count is None else [("redos", command.redo_count)]),
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
            *((name, told) for name in UNSAID if (told := getattr(command, name)) is not None),
        )
    )
