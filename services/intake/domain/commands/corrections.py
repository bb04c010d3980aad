"""Requests to put the record of a contact right, or to void it. `id` is the contact's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from services.intake.domain.commands.base import Command
from services.intake.domain.commands.contacts import ContactKind

AmendReason = Literal["mistyped", "wrong_time", "wrong_place", "wrong_people", "added_later", "other"]
VoidReason = Literal["duplicate", "did_not_happen", "wrong_cadre", "recorded_in_error", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendContact(Command):
    """The contact as it should have been recorded, all of it: what is absent was not so.

    Who led it and for which organisation is never amended: such a contact is voided and recorded anew. `version`, where
    it is given, is the one that the sender has seen. After `correct_within` of the recording only an officer may.
    """

    kind: ContactKind
    occurred_at: datetime
    duration_minutes: int | None = None
    population_group: str | None = None
    people_count: int | None = None
    people_by_group: Mapping[str, int] | None = None
    companions: tuple[str, ...] = ()
    first_on: date | None = None
    last_on: date | None = None
    place_code: str | None = None
    note: str | None = None
    version: int | None = None
    reason_code: AmendReason
    reason: str | None = None
    correct_within: timedelta | None = None
    record_within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidContact(Command):
    reason_code: VoidReason
    reason: str | None = None
    correct_within: timedelta | None = None
