"""Work on an issue: the first contact, its start, pauses, how urgent it is, and a later deadline."""

from datetime import datetime
from typing import Literal

from services.intake.domain.commands.base import NOBODY, Actor
from services.intake.domain.commands.issues import Urgency
from services.intake.domain.issues.life import Ask, Issue
from services.intake.domain.issues.rules import LifeRules, check_another, check_order, check_unasked
from services.intake.domain.issues.steps import Details, Step
from services.intake.domain.issues.table import check_allowed
from shared.errors import Conflict, Rejected

PauseReason = Literal[
    "waiting_for_citizen", "waiting_for_other_unit", "waiting_for_season", "legal_procedure", "force_majeure", "other"
]
ExtensionReason = Literal["complex_case", "several_units", "needs_funds", "legal_procedure", "force_majeure", "other"]
UrgencyReason = Literal[
    "danger", "repeated", "many_affected", "media_exposed", "leader_assigned", "reassessed", "other"
]


class AlreadyResponded(Conflict):
    code = "already-responded"


class NotPaused(Conflict):
    code = "not-paused"


class AlreadyPaused(Conflict):
    code = "already-paused"


class NoDeadline(Conflict):
    """Without a deadline there is nothing to extend."""

    code = "no-deadline"


class DeadlinePassed(Conflict):
    """A deadline that has passed is not moved any more: it would rewrite what was late."""

    code = "deadline-passed"


class ExtensionOutOfBounds(Rejected):
    code = "extension-out-of-bounds"


class ExtendedOften(Conflict):
    code = "extended-often"


def respond(issue: Issue, *, responded_at: datetime, actor: Actor = NOBODY) -> tuple[Step, ...]:
    """Note the first contact with the citizen. The same time again changes nothing."""
    if issue.responded_at == responded_at:
        return ()
    if issue.responded_at is not None:
        raise AlreadyResponded("the citizen was contacted first at another time")
    check_allowed(issue, "contacted")
    check_order(issue, responded_at)
    return (Step(kind="contacted", happened_at=responded_at, actor=actor),)


def start(issue: Issue, *, at: datetime, actor: Actor) -> tuple[Step, ...]:
    """Begin the work. Begun already is begun."""
    if issue.started_at is not None and issue.closed_at is None:
        return ()
    check_allowed(issue, "started")
    check_order(issue, at, issue.assigned_at)
    return (Step(kind="started", happened_at=at, actor=actor),)


def pause(issue: Issue, *, reason_code: str, at: datetime, note: str | None, actor: Actor) -> tuple[Step, ...]:
    """Let the work wait. Pausing again at the same time changes nothing; at another time it contradicts what stands."""
    check_allowed(issue, "paused")
    if issue.paused_at is not None:
        if issue.paused_at == at:
            return ()
        raise AlreadyPaused("the issue is paused already")
    check_order(issue, at, issue.assigned_at)
    return (Step(kind="paused", happened_at=at, reason_code=reason_code, actor=actor, note=note),)


def resume(issue: Issue, *, at: datetime, actor: Actor) -> tuple[Step, ...]:
    check_allowed(issue, "resumed")
    if issue.paused_at is None:
        raise NotPaused("the issue is not paused")
    check_order(issue, at, issue.paused_at)
    return (Step(kind="resumed", happened_at=at, actor=actor),)


def set_urgency(issue: Issue, *, urgency: Urgency, reason_code: str, at: datetime, actor: Actor) -> tuple[Step, ...]:
    check_allowed(issue, "urgency_set")
    if issue.urgency == urgency:
        return ()
    details = Details(urgency=urgency)
    return (Step(kind="urgency_set", happened_at=at, reason_code=reason_code, details=details, actor=actor),)


def request_extension(  # noqa: PLR0913 - what such a request says
    issue: Issue,
    *,
    due_at: datetime,
    reason_code: str,
    at: datetime,
    rules: LifeRules,
    note: str | None,
    actor: Actor,
) -> tuple[Step, ...]:
    """Ask for a later deadline, before the present one has passed and within the bounds."""
    check_allowed(issue, "extension_requested")
    if check_unasked(issue.asked.get("extension"), Ask(by=actor, reason_code=reason_code, due_at=due_at)):
        return ()
    if issue.due_at is None:
        raise NoDeadline("the issue has no deadline")
    if at > issue.due_at:
        raise DeadlinePassed("the deadline has passed")
    if issue.extension_count >= rules.most_extensions:
        raise ExtendedOften("the issue was extended as often as is allowed")
    if not issue.due_at < due_at <= issue.due_at + rules.longest_extension:
        raise ExtensionOutOfBounds("the deadline asked for is not later, or it is later than is allowed")
    details = Details(due_at=due_at)
    return (
        Step(
            kind="extension_requested", happened_at=at, reason_code=reason_code, details=details, actor=actor, note=note
        ),
    )


def decide_extension(issue: Issue, *, granted: bool, at: datetime, note: str | None, actor: Actor) -> tuple[Step, ...]:
    """Grant what was asked for, or refuse it. Raises NothingAsked, OwnRequest."""
    check_allowed(issue, "extension_decided")
    decision = "granted" if granted else "refused"
    if check_another(issue.asked.get("extension"), actor, decision):
        return ()
    details = Details(decision=decision, due_at=issue.asked["extension"].due_at if granted else None)
    return (Step(kind="extension_decided", happened_at=at, details=details, actor=actor, note=note),)
