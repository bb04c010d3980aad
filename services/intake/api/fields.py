"""Instants, days and pages as requests write them."""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, TypeAdapter, ValidationError

from shared.edge import Day, ShortText
from shared.errors import Rejected
from shared.pages import BadCursor

NO_ID: Final = str(UUID(int=0))  # before all others


class NotADay(Rejected):
    code = "bad-day"


def decode_id(text: str | None) -> UUID:
    """Raises BadCursor."""
    try:
        return UUID(text or NO_ID)
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None


def _without_margins(text: str) -> str:
    """Without the spaces around it, which nobody sees, and which a file does not bring back."""
    if not text.strip():
        raise ValueError("is made of spaces")
    return text.strip()


def read_day(text: str | None) -> date | None:
    """Raises NotADay."""
    if text is None:
        return None
    try:
        return _DAY.validate_python(text)
    except ValidationError:
        raise NotADay("a day is written 2026-03-01") from None


# Read by `read_day`: pydantic takes a day in a query for seconds since 1970 where it can.
OnDay = Annotated[str | None, Query(max_length=32, json_schema_extra={"format": "date"})]
TidyText = Annotated[ShortText, AfterValidator(_without_margins)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=2_000)]
_DAY: TypeAdapter[date] = TypeAdapter(Day)
