"""What intake publishes of the rules of the clocks: by which limits issues are handled from when on."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Code, Event


class ClockRuleDefined(Event):
    """A version of a rule was agreed to by two persons. Each version is told once, and none is ever changed."""

    type: ClassVar[str] = "cn.lianxin.clock_rule.defined.v1"
    key: ClassVar[str] = "intake.clock_rule.defined.v1"
    aggregate: ClassVar[str] = "clock_rule"
    summary: ClassVar[str] = "A version of a rule for deadlines was defined"

    clock_rule_id: UUID  # of this version
    code: Code
    version: Annotated[int, Field(ge=1, le=10_000)]
    clock: Code
    limit: Annotated[str, Field(max_length=20)]  # as in "5 working_days"
    organisation_code: Code | None = None  # with all below it; absent, everywhere
    valid_from: date
    valid_until: date | None = None  # the last day, included


EVENTS: tuple[type[Event], ...] = (ClockRuleDefined,)
