"""The events that assessment publishes: scores as they come to stand."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant, Title

SubjectKind = Literal["cadre", "organisation"]
PeriodKind = Literal["month", "quarter", "year"]
Points = Annotated[Decimal, Field(ge=0, le=1000, max_digits=8, decimal_places=4)]


class ScoreComputed(Event):
    """A score came to stand at a new value. Evidence for a body to weigh, never a verdict."""

    type: ClassVar[str] = "cn.lianxin.score.computed.v1"
    key: ClassVar[str] = "assessment.score.computed.v1"
    aggregate: ClassVar[str] = "score"
    summary: ClassVar[str] = "A score of a cadre or an organisation came to stand at a new value"

    score_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    subject_code: Code  # staff number or organisation code
    subject_name: Title
    organisation_id: UUID | None = None
    organisation_path: list[UUID] = Field(default=[], max_length=32)  # root first, itself last
    peer_group: Code | None = None
    period_kind: PeriodKind
    period_start: date
    composite: Points | None = None  # None: not enough evidence
    previous: Points | None = None
    scheme: Code
    scheme_version: Annotated[int, Field(ge=1)]
    computed_at: Instant


EVENTS: tuple[type[Event], ...] = (ScoreComputed,)
