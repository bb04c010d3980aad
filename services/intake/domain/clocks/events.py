"""What a clock needs of an issue's log: what happened, when, and what of it counts. Steps are mapped onto these."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.intake.domain.clocks.rules import Clock, ClockRule, Limit, Occasion, Urgency

EventKind = Literal[
    "received",
    "assigned",
    "transferred",
    "returned",
    "objected",
    "signed",
    "contacted",
    "paused",
    "resumed",
    "extended",
    "urgency_set",
    "replied",
    "closed",
    "redo_ordered",
    "reopened",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """`extended` names the clock, by how much or until when, and since when that was asked for.

    `organisation` leads from then on.
    """

    kind: EventKind
    at: datetime
    reason: str | None = None  # of a pause
    organisation: str | None = None
    urgency: Urgency | None = None
    outcome: str | None = None  # of a closure
    clock: Clock | None = None
    extension: Limit | None = None
    until: datetime | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Deadlines that another system, or whoever entered the issue, told: they stand, whatever a rule makes of it."""

    close: datetime | None = None
    first_contact: datetime | None = None

    def of(self, clock: Clock) -> datetime | None:
        return {"close": self.close, "first_contact": self.first_contact}.get(clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One time that a clock runs: the first, or again after a transfer, a redo or a reopening."""

    clock: Clock
    number: int
    occasion: Occasion
    begun_at: datetime
    organisation: str | None
    urgency: Urgency


RuleFor = Callable[[Turn], ClockRule | None]

# Which events end a clock well. A step stands for those before it that were skipped.
MET_BY: Final[dict[Clock, frozenset[EventKind]]] = {
    "dispatch": frozenset({"assigned", "transferred"}),
    "sign_in": frozenset({"signed", "contacted", "replied", "closed"}),
    "first_contact": frozenset({"contacted", "replied"}),
    "close": frozenset({"closed"}),
    "reply": frozenset({"replied"}),
    "dispatch_objection": frozenset({"objected", "returned"}),
}
UNANSWERED_OUTCOMES: Final = frozenset({"withdrawn", "merged", "not_accepted"})  # nobody is owed a further answer


def ends_unmet(clock: Clock, event: ClockEvent) -> bool:
    """Whether the event leaves nothing for the clock to wait for."""
    if event.kind == "closed":
        return clock != "reply" or event.outcome in UNANSWERED_OUTCOMES
    return event.kind == "returned" and clock == "sign_in"
