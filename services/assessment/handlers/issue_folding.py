"""An issue is folded from its events, in whatever order they came: each part has the sequence that it was told at."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.assessment.domain.measures import NOBODY
from shared.contracts.base import Event
from shared.contracts.envelope import Envelope
from shared.contracts.intake.deadlines import DeadlinesMoved
from shared.contracts.intake.issue_endings import IssueMerged, IssueReopened, IssueReplied, RedoOrdered
from shared.contracts.intake.issue_requests import ExclusionDecided, ExtensionDecided
from shared.contracts.intake.issues import IssueAssigned, IssueClosed, IssueReceived, IssueResponded
from shared.contracts.intake.participation import SuggestionDecided

Rows = dict[UUID, dict[str, Any]]

DEADLINES: Final = ("sign_by", "respond_by", "due_at", "reply_by")
STEPS: Final[tuple[type[Event], ...]] = (
    IssueReceived,
    IssueAssigned,
    IssueResponded,
    IssueClosed,
    IssueMerged,
    IssueReopened,
    IssueReplied,
    RedoOrdered,
    ExtensionDecided,
    DeadlinesMoved,
    ExclusionDecided,
)


def fold_issue(envelopes: Iterable[Envelope]) -> dict[str, Any]:
    """The parts of one issue as these events tell them, in whatever order; empty where none does."""
    rows: Rows = {}
    for envelope in envelopes:
        if isinstance(envelope.event, STEPS):
            collect_step(rows, envelope)
    return next(iter(rows.values()), {})


def collect_step(rows: Rows, envelope: Envelope) -> None:
    """Merge the parts of one issue; nobody is assigned at sequence 0, and nothing closed, moved or excluded."""
    event = envelope.event
    sequence = envelope.sequence
    row = _issue_row(rows, event.aggregate_id)
    if isinstance(event, IssueReceived):
        kept = ["organisation_id", "cadre_id", *(name for name in DEADLINES if name in row)]
        row |= dict(event) | {name: row[name] for name in kept}
        row["due_sequence"] = max(row["due_sequence"], sequence)
    if isinstance(event, IssueReceived | IssueAssigned) and sequence > row["assignment_sequence"]:
        row["organisation_id"] = event.organisation_id or NOBODY
        row["cadre_id"] = event.cadre_id or NOBODY
        row["assignment_sequence"] = sequence
    if isinstance(event, IssueResponded):
        known_at = event.recorded_at or event.responded_at
        row["responded_at"] = min(event.responded_at, row.get("responded_at", event.responded_at))
        row["responded_known_at"] = min(known_at, row.get("responded_known_at", known_at))
    replied_at = _find_reply(event)
    if replied_at is not None:
        row["replied_at"] = min(replied_at, row.get("replied_at", replied_at))
    if isinstance(event, IssueReplied | IssueClosed) and event.reply_characters is not None:
        row["reply_characters"] = max(event.reply_characters, row.get("reply_characters", 0))
    row["is_reopened"] |= isinstance(event, IssueReopened)
    row["is_redone"] |= isinstance(event, RedoOrdered)
    row["is_returned"] |= isinstance(event, IssueAssigned) and event.kind == "return"
    if isinstance(event, DeadlinesMoved):
        _collect_deadlines(row, event, sequence)
    _collect_ending(row, event, sequence)


def _find_reply(event: Event) -> datetime | None:
    """A closure with a reply tells the citizen, too."""
    if isinstance(event, IssueReplied):
        return event.replied_at
    if isinstance(event, IssueClosed) and event.reply_characters is not None:
        return event.closed_at
    return None


def _collect_deadlines(row: dict[str, Any], event: DeadlinesMoved, sequence: int) -> None:
    """What is not named does not stand any more. Whoever missed a deadline is not in time by the next one."""
    if sequence > row["deadline_sequence"]:
        row |= {"sign_by": event.sign_by, "respond_by": event.respond_by, "reply_by": event.reply_by}
        row["deadline_sequence"] = sequence
    if sequence > row["due_sequence"]:
        row |= {"due_at": event.missed_due_at or event.due_at, "due_sequence": sequence}


def _collect_ending(row: dict[str, Any], event: Event, sequence: int) -> None:
    if isinstance(event, IssueClosed) and sequence > row["closure_sequence"]:
        row |= {"closed_at": event.closed_at, "outcome": event.outcome, "closure_sequence": sequence}
        row["closed_known_at"] = event.recorded_at or event.closed_at
    if isinstance(event, IssueReopened | RedoOrdered) and sequence > row["closure_sequence"]:
        row |= {"closed_at": None, "closed_known_at": None, "outcome": None, "closure_sequence": sequence}
    if isinstance(event, IssueMerged | IssueReopened) and sequence > row["merge_sequence"]:
        row["merged_into"] = event.merged_into if isinstance(event, IssueMerged) else None
        row["merge_sequence"] = sequence
    if isinstance(event, ExtensionDecided) and event.due_at is not None and sequence > row["due_sequence"]:
        row |= {"due_at": event.due_at, "due_sequence": sequence}
    if isinstance(event, ExclusionDecided) and sequence > row["exclusion_sequence"]:
        row |= {"excluded": event.effect, "exclusion_sequence": sequence}


def collect_suggestion(rows: Rows, event: SuggestionDecided) -> None:
    row = _issue_row(rows, event.issue_id)
    row["suggestion_answered_at"] = min(event.decided_at, row.get("suggestion_answered_at", event.decided_at))


def _issue_row(rows: Rows, issue_id: UUID) -> dict[str, Any]:
    return rows.setdefault(
        issue_id,
        {
            "issue_id": issue_id,
            "organisation_id": NOBODY,
            "cadre_id": NOBODY,
            "assignment_sequence": 0,
            "closure_sequence": 0,
            "due_sequence": 0,
            "deadline_sequence": 0,
            "exclusion_sequence": 0,
            "merge_sequence": 0,
            "is_reopened": False,
            "is_redone": False,
            "is_returned": False,
        },
    )
