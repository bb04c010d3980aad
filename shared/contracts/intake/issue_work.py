"""What intake publishes of the work on an issue, from the lead unit's signature on."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.base import Code, Event, Instant
from shared.contracts.intake.issues import Urgency


class IssueSigned(Event):
    """The lead unit took the issue over."""

    type: ClassVar[str] = "cn.lianxin.issue.signed.v1"
    key: ClassVar[str] = "intake.issue.signed.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "signed_at"
    summary: ClassVar[str] = "The lead unit signed for an issue"

    issue_id: UUID
    signed_at: Instant


class IssueStarted(Event):
    """The lead unit began to work on the issue."""

    type: ClassVar[str] = "cn.lianxin.issue.started.v1"
    key: ClassVar[str] = "intake.issue.started.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "started_at"
    summary: ClassVar[str] = "Work on an issue began"

    issue_id: UUID
    started_at: Instant


class IssuePaused(Event):
    """Work waits for something outside the unit; the reason says for what."""

    type: ClassVar[str] = "cn.lianxin.issue.paused.v1"
    key: ClassVar[str] = "intake.issue.paused.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "paused_at"
    summary: ClassVar[str] = "Work on an issue was paused"

    issue_id: UUID
    paused_at: Instant
    reason_code: Code


class IssueResumed(Event):
    """What the work waited for has come."""

    type: ClassVar[str] = "cn.lianxin.issue.resumed.v1"
    key: ClassVar[str] = "intake.issue.resumed.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "resumed_at"
    summary: ClassVar[str] = "Work on an issue was resumed"

    issue_id: UUID
    resumed_at: Instant


class AssistingUnitsSet(Event):
    """Which units help the lead unit from now on; those not named do not any more."""

    type: ClassVar[str] = "cn.lianxin.issue.assisting_set.v1"
    key: ClassVar[str] = "intake.issue.assisting_set.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "set_at"
    summary: ClassVar[str] = "The assisting units of an issue were set"

    issue_id: UUID
    set_at: Instant
    organisation_ids: tuple[UUID, ...] = ()


class UrgencySet(Event):
    """How urgent the issue is from now on."""

    type: ClassVar[str] = "cn.lianxin.issue.urgency_set.v1"
    key: ClassVar[str] = "intake.issue.urgency_set.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "set_at"
    summary: ClassVar[str] = "The urgency of an issue was set"

    issue_id: UUID
    set_at: Instant
    urgency: Urgency
    reason_code: Code | None = None


EVENTS: tuple[type[Event], ...] = (
    IssueSigned,
    IssueStarted,
    IssuePaused,
    IssueResumed,
    AssistingUnitsSet,
    UrgencySet,
)
