"""Scores as they stand: whose they are, for which period, and how far they have been told."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from services.assessment.domain.periods import Period, PeriodKind
from shared.errors import NotFound

SubjectKind = Literal["cadre", "organisation"]
Sort = Literal["-composite", "composite", "code"]
COMPOSITE_PATTERN: Final = r"^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)$"
SCORE_NAMESPACE = UUID("6c69616e-7869-6e2d-8073-636f72652d31")


class UnknownSubject(NotFound):
    code = "unknown-subject"


class UnknownIndicator(NotFound):
    code = "unknown-indicator"


class NotPublished(NotFound):
    """Out of reach, unknown, or not closed yet: which of them is nobody's business."""

    code = "not-published"


class UnknownScheme(NotFound):
    code = "unknown-scheme"


class UnknownOrganisation(NotFound):
    code = "unknown-organisation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a subject stood in a period: its code, its organisation and, for a cadre, the peer group."""

    subject_code: str | None = None  # unknown until its register entry has arrived
    organisation_id: UUID | None = None
    peer_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    subject_kind: SubjectKind
    subject_id: UUID
    code: str
    name: str
    organisation_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    score_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    subject_code: str
    subject_name: str
    organisation_code: str | None
    organisation_name: str | None
    peer_group: str | None
    period_kind: PeriodKind
    period_start: date
    scheme_name: str
    scheme_version: int
    composite: Decimal | None
    present_weight: Decimal
    as_of: datetime
    computed_at: datetime
    revision: int
    correlation_id: str
    counts: Sequence[int] = ()  # numerator and denominator of each indicator, in the order of the scheme
    scheme_hash: bytes = b""
    period_last: date | None = None  # of a custom period


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreIndicator:
    score_id: UUID
    indicator: str
    numerator: int
    denominator: int
    value: Decimal | None
    points: Decimal | None
    weight: Decimal


def score_id_of(kind: str, subject_id: UUID, period: Period) -> UUID:
    """The same score has the same id wherever and however often it is computed."""
    days = period.label if period.kind == "custom" else period.start.isoformat()
    return uuid.uuid5(SCORE_NAMESPACE, f"{kind}/{subject_id}/{period.kind}/{days}")
