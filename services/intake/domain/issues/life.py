"""An issue as far as it decides what may happen to it next, and the state that follows from what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.commands.base import Actor
from services.intake.domain.commands.issues import IssueOutcome, ReplyMeans, Urgency
from shared.errors import Conflict, Rejected

State = Literal["received", "assigned", "signed", "responded", "in_progress", "closed"]
Request = Literal["extension", "objection", "exclusion"]
Effect = Literal["all", "rating"]


class BeforeReceived(Rejected):
    code = "before-received"


class OutOfOrder(Rejected):
    """A step lies before the one that it follows from."""

    code = "out-of-order"


class NotAllowed(Conflict):
    """The table of steps does not allow this one in the state that the issue is in."""

    code = "step-not-allowed"


class AlreadyClosed(Conflict):
    code = "already-closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one person asked for and another decides; kept with the decision until it is asked for anew."""

    by: Actor
    reason_code: str
    due_at: datetime | None = None
    decided_by: Actor | None = None
    decision: str | None = None

    @property
    def is_open(self) -> bool:
        return self.decision is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What decides what may happen to an issue. Mirrors the columns of the same names.

    All but what it was received with is the fold of its steps (`steps.take`); nothing else moves it on.
    """

    id: UUID
    source: str
    source_number: str | None
    received_at: datetime
    due_at: datetime | None = None
    urgency: Urgency = "normal"
    organisation_id: UUID | None = None
    cadre_id: UUID | None = None
    assigned_at: datetime | None = None
    first_organisation_id: UUID | None = None  # who received it first, for good: a transfer does not free them
    first_cadre_id: UUID | None = None
    handed_over_by: UUID | None = None  # the unit that led before, to which it may be returned
    signed_at: datetime | None = None
    responded_at: datetime | None = None
    started_at: datetime | None = None
    paused_at: datetime | None = None
    replied_at: datetime | None = None
    reply_means: ReplyMeans | None = None
    reply: str | None = field(default=None, repr=False)
    closed_at: datetime | None = None
    outcome: IssueOutcome | None = None
    merged_into: UUID | None = None
    reopened_at: datetime | None = None  # the last time that a closure was taken back
    redo_count: int = 0
    extension_count: int = 0
    assisting: tuple[UUID, ...] = ()
    passed_on: tuple[UUID, ...] = ()  # who led it and gave it away unsigned, first receiver aside
    objectors: tuple[UUID, ...] = ()  # units that objected, in their order
    problem_code: str | None = None
    excluded: Effect | None = None
    supervised_at: datetime | None = None
    escalation_level: int = 0
    asked: Mapping[Request, Ask] = field(default_factory=dict)
    citizen_ref: UUID | None = None
    subject_id: UUID | None = None
    sequence: int
    flags: list[str]
    content_hash: bytes
    progress_hash: bytes

    @property
    def status(self) -> State:
        return state_of(
            closed_at=self.closed_at,
            started_at=self.started_at,
            responded_at=self.responded_at,
            signed_at=self.signed_at,
            is_assigned=self.organisation_id is not None,
        )


def state_of(
    *,
    closed_at: datetime | None,
    responded_at: datetime | None,
    is_assigned: bool,
    signed_at: datetime | None = None,
    started_at: datetime | None = None,
) -> State:
    """The state is never set by itself: it is the furthest of what is known."""
    if closed_at is not None:
        return "closed"
    if started_at is not None:
        return "in_progress"
    if responded_at is not None:
        return "responded"
    if signed_at is not None:
        return "signed"
    return "assigned" if is_assigned else "received"
