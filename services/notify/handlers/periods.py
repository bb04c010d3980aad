"""What a month or a quarter brought to each unit, noted once for those who head it and for its group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from services.notify import metrics
from services.notify.domain.notices import Key, Notice
from services.notify.domain.rules import AFTER_DIGEST, PERIOD_SUMMARY, choose_mode, due_at
from services.notify.handlers.noticing import NoticeRules, key_of
from services.notify.storage import notices as storage
from services.notify.storage import periods, recipients
from services.notify.storage.directory import Directory, Holder
from services.notify.storage.periods import UnitCounts
from shared.database import Connection, Pool, transaction
from shared.working_time import Calendar

WITHIN_DAYS = 7  # of the first working day: whoever was away for longer is told with the next one


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    name: str  # 2025-03, 2025Q1
    begin: date
    end: date  # the first day after


def periods_over(today: date, calendar: Calendar) -> list[Period]:
    """The month that is over, and the quarter where one is, in the days from the first working day of the next on."""
    first = today.replace(day=1)
    begun = first if calendar.is_working_day(first) else calendar.step_forward(first, 1)
    if not begun <= today <= begun + timedelta(days=WITHIN_DAYS):
        return []
    month = (first - timedelta(days=1)).replace(day=1)
    found = [Period(name=f"{month:%Y-%m}", begin=month, end=first)]
    if first.month in {1, 4, 7, 10}:
        begin = (month - timedelta(days=45)).replace(day=1)
        found.append(Period(name=f"{begin.year}Q{(begin.month + 2) // 3}", begin=begin, end=first))
    return found


def note_periods(
    pool: Pool, rules: NoticeRules, directory: Directory, *, now: datetime, new_id: Callable[[], UUID]
) -> int:
    """Return how many notices that made. Each period is gone through once, however often this is called."""
    return sum(
        _note_period(pool, rules, directory, period, now, new_id)
        for period in periods_over(rules.calendar.day_of(now), rules.calendar)
    )


def _note_period(
    pool: Pool, rules: NoticeRules, directory: Directory, period: Period, now: datetime, new_id: Callable[[], UUID]
) -> int:
    zone = rules.calendar
    with transaction(pool) as connection:
        if periods.is_done(connection, period.name):
            return 0
        counts = periods.list_counts(
            connection, begin=zone.at(period.begin, timedelta()), end=zone.at(period.end, timedelta())
        )
    codes = sorted(count.code for count in counts)
    holders = directory.list_holders("unit_head", codes) if codes else []
    with transaction(pool) as connection:
        if not periods.set_done(connection, period.name):
            return 0
        made = _make(connection, rules, period, (counts, holders), now, new_id)
        count = storage.insert_notices(connection, made)
    metrics.notices_made_total.inc(count)
    return count


def _make(
    connection: Connection,
    rules: NoticeRules,
    period: Period,
    found: tuple[Sequence[UnitCounts], Sequence[Holder]],
    now: datetime,
    new_id: Callable[[], UUID],
) -> list[Notice]:
    counts, holders = found
    wanted = [(unit, key) for unit in counts for key in _keys_of(unit, holders, rules)]
    keys = list(dict.fromkeys(key for _, key in wanted))
    known = recipients.upsert_recipients(connection, [(new_id(), key) for key in keys]) if keys else []
    by_key = {key_of(recipient): recipient for recipient in known}
    own = recipients.list_own_preferences(connection, [recipient.id for recipient in known])
    of_units = recipients.list_unit_preferences(connection, [unit.id for unit in counts])
    made = []
    for unit, key in wanted:
        recipient = by_key[key]
        mode = choose_mode(
            PERIOD_SUMMARY, own.get((recipient.id, PERIOD_SUMMARY.code)), of_units.get((unit.id, PERIOD_SUMMARY.code))
        )
        if mode is None:
            continue
        due = due_at(mode, recipient.habits, rules.calendar, now=now)
        made.append(
            Notice(
                id=new_id(),
                recipient_id=recipient.id,
                rule=PERIOD_SUMMARY.code,
                topic=PERIOD_SUMMARY.topic,
                event_id=uuid5(NAMESPACE_OID, f"lianxin/{unit.id}/{period.name}"),
                issue_id=None,
                facts={
                    "unit": unit.name or unit.code,
                    "period": period.name,
                    "assigned": unit.assigned,
                    "closed": unit.closed,
                    "missed": unit.missed,
                    "escalated": unit.escalated,
                },
                mode=mode,
                is_compulsory=False,
                made_at=now,
                due_at=due,
                valid_until=max(now + PERIOD_SUMMARY.valid_for, due + AFTER_DIGEST),
            )
        )
    return made


def _keys_of(unit: UnitCounts, holders: Sequence[Holder], rules: NoticeRules) -> list[Key]:
    heads = [key_of(holder) for holder in holders if holder.organisation_code == unit.code]
    return [*heads, *(Key(robot=name) for name in rules.groups.get(unit.code, ()))]
