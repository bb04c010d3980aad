"""Instants, days and pages as requests write them."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime

from services.intake.domain.times import EARLIEST, LATEST


def _in_utc(instant: datetime) -> datetime:
    """In UTC, because PostgreSQL refuses some offsets that ISO 8601 allows."""
    if not EARLIEST <= instant <= LATEST:
        raise ValueError("lies out of range")
    return instant.astimezone(UTC)


def _in_range(day: date) -> date:
    if not EARLIEST.date() <= day <= LATEST.date():
        raise ValueError("lies out of range")
    return day


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Day = Annotated[date, AfterValidator(_in_range)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=2_000)]
