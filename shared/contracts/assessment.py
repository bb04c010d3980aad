"""The events that assessment publishes: scores as they come to stand, and duties that may not be met."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event, Instant, Title
from shared.contracts.intake.duties import DutyPeriod

SubjectKind = Literal["cadre", "organisation"]
PeriodKind = Literal["month", "quarter", "year"]
DaysBefore = Annotated[int, Field(ge=0, le=365)]  # a period's last day
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


class DutyShortfallFound(Event):
    """So many days before a period ends, a cadre has not done yet what the posts held in one organisation owe of it.

    Once a cadre, organisation, period and number of days. What was recorded late is reckoned with the next time.
    """

    type: ClassVar[str] = "cn.lianxin.duty_shortfall.found.v1"
    key: ClassVar[str] = "assessment.duty_shortfall.found.v1"
    aggregate: ClassVar[str] = "duty_shortfall"
    dated_by: ClassVar[str | None] = "found_at"
    summary: ClassVar[str] = "A period comes to its end, and duties of a cadre in it are not met yet"

    duty_shortfall_id: UUID
    cadre_id: UUID
    organisation_id: UUID
    per: DutyPeriod
    period_start: date
    ends_on: date  # the last day, included
    days_before: DaysBefore
    found_at: Instant
    duties_short: Annotated[int, Field(ge=1, le=10_000)]  # how many duties are not met
    missing_count: Annotated[int, Field(ge=1, le=100_000_000)]  # contacts, days and households of all of them


class DutyShortfallsCounted(Event):
    """The same, summed up for one organisation: how many of its cadres have not done yet what they owe."""

    type: ClassVar[str] = "cn.lianxin.duty_shortfall.counted.v1"
    key: ClassVar[str] = "assessment.duty_shortfall.counted.v1"
    aggregate: ClassVar[str] = "duty_shortfall_count"
    dated_by: ClassVar[str | None] = "counted_at"
    summary: ClassVar[str] = "A period comes to its end, and cadres of an organisation have not met their duties yet"

    duty_shortfall_count_id: UUID
    organisation_id: UUID
    per: DutyPeriod
    period_start: date
    ends_on: date
    days_before: DaysBefore
    counted_at: Instant
    cadres_owing: Annotated[int, Field(ge=1, le=1_000_000)]
    cadres_short: Annotated[int, Field(ge=1, le=1_000_000)]


EVENTS: tuple[type[Event], ...] = (ScoreComputed, DutyShortfallFound, DutyShortfallsCounted)
