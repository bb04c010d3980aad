"""News of scores: a score as it stood at one sequence number."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

SubjectKind = Literal["cadre", "organisation"]
PeriodKind = Literal["month", "quarter", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A score as it stood at one sequence number."""

    score_id: UUID
    sequence: int
    subject_kind: SubjectKind
    subject_id: UUID
    subject_code: str
    subject_name: str
    organisation_path: tuple[UUID, ...]
    period_kind: PeriodKind
    period_start: date
    composite: Decimal | None
    previous: Decimal | None
    scheme: str
    scheme_version: int
    computed_at: datetime
    correlation_id: str


def newest_per_score(news: Iterable[News]) -> list[News]:
    """Keep of each score what has the highest sequence, in the order of score ids: every writer locks in this order."""
    newest: dict[UUID, News] = {}
    for item in news:
        known = newest.get(item.score_id)
        if known is None or known.sequence < item.sequence:
            newest[item.score_id] = item
    return [newest[score_id] for score_id in sorted(newest)]
