"""When somebody is reminded of duties that are not met, and who falls short of them by then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from services.assessment.domain.duties import UNITS_OWED, DutyUnit
from services.assessment.domain.periods import CalendarKind, Period, period_of

_NAMES: Final = UUID("6a0d3c52-8f0b-5c53-9a57-1f5b1f0c2f6e")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminders:
    """`days_before` the last day of a period, and from which hour of that day on."""

    at_hour: int
    days_before: Mapping[CalendarKind, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at everybody who owes something in a period, so many days before it ends."""

    period: Period
    days_before: int

    @property
    def day(self) -> date:
        return self.period.end - timedelta(days=self.days_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """What a cadre's posts in one organisation still owe of a period: how many duties, and how much of all of them."""

    cadre_id: UUID
    duties_short: int
    missing_count: int


def looks_due(reminders: Reminders, zone: ZoneInfo, *, now: datetime) -> list[Look]:
    """Of each period that runs, the newest look whose time has come.

    What an earlier one would have told is told by the newest one; of a period that is over there is nobody to remind.
    """
    today = now.astimezone(zone).date()
    found = []
    for per in UNITS_OWED:
        period = period_of(per, today)
        looks = [Look(period=period, days_before=days) for days in sorted(reminders.days_before.get(per, ()))]
        newest = next((look for look in looks if _begins_at(look, reminders.at_hour, zone) <= now), None)
        if newest is not None and newest.day >= period.start:
            found.append(newest)
    return found


def find_shortfalls(units: Iterable[DutyUnit], *, today: date) -> tuple[set[UUID], list[Shortfall]]:
    """Who owes anything by the end of the period, and who has not done it yet, of the duties that still hold today."""
    owing: set[UUID] = set()
    missing: dict[UUID, list[int]] = {}
    for unit in units:
        period = Period(kind=unit.per, start=unit.unit_start)
        owed = unit.owed(period.next_start)
        if not unit.is_held_on(today) or owed == 0:
            continue
        owing.add(unit.cadre_id)
        if unit.done < owed:
            missing.setdefault(unit.cadre_id, []).append(owed - unit.done)
    short = [
        Shortfall(cadre_id=cadre_id, duties_short=len(amounts), missing_count=sum(amounts))
        for cadre_id, amounts in sorted(missing.items())
    ]
    return owing, short


def shortfall_id(look: Look, organisation_id: UUID, cadre_id: UUID | None = None) -> UUID:
    """The same for the same look, so that no reader can take it for another one."""
    whom = f"{organisation_id}/{cadre_id or ''}"
    return uuid5(_NAMES, f"{look.period.kind}/{look.period.start}/{look.days_before}/{whom}")


def _begins_at(look: Look, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(look.day, time(hour), zone)
