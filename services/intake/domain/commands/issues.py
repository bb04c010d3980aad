"""Requests that bring issues in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.base import DIRECT, Command
from services.intake.domain.commands.filings import Filing

IssueType = Literal["enquiry", "help", "complaint", "report", "suggestion", "thanks"]
IssueOutcome = Literal["resolved", "explained_policy", "not_accepted", "withdrawn", "merged"]
Urgency = Literal["normal", "urgent", "critical"]
AssignmentKind = Literal["dispatch", "transfer", "return", "redispatch"]
ReplyMeans = Literal["phone", "sms", "letter", "mail", "app", "web", "in_person", "imported"]
Channel = Literal["phone", "web", "app", "mailbox", "contact", "reception", "staff", "social_media", "other_system"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveIssue(Command):
    """A new issue, with as much of its later life as is known already. Natural key as for contacts.

    A repeat under a source number brings the issue up to date: it may assign it anew, respond and close it.
    `respond_within` makes the response deadline where `respond_by` is absent. `subject_staff_number` is the official
    whom the issue complains about, who never handles it.
    """

    type: IssueType
    category: str
    channel: Channel
    title: str
    urgency: Urgency = "normal"
    description: str | None = None
    received_at: datetime | None = None
    respond_by: datetime | None = None
    respond_within: timedelta | None = None
    due_at: datetime | None = None
    organisation_code: str | None = None
    staff_number: str | None = None
    contact_id: UUID | None = None
    contact_source_number: str | None = None
    responded_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: IssueOutcome | None = None
    reply: str | None = None
    citizen: Citizen | None = None
    subject_staff_number: str | None = None
    filing: Filing | None = None  # what came with it over Open311
    # What a source tells of the way of an issue that was handled elsewhere: times of steps, and how often it came back.
    assigned_at: datetime | None = None
    signed_at: datetime | None = None
    replied_at: datetime | None = None
    return_count: int | None = None
    redo_count: int | None = None
    source: str = DIRECT
    source_number: str | None = None

    @property
    def has_history(self) -> bool:
        """Whether its steps have to be taken one by one: a dispatch after the receipt, a signature, a reply."""
        is_dispatched_later = self.assigned_at is not None and self.organisation_code is not None
        return is_dispatched_later or self.signed_at is not None or self.replied_at is not None
