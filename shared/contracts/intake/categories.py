"""What intake publishes of the categories of issues."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.contracts.base import Code, Event, Title


class CategoryDefined(Event):
    """A category was defined, or says otherwise from a day on. What was filed under it before keeps its former name."""

    type: ClassVar[str] = "cn.lianxin.category.defined.v1"
    key: ClassVar[str] = "intake.category.defined.v1"
    aggregate: ClassVar[str] = "category"
    summary: ClassVar[str] = "A category of issues was defined, renamed, moved or retired"

    category_id: UUID
    code: Code
    name: Title
    parent_id: UUID | None = None
    organisation_id: UUID | None = None  # where it holds, with everything below; absent, everywhere
    is_retired: bool = False
    from_on: date | None = None  # the first day on which it says so; absent, it always did


EVENTS: tuple[type[Event], ...] = (CategoryDefined,)
