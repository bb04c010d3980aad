"""Looking, on stated days before a period ends, at who has not met the duties of it, and telling of it once."""

import tomllib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.assessment import metrics
from services.assessment.domain.duties import UNITS_OWED
from services.assessment.domain.reminders import Look, Reminders, Shortfall, find_shortfalls, looks_due, shortfall_id
from services.assessment.storage import reminders as storage
from services.assessment.storage.duties import list_duty_units
from services.assessment.storage.reminders import Staff
from shared import outbox
from shared.contracts.assessment import DutyShortfallFound, DutyShortfallsCounted
from shared.contracts.base import Event
from shared.database import Connection, Pool, transaction
from shared.observability import correlation_id
from shared.settings import UnsafeSetting

SHIPPED: Final = Path(__file__).parents[1] / "reminders.toml"
ORGANISATIONS_A_BATCH: Final = 50

_Days = Annotated[list[Annotated[int, Field(ge=0, le=365)]], Field(max_length=10)]


class _DaysBefore(BaseModel):
    model_config = ConfigDict(extra="forbid")

    month: _Days = []
    quarter: _Days = []
    half_year: _Days = []
    year: _Days = []


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    at_hour: Annotated[int, Field(ge=0, le=23)]
    days_before: _DaysBefore


def load_reminders(own: Path | None = None) -> Reminders:
    """Those of the installation in the place of those shipped. Raises UnsafeSetting naming what is wrong."""
    try:
        read = _File.model_validate(tomllib.loads((own or SHIPPED).read_text("utf-8")))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in fault["loc"])
        raise UnsafeSetting(f"refusing to start: LIANXIN_ASSESSMENT_REMINDERS: {place}: {fault['msg']}") from None
    except (OSError, ValueError) as error:
        raise UnsafeSetting(f"refusing to start: LIANXIN_ASSESSMENT_REMINDERS: {type(error).__name__}") from None
    return Reminders(at_hour=read.at_hour, days_before={per: getattr(read.days_before, per) for per in UNITS_OWED})


def remind(
    pool: Pool, reminders: Reminders, *, zone: ZoneInfo, now: datetime, batch: int = ORGANISATIONS_A_BATCH
) -> int:
    """Tell of all who fall short by the looks that are due; return how many cadres. Safe to run twice, also at once."""
    looks = looks_due(reminders, zone, now=now)
    if not looks:
        return 0
    with transaction(pool) as connection:
        waiting = storage.find_open(connection, looks)
        for look in waiting:
            storage.begin(connection, look, now=now)
    told = 0
    for look in waiting:
        while (step := _look_on(pool, look, zone=zone, now=now, batch=batch)) is not None:
            told += step
    return told


def _look_on(pool: Pool, look: Look, *, zone: ZoneInfo, now: datetime, batch: int) -> int | None:
    """The next organisations of a look, in one transaction; how many cadres that told of, None at its end."""
    today = now.astimezone(zone).date()
    with transaction(pool) as connection:
        after = storage.lock(connection, look)
        if after is None:
            return None
        staff = storage.list_staff(connection, after=after, on=today, limit=batch)
        if not staff:
            storage.set_done(connection, look, now=now)
            return None
        events = _describe(connection, look, staff, zone=zone, now=now)
        outgoing = [outbox.OutgoingEvent(event=event, sequence=1) for event in events]
        outbox.append(connection, outgoing, recorded_at=now, correlation_id=correlation_id())
        storage.set_looked(connection, look, staff[-1].organisation_id)
    cadres = sum(isinstance(event, DutyShortfallFound) for event in events)
    metrics.duty_shortfalls_found_total.inc(cadres)
    return cadres


def _describe(
    connection: Connection, look: Look, staff: Sequence[Staff], *, zone: ZoneInfo, now: datetime
) -> list[Event]:
    cadres = sorted({cadre_id for unit in staff for cadre_id in unit.cadre_ids})
    owed = list_duty_units(connection, [(cadre_id, look.period) for cadre_id in cadres], time_zone=zone.key)
    today = now.astimezone(zone).date()
    events: list[Event] = []
    for unit in staff:
        own = [duty for duty in owed if duty.organisation_id == unit.organisation_id]
        owing, short = find_shortfalls(own, today=today)
        if short:
            events += [_found(look, unit, shortfall, now) for shortfall in short]
            events.append(_counted(look, unit, owing=len(owing), short=len(short), now=now))
    return events


def _found(look: Look, unit: Staff, shortfall: Shortfall, now: datetime) -> DutyShortfallFound:
    return DutyShortfallFound.model_validate(
        {
            "duty_shortfall_id": shortfall_id(look, unit.organisation_id, shortfall.cadre_id),
            "cadre_id": shortfall.cadre_id,
            "organisation_id": unit.organisation_id,
            "per": look.period.kind,
            "period_start": look.period.start,
            "ends_on": look.period.end,
            "days_before": look.days_before,
            "found_at": now,
            "duties_short": shortfall.duties_short,
            "missing_count": shortfall.missing_count,
        }
    )


def _counted(look: Look, unit: Staff, *, owing: int, short: int, now: datetime) -> DutyShortfallsCounted:
    return DutyShortfallsCounted.model_validate(
        {
            "duty_shortfall_count_id": shortfall_id(look, unit.organisation_id),
            "organisation_id": unit.organisation_id,
            "per": look.period.kind,
            "period_start": look.period.start,
            "ends_on": look.period.end,
            "days_before": look.days_before,
            "counted_at": now,
            "cadres_owing": owing,
            "cadres_short": short,
        }
    )
