"""The event that tells of a step."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.steps import Step
from services.intake.domain.issues.table import StepKind
from services.intake.handlers.clocks.settling import Counted
from services.intake.handlers.clocks.telling import name_deadlines
from shared.contracts.base import Event
from shared.contracts.intake.issue_endings import IssueMerged, IssueReopened, IssueReplied, RedoOrdered
from shared.contracts.intake.issue_requests import (
    ExclusionDecided,
    ExclusionRequested,
    ExtensionDecided,
    ExtensionRequested,
    ObjectionDecided,
    ObjectionRaised,
)
from shared.contracts.intake.issue_supervision import IssueEscalated, IssueSupervised, ProblemOrderRaised
from shared.contracts.intake.issue_work import (
    AssistingUnitsSet,
    IssuePaused,
    IssueResumed,
    IssueSigned,
    IssueStarted,
    UrgencySet,
)
from shared.contracts.intake.issues import IssueAssigned, IssueClosed, IssueResponded
from shared.outbox import OutgoingEvent


def _count_characters(step: Step) -> int | None:
    """Of the reply as it was given; of a step that is read again from storage it is sealed, and nothing is told."""
    return None if step.reply is None else len("".join(step.reply.split()))


_WITNESSED: Final = frozenset({"contacted", "closed"})


# What each step says beside the issue, its time and its reason. That it was received says `IssueReceived`, which is
# made of the whole record.
_SAYS: Mapping[StepKind, tuple[type[Event], Callable[[Step], dict[str, Any]]]] = {
    "assigned": (
        IssueAssigned,
        lambda step: {
            "organisation_id": step.details.organisation_id,
            "cadre_id": step.details.cadre_id,
            "kind": step.details.assignment,
        },
    ),
    "signed": (IssueSigned, lambda _: {}),
    "contacted": (IssueResponded, lambda _: {}),
    "started": (IssueStarted, lambda _: {}),
    "paused": (IssuePaused, lambda _: {}),
    "resumed": (IssueResumed, lambda _: {}),
    "assisting_set": (AssistingUnitsSet, lambda step: {"organisation_ids": step.details.assisting}),
    "urgency_set": (UrgencySet, lambda step: {"urgency": step.details.urgency}),
    "extension_requested": (ExtensionRequested, lambda step: {"due_at": step.details.due_at}),
    "extension_decided": (
        ExtensionDecided,
        lambda step: {"granted": step.details.due_at is not None, "due_at": step.details.due_at},
    ),
    "objection_raised": (ObjectionRaised, lambda step: {"organisation_id": step.details.organisation_id}),
    "objection_decided": (ObjectionDecided, lambda step: {"upheld": step.details.decision == "upheld"}),
    "replied": (
        IssueReplied,
        lambda step: {"means": step.details.means, "reply_characters": _count_characters(step)},
    ),
    "closed": (
        IssueClosed,
        lambda step: {"outcome": step.details.outcome, "reply_characters": _count_characters(step)},
    ),
    "merged": (IssueMerged, lambda step: {"merged_into": step.details.merged_into}),
    "redo_ordered": (RedoOrdered, lambda step: {"redo_count": step.details.count}),
    "reopened": (IssueReopened, lambda step: {"asked_by": step.details.asked_by}),
    "exclusion_requested": (ExclusionRequested, lambda _: {}),
    "exclusion_decided": (
        ExclusionDecided,
        lambda step: {"excluded": step.details.effect is not None, "effect": step.details.effect},
    ),
    "supervised": (IssueSupervised, lambda _: {}),
    "escalated": (
        IssueEscalated,
        lambda step: {
            "level": step.details.level,
            "organisation_id": step.details.organisation_id,
            "cadre_id": step.details.cadre_id,
        },
    ),
    "problem_raised": (ProblemOrderRaised, lambda _: {}),
}


def event_of(
    issue_id: UUID, step: Step, *, counted: Counted | None = None, recorded_at: datetime | None = None
) -> Event:
    """A closure names the deadlines that it was in time for, or too late, where the issue was `counted`. What a person
    told afterwards says when it was recorded.
    """
    contract, says = _SAYS[step.kind]
    values: dict[str, Any] = {"issue_id": issue_id, str(contract.dated_by): step.happened_at, **says(step)}
    if step.reason_code is not None:
        values["reason_code"] = step.reason_code
    if step.kind == "closed" and counted is not None:
        values |= name_deadlines(counted, at=step.happened_at)
    if step.kind in _WITNESSED and _is_told_afterwards(step, recorded_at):
        values["recorded_at"] = recorded_at
    return contract.model_validate(values)


def _is_told_afterwards(step: Step, recorded_at: datetime | None) -> bool:
    by_person = step.actor.account_id is not None and not step.actor.is_machine
    return by_person and recorded_at is not None and step.happened_at < recorded_at


def events_of(
    before: Issue,
    steps: Sequence[Step],
    correlation_id: str,
    *,
    counted: Counted | None = None,
    recorded_at: datetime | None = None,
) -> list[OutgoingEvent]:
    """The events of these steps of one issue, numbered on."""
    return [
        OutgoingEvent(
            event=event_of(before.id, step, counted=counted, recorded_at=recorded_at),
            sequence=before.sequence + place,
            correlation_id=correlation_id,
        )
        for place, step in enumerate(steps, start=1)
    ]
