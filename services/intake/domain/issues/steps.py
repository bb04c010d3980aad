"""One step of an issue's life, and what it makes of the issue. An issue is the fold of its steps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.commands.base import NOBODY, Actor
from services.intake.domain.commands.issues import AssignmentKind, IssueOutcome, ReplyMeans, Urgency
from services.intake.domain.issues.life import Ask, Effect, Issue, Request
from services.intake.domain.issues.table import StepKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a kind of step has beside its time and reason: codes, ids, numbers and times, and no words."""

    assignment: AssignmentKind | None = None
    organisation_id: UUID | None = None
    cadre_id: UUID | None = None
    outcome: IssueOutcome | None = None
    means: ReplyMeans | None = None
    urgency: Urgency | None = None
    due_at: datetime | None = None
    decision: str | None = None
    effect: Effect | None = None
    merged_into: UUID | None = None
    assisting: tuple[UUID, ...] | None = None
    asked_by: str | None = None
    level: int | None = None
    count: int | None = None

    def told(self) -> dict[str, Any]:
        """What there is of it, as the log keeps it."""
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name)) is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`note` is for the staff, `reply` for the citizen; both are sealed before they are stored, and in no event."""

    kind: StepKind
    happened_at: datetime
    reason_code: str | None = None
    details: Details = field(default_factory=Details)
    actor: Actor = NOBODY
    note: str | None = field(default=None, repr=False)
    reply: str | None = field(default=None, repr=False)


def take(issue: Issue, steps: Iterable[Step]) -> Issue:
    """Move an issue on by steps that were decided, each with the next number."""
    for step in steps:
        changes = _CHANGES[step.kind](issue, step)
        issue = replace(issue, sequence=issue.sequence + 1, **changes)
    return issue


Changes = Mapping[str, Any]


def _assigned(issue: Issue, step: Step) -> Changes:
    unit, cadre = step.details.organisation_id, step.details.cadre_id
    changes: dict[str, Any] = {"organisation_id": unit, "cadre_id": cadre, "assigned_at": step.happened_at}
    if issue.first_organisation_id is None:
        changes |= {"first_organisation_id": unit, "first_cadre_id": cadre}
    if unit == issue.organisation_id:
        return changes
    # What came back is not sent back in turn: that would be a dispatch.
    handed_over_by = None if step.details.assignment == "return" else issue.organisation_id
    changes |= {"handed_over_by": handed_over_by, "signed_at": None, "started_at": None, "paused_at": None}
    changes["assisting"] = tuple(helper for helper in issue.assisting if helper != unit)
    changes["asked"] = {kind: ask for kind, ask in issue.asked.items() if kind == "exclusion"}
    before = issue.organisation_id
    known = (None, issue.first_organisation_id, *issue.passed_on)
    if issue.signed_at is None and before not in known:
        changes["passed_on"] = (*issue.passed_on, before)
    return changes


def _closed(issue: Issue, step: Step) -> Changes:
    changes: dict[str, Any] = {"closed_at": step.happened_at, "outcome": step.details.outcome, "paused_at": None}
    changes["asked"] = {kind: ask for kind, ask in issue.asked.items() if kind == "exclusion"}
    if step.reply is not None:
        changes |= {"reply": step.reply, "replied_at": step.happened_at}
    if step.details.means is not None:
        changes["reply_means"] = step.details.means
    return changes


def _replied(_: Issue, step: Step) -> Changes:
    return {"reply": step.reply, "replied_at": step.happened_at, "reply_means": step.details.means}


def _not_closed(issue: Issue, step: Step) -> Changes:
    """The reply stays as what was said; that it answered the issue does not."""
    return {
        "closed_at": None,
        "outcome": None,
        "merged_into": None,
        "replied_at": None,
        "reply_means": None,
        "reopened_at": step.happened_at,
        "redo_count": issue.redo_count + (step.kind == "redo_ordered"),
    }


def _asked(kind: Request) -> Any:  # noqa: ANN401 - a function of the table below
    def change(issue: Issue, step: Step) -> Changes:
        ask = Ask(by=step.actor, reason_code=step.reason_code or "", due_at=step.details.due_at)
        changes: dict[str, Any] = {"asked": {**issue.asked, kind: ask}}
        if kind == "objection" and step.details.organisation_id is not None:
            changes["objectors"] = (*issue.objectors, step.details.organisation_id)
        return changes

    return change


def _decided(kind: Request) -> Any:  # noqa: ANN401 - as above
    def change(issue: Issue, step: Step) -> Changes:
        ask = replace(issue.asked[kind], decided_by=step.actor, decision=step.details.decision)
        changes: dict[str, Any] = {"asked": {**issue.asked, kind: ask}}
        if kind == "extension" and step.details.due_at is not None:
            changes |= {"due_at": step.details.due_at, "extension_count": issue.extension_count + 1}
        if kind == "exclusion":
            changes["excluded"] = step.details.effect
        return changes

    return change


_CHANGES: Mapping[StepKind, Any] = {
    "assigned": _assigned,
    "signed": lambda _, step: {"signed_at": step.happened_at},
    "contacted": lambda _, step: {"responded_at": step.happened_at},
    "started": lambda _, step: {"started_at": step.happened_at},
    "paused": lambda _, step: {"paused_at": step.happened_at},
    "resumed": lambda _, step: {"paused_at": None},  # noqa: ARG005 - as its neighbours
    "assisting_set": lambda _, step: {"assisting": step.details.assisting or ()},
    "urgency_set": lambda _, step: {"urgency": step.details.urgency},
    "extension_requested": _asked("extension"),
    "extension_decided": _decided("extension"),
    "objection_raised": _asked("objection"),
    "objection_decided": _decided("objection"),
    "replied": _replied,
    "closed": _closed,
    "merged": lambda _, step: {"merged_into": step.details.merged_into},
    "redo_ordered": _not_closed,
    "reopened": _not_closed,
    "exclusion_requested": _asked("exclusion"),
    "exclusion_decided": _decided("exclusion"),
    "supervised": lambda _, step: {"supervised_at": step.happened_at},
    "escalated": lambda issue, step: {"escalation_level": max(issue.escalation_level, step.details.level)},
    "problem_raised": lambda _, step: {"problem_code": step.reason_code},
}
