"""The steps of an issue's log as events of its clocks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake.domain.clocks.events import ClockEvent, EventKind
from services.intake.domain.issues.table import StepKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedStep:
    issue_id: UUID
    kind: StepKind
    happened_at: datetime
    reason_code: str | None
    details: Mapping[str, Any]
    has_reply: bool


PLAIN: Final[Mapping[StepKind, EventKind]] = {
    "signed": "signed",
    "contacted": "contacted",
    "resumed": "resumed",
    "replied": "replied",
    "redo_ordered": "redo_ordered",
    "reopened": "reopened",
    "objection_raised": "objected",
}
MOVES: Final[Mapping[str, tuple[EventKind, ...]]] = {
    "transfer": ("resumed", "transferred"),
    "redispatch": ("resumed", "transferred"),
    "return": ("resumed", "returned", "assigned"),
}


def events_of_log(steps: Iterable[LoggedStep], *, urgency: str) -> list[ClockEvent]:
    """`urgency` is that of the receipt where its step does not tell. A pause ends where another unit takes over."""
    events: list[ClockEvent] = []
    for step in steps:
        events += _events_of(step, urgency)
    return events


def _events_of(step: LoggedStep, urgency: str) -> list[ClockEvent]:
    at, details = step.happened_at, step.details
    if step.kind in PLAIN:
        return [ClockEvent(kind=PLAIN[step.kind], at=at)]
    match step.kind:
        case "received":
            return _received(step, urgency)
        case "assigned":
            kinds = MOVES.get(details.get("assignment") or "", ("assigned",))
            events = [ClockEvent(kind=kind, at=at, organisation=details.get("organisation_id")) for kind in kinds]
        case "paused":
            events = [ClockEvent(kind="paused", at=at, reason=step.reason_code)]
        case "urgency_set":
            events = [ClockEvent(kind="urgency_set", at=at, urgency=details.get("urgency"))]
        case "extension_decided" if details.get("due_at") is not None:
            until = datetime.fromisoformat(str(details["due_at"]))
            events = [ClockEvent(kind="extended", at=at, clock="close", until=until)]
        case "closed":
            closed = ClockEvent(kind="closed", at=at, outcome=details.get("outcome"))
            events = [ClockEvent(kind="replied", at=at), closed] if step.has_reply else [closed]
        case _:
            events = []
    return events


def _received(step: LoggedStep, urgency: str) -> list[ClockEvent]:
    organisation = step.details.get("organisation_id")
    told: Any = step.details.get("urgency") or urgency
    received = ClockEvent(kind="received", at=step.happened_at, organisation=organisation, urgency=told)
    if organisation is None:
        return [received]
    return [received, ClockEvent(kind="assigned", at=step.happened_at, organisation=organisation)]
