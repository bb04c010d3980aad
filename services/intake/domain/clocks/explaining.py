"""Why a deadline is what it is: every day or stretch that was counted, and every one that was not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from services.intake.domain.clocks.counting import Run, list_marks, list_stretches
from services.intake.domain.clocks.turns import Reading
from shared.working_time import FIRST_WEEKEND_DAY, ONE_DAY, Calendar, first_unannounced

ReasonCode = Literal[
    "started",
    "first_day",
    "counted",
    "counted_make_up_day",
    "counted_over_budget",
    "held_up",
    "weekend",
    "holiday",
    "running",
    "granted_until",
    "extended",
    "told",
    "due",
    "never_due",
    "year_not_announced",
    "extension_too_late",
    "extension_beyond_rule",
    "extension_in_another_unit",
]
LONGEST: Final = 400  # lines; beyond them a pause of years would be told day by day


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One line. `number` counts days up to the limit; `detail` is a code: a reason of pause, or a year."""

    code: ReasonCode
    at: datetime | None = None
    until: datetime | None = None
    on: date | None = None
    number: int | None = None
    detail: str | None = None


def explain(reading: Reading, calendar: Calendar) -> list[Reason]:
    """The working of a turn's deadline, in order. Of a told deadline there is none but that it was told."""
    reasons: list[Reason] = []
    if reading.started_at is not None:
        reasons.append(Reason(code="started", at=reading.started_at))
    if reading.run is not None:
        reasons += _work(reading.run, reading.due_at, calendar)
        if reading.run.not_before is not None:
            reasons.append(Reason(code="granted_until", at=reading.run.not_before))
        extra = reading.run.total - reading.run.rule.limit.count
        if extra > 0:
            reasons.append(Reason(code="extended", number=extra))
    reasons += [Reason(code=note) for note in reading.notes]  # type: ignore[arg-type] # notes are codes of these
    if reading.started_at is not None:
        reasons.append(Reason(code="never_due") if reading.due_at is None else Reason(code="due", at=reading.due_at))
        year = first_unannounced(
            calendar, calendar.day_of(reading.started_at), calendar.day_of(reading.due_at or reading.started_at)
        )
        if year is not None and reading.run is not None:
            reasons.append(Reason(code="year_not_announced", detail=str(year)))
    return reasons


def _work(run: Run, due_at: datetime | None, calendar: Calendar) -> list[Reason]:
    lines = _days(run, due_at, calendar) if run.rule.counts_days else _stretches(run, due_at, calendar)
    return [line for line, _ in zip(lines, range(LONGEST), strict=False)]


def _days(run: Run, due_at: datetime | None, calendar: Calendar) -> Iterator[Reason]:
    day = calendar.day_of(run.start)
    if not run.rule.counts_first_day:
        yield Reason(code="first_day", on=day)
        day += ONE_DAY
    counted = 0
    for mark in list_marks(run, calendar):
        if due_at is not None and mark.at > due_at:
            return
        for skipped in _between(day, mark.day):
            yield Reason(code="weekend" if skipped.weekday() >= FIRST_WEEKEND_DAY else "holiday", on=skipped)
        day = mark.day + ONE_DAY
        if mark.held_up_by is not None:
            yield Reason(code="held_up", on=mark.day, detail=mark.held_up_by)
            continue
        counted += 1
        yield Reason(code=_counted(mark.day, run, is_over_budget=mark.is_over_budget), on=mark.day, number=counted)
        if counted == run.total:
            return


def _counted(day: date, run: Run, *, is_over_budget: bool) -> ReasonCode:
    if is_over_budget:
        return "counted_over_budget"
    is_made_up = run.rule.limit.unit == "working_days" and day.weekday() >= FIRST_WEEKEND_DAY
    return "counted_make_up_day" if is_made_up else "counted"


def _between(first: date, last: date) -> Iterator[date]:
    while first < last:
        yield first
        first += timedelta(days=1)


def _stretches(run: Run, due_at: datetime | None, calendar: Calendar) -> Iterator[Reason]:
    """`due_at` ends the last one. In working hours only the hours of working days within a stretch count."""
    for stretch in list_stretches(run, calendar):
        if due_at is not None and stretch.begin >= due_at:
            return
        ends = [instant for instant in (stretch.end, due_at) if instant is not None]
        until = min(ends, default=None)
        if stretch.held_up_by is not None:
            yield Reason(code="held_up", at=stretch.begin, until=until, detail=stretch.held_up_by)
        else:
            code: ReasonCode = "counted_over_budget" if stretch.is_over_budget else "running"
            yield Reason(code=code, at=stretch.begin, until=until)
