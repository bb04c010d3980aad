"""Records as their readers see them: texts opened, the citizen masked. And issues held open while they are changed."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.intake.domain.commands.contacts import ContactKind
from services.intake.domain.commands.issues import Channel, IssueOutcome, IssueType, ReplyMeans, Urgency
from services.intake.domain.issues.life import Effect, Issue, State
from services.intake.domain.issues.steps import Step
from services.intake.handlers.citizens import MaskedCitizen, mask_citizen
from services.intake.sealing import vault
from services.intake.storage.contacts import RaisedIssue, SealedContact
from services.intake.storage.issue_steps import LockedIssue
from services.intake.storage.issues import SealedIssue
from shared.ciphers import SymmetricKey


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRecord:
    """A text whose citizen was erased or restricted is withheld: it is there, but nobody may read it."""

    id: UUID
    type: IssueType
    category: str
    channel: Channel
    urgency: Urgency
    title: str | None
    description: str | None
    received_at: datetime
    respond_by: datetime | None
    due_at: datetime | None
    contact_id: UUID | None
    organisation_code: str | None
    staff_number: str | None
    assigned_at: datetime | None
    responded_at: datetime | None
    closed_at: datetime | None
    outcome: IssueOutcome | None
    reply: str | None
    citizen: MaskedCitizen | None
    subject_staff_number: str | None
    texts_withheld: bool
    first_organisation_code: str | None
    first_staff_number: str | None
    signed_at: datetime | None
    started_at: datetime | None
    paused_at: datetime | None
    replied_at: datetime | None
    reply_means: ReplyMeans | None
    reopened_at: datetime | None
    redo_count: int
    merged_into: UUID | None
    assisting: list[str]
    problem_code: str | None
    excluded: Effect | None
    escalation_level: int
    updated_at: datetime
    status: State
    source: str
    source_number: str | None
    flags: list[str]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    id: UUID
    staff_number: str
    organisation_code: str | None
    kind: ContactKind
    occurred_at: datetime
    recorded_at: datetime
    duration_minutes: int | None
    population_group: str | None
    people_count: int | None
    people_by_group: dict[str, int] | None
    companions: list[str]
    first_on: date | None
    last_on: date | None
    place_code: str | None
    note: str | None
    late_reason: str | None
    citizen: MaskedCitizen | None
    texts_withheld: bool
    source: str
    source_number: str | None
    flags: list[str]
    version: int
    counts: bool
    voided_at: datetime | None
    issues: list[RaisedIssue]


OPENED_ISSUE = {"title", "description", "reply", "citizen", "texts_withheld"}
OPENED_CONTACT = {"note", "late_reason", "citizen", "texts_withheld", "issues"}
ISSUE_FIELDS = tuple(field.name for field in fields(IssueRecord) if field.name not in OPENED_ISSUE)
CONTACT_FIELDS = tuple(field.name for field in fields(ContactRecord) if field.name not in OPENED_CONTACT)


def open_issue(row: SealedIssue) -> IssueRecord:
    key = _citizen_key(row)
    plain: dict[str, Any] = {name: getattr(row, name) for name in ISSUE_FIELDS}
    texts: dict[str, Any] = {
        "title": row.title or vault().open("issue", "title", row.id, row.title_sealed, key),
        "description": row.description or vault().open("issue", "description", row.id, row.description_sealed, key),
        "reply": row.reply or vault().open("issue", "reply", row.id, row.reply_sealed, key),
    }
    return IssueRecord(
        **plain,
        **texts,
        citizen=mask_citizen(row.citizen_ref, row.citizen_name, row.citizen_phone, key),
        texts_withheld=texts["title"] is None,
    )


def open_contact(row: SealedContact, issues: list[RaisedIssue]) -> ContactRecord:
    key = _citizen_key(row)
    note = row.note or vault().open("contact", "note", row.id, row.note_sealed, key)
    return ContactRecord(
        **{name: getattr(row, name) for name in CONTACT_FIELDS},
        note=note,
        late_reason=vault().open("contact", "late_reason", row.id, row.late_reason_sealed, key),
        issues=issues,
        citizen=mask_citizen(row.citizen_ref, row.citizen_name, row.citizen_phone, key),
        texts_withheld=note is None and row.note_sealed is not None,
    )


def _citizen_key(row: SealedIssue | SealedContact) -> SymmetricKey | None:
    return None if row.citizen_ref is None else vault().open_key(row.citizen_ref, row.citizen_key)


@dataclass(frozen=True, slots=True)
class HeldIssues:
    """Issues locked by this transaction, opened; and how the texts of their new steps are to be sealed."""

    before: Mapping[UUID, Issue]
    keys: Mapping[UUID, SymmetricKey | None]

    def seal_reply(self, issue_id: UUID, step: Step) -> str | None:
        """A citizen without a key any more has no text under it either: the month's key takes its place."""
        return vault().seal_if("issue", "reply", issue_id, step.reply, self.keys[issue_id])

    def seal_note(self, issue_id: UUID, step: Step) -> str | None:
        return vault().seal_if("issue_step", "note", issue_id, step.note, self.keys[issue_id])


def hold(locked: Mapping[UUID, LockedIssue]) -> HeldIssues:
    keys = {}
    opened = {}
    for issue_id, row in locked.items():
        ref = row.issue.citizen_ref
        keys[issue_id] = None if ref is None else vault().open_key(ref, row.citizen_key)
        reply = row.issue.reply or vault().open("issue", "reply", issue_id, row.reply_sealed, keys[issue_id])
        opened[issue_id] = replace(row.issue, reply=reply)
    return HeldIssues(opened, keys)
