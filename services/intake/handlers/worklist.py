"""The list of issues to look after, with the titles opened."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.intake.domain.commands.issues import IssueOutcome, IssueType, Urgency
from services.intake.domain.issues.life import Effect, State
from services.intake.sealing import vault
from services.intake.storage import worklist as storage
from services.intake.storage.worklist import SealedItem, Wanted
from shared.database import Pool, transaction
from shared.reach import Reach, current

OPENED = ("title", "title_sealed", "citizen_ref", "citizen_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistItem:
    id: UUID
    type: IssueType
    category: str
    urgency: Urgency
    status: State
    outcome: IssueOutcome | None
    title: str | None  # withheld where the citizen was erased or restricted
    received_at: datetime
    respond_by: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    paused_at: datetime | None
    updated_at: datetime
    organisation_code: str | None
    staff_number: str | None
    redo_count: int
    escalation_level: int
    problem_code: str | None
    excluded: Effect | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistPage:
    items: list[WorklistItem]
    next_at: datetime | None
    next_id: UUID | None


def list_issues(pool: Pool, wanted: Wanted) -> WorklistPage:
    with transaction(pool) as connection:
        rows = storage.list_items(connection, confine(wanted, current()))
    shown = rows[: wanted.limit]
    last = shown[-1] if len(rows) > wanted.limit else None
    return WorklistPage(
        items=[_open(row) for row in shown],
        next_at=None if last is None else getattr(last, wanted.order),
        next_id=None if last is None else last.id,
    )


def confine(wanted: Wanted, reach: Reach | None) -> Wanted:
    """Say of a reach that is units alone which these are. Who reaches the records of a cadre may see more."""
    if reach is None or reach.kind != "scoped" or reach.staff_number is not None:
        return wanted
    return replace(wanted, within=list(reach.organisation_codes))


def _open(row: SealedItem) -> WorklistItem:
    key = None if row.citizen_ref is None else vault().open_key(row.citizen_ref, row.citizen_key)
    title = row.title or vault().open("issue", "title", row.id, row.title_sealed, key)
    plain = {name: getattr(row, name) for name in SealedItem.__dataclass_fields__ if name not in OPENED}
    return WorklistItem(title=title, **plain)
