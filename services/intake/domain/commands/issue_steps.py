"""Requests for the steps of an issue's life."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from typing_extensions import override

from services.intake.domain.commands.base import NOBODY, Actor, Command
from services.intake.domain.commands.issues import AssignmentKind, IssueOutcome, ReplyMeans


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
