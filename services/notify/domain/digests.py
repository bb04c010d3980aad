"""What a digest counts and shows."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.notify.domain.news import PeriodKind, SubjectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCount:
    period_kind: PeriodKind
    period_start: date
    subject_kind: SubjectKind
    new_count: int
    changed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    subject_kind: SubjectKind
    subject_code: str
    subject_name: str
    period_kind: PeriodKind
    period_start: date
    before: Decimal
    composite: Decimal
