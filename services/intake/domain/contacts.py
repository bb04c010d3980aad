"""Contacts: what makes their times odd, who was met, and which of their values a repeat must match."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from services.intake.domain.citizens import digestible
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.times import CLOCK_TOLERANCE, EARLIEST, LATEST, TimeCheck, digest

CHINA: Final = ZoneInfo("Asia/Shanghai")
LATE_AFTER: Final = timedelta(days=7)
LONGEST_STAY: Final = timedelta(days=366)
MOST_COMPANIONS: Final = 20
MOST_PEOPLE: Final = 100_000
# What of every contact tells a repeat from a change, in this order.
DIGESTED: Final = (
    "staff_number",
    "organisation_code",
    "kind",
    "occurred_at",
    "recorded_at",
    "duration_minutes",
    "population_group",
    "people_count",
    "place_code",
    "note",
)
_digested_of = attrgetter(*DIGESTED)


class Described(Protocol):
    """What a recording and an amendment say of a contact."""

    @property
    def kind(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def population_group(self) -> str | None: ...
    @property
    def people_count(self) -> int | None: ...
    @property
    def people_by_group(self) -> Mapping[str, int] | None: ...
    @property
    def companions(self) -> tuple[str, ...]: ...
    @property
    def first_on(self) -> date | None: ...
    @property
    def last_on(self) -> date | None: ...


def check_contact(command: RecordContact, *, now: datetime, allow_odd: bool, may_be_late: bool = False) -> TimeCheck:
    """`may_be_late` says that an officer gave a reason. A late entry that is taken is flagged, for whoever reads it."""
    check = TimeCheck(now=now, allow_odd=allow_odd)
    if check.bounded(command.occurred_at, command.recorded_at):
        check.not_in_future("occurred_in_future", command.occurred_at)
        check.not_in_future("recorded_in_future", command.recorded_at)
        check.in_order("recorded_before_occurred", command.occurred_at, command.recorded_at)
        _check_late(command, check, may_be_late=may_be_late)
        check.refusal = check.refusal or check_content(command, now=now)
        if check.refusal is None and command.staff_number in command.companions:
            check.refusal = _refused("companion-led", "who led a contact did not come along to it")
    return check


def _check_late(command: RecordContact, check: TimeCheck, *, may_be_late: bool) -> None:
    recorded_at = command.recorded_at or check.now
    limit = command.record_within
    if limit is not None and not may_be_late and command.occurred_at < recorded_at - limit and check.refusal is None:
        check.refusal = too_long_ago(limit)
    if not check.allow_odd and command.occurred_at < recorded_at - LATE_AFTER:
        check.flags.append("recorded_late")


def list_plainly_timed(
    occurred_at: Sequence[datetime], recorded_at: Sequence[datetime | None], *, now: datetime
) -> list[int]:
    """The places of those whose times nothing speaks against, neither a refusal nor a flag."""
    latest = min(now + CLOCK_TOLERANCE, LATEST)
    return [
        place
        for place, (occurred, recorded) in enumerate(zip(occurred_at, recorded_at, strict=True))
        if EARLIEST <= occurred <= (recorded or latest) <= latest
    ]


def too_long_ago(limit: timedelta) -> Outcome:
    return _refused("too-long-ago", f"after {limit.days} days an officer enters it, with the reason (late_reason)")


def check_content(command: Described, *, now: datetime) -> Outcome | None:
    """What contradicts itself in what is said of a contact; None where nothing does."""
    if command.people_by_group is not None and (command.population_group, command.people_count) != (None, None):
        return _refused("people-said-twice", "either one group and a count, or the groups with their counts")
    if sum((command.people_by_group or {}).values()) > MOST_PEOPLE:
        return _refused("too-many-people", f"no contact is with more than {MOST_PEOPLE} people")
    if len(set(command.companions)) != len(command.companions):
        return _refused("companion-named-twice", "each who came along is named once")
    return _check_stay(command, now=now)


def _check_stay(command: Described, *, now: datetime) -> Outcome | None:
    first, last = command.first_on, command.last_on
    if first is None and last is None:
        return None
    if command.kind != "field_stay":
        return _refused("days-without-stay", "only a field stay has a first and a last day")
    if first is None or last is None or not timedelta(0) <= last - first < LONGEST_STAY:
        return _refused("stay-out-of-order", "a stay has a first and a last day in this order, within a year")
    if last > now.astimezone(CHINA).date():
        return _refused("stay-in-future", "a stay is recorded when it has ended")
    if not first <= command.occurred_at.astimezone(CHINA).date() <= last:
        return _refused("occurred-outside-stay", "the time of a stay lies within its days")
    return None


def sum_people(command: Described) -> tuple[str | None, int | None]:
    """The one group and one count that stand for all: of several groups the largest, of equals the first by name."""
    groups = command.people_by_group
    if not groups:
        return command.population_group, command.people_count
    return min(groups, key=lambda name: (-groups[name], name)), sum(groups.values())


def digest_contact(command: RecordContact) -> bytes:
    """What came later to contacts is told apart only where it is said: the digests of older ones stay as they are."""
    later = (
        sorted((command.people_by_group or {}).items()),
        sorted(command.companions),
        command.first_on and command.first_on.isoformat(),
        command.last_on and command.last_on.isoformat(),
    )
    return digest(
        (
            *_digested_of(command),
            *digestible(command.citizen),
            *(later if any(later) else ()),
        )
    )


def _refused(code: str, detail: str) -> Outcome:
    return Outcome(status="rejected", code=code, detail=detail)
