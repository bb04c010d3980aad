"""Closing months: forming what may be told of ratings, and writing down what is published, once and for ever."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.assessment import metrics
from services.assessment.domain.periods import Period, period_of, periods_ending_with
from services.assessment.domain.releases import form_releases
from services.assessment.handlers.editions import Moment, find_basis, publish_period
from services.assessment.storage import closed_periods, due, publications, releases, tallies
from shared import crash
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.observability import get_logger

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingRule:
    """How many people an answer must hide among, and how long after its end a month is closed.

    `spares_first_load`: old months that a database is first loaded with get the time that a new one gets.
    """

    raters_needed: int
    delay: timedelta
    scheme_name: str
    zone: ZoneInfo
    spares_first_load: bool = True


def close_months(pool: Pool, *, rule: ClosingRule, now: datetime) -> list[date]:
    """Close every month whose time has come, the oldest first, each in one transaction; return them.

    While another closes this one does nothing. A month that is closed is never closed again.
    """
    closed = []
    with suppress(_AnotherCloses):
        while (month := _close_next(pool, rule=rule, now=now)) is not None:
            closed.append(month)
            metrics.months_closed_total.inc()
        while _close_next_custom(pool, rule=rule, now=now) is not None:
            pass
    return closed


def measure_closing(pool: Pool, *, rule: ClosingRule, now: datetime) -> tuple[int, float]:
    """Return how many months should be closed by now and are not, and how many seconds the oldest has waited."""
    with transaction(pool) as connection:
        month = releases.find_month_to_close(connection)
        started_at = releases.find_clock(connection)
    if month is None or started_at is None:
        return 0, 0.0
    waited = (now - _closing_time(month, started_at, rule)).total_seconds()
    count = 0
    while _closing_time(month, started_at, rule) <= now:
        count += 1
        month = period_of("month", month).next_start
    return count, max(0.0, waited)


class _AnotherCloses(Exception):
    """And goes on with whatever is left: looking for something else meanwhile would take the lock from it."""


def _close_next(pool: Pool, *, rule: ClosingRule, now: datetime) -> date | None:
    with transaction(pool) as connection:
        if not releases.try_lock_closing(connection):
            raise _AnotherCloses
        started_at = releases.start_clock(connection, now)
        month = releases.find_month_to_close(connection)
        if month is None or now < _closing_time(month, started_at, rule):
            return None
        tallies.lock_scoring(connection)  # the figures of the month's periods are of one moment
        if due.is_due_through(connection, month):
            log.info("closing_waits_for_scoring", month=month.isoformat())
            return None
        _close(connection, month, rule=rule, now=now)
        crash.point("assessment.before_closing_commit")
    return month


def _close_next_custom(pool: Pool, *, rule: ClosingRule, now: datetime) -> Period | None:
    """Publish days that somebody asked for, once the month that they end in is closed."""
    with transaction(pool) as connection:
        if not releases.try_lock_closing(connection):
            raise _AnotherCloses
        period = closed_periods.find_custom_to_close(connection)
        if period is None:
            return None
        tallies.lock_scoring(connection)
        parents = publications.list_parents(connection, on=period.end)
        basis = find_basis(connection, rule.scheme_name)
        closed = publish_period(connection, period, basis, parents, moment=Moment(at=now, zone=rule.zone))
        details = {"hash_of_custom": closed.content_hash.hex(), "publications": closed.publication_count}
        note(connection, Line(action="period.closed", object_type="period", object_id=period.label, details=details))
    return period


def _closing_time(month: date, started_at: datetime, rule: ClosingRule) -> datetime:
    ends_at = datetime.combine(period_of("month", month).next_start, time(), tzinfo=rule.zone)
    return (max(ends_at, started_at) if rule.spares_first_load else ends_at) + rule.delay


def _close(connection: Connection, month: date, *, rule: ClosingRule, now: datetime) -> None:
    basis = find_basis(connection, rule.scheme_name)
    scheme = basis.scheme
    parents = publications.list_parents(connection, on=month)
    formed = form_releases(
        releases.list_waiting_answers(connection, month, time_zone=rule.zone.key),
        month,
        begun=releases.list_begun(connection, month.year),
        parents=parents,
        raters_needed=rule.raters_needed,
    )
    if formed:
        releases.insert_releases(connection, formed)
    crash.point("assessment.after_releases")
    releases.insert_closing(
        connection,
        month,
        raters_needed=rule.raters_needed,
        scheme=(scheme.name, scheme.version),
        closed_at=now,
    )
    hashes = {}
    for period in periods_ending_with(month):
        closed = publish_period(connection, period, basis, parents, moment=Moment(at=now, zone=rule.zone))
        hashes[f"hash_of_{period.kind}"] = closed.content_hash.hex()
        crash.point("assessment.after_publication")
    metrics.releases_formed_total.inc(len(formed))
    details = {"scheme": scheme.name, "scheme_version": scheme.version, "releases": len(formed), **hashes}
    note(connection, Line(action="month.closed", object_type="month", object_id=month.isoformat(), details=details))
