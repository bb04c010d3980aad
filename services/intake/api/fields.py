"""Instants, days and pages as requests write them."""

from datetime import UTC, date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, TypeAdapter, ValidationError

from services.intake.domain.times import EARLIEST, LATEST
from shared.edge import ShortText
from shared.errors import Rejected
from shared.pages import BadCursor

NO_ID: Final = str(UUID(int=0))  # before all others


class NotADay(Rejected):
    code = "bad-day"


def _written_out(value: object) -> str:
    """A text that begins with its year: pydantic would take one of digits only for seconds since 1970."""
    if not isinstance(value, str) or value[4:5] != "-":
        raise ValueError("is not written as ISO 8601 has it")
    return value


def _day_only(text: str) -> str:
    if len(text) != len("2026-03-01"):
        raise ValueError("is not a day alone")
    return text


def _in_utc(instant: datetime) -> datetime:
    """In UTC, because PostgreSQL refuses some offsets that ISO 8601 allows."""
    if not EARLIEST <= instant <= LATEST:
        raise ValueError("lies out of range")
    return instant.astimezone(UTC)


def _in_range(day: date) -> date:
    if not EARLIEST.date() <= day <= LATEST.date():
        raise ValueError("lies out of range")
    return day


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


# Not strict, because what a validator hands on is no JSON to pydantic any more; the validators are strict enough.
Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out), AfterValidator(_in_utc)]
Day = Annotated[
    date,
    Field(strict=False),
    BeforeValidator(_day_only),
    BeforeValidator(_written_out),
    AfterValidator(_in_range),
]
# Read by `read_day`: pydantic takes a day in a query for seconds since 1970 where it can.
OnDay = Annotated[str | None, Query(max_length=32, json_schema_extra={"format": "date"})]
TidyText = Annotated[ShortText, AfterValidator(_without_margins)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=2_000)]
_DAY: TypeAdapter[date] = TypeAdapter(Day)
