"""Requests for the steps of an issue's life."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from typing_extensions import override

from services.intake.domain.commands.base import NOBODY, Actor, Command
from services.intake.domain.commands.issues import AssignmentKind, IssueOutcome, ReplyMeans, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCommand(Command):
    """`id` is the issue's. A step whose time is absent happens now."""

    actor: Actor = NOBODY
    happened_at: datetime | None = None
    note: str | None = field(default=None, repr=False)

    @property
    def organisation_codes(self) -> tuple[str, ...]:
        """The organisations that it names."""
        return ()

    @property
    def staff_numbers(self) -> tuple[str, ...]:
        return ()

    @property
    def other_issue_ids(self) -> tuple[UUID, ...]:
        """The issues beside its own that have to hold still."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignIssue(StepCommand):
    organisation_code: str
    staff_number: str | None = None
    kind: AssignmentKind | None = None
    reason_code: str | None = None

    @property
    @override
    def organisation_codes(self) -> tuple[str, ...]:
        return (self.organisation_code,)

    @property
    @override
    def staff_numbers(self) -> tuple[str, ...]:
        return () if self.staff_number is None else (self.staff_number,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondToIssue(StepCommand):
    responded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIssue(StepCommand):
    """`reply_to_merged` goes to the citizens of the issues that were merged into this one."""

    outcome: IssueOutcome
    reply: str | None = field(default=None, repr=False)
    means: ReplyMeans | None = None
    reason_code: str | None = None
    reply_to_merged: str | None = field(default=None, repr=False)
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnIssue(StepCommand):
    """Hand an issue back to the unit that handed it over."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIssue(StepCommand):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseObjection(StepCommand):
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideObjection(StepCommand):
    upheld: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAssistingUnits(StepCommand):
    assisting_codes: tuple[str, ...]

    @property
    @override
    def organisation_codes(self) -> tuple[str, ...]:
        return self.assisting_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class StartIssue(StepCommand):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseIssue(StepCommand):
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeIssue(StepCommand):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUrgency(StepCommand):
    urgency: Urgency
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExtension(StepCommand):
    due_at: datetime
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideExtension(StepCommand):
    granted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToIssue(StepCommand):
    text: str = field(repr=False)
    means: ReplyMeans


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeIssue(StepCommand):
    """`reply` tells the citizen of this issue that it goes on with the other one."""

    into_id: UUID
    reply: str = field(repr=False)
    means: ReplyMeans | None = None

    @property
    @override
    def other_issue_ids(self) -> tuple[UUID, ...]:
        return (self.into_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRedo(StepCommand):
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenIssue(StepCommand):
    reason_code: str
    asked_by: Literal["citizen", "clerk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExclusion(StepCommand):
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideExclusion(StepCommand):
    """`reason_code` is the reviewer's own, and absent where the issue goes on being counted."""

    reason_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperviseIssue(StepCommand):
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateIssue(StepCommand):
    level: int
    reason_code: str
    organisation_code: str | None = None

    @property
    @override
    def organisation_codes(self) -> tuple[str, ...]:
        return () if self.organisation_code is None else (self.organisation_code,)
