"""Duplicates suggested by text and place. A person merges; nothing is merged by itself."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.intake.domain.issues.life import State
from services.intake.domain.likeness import ALIKE, Sketch, likeness, sketch
from services.intake.sealing import vault
from services.intake.storage import issues
from services.intake.storage import likeness as storage
from shared.database import Pool, transaction

ROWS_A_COMMIT: Final = 500
MOST_COMMITS: Final = 40  # in one turn; the next one goes on
LOOKED_BACK: Final = timedelta(days=90)
MOST_SHOWN: Final = 20
NEARER: Final = 10  # of a hundred, for each of category, unit and place that agrees


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelyDuplicate:
    """`likeness` of the texts, of a hundred. Those that agree in category, unit and place as well come first."""

    issue_id: UUID
    likeness: int
    is_same_category: bool
    is_same_unit: bool
    is_near: bool
    status: State
    received_at: datetime
    organisation_code: str | None


def sketch_new_issues(pool: Pool, *, now: datetime) -> int:
    """Sketch those that nobody has looked at yet, and forget the old sketches; return how many were looked at."""
    total = 0
    for _ in range(MOST_COMMITS):
        with transaction(pool) as connection:
            rows = storage.lock_unsketched(connection, limit=ROWS_A_COMMIT)
            made = [(row, drawn) for row in rows if (drawn := _draw(row)) is not None]
            storage.insert_sketches(
                connection,
                [
                    {
                        "issue_id": row.id,
                        "received_at": row.received_at,
                        "bands": drawn.bands,
                        "sketch": "\\x" + drawn.words.hex(),
                    }
                    for row, drawn in made
                    if row.received_at >= now - LOOKED_BACK
                ],
                looked_at=[row.id for row in rows],
            )
        total += len(rows)
        if len(rows) < ROWS_A_COMMIT:
            break
    with transaction(pool) as connection:
        storage.remove_before(connection, now - LOOKED_BACK, limit=ROWS_A_COMMIT * MOST_COMMITS)
    return total


def list_duplicates(pool: Pool, issue_id: UUID) -> list[LikelyDuplicate]:
    """The issues within reach that may be the same as this one, likeliest first. Raises IssueNotFound."""
    with transaction(pool) as connection:
        issue = issues.get_issue(connection, issue_id)
        drawn = _draw(
            storage.SealedWords(
                id=issue.id,
                received_at=issue.received_at,
                title=issue.title,
                title_sealed=issue.title_sealed,
                description=issue.description,
                description_sealed=issue.description_sealed,
                citizen_ref=issue.citizen_ref,
                citizen_key=issue.citizen_key,
            )
        )
        candidates = [] if drawn is None else storage.list_candidates(connection, issue_id, drawn.bands)
    alike = [] if drawn is None else [(likeness(drawn.words, one.sketch), one) for one in candidates]
    ranked = sorted((pair for pair in alike if pair[0] >= ALIKE), key=_rank)
    return [
        LikelyDuplicate(
            issue_id=one.id,
            likeness=percent,
            is_same_category=one.is_same_category,
            is_same_unit=one.is_same_unit,
            is_near=one.is_near,
            status=one.status,
            received_at=one.received_at,
            organisation_code=one.organisation_code,
        )
        for percent, one in ranked[:MOST_SHOWN]
    ]


def _rank(pair: tuple[int, storage.Candidate]) -> tuple[int, datetime, UUID]:
    percent, one = pair
    agreeing = one.is_same_category + one.is_same_unit + one.is_near
    return -(percent + NEARER * agreeing), one.received_at, one.id


def _draw(row: storage.SealedWords) -> Sketch | None:
    """None where there is too little to compare, or where its words may not be read."""
    if row.citizen_ref is not None and row.citizen_key is None:
        return None
    key = None if row.citizen_ref is None else vault().open_key(row.citizen_ref, row.citizen_key)
    title = row.title or vault().open("issue", "title", row.id, row.title_sealed, key)
    description = row.description or vault().open("issue", "description", row.id, row.description_sealed, key)
    return sketch(f"{title or ''} {description or ''}", key=_key())


def _key() -> bytes:
    """Of this use alone, made of the key that tells repeats from changes: it is never renewed."""
    return vault().keyed(hashlib.blake2b(b"likeness", digest_size=16).digest())
