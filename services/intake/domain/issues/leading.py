"""Who leads an issue: dispatch, transfer and return, the unit's signature or objection, and units that assist."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.commands.base import NOBODY, Actor
from services.intake.domain.commands.issues import AssignmentKind
from services.intake.domain.issues.life import Ask, Issue
from services.intake.domain.issues.rules import (
    LifeRules,
    check_another,
    check_order,
    check_unasked,
    check_window,
)
from services.intake.domain.issues.steps import Details, Step
from services.intake.domain.issues.table import check_allowed
from shared.errors import Conflict, Rejected

ObjectionReason = Literal["not_our_duty", "not_our_area", "several_units", "needs_higher_level", "duplicate", "other"]


class HandledBySubject(Rejected):
    """An accusation is not passed on to the accused, nor to where they serve."""

    code = "handled-by-subject"


class NobodyToReturnTo(Conflict):
    """Nobody handed it over: who receives an issue first is answerable for it, and may object instead."""

    code = "nobody-to-return-to"


class AlreadyBegun(Conflict):
    code = "already-begun"


class LeadCannotAssist(Rejected):
    code = "lead-cannot-assist"


def assign(  # noqa: PLR0913 - what a dispatch says
    issue: Issue,
    *,
    organisation_id: UUID,
    cadre_id: UUID | None,
    at: datetime,
    kind: AssignmentKind | None = None,
    reason_code: str | None = None,
    note: str | None = None,
    actor: Actor = NOBODY,
) -> tuple[Step, ...]:
    """Give the lead to a unit and its cadre. Who leads already stays so, and nothing changes."""
    if (issue.organisation_id, issue.cadre_id) == (organisation_id, cadre_id):
        return ()
    check_allowed(issue, "assigned")
    moves = issue.organisation_id not in (None, organisation_id)
    details = Details(
        assignment=kind or ("transfer" if moves else "dispatch"), organisation_id=organisation_id, cadre_id=cadre_id
    )
    return (Step(kind="assigned", happened_at=at, reason_code=reason_code, details=details, actor=actor, note=note),)


def hand_back(
    issue: Issue, *, reason_code: str, at: datetime, rules: LifeRules, note: str | None, actor: Actor
) -> tuple[Step, ...]:
    """Return an issue to the unit that handed it over, with a reason and within the window."""
    check_allowed(issue, "assigned")
    if issue.organisation_id is None or issue.handed_over_by is None:
        raise NobodyToReturnTo("nobody handed the issue over; an objection is the way")
    if issue.started_at is not None:
        raise AlreadyBegun("work on the issue has begun")
    check_window(at, issue.assigned_at, rules.return_within)
    details = Details(assignment="return", organisation_id=issue.handed_over_by)
    return (Step(kind="assigned", happened_at=at, reason_code=reason_code, details=details, actor=actor, note=note),)


def sign(issue: Issue, *, at: datetime, actor: Actor) -> tuple[Step, ...]:
    """Take the issue over for the lead unit. Signed already is signed."""
    if issue.signed_at is not None and issue.closed_at is None:
        return ()
    check_allowed(issue, "signed")
    check_order(issue, at, issue.assigned_at)
    return (Step(kind="signed", happened_at=at, actor=actor),)


def raise_objection(
    issue: Issue, *, reason_code: str, at: datetime, rules: LifeRules, note: str | None, actor: Actor
) -> tuple[Step, ...]:
    """Say that the issue is not this unit's to handle. The same person's open objection for the same reason stands."""
    check_allowed(issue, "objection_raised")
    if check_unasked(issue.asked.get("objection"), Ask(by=actor, reason_code=reason_code)):
        return ()
    if issue.started_at is not None:
        raise AlreadyBegun("work on the issue has begun")
    check_window(at, issue.assigned_at, rules.object_within)
    details = Details(organisation_id=issue.organisation_id)
    return (
        Step(kind="objection_raised", happened_at=at, reason_code=reason_code, details=details, actor=actor, note=note),
    )


def decide_objection(issue: Issue, *, upheld: bool, at: datetime, note: str | None, actor: Actor) -> tuple[Step, ...]:
    """Uphold or dismiss an objection. Raises NothingAsked, OwnRequest."""
    check_allowed(issue, "objection_decided")
    decision = "upheld" if upheld else "dismissed"
    if check_another(issue.asked.get("objection"), actor, decision):
        return ()
    return (Step(kind="objection_decided", happened_at=at, details=Details(decision=decision), actor=actor, note=note),)


def set_assisting(issue: Issue, *, organisation_ids: tuple[UUID, ...], at: datetime, actor: Actor) -> tuple[Step, ...]:
    """Say which units help. The same units, in whatever order, change nothing."""
    check_allowed(issue, "assisting_set")
    if issue.organisation_id in organisation_ids:
        raise LeadCannotAssist("the lead unit cannot assist itself")
    wanted = tuple(sorted(set(organisation_ids)))
    if wanted == issue.assisting:
        return ()
    return (Step(kind="assisting_set", happened_at=at, details=Details(assisting=wanted), actor=actor),)
