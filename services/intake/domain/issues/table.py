"""The one table of what may happen to an issue: each kind of step, the states that it is taken in, and who decides.

docs/issue-life.md shows it, and a test keeps the page and the table the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from services.intake.domain.issues.life import AlreadyClosed, Issue, NotAllowed, State

StepKind = Literal[
    "received",
    "assigned",
    "signed",
    "contacted",
    "started",
    "paused",
    "resumed",
    "assisting_set",
    "urgency_set",
    "extension_requested",
    "extension_decided",
    "objection_raised",
    "objection_decided",
    "replied",
    "closed",
    "merged",
    "redo_ordered",
    "reopened",
    "exclusion_requested",
    "exclusion_decided",
    "supervised",
    "escalated",
    "problem_raised",
]

STATES: Final[tuple[State, ...]] = get_args(State)
LED: Final = frozenset[State]({"assigned", "signed", "responded", "in_progress"})
OPEN: Final = LED | frozenset[State]({"received"})
CLOSED: Final = frozenset[State]({"closed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`leads_to` is where the step alone can bring the issue; the furthest of what is known may lie beyond it."""

    allowed_in: frozenset[State]
    leads_to: str
    needs_lead: bool = False
    provided: str = ""
    another_person: bool = False


TABLE: Final[Mapping[StepKind, Rule]] = {
    "received": Rule(
        allowed_in=frozenset(), leads_to="received, or assigned", provided="the first step, and only once"
    ),
    "assigned": Rule(
        allowed_in=OPEN,
        leads_to="assigned",
        provided="a return: with a reason, within the window, to the unit that handed it over",
    ),
    "signed": Rule(allowed_in=LED, needs_lead=True, leads_to="signed", provided="once for each lead unit"),
    "contacted": Rule(allowed_in=OPEN, leads_to="responded", provided="the first contact, and only once"),
    "started": Rule(allowed_in=LED, needs_lead=True, leads_to="in_progress", provided="once for each lead unit"),
    "paused": Rule(
        allowed_in=LED, needs_lead=True, leads_to="the same", provided="with a reason, and not paused already"
    ),
    "resumed": Rule(allowed_in=LED, needs_lead=True, leads_to="the same", provided="it is paused"),
    "assisting_set": Rule(
        allowed_in=LED, needs_lead=True, leads_to="the same", provided="the lead unit is none of them"
    ),
    "urgency_set": Rule(allowed_in=OPEN, leads_to="the same"),
    "extension_requested": Rule(
        allowed_in=LED,
        needs_lead=True,
        leads_to="the same",
        provided="before the deadline, within the bounds, and none is asked for",
    ),
    "extension_decided": Rule(
        allowed_in=OPEN, leads_to="the same", provided="an extension is asked for", another_person=True
    ),
    "objection_raised": Rule(
        allowed_in=LED,
        needs_lead=True,
        leads_to="the same",
        provided="within the window, before work began, and none is open",
    ),
    "objection_decided": Rule(
        allowed_in=OPEN, leads_to="the same", provided="an objection is open", another_person=True
    ),
    "replied": Rule(allowed_in=OPEN | CLOSED, leads_to="the same"),
    "closed": Rule(allowed_in=OPEN, leads_to="closed", provided="the citizen was replied to, or is with this step"),
    "merged": Rule(
        allowed_in=OPEN,
        leads_to="closed",
        provided="into an open issue that is neither itself nor merged, nor the head",
    ),
    "redo_ordered": Rule(
        allowed_in=CLOSED,
        leads_to="the furthest that is known",
        provided="closed as resolved, explained_policy or not_accepted",
    ),
    "reopened": Rule(
        allowed_in=CLOSED, leads_to="the furthest that is known", provided="within the window after the closure"
    ),
    "exclusion_requested": Rule(
        allowed_in=OPEN | CLOSED, leads_to="the same", provided="it is not excluded, and nobody has asked"
    ),
    "exclusion_decided": Rule(
        allowed_in=OPEN | CLOSED, leads_to="the same", provided="an exclusion is asked for", another_person=True
    ),
    "supervised": Rule(allowed_in=OPEN, leads_to="the same"),
    "escalated": Rule(allowed_in=OPEN, leads_to="the same"),
    "problem_raised": Rule(allowed_in=OPEN, leads_to="the same", provided="raised by itself, and only once"),
}


def check_allowed(issue: Issue, kind: StepKind) -> None:
    """Raises AlreadyClosed, NotAllowed: what the table says of the state. The rest is for the step itself to say."""
    rule = TABLE[kind]
    if issue.status in rule.allowed_in:
        if rule.needs_lead and issue.organisation_id is None:
            raise NotAllowed("an issue that no unit leads does not take this step")
        return
    if issue.status == "closed":
        raise AlreadyClosed("the issue is closed, and a closed issue does not take this step")
    raise NotAllowed(f"an issue that is {issue.status.replace('_', ' ')} does not take this step")
