"""The issues that somebody has to look after, page by page. Row-level security says whose they may be."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.intake.domain.commands.issues import IssueOutcome, IssueType, Urgency
from services.intake.domain.issues.life import Effect, State
from shared.database import Connection

Order = Literal["received_at", "updated_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters that are absent do not filter. `organisation_code` stands for the unit with everything below it.

    `within` says once more what the row policy lets through where that is units alone: the planner cannot know of a
    policy how little it leaves, and reads all issues for a page of a small unit's. `unit` says it of one alone, whose
    issues lie in the order of the list.
    """

    status: State | None = None
    is_open: bool | None = None
    organisation_code: str | None = None
    staff_number: str | None = None
    category: str | None = None
    type: IssueType | None = None
    urgency: Urgency | None = None
    overdue: bool | None = None
    problem: bool | None = None
    updated_since: datetime | None = None
    within: Sequence[str] | None = None
    unit: UUID | None = None
    now: datetime
    after_at: datetime | None = None
    after_id: UUID | None = None
    limit: int

    @property
    def order(self) -> Order:
        """Oldest first; for whoever keeps up with changes, in the order of the changes."""
        return "received_at" if self.updated_since is None else "updated_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedItem:
    id: UUID
    type: IssueType
    category: str
    urgency: Urgency
    status: State
    outcome: IssueOutcome | None
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
    title: str | None = field(repr=False)
    title_sealed: bytes | None = field(repr=False)
    citizen_ref: UUID | None
    citizen_key: bytes | None = field(repr=False)


# Each filter with the index of migrations 0022 and 0134 that it lives on: most in the order of the list, those of
# deadlines and units to be sorted afterwards. What is left then is filtered on the way.
_FILTERS: Sequence[tuple[str, str]] = (
    ("status", "issue.status = %(status)s"),  # issue_open_status
    ("organisation_code", "issue.owner_organisation_id IN (SELECT organisation_id FROM organisation_line"
     " WHERE ancestor_code = %(organisation_code)s)"),  # issue_owner
    ("within", "issue.owner_organisation_id IN (SELECT organisation_id FROM organisation_line"
     " WHERE ancestor_code = ANY(%(within)s))"),  # issue_owner
    ("unit", "issue.owner_organisation_id = %(unit)s"),  # issue_owner
    ("staff_number", "issue.cadre_id = (SELECT id FROM cadre WHERE staff_number = %(staff_number)s)"),  # issue_cadre
    ("category", "issue.category = %(category)s"),  # issue_open_category, issue_category
    ("type", "issue.type = %(type)s"),  # issue_open_type, issue_type
    ("urgency", "issue.urgency = %(urgency)s"),  # issue_open_urgent, issue_urgent
    ("updated_since", "issue.updated_at >= %(updated_since)s"),  # issue_updated
)  # fmt: skip
_FLAGS: Sequence[tuple[str, str, str]] = (
    ("is_open", "issue.closed_at IS NULL", "issue.closed_at IS NOT NULL"),
    (
        "overdue",  # issue_open_due
        "issue.closed_at IS NULL AND issue.due_at < %(now)s",
        "(issue.closed_at IS NOT NULL OR issue.due_at IS NULL OR issue.due_at >= %(now)s)",
    ),
    ("problem", "issue.problem_code IS NOT NULL", "issue.problem_code IS NULL"),  # issue_problem
)


def list_items(connection: Connection, wanted: Wanted) -> list[SealedItem]:
    """List one more than is wanted: it tells that there is a next page.

    Planned at each call: what is filtered by differs from call to call.
    """
    wanted = _narrow(connection, wanted)
    with connection.cursor(row_factory=class_row(SealedItem)) as cursor:
        return cursor.execute(compose(wanted), parameters_of(wanted), prepare=False).fetchall()


def _narrow(connection: Connection, wanted: Wanted) -> Wanted:
    if wanted.within is None:
        return wanted
    units = connection.execute(
        "SELECT DISTINCT organisation_id FROM organisation_line WHERE ancestor_code = ANY(%s) LIMIT 2",
        [list(wanted.within)],
    ).fetchall()
    return replace(wanted, within=None, unit=UUID(str(units[0][0]))) if len(units) == 1 else wanted


def compose(wanted: Wanted) -> sql.Composed:
    order = sql.Identifier("issue", wanted.order)
    conditions: list[sql.Composable] = [sql.SQL(text) for name, text in _FILTERS if getattr(wanted, name) is not None]
    if wanted.status is not None and wanted.status != "closed":
        conditions.append(sql.SQL("issue.closed_at IS NULL"))  # which is so anyway, and lets use the index of open ones
    for name, holds, fails in _FLAGS:
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(sql.SQL(holds if value else fails))
    if wanted.after_at is not None:
        conditions.append(sql.SQL("({}, issue.id) > (%(after_at)s, %(after_id)s)").format(order))
    return sql.SQL(
        """
        SELECT issue.id, issue.type, issue.category, issue.urgency, issue.status, issue.outcome, issue.received_at,
               issue.respond_by, issue.due_at, issue.closed_at, issue.paused_at, issue.updated_at,
               code_of(issue.organisation_id) AS organisation_code, staff_number_of(issue.cadre_id) AS staff_number,
               issue.redo_count, issue.escalation_level, issue.problem_code, issue.excluded, issue.title,
               issue.title_sealed, issue.citizen_ref, citizen_key.wrapped AS citizen_key
          FROM issue
          LEFT JOIN citizen_key ON citizen_key.citizen_ref = issue.citizen_ref
         WHERE {}
         ORDER BY {}, issue.id
         LIMIT %(limit)s
        """
    ).format(sql.SQL(" AND ").join(conditions or [sql.SQL("true")]), order)


def parameters_of(wanted: Wanted) -> dict[str, Any]:
    names = (*(name for name, _ in _FILTERS), "now", "after_at", "after_id")
    return {name: getattr(wanted, name) for name in names} | {"limit": wanted.limit + 1}
