"""Who is told of what, when and how."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal

from shared.working_time import Calendar

Relation = Literal["responsible", "named", "clerks", "heads", "officers", "group", "superior", "owner"]
Mode = Literal["at_once", "digest"]
Preferred = Literal["at_once", "digest", "off"]

AFTER_DIGEST: Final = timedelta(hours=12)  # so long what waits for a time is worth telling from then on, at least
ROLE_OF: Final = {
    "clerks": "clerk",
    "heads": "unit_head",
    "officers": "department_officer",
    "superior": "unit_head",
}
UPWARDS: Final = frozenset({"officers", "superior"})  # in the unit, or the nearest above it where there is any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`while_open`: it is not worth telling any more once the issue is closed."""

    code: str
    event: str
    to: Relation
    topic: str
    mode: Mode
    valid_for: timedelta
    is_compulsory: bool = False
    while_open: bool = False


# Told of by the calendar, and not by an event.
PERIOD_SUMMARY: Final = Rule(
    code="period-summary",
    event="",
    to="heads",
    topic="period_summary",
    mode="digest",
    valid_for=timedelta(days=14),
)
# Told of what notify itself knows of endpoints, to whoever looks after one.
ENDPOINT_DISABLED: Final = Rule(
    code="endpoint-disabled",
    event="",
    to="owner",
    topic="endpoint_disabled",
    mode="at_once",
    valid_for=timedelta(days=7),
    is_compulsory=True,
)
ENDPOINT_FAILING: Final = Rule(
    code="endpoint-failing",
    event="",
    to="owner",
    topic="endpoint_failing",
    mode="at_once",
    valid_for=timedelta(hours=24),
)
ENDPOINT_KEY_ENDS: Final = Rule(
    code="endpoint-key-ends",
    event="",
    to="owner",
    topic="endpoint_key_ends",
    mode="at_once",
    valid_for=timedelta(hours=12),
)
WITHOUT_EVENT: Final = (PERIOD_SUMMARY, ENDPOINT_DISABLED, ENDPOINT_FAILING, ENDPOINT_KEY_ENDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """When somebody wants to be told, on the clocks of the wall. Quiet hours may go over midnight."""

    quiet_from: time
    quiet_until: time
    digest_at: time

    def is_quiet(self, wall: time) -> bool:
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= wall < self.quiet_until
        return wall >= self.quiet_from or wall < self.quiet_until


def choose_mode(rule: Rule, own: Preferred | None, of_unit: Preferred | None) -> Mode | None:
    """What a person prefers goes before what their unit does. None: not at all, which nothing compulsory is."""
    preferred = own or of_unit or rule.mode
    if preferred != "off":
        return preferred
    return rule.mode if rule.is_compulsory else None


def due_at(mode: Mode, habits: Habits, calendar: Calendar, *, now: datetime) -> datetime:
    """At once, but not in quiet hours; or with the next digest, which comes on working days alone."""
    if mode == "digest":
        return next_digest(habits, calendar, now=now)
    wall = now.astimezone(calendar.zone)
    if not habits.is_quiet(wall.time()):
        return now
    today = calendar.at(wall.date(), _since_midnight(habits.quiet_until))
    return today if today > now else calendar.at(wall.date() + timedelta(days=1), _since_midnight(habits.quiet_until))


def next_digest(habits: Habits, calendar: Calendar, *, now: datetime) -> datetime:
    day = calendar.day_of(now)
    if not calendar.is_working_day(day) or calendar.at(day, _since_midnight(habits.digest_at)) <= now:
        day = calendar.step_forward(day, 1)
    return calendar.at(day, _since_midnight(habits.digest_at))


def _since_midnight(wall: time) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute)
