"""What intake publishes of duties: what contact a kind of post owes in a period."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event
from shared.contracts.intake.contacts import ContactKind

DutyPeriod = Literal["month", "quarter", "half_year", "year"]
DutyUnit = Literal["count", "days", "households"]


class DutyDefined(Event):
    """What contact a kind of post owes in a period."""

    type: ClassVar[str] = "cn.lianxin.duty.defined.v1"
    key: ClassVar[str] = "intake.duty.defined.v1"
    aggregate: ClassVar[str] = "duty"
    summary: ClassVar[str] = "A contact duty of a kind of post was defined"

    duty_id: UUID
    post_kind: Code
    contact_kind: ContactKind
    required_count: Annotated[int, Field(ge=1, le=10_000)]
    per: DutyPeriod
    valid_from: date
    valid_until: date | None = None  # the last day, included
    organisation_id: UUID | None = None  # where it is owed, with everything below; absent, everywhere
    post_level: Code | None = None  # absent, of every level
    unit: DutyUnit = "count"  # times, days on which there was contact, or households


EVENTS: tuple[type[Event], ...] = (DutyDefined,)
