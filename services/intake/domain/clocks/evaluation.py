"""The clocks of an issue as a function of its log, the rules and the calendar: every turn that each took, and its end.

A turn's deadline moves with pauses, extensions and urgency until it has passed: a missed turn stays missed.
"""

from collections.abc import Sequence
from datetime import datetime

from services.intake.domain.clocks.events import ClockEvent, RuleFor, Told, Turn
from services.intake.domain.clocks.rules import CLOCKS, Clock, ClockRule, Occasion, Urgency
from services.intake.domain.clocks.turns import Reading, TurnReader
from shared.working_time import Calendar


def evaluate(
    events: Sequence[ClockEvent], rule_for: RuleFor, calendar: Calendar, *, now: datetime, told: Told | None = None
) -> list[Reading]:
    """Every turn of every clock that has a rule or a told deadline, in the order of the clocks and of time."""
    ordered = sorted(events, key=lambda event: event.at)
    readings: list[Reading] = []
    for clock in CLOCKS:
        told_due = told.of(clock) if told is not None else None
        readings += read_clock(clock, ordered, rule_for, calendar, now=now, told_due=told_due)
    return readings


def read_clock(
    clock: Clock,
    ordered: Sequence[ClockEvent],
    rule_for: RuleFor,
    calendar: Calendar,
    *,
    now: datetime,
    told_due: datetime | None = None,
) -> list[Reading]:
    """All turns of one clock over events in the order of time. A told deadline is that of the first turn."""
    readings: list[Reading] = []
    place = next((place for place, event in enumerate(ordered) if event.kind == "received"), None)
    occasion: Occasion = "first"
    while place is not None:
        turn = _turn(clock, len(readings) + 1, occasion, ordered, place)
        rule = rule_for(turn)
        told_now = told_due if not readings else None
        if told_now is None:
            if rule is None:
                break
            if occasion == "first":
                start = next((at for at, event in enumerate(ordered) if event.kind == rule.starts_on), None)
                if start is None:
                    return [_not_started(turn, rule)]
                place = start
        following = _next_turn(clock, ordered, place, rule)
        reader = TurnReader(
            turn=turn,
            ordered=ordered,
            start=place,
            ending=len(ordered) if following is None else following,
            rule_for=rule_for,
            calendar=calendar,
        )
        if told_now is not None:
            readings.append(reader.read_told(told_now, now))
        elif rule is not None:
            readings.append(reader.read(rule, now))
        place = following
        occasion = _occasion(ordered[following]) if following is not None else "first"
    return readings


def _turn(clock: Clock, number: int, occasion: Occasion, ordered: Sequence[ClockEvent], place: int) -> Turn:
    return Turn(
        clock=clock,
        number=number,
        occasion=occasion,
        begun_at=ordered[place].at,
        organisation=_leading(ordered, place),
        urgency=_urgency(ordered, place),
    )


def _next_turn(clock: Clock, ordered: Sequence[ClockEvent], start: int, rule: ClockRule | None) -> int | None:
    """Where the clock begins anew. Whoever gets an issue that another unit returned has to sign it in any case."""
    restarts = rule.restarts_on if rule is not None else frozenset()
    was_returned = False
    for place in range(start + 1, len(ordered)):
        kind = ordered[place].kind
        was_returned = was_returned or kind == "returned"
        if kind in restarts or (clock == "sign_in" and was_returned and kind == "assigned"):
            return place
    return None


def _occasion(event: ClockEvent) -> Occasion:
    if event.kind in {"redo_ordered", "reopened"}:
        return event.kind
    return "transferred"


def _leading(ordered: Sequence[ClockEvent], place: int) -> str | None:
    """Who leads when the turn begins, else who led first after that."""
    before = [event.organisation for event in ordered[: place + 1] if event.organisation is not None]
    after = (event.organisation for event in ordered[place + 1 :] if event.organisation is not None)
    return before[-1] if before else next(after, None)


def _urgency(ordered: Sequence[ClockEvent], place: int) -> Urgency:
    told = [event.urgency for event in ordered[: place + 1] if event.urgency is not None]
    return told[-1] if told else "normal"


def _not_started(turn: Turn, rule: ClockRule) -> Reading:
    return Reading(
        clock=turn.clock,
        turn=turn.number,
        occasion=turn.occasion,
        state="not_started",
        started_at=None,
        due_at=None,
        rule=rule,
        budget_left=rule.pause_budget,
    )
