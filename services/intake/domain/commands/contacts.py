"""Requests about contacts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.base import DIRECT, Command

ContactKind = Literal[
    "visit",
    "reception",
    "outreach_reception",
    "field_stay",
    "paired_assistance",
    "discussion_meeting",
    "field_study",
    "volunteer_service",
    "online",
    "hotline_duty",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContact(Command):
    """Natural key: source and source number where there is one, else the id. `recorded_at` absent: now.

    `staff_number` is who led, `companions` who came along. Older than `record_within` it needs an officer, who gives
    the `late_reason`.
    """

    staff_number: str
    kind: ContactKind
    occurred_at: datetime
    organisation_code: str | None = None
    recorded_at: datetime | None = None
    duration_minutes: int | None = None
    population_group: str | None = None
    people_count: int | None = None
    people_by_group: Mapping[str, int] | None = None
    companions: tuple[str, ...] = ()
    first_on: date | None = None
    last_on: date | None = None
    place_code: str | None = None
    note: str | None = None
    late_reason: str | None = None
    record_within: timedelta | None = None
    citizen: Citizen | None = None
    source: str = DIRECT
    source_number: str | None = None
