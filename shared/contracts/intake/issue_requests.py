"""What intake publishes of what one person asks for about an issue and another one decides."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.base import Code, Event, Instant


class ExtensionRequested(Event):
    """The lead unit asks for a later deadline."""

    type: ClassVar[str] = "cn.lianxin.issue.extension_requested.v1"
    key: ClassVar[str] = "intake.issue.extension_requested.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "requested_at"
    summary: ClassVar[str] = "A later deadline of an issue was asked for"

    issue_id: UUID
    requested_at: Instant
    reason_code: Code
    due_at: Instant  # the deadline asked for


class ExtensionDecided(Event):
    """Another person granted the later deadline or refused it."""

    type: ClassVar[str] = "cn.lianxin.issue.extension_decided.v1"
    key: ClassVar[str] = "intake.issue.extension_decided.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "decided_at"
    summary: ClassVar[str] = "A later deadline of an issue was granted or refused"

    issue_id: UUID
    decided_at: Instant
    granted: bool
    due_at: Instant | None = None  # the deadline from now on, where it was granted


class ObjectionRaised(Event):
    """The lead unit says that the issue is not its own to handle."""

    type: ClassVar[str] = "cn.lianxin.issue.objection_raised.v1"
    key: ClassVar[str] = "intake.issue.objection_raised.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "raised_at"
    summary: ClassVar[str] = "A unit objected to being given an issue"

    issue_id: UUID
    raised_at: Instant
    organisation_id: UUID  # whose objection it is
    reason_code: Code


class ObjectionDecided(Event):
    """Another person upheld the objection or dismissed it. Where the issue goes then is told by IssueAssigned."""

    type: ClassVar[str] = "cn.lianxin.issue.objection_decided.v1"
    key: ClassVar[str] = "intake.issue.objection_decided.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "decided_at"
    summary: ClassVar[str] = "An objection to being given an issue was decided"

    issue_id: UUID
    decided_at: Instant
    upheld: bool


class ExclusionRequested(Event):
    """Somebody asks that the issue is not counted in assessment."""

    type: ClassVar[str] = "cn.lianxin.issue.exclusion_requested.v1"
    key: ClassVar[str] = "intake.issue.exclusion_requested.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "requested_at"
    summary: ClassVar[str] = "Leaving an issue out of assessment was asked for"

    issue_id: UUID
    requested_at: Instant
    reason_code: Code


class ExclusionDecided(Event):
    """Another person decided. `effect` says what is left out: everything of the issue, or its ratings alone."""

    type: ClassVar[str] = "cn.lianxin.issue.exclusion_decided.v1"
    key: ClassVar[str] = "intake.issue.exclusion_decided.v1"
    aggregate: ClassVar[str] = "issue"
    dated_by: ClassVar[str | None] = "decided_at"
    summary: ClassVar[str] = "Whether an issue is left out of assessment was decided"

    issue_id: UUID
    decided_at: Instant
    excluded: bool
    reason_code: Code | None = None
    effect: Literal["all", "rating"] | None = None  # absent where nothing is left out


EVENTS: tuple[type[Event], ...] = (
    ExtensionRequested,
    ExtensionDecided,
    ObjectionRaised,
    ObjectionDecided,
    ExclusionRequested,
    ExclusionDecided,
)
