"""Suggestions: whether what a citizen suggests is adopted, and why. The reply to the citizen is a step of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.suggestions import DecideSuggestion
from services.intake.domain.consultations import Decision
from services.intake.domain.times import CLOCK_TOLERANCE
from services.intake.handlers.standing import Moved, take_each
from services.intake.sealing import vault
from services.intake.storage import issues
from services.intake.storage import suggestions as storage
from shared.contracts.intake.participation import SuggestionDecided
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, Rejected

TABLE: Final = "suggestion_decision"


class NotASuggestion(Conflict):
    code = "not-a-suggestion"


class AlreadyDecided(Conflict):
    code = "suggestion-already-decided"


class OutOfTime(Rejected):
    """Decided before it came, or in the future."""

    code = "decided-out-of-time"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDecision:
    """An explanation whose citizen was erased is withheld with all other words about that citizen."""

    issue_id: UUID
    adoption: Decision
    explanation: str | None
    decided_at: datetime


def decide_suggestions(pool: Pool, commands: Sequence[DecideSuggestion], *, now: datetime) -> list[Outcome]:
    """Adopt suggestions or not. The same decision again changes nothing; another one contradicts it."""

    def step(connection: Connection, command: DecideSuggestion) -> Moved | None:
        issue = storage.lock_issue(connection, command.id)
        if issue.type != "suggestion":
            raise NotASuggestion("the issue suggests nothing")
        key = None if issue.citizen_ref is None else vault().open_key(issue.citizen_ref, issue.citizen_key)
        standing = storage.find_decision(connection, command.id)
        if standing is not None:
            explanation = vault().open(TABLE, "explanation", command.id, standing.explanation, key)
            if (standing.adoption, explanation) == (command.adoption, command.explanation):
                return None
            raise AlreadyDecided("what becomes of the suggestion was decided otherwise")
        decided_at = command.decided_at or now
        if not issue.received_at <= decided_at <= now + CLOCK_TOLERANCE:
            raise OutOfTime("a suggestion is decided after it came, and not in the future")
        decision = storage.SealedDecision(
            id=command.decision_id,
            issue_id=command.id,
            adoption=command.adoption,
            explanation=vault().seal(TABLE, "explanation", command.id, command.explanation, key),
            decided_at=decided_at,
            decided_by=command.decided_by,
        )
        storage.insert_decision(connection, decision)
        event = SuggestionDecided(
            suggestion_decision_id=decision.id,
            issue_id=command.id,
            adoption=command.adoption,
            decided_at=decided_at,
        )
        return Moved(event, 1)

    return take_each("decide_suggestions", pool, commands, step, now=now)


def get_decision(pool: Pool, issue_id: UUID) -> ShownDecision:
    """Raises IssueNotFound, NotDecided."""
    with transaction(pool) as connection:
        issue = issues.get_issue(connection, issue_id)
        decision = storage.find_decision(connection, issue_id)
    if decision is None:
        raise storage.NotDecided("nobody has decided what becomes of it")
    key = None if issue.citizen_ref is None else vault().open_key(issue.citizen_ref, issue.citizen_key)
    return ShownDecision(
        issue_id=issue_id,
        adoption=decision.adoption,
        explanation=vault().open(TABLE, "explanation", issue_id, decision.explanation, key),
        decided_at=decision.decided_at,
    )
