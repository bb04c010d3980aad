"""What intake publishes of duties: what contact a kind of post owes in a period."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event
from shared.contracts.intake.contacts import ContactKind

DutyPeriod = Literal["month", "quarter", "year"]


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


EVENTS: tuple[type[Event], ...] = (DutyDefined,)
