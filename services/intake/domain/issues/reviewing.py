"""What others say of an issue: that it leaves assessment, that somebody above watches it, or has to look at it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.commands.base import NOBODY, Actor
from services.intake.domain.issues.exclusions import Exclusion
from services.intake.domain.issues.life import Ask, Issue
from services.intake.domain.issues.rules import check_another, check_unasked
from services.intake.domain.issues.steps import Details, Step
from services.intake.domain.issues.table import check_allowed
from shared.errors import Conflict

SupervisionReason = Literal["overdue", "problem_order", "repeated", "media_exposed", "leader_assigned", "other"]
EscalationReason = Literal["overdue", "problem_order", "no_lead", "needs_higher_level", "risk", "other"]


class AlreadyExcluded(Conflict):
    code = "already-excluded"


class NotHigher(Conflict):
    """It was put before this level, or one above it, already."""

    code = "not-higher"


def request_exclusion(
    issue: Issue, *, preset: Exclusion, at: datetime, note: str | None, actor: Actor
) -> tuple[Step, ...]:
    """Ask that the issue is not counted in assessment."""
    check_allowed(issue, "exclusion_requested")
    if check_unasked(issue.asked.get("exclusion"), Ask(by=actor, reason_code=preset.code)):
        return ()
    if issue.excluded is not None:
        raise AlreadyExcluded("the issue is left out of assessment already")
    return (Step(kind="exclusion_requested", happened_at=at, reason_code=preset.code, actor=actor, note=note),)


def decide_exclusion(
    issue: Issue, *, preset: Exclusion | None, at: datetime, note: str | None, actor: Actor
) -> tuple[Step, ...]:
    """Leave the issue out for the reason of `preset`, which the reviewer names, or refuse to: None.

    Raises NothingAsked, OwnRequest.
    """
    check_allowed(issue, "exclusion_decided")
    decision = f"excluded:{preset.code}" if preset else "refused"
    if check_another(issue.asked.get("exclusion"), actor, decision):
        return ()
    details = Details(decision=decision, effect=preset.effect if preset else None)
    reason_code = preset.code if preset else None
    return (
        Step(
            kind="exclusion_decided", happened_at=at, reason_code=reason_code, details=details, actor=actor, note=note
        ),
    )


def supervise(issue: Issue, *, reason_code: str, at: datetime, note: str | None, actor: Actor) -> tuple[Step, ...]:
    """Watch over the issue; as often as somebody does, at different times."""
    check_allowed(issue, "supervised")
    if issue.supervised_at == at:
        return ()
    return (Step(kind="supervised", happened_at=at, reason_code=reason_code, actor=actor, note=note),)


def escalate(  # noqa: PLR0913 - what an escalation says
    issue: Issue,
    *,
    level: int,
    reason_code: str,
    at: datetime,
    organisation_id: UUID | None = None,
    cadre_id: UUID | None = None,
    note: str | None = None,
    actor: Actor = NOBODY,
) -> tuple[Step, ...]:
    """Put the issue before a level above the last one it was put before. The same level again changes nothing."""
    check_allowed(issue, "escalated")
    if level == issue.escalation_level:
        return ()
    if level < issue.escalation_level:
        raise NotHigher("the issue was put before a higher level already")
    details = Details(level=level, organisation_id=organisation_id, cadre_id=cadre_id)
    return (Step(kind="escalated", happened_at=at, reason_code=reason_code, details=details, actor=actor, note=note),)
