"""One turn of a clock: its events gone through in order, as long as it can still be held."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from services.intake.domain.clocks.counting import UNITS, Pause, Run, Used, find_due, is_held_up, measure
from services.intake.domain.clocks.events import MET_BY, ClockEvent, EventKind, RuleFor, Turn, ends_unmet
from services.intake.domain.clocks.rules import WINDOWS, Clock, ClockRule, Limit, Occasion
from shared.working_time import ONE_DAY, Calendar, WorkingTime

State = Literal["not_started", "running", "paused", "met", "missed", "ended"]

PAUSE_ENDS: Final[frozenset[EventKind]] = frozenset({"resumed", "closed", "redo_ordered", "reopened"})
PAUSING: Final[frozenset[EventKind]] = PAUSE_ENDS | {"paused"}
MOVING: Final[frozenset[EventKind]] = PAUSING | {"extended", "urgency_set"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One turn of a clock at an instant: `due_at` is when it is missed if nothing more happens, None if never.

    Amounts are in days where the rule counts days, else in seconds. Without a rule the deadline was told. `run` is what
    the deadline was counted from, and `notes` tell what was heard too late or went beyond the rule.
    """

    clock: Clock
    turn: int
    occasion: Occasion
    state: State
    started_at: datetime | None
    due_at: datetime | None
    stopped_at: datetime | None = None
    rule: ClockRule | None = None
    run: Run | None = None
    used: int = 0
    paused: int = 0
    budget_left: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class TurnReader:
    """`ordered` are all events by time; the turn begins at `start` and ends before `ending`."""

    turn: Turn
    ordered: Sequence[ClockEvent]
    start: int
    ending: int
    rule_for: RuleFor
    calendar: Calendar
    runs: list[Run] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    extended: int = 0
    notes: list[str] = field(default_factory=list)

    def read(self, rule: ClockRule, now: datetime) -> Reading:
        for event in self.ordered[: self.start + 1]:
            self._note_pause(event)
        self.runs = [
            self._hold_up(Run(start=self.ordered[self.start].at, rule=rule, total=rule.limit.count, pauses=()))
        ]
        for event in self._moving_events(rule):
            due_at, _ = self._due()
            if due_at is None or event.at <= due_at:
                self._take(event)
            elif event.kind == "extended":
                self.notes.append("extension_too_late")
        return self._reading(now)

    def read_told(self, due_at: datetime, now: datetime) -> Reading:
        """A told deadline moves with extensions alone: whoever told it knows of pauses."""
        for event in self.ordered[self.start + 1 : self._stop_place()]:
            if event.clock != self.turn.clock or event.at > due_at:
                continue
            if event.until is not None:
                due_at = max(due_at, event.until)
            if event.extension is not None:
                due_at = lengthen(due_at, event.extension, self.calendar)
        state, stopped_at = self._state(due_at, now)
        return self._blank(state=state, due_at=due_at, stopped_at=stopped_at, notes=("told",))

    def _reading(self, now: datetime) -> Reading:
        due_at, run = self._due()
        state, stopped_at = self._state(due_at, now)
        if state == "running" and is_held_up(run, self.calendar, at=now):
            state = "paused"
        until = min(instant for instant in (now, stopped_at, due_at) if instant is not None)
        used = measure(run, self.calendar, until=until)
        return replace(
            self._blank(state=state, due_at=due_at, stopped_at=stopped_at, notes=tuple(dict.fromkeys(self.notes))),
            rule=run.rule,
            run=run,
            used=used.used,
            paused=used.paused,
            budget_left=budget_left(run.rule, used),
        )

    def _blank(
        self, *, state: State, due_at: datetime | None, stopped_at: datetime | None, notes: tuple[str, ...]
    ) -> Reading:
        return Reading(
            clock=self.turn.clock,
            turn=self.turn.number,
            occasion=self.turn.occasion,
            state=state,
            started_at=self.ordered[self.start].at,
            due_at=due_at,
            stopped_at=stopped_at,
            notes=notes,
        )

    def _due(self) -> tuple[datetime | None, Run]:
        """The deadline and the run that it comes from: the earliest of several."""
        best_due, best_run = find_due(self.runs[0], self.calendar), self.runs[0]
        for run in self.runs[1:]:
            due_at = find_due(run, self.calendar)
            if due_at is not None and (best_due is None or due_at < best_due):
                best_due, best_run = due_at, run
        return best_due, best_run

    def _moving_events(self, rule: ClockRule) -> list[ClockEvent]:
        """What can move the deadline before the turn stops, each at the instant from which it counts."""
        events = [event for event in self.ordered[self.start + 1 : self._stop_place()] if event.kind in MOVING]
        if rule.extension_counts_from == "decision":
            return events
        moved = [
            replace(event, at=event.asked_at) if event.kind == "extended" and event.asked_at is not None else event
            for event in events
        ]
        return sorted(moved, key=lambda event: event.at)

    def _take(self, event: ClockEvent) -> None:
        if event.kind == "extended":
            self._extend(event)
        elif event.kind == "urgency_set":
            self._change_urgency(event)
        else:
            self._note_pause(event)
            self.runs = [self._hold_up(run) for run in self.runs]

    def _note_pause(self, event: ClockEvent) -> None:
        """One pause at a time: whichever begins while another goes on takes its place."""
        if event.kind not in PAUSING:
            return
        if self.pauses and self.pauses[-1].end is None:
            self.pauses[-1] = self.pauses[-1]._replace(end=event.at)
        if event.kind == "paused":
            self.pauses.append(Pause(event.at, None, event.reason or ""))

    def _hold_up(self, run: Run) -> Run:
        return replace(run, pauses=tuple(pause for pause in self.pauses if pause.reason in run.rule.pause_reasons))

    def _extend(self, event: ClockEvent) -> None:
        if event.clock != self.turn.clock:
            return
        if event.until is not None:
            self._extend_until(event.until)
        if event.extension is None:
            return
        most_granted, runs = 0, []
        for run in self.runs:
            if run.rule.limit.unit != event.extension.unit:
                self.notes.append("extension_in_another_unit")
                runs.append(run)
                continue
            granted = min(event.extension.count, max(run.rule.extension_most - self.extended, 0))
            if granted < event.extension.count:
                self.notes.append("extension_beyond_rule")
            runs.append(replace(run, total=run.total + granted))
            most_granted = max(most_granted, granted)
        self.runs = runs
        self.extended += most_granted

    def _extend_until(self, until: datetime) -> None:
        """Who decided upon an instant has decided: that it goes beyond the rule is noted."""
        for place, run in enumerate(self.runs):
            most = find_due(replace(run, total=run.total + run.rule.extension_most), self.calendar)
            if most is not None and until > most:
                self.notes.append("extension_beyond_rule")
            self.runs[place] = replace(run, not_before=max(until, run.not_before or until))

    def _change_urgency(self, event: ClockEvent) -> None:
        """A wider limit counts from the turn's start; a tighter one from now, and never to later than was due."""
        if event.urgency is None:
            return
        rule = self.rule_for(replace(self.turn, urgency=event.urgency))
        if rule is None:
            return
        stood, _ = self._due()
        first = self.runs[0]
        kept = min(self.extended, rule.extension_most) if rule.limit.unit == first.rule.limit.unit else 0
        wide = self._hold_up(Run(start=first.start, rule=rule, total=rule.limit.count + kept, pauses=()))
        wide_due = find_due(wide, self.calendar)
        if wide_due is None or (stood is not None and wide_due >= stood):
            self.runs = [wide]
        else:
            self.runs.append(self._hold_up(Run(start=event.at, rule=rule, total=rule.limit.count, pauses=())))

    def _state(self, due_at: datetime | None, now: datetime) -> tuple[State, datetime | None]:
        place = self._stop_place()
        stop = self.ordered[place] if place < self.ending else None
        end = self.ordered[self.ending].at if self.ending < len(self.ordered) else None
        stopped_at = stop.at if stop is not None else end
        if due_at is not None and due_at < (stopped_at or now):
            return ("ended", due_at) if self.turn.clock in WINDOWS else ("missed", stopped_at)
        if stop is not None:
            return ("met" if stop.kind in MET_BY[self.turn.clock] else "ended"), stop.at
        return ("running", None) if end is None else ("ended", end)

    def _stop_place(self) -> int:
        """The place of the event that stops the turn. What lies before the first turn's start may stop it too."""
        clock = self.turn.clock
        first = 0 if self.turn.number == 1 else self.start + 1
        for place in range(first, self.ending):
            event = self.ordered[place]
            if event.kind in MET_BY[clock] or ends_unmet(clock, event):
                return place
        return self.ending


def budget_left(rule: ClockRule, used: Used) -> int | None:
    if rule.pause_budget is None:
        return None
    unit = 1 if rule.counts_days else UNITS[rule.limit.unit] // timedelta(seconds=1)
    return max(rule.pause_budget * unit - used.paused, 0)


def lengthen(due_at: datetime, by: Limit, calendar: Calendar) -> datetime:
    """A told deadline by so much later: days at the same time of day."""
    if by.unit == "natural_days":
        return due_at + by.count * ONE_DAY
    if by.unit == "working_days":
        day = calendar.day_of(due_at)
        return due_at + (calendar.step_forward(day, by.count) - day)
    if by.unit == "working_hours":
        return WorkingTime(calendar).advance(due_at, by.count * UNITS[by.unit]) or due_at
    return due_at + by.count * UNITS[by.unit]
