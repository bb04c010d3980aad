"""What became of suggestions, in the database."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.commands.issues import IssueType
from services.intake.domain.consultations import Decision
from services.intake.storage.issues import IssueNotFound
from shared.database import Connection
from shared.errors import NotFound


class NotDecided(NotFound):
    code = "suggestion-not-decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedSuggestion:
    type: IssueType
    received_at: datetime
    citizen_ref: UUID | None
    citizen_key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDecision:
    id: UUID
    issue_id: UUID
    adoption: Decision
    explanation: bytes = field(repr=False)
    decided_at: datetime
    decided_by: UUID | None


def lock_issue(connection: Connection, issue_id: UUID) -> LockedSuggestion:
    """Hold the issue until the transaction ends. Raises IssueNotFound, also where it may not be changed."""
    with connection.cursor(row_factory=class_row(LockedSuggestion)) as cursor:
        issue = cursor.execute(
            """
            SELECT issue.type, issue.received_at, issue.citizen_ref, citizen_key.wrapped AS citizen_key
              FROM issue
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = issue.citizen_ref
             WHERE issue.id = %s
               FOR UPDATE OF issue
            """,
            [issue_id],
        ).fetchone()
    if issue is None:
        raise IssueNotFound("there is no such issue")
    return issue


def find_decision(connection: Connection, issue_id: UUID) -> SealedDecision | None:
    with connection.cursor(row_factory=class_row(SealedDecision)) as cursor:
        return cursor.execute(
            """
            SELECT id, issue_id, adoption, explanation, decided_at, decided_by
              FROM suggestion_decision
             WHERE issue_id = %s
            """,
            [issue_id],
        ).fetchone()


def insert_decision(connection: Connection, decision: SealedDecision) -> None:
    connection.execute(
        """
        INSERT INTO suggestion_decision (issue_id, id, adoption, explanation, decided_at, decided_by)
        VALUES (%s, %s, %s, %s, %s, %s)
        """,
        [
            decision.issue_id,
            decision.id,
            decision.adoption,
            decision.explanation,
            decision.decided_at,
            decision.decided_by,
        ],
    )
