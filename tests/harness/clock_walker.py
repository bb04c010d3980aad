"""The oracle of the clocks: walks through every minute of a case, plainly, and shares no counting with them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from services.intake.domain.clocks.events import ClockEvent
from services.intake.domain.clocks.rules import Clock, ClockRule
from shared.working_time import Calendar

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GIVE_UP_AFTER = 2_000_000  # minutes without an end: nearly four years

# Said once more, in the words of the documentation, so that a slip in the other list is found.
WELL = {
    "dispatch": {"assigned", "transferred"},
    "sign_in": {"signed", "contacted", "replied", "closed"},
    "first_contact": {"contacted", "replied"},
    "close": {"closed"},
    "reply": {"replied"},
    "dispatch_objection": {"objected", "returned"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`rules` by occasion and urgency; `now` is when the clock is read. All times are whole minutes."""

    clock: Clock
    events: list[ClockEvent]
    rules: dict[tuple[str, str], ClockRule]
    calendar: Calendar
    now: datetime


@dataclass(slots=True, kw_only=True)
class Walked:
    """What the walker found of one turn, in the words of `Reading`."""

    state: str
    started_at: datetime | None
    due_at: datetime | None = None
    stopped_at: datetime | None = None
    used: int = 0
    paused: int = 0
    budget_left: int | None = None
    rule: str = ""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one rule has counted since its start. Minutes are numbered from 1970."""

    rule: ClockRule
    start: int
    total: int
    counts: Callable[[int], bool]
    counted: int = 0
    paused: int = 0
    due: int | None = None
    history: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])  # by minutes since the start

    @property
    def budget(self) -> int | None:
        budget = self.rule.pause_budget
        return None if budget is None else budget * size(self.rule)

    @property
    def is_by_days(self) -> bool:
        return self.rule.limit.unit in {"natural_days", "working_days"}

    @classmethod
    def begin(cls, rule: ClockRule, start: int, calendar: Calendar, *, extra: int = 0) -> "Tally":
        total = (rule.limit.count + extra) * size(rule)
        return cls(rule=rule, start=start, total=total, counts=counting(rule, start, calendar))

    def at(self, minute: int) -> tuple[int, int]:
        return self.history[minute - self.start] if minute > self.start else (0, 0)


def size(rule: ClockRule) -> int:
    """How many of what is counted make up one of the limit: days count as days, everything else as minutes."""
    return 60 if rule.limit.unit in {"hours", "working_hours"} else 1


def walk(case: Case) -> list[Walked]:
    events = sorted(case.events, key=lambda event: event.at)
    walked: list[Walked] = []
    occasion = "first"
    begin = next((number for number, event in enumerate(events) if event.kind == "received"), None)
    while begin is not None:
        urgency = "normal"
        for event in events[: begin + 1]:
            urgency = event.urgency or urgency
        rule = case.rules.get((occasion, urgency))
        if rule is None:
            return walked
        if occasion == "first":
            kinds = [event.kind for event in events]
            if rule.starts_on not in kinds:
                return [Walked(state="not_started", started_at=None, budget_left=rule.pause_budget)]
            begin = kinds.index(rule.starts_on)
        end = _find_next_turn(case, events, begin, rule)
        walked.append(_walk_turn(case, events, begin, end, occasion, rule))
        if end is None:
            return walked
        occasion = {"redo_ordered": "redo_ordered", "reopened": "reopened"}.get(events[end].kind, "transferred")
        begin = end
    return walked


def _find_next_turn(case: Case, events: list[ClockEvent], begin: int, rule: ClockRule) -> int | None:
    returned = False
    for number, event in enumerate(events):
        if number <= begin:
            continue
        if event.kind == "returned":
            returned = True
        if event.kind in rule.restarts_on:
            return number
        if case.clock == "sign_in" and returned and event.kind == "assigned":
            return number
    return None


def _stops(case: Case, event: ClockEvent) -> str | None:
    if event.kind in WELL[case.clock]:
        return "met"
    if event.kind == "returned" and case.clock == "sign_in":
        return "ended"
    if event.kind == "closed" and case.clock != "reply":
        return "ended"
    if event.kind == "closed" and event.outcome in {"withdrawn", "merged", "not_accepted"}:
        return "ended"
    return None


def _walk_turn(
    case: Case, events: list[ClockEvent], begin: int, end: int | None, occasion: str, rule: ClockRule
) -> Walked:
    last = len(events) if end is None else end
    stop_number = _find_stop(case, events, 0 if occasion == "first" else begin + 1, last)
    stop = None if stop_number is None else events[stop_number]
    ends_at = None if end is None else events[end].at
    stops_at = ends_at if stop is None else stop.at
    heard = _list_heard(events[begin + 1 : last if stop_number is None else stop_number], rule)
    tallies, pauses = _walk_minutes(
        case, _Walk(before=events[: begin + 1], heard=heard, occasion=occasion, rule=rule), read_until=stops_at
    )
    return _read(case, tallies, stop, ends_at, pauses)


def _find_stop(case: Case, events: list[ClockEvent], first: int, last: int) -> int | None:
    for number in range(first, last):
        if _stops(case, events[number]):
            return number
    return None


def _list_heard(events: list[ClockEvent], rule: ClockRule) -> list[tuple[int, ClockEvent]]:
    if rule.extension_counts_from == "decision":
        return [(number_of(event.at), event) for event in events]
    return sorted((_asked(event) for event in events), key=lambda pair: pair[0])


@dataclass(slots=True, kw_only=True)
class _Walk:
    before: list[ClockEvent]  # up to the one that begins the turn
    heard: list[tuple[int, ClockEvent]]
    occasion: str
    rule: ClockRule


def _walk_minutes(case: Case, walk: _Walk, *, read_until: datetime | None) -> tuple[list[Tally], list[str | None]]:
    """What was counted, and which pause went on in the minute before each, by minutes since the start."""
    start, rule = number_of(walk.before[-1].at), walk.rule
    read_at = number_of(case.now if read_until is None else min(case.now, read_until))
    paused_for = pauses_before = None
    for event in walk.before:
        if number_of(event.at) < start:
            pauses_before = _pause_after(pauses_before, event)
        paused_for = _pause_after(paused_for, event)
    tallies = [Tally.begin(rule, start, case.calendar)]
    pauses: list[str | None] = []
    extended = 0
    for minute in range(start, start + GIVE_UP_AFTER):
        for tally in tallies if minute > start else ():
            _tick(tally, minute, paused_for)
        pauses[minute - start :] = [paused_for if minute > start else pauses_before]
        while walk.heard and walk.heard[0][0] <= minute:
            _, event = walk.heard.pop(0)
            if not _is_over(tallies, minute):
                paused_for = _pause_after(paused_for, event)
                extended += _extend(case, event, tallies, extended)
                _change(case, event, tallies, (walk.occasion, extended, pauses, paused_for))
        if minute > read_at and (_is_over(tallies, minute) or (not walk.heard and _is_stuck(tallies, paused_for))):
            return tallies, pauses
    raise AssertionError("the walk does not end")


def _is_over(tallies: list[Tally], minute: int) -> bool:
    return any(tally.due is not None and tally.due < minute for tally in tallies)


def _asked(event: ClockEvent) -> tuple[int, ClockEvent]:
    if event.kind == "extended" and event.asked_at is not None:
        return number_of(event.asked_at), event
    return number_of(event.at), event


def _pause_after(paused_for: str | None, event: ClockEvent) -> str | None:
    if event.kind == "paused":
        return event.reason
    if event.kind in {"resumed", "closed", "redo_ordered", "reopened"}:
        return None
    return paused_for


def _extend(case: Case, event: ClockEvent, tallies: list[Tally], extended: int) -> int:
    most = 0
    if event.kind != "extended" or event.clock != case.clock or event.extension is None:
        return most
    for tally in tallies:
        if tally.rule.limit.unit != event.extension.unit:
            continue
        granted = min(event.extension.count, max(0, tally.rule.extension_most - extended))
        if granted:
            tally.total += granted * size(tally.rule)
            tally.due = None
        most = max(most, granted)
    return most


def _change(
    case: Case, event: ClockEvent, tallies: list[Tally], walked: tuple[str, int, list[str | None], str | None]
) -> None:
    """Another urgency: counted anew from the start if that is no earlier, else from now beside what is counted."""
    occasion, extended, pauses, paused_for = walked
    rule = case.rules.get((occasion, event.urgency or ""))
    if event.kind != "urgency_set" or rule is None:
        return
    calendar = case.calendar
    start = tallies[0].start
    minute = start + len(pauses) - 1
    same = rule.limit.unit == tallies[0].rule.limit.unit
    wide = Tally.begin(rule, start, calendar, extra=min(extended, rule.extension_most) if same else 0)
    for passed in range(1, len(pauses)):
        _tick(wide, start + passed, pauses[passed])
    stood = _look_ahead(tallies, minute, paused_for)
    wider = _look_ahead([wide], minute, paused_for)
    if wider is None or (stood is not None and wider >= stood):
        tallies[:] = [wide]
    else:
        tallies.append(Tally.begin(rule, minute, calendar))


def _look_ahead(tallies: list[Tally], minute: int, paused_for: str | None) -> int | None:
    """The first due minute if nothing more happens."""
    copies = [replace(tally, history=[]) for tally in tallies]
    for _ in range(GIVE_UP_AFTER):
        known = [tally.due for tally in copies if tally.due is not None]
        if known:
            return min(known)
        if _is_stuck(copies, paused_for):
            return None
        minute += 1
        for tally in copies:
            _tick(tally, minute, paused_for)
    raise AssertionError("the look ahead does not end")


def _is_stuck(tallies: list[Tally], paused_for: str | None) -> bool:
    return all(
        tally.due is None and paused_for in tally.rule.pause_reasons and tally.rule.pause_budget is None
        for tally in tallies
    )


def _tick(tally: Tally, minute: int, paused_for: str | None) -> None:
    """One minute has passed, up to this one."""
    if tally.counts(minute):
        is_held = paused_for is not None and paused_for in tally.rule.pause_reasons
        budget = tally.budget if is_held else 0
        if budget is None or tally.paused < budget:
            tally.paused += 1
        else:
            tally.counted += 1
            if tally.counted == tally.total and tally.due is None:
                tally.due = minute
    tally.history.append((tally.counted, tally.paused))


def counting(rule: ClockRule, start: int, calendar: Calendar) -> Callable[[int], bool]:
    """Whether the minute that ends with this one counts, or with it a day."""
    unit, hours = rule.limit.unit, calendar.hours
    if unit in {"minutes", "hours"}:
        return lambda _: True

    def is_worked_minute(minute: int) -> bool:
        day, of_day = divmod(_wall(minute - 1, calendar), 1440)
        return any(opens <= of_day < closes for opens, closes in hours) and _is_worked(day, calendar)

    if unit == "working_hours":
        return is_worked_minute
    begun_day, begun_of_day = divmod(_wall(start, calendar), 1440)
    # A day has its moment when it ends, when its work ends, or when it is as old as the day of the start was then.
    moment = {"end_of_day": 1440, "end_of_working_day": hours[-1][1]}.get(rule.ends, begun_of_day)
    first_day = begun_day if rule.counts_first_day else begun_day + 1

    def is_day_at_its_moment(minute: int) -> bool:
        wall = _wall(minute, calendar)
        if wall % 1440 != moment % 1440:
            return False
        day = wall // 1440 - moment // 1440
        return day >= first_day and (unit == "natural_days" or _is_worked(day, calendar))

    return is_day_at_its_moment


_DISTANCES: dict[int, int] = {}


def _wall(minute: int, calendar: Calendar) -> int:
    """What the clock on the wall shows. Its distance from UTC never changes within an hour: it is looked up once."""
    hour = minute // 60
    if hour not in _DISTANCES:
        offset = instant_of(minute).astimezone(calendar.zone).utcoffset() or timedelta()
        _DISTANCES[hour] = offset // MINUTE
    return minute + _DISTANCES[hour]


def _is_worked(day_number: int, calendar: Calendar) -> bool:
    day = date(1970, 1, 1) + timedelta(days=day_number)
    if day in calendar.working_weekends:
        return True
    return day.isoweekday() <= 5 and day not in calendar.holidays


def number_of(instant: datetime) -> int:
    return (instant - EPOCH) // MINUTE


def instant_of(minute: int) -> datetime:
    return EPOCH + minute * MINUTE


def _read(
    case: Case, tallies: list[Tally], stop: ClockEvent | None, end: datetime | None, pauses: list[str | None]
) -> Walked:
    first = min(tallies, key=lambda tally: math.inf if tally.due is None else tally.due)
    due_at = None if first.due is None else instant_of(first.due)
    stopped_at = stop.at if stop is not None else end
    reference = stopped_at or case.now
    started_at = instant_of(tallies[0].start)
    walked = Walked(state="running", started_at=started_at, due_at=due_at, stopped_at=stopped_at, rule=first.rule.name)
    if due_at is not None and due_at < reference:
        walked.state = "missed"
        if case.clock == "dispatch_objection":
            walked.state, walked.stopped_at = "ended", due_at
    elif stop is not None:
        walked.state = _stops(case, stop) or ""
    elif end is not None:
        walked.state = "ended"
    read_at = min(number_of(instant) for instant in (case.now, stopped_at, due_at) if instant is not None)
    counted, paused = first.at(read_at)
    seconds = 1 if first.is_by_days else 60
    walked.used, walked.paused = counted * seconds, paused * seconds
    if first.budget is not None:
        walked.budget_left = (first.budget - paused) * seconds
    if walked.state == "running":
        now = number_of(case.now)
        reason = pauses[now - tallies[0].start]
        before = paused if first.is_by_days else first.at(now - 1)[1]
        is_held = reason is not None and reason in first.rule.pause_reasons
        if is_held and (first.budget is None or before < first.budget):
            walked.state = "paused"
    return walked
