"""The steps that an issue has taken, as their readers see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.issues.table import StepKind
from services.intake.sealing import vault
from services.intake.storage import issue_steps as storage
from services.intake.storage import issues
from shared.database import Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """`actor_id` is the account; absent for a process and an import. `details` holds codes, ids, numbers and times."""

    sequence: int
    kind: StepKind
    happened_at: datetime
    recorded_at: datetime
    actor_id: UUID | None
    reason_code: str | None
    details: Mapping[str, Any]
    note: str | None
    reply: str | None


def list_steps(pool: Pool, issue_id: UUID) -> list[StepRecord]:
    """Raises IssueNotFound. A text whose citizen was erased or restricted is withheld."""
    with transaction(pool) as connection:
        issue = issues.get_issue(connection, issue_id)
        steps = storage.list_steps(connection, issue_id)
    key = None if issue.citizen_ref is None else vault().open_key(issue.citizen_ref, issue.citizen_key)
    return [
        StepRecord(
            sequence=step.sequence,
            kind=step.kind,
            happened_at=step.happened_at,
            recorded_at=step.recorded_at,
            actor_id=step.actor_id,
            reason_code=step.reason_code,
            details=step.details,
            note=vault().open("issue_step", "note", issue_id, step.note_sealed, key),
            reply=vault().open("issue", "reply", issue_id, step.reply_sealed, key),
        )
        for step in steps
    ]
