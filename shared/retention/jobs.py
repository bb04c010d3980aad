"""Removing what is over: once a day, class by class, in small commits; and saying what would be removed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal, cast

from prometheus_client import Counter, Gauge

from shared import outbox
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.errors import Transient
from shared.observability import get_logger
from shared.schedule import Period, Schedule

State = Literal["dry_run", "removed", "unfinished", "waits_for_approval", "failed"]
BATCH: Final = 1_000
MOST_BATCHES: Final = 1_000  # in one turn; the next turn goes on
NEEDED_APPROVALS: Final = 2
LOCK: Final = 0x52657461  # one at it in a database

beyond_limit = Gauge("retention_beyond_limit", "Items that are over and still here, when last counted.", ["kind"])
oldest_beyond = Gauge(
    "retention_oldest_beyond_seconds", "For how long the oldest such item has been over, when last counted.", ["kind"]
)
waiting = Gauge("retention_waits_for_approval", "1 where a changed period waits for two persons.", ["kind"])
removed_total = Counter("retention_removed_total", "Items removed because they were over.", ["kind"])
log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one small commit did. `seen` is how many items it looked at, `after` where the next one begins."""

    removed: int
    seen: int
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DataClass:
    """One kind of data that comes to an end, by the name it has in the schedule.

    `measure` counts what is older than an instant and finds the oldest; `remove` takes away at most so many of it, in
    the transaction it is given, leaving alone what is held. Both may be repeated at any time. `held_as` are the types
    of objects whose holds it asks for.
    """

    name: str
    measure: Callable[[Connection, datetime], tuple[int, datetime | None]]
    remove: Callable[[Connection, datetime, int, int], Step]
    held_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    name: str
    keep: Period
    before: datetime
    count: int
    oldest: datetime | None
    approvals: int | None  # None where the period is the shipped one and needs none
    state: State = "dry_run"
    removed: int = 0


def report(pool: Pool, schedule: Schedule, classes: Sequence[DataClass], *, now: datetime) -> list[Finding]:
    """What is over, and removes nothing."""
    findings = []
    for kind in classes:
        keep = schedule.keep[kind.name]
        before = keep.before(now)
        with transaction(pool) as connection:
            count, oldest = kind.measure(connection, before)
            approvals = count_approvals(connection, kind.name, keep) if kind.name in schedule.changed else None
        findings.append(
            Finding(name=kind.name, keep=keep, before=before, count=count, oldest=oldest, approvals=approvals)
        )
    return findings


def run_daily(pool: Pool, schedule: Schedule, classes: Sequence[DataClass], *, now: datetime) -> list[Finding]:
    """Remove what is over, of each class once a day however often it is called. What broke off is gone on with."""
    with transaction(pool) as connection:
        done = _list_done(connection, on=now.date())
    return run(pool, schedule, [kind for kind in classes if kind.name not in done], now=now)


def run(pool: Pool, schedule: Schedule, classes: Sequence[DataClass], *, now: datetime) -> list[Finding]:
    findings = report(pool, schedule, classes, now=now)
    ended = [_run_one(pool, kind, finding, now=now) for kind, finding in zip(classes, findings, strict=True)]
    for finding in ended:
        log.info("retention_run", kind=finding.name, state=finding.state, over=finding.count, removed=finding.removed)
    return ended


def _run_one(pool: Pool, kind: DataClass, finding: Finding, *, now: datetime) -> Finding:
    is_waiting = finding.approvals is not None and finding.approvals < NEEDED_APPROVALS
    waiting.labels(kind.name).set(is_waiting)
    if is_waiting:
        _show(finding, left=finding.count, oldest=finding.oldest)
        return replace(finding, state="waits_for_approval")
    try:
        removed, is_finished = _remove_all(pool, kind, finding)
        with transaction(pool) as connection:
            left, oldest = kind.measure(connection, finding.before)
            if is_finished:
                _insert_run(connection, kind.name, on=now.date(), removed=removed)
    except Transient as error:
        log.warning("retention_postponed", kind=kind.name, code=error.code)
        return replace(finding, state="failed")
    _show(finding, left=left, oldest=oldest)
    return replace(finding, state="removed" if is_finished else "unfinished", removed=removed)


def _remove_all(pool: Pool, kind: DataClass, finding: Finding) -> tuple[int, bool]:
    total, after = 0, 0
    for _ in range(MOST_BATCHES):
        with transaction(pool) as connection:
            if connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK]).fetchone() != (True,):
                return total, False
            step = kind.remove(connection, finding.before, BATCH, after)
            if step.removed:
                details = {"count": step.removed, "before": finding.before.isoformat(), "keep": finding.keep.text}
                note(connection, Line(action="retention.removed", object_type=kind.name, details=details))
        removed_total.labels(kind.name).inc(step.removed)
        total, after = total + step.removed, step.after
        if step.seen < BATCH:
            return total, True
    return total, False


def _show(finding: Finding, *, left: int, oldest: datetime | None) -> None:
    beyond_limit.labels(finding.name).set(left)
    oldest_beyond.labels(finding.name).set((finding.before - oldest).total_seconds() if left and oldest else 0)


def approve(connection: Connection, name: str, keep: Period, *, person_id: str, account_id: object) -> int:
    """Enter that a person agrees to the period; return how many persons do now. A repeat counts once."""
    connection.execute(
        """
        INSERT INTO retention_approval (kind, keep, person_id, account_id)
        VALUES (%s, %s, %s, %s)
            ON CONFLICT DO NOTHING
        """,
        [name, keep.text, person_id, account_id],
    )
    count = count_approvals(connection, name, keep)
    note(
        connection,
        Line(action="retention.approved", object_type=name, details={"keep": keep.text, "approvals": count}),
    )
    return count


def count_approvals(connection: Connection, name: str, keep: Period) -> int:
    row = connection.execute(
        "SELECT count(DISTINCT person_id) FROM retention_approval WHERE kind = %s AND keep = %s", [name, keep.text]
    ).fetchone()
    return int(str(row[0])) if row else 0


def set_hold(connection: Connection, object_type: str, object_id: str, *, reason: str, set_by: str) -> bool:
    """Keep an object whatever the schedule says. Return whether it was not held already."""
    is_new = connection.execute(
        """
        INSERT INTO legal_hold (object_type, object_id, reason, set_by)
        VALUES (%s, %s, %s, %s)
            ON CONFLICT DO NOTHING
        """,
        [object_type, object_id, reason, set_by],
    ).rowcount
    if is_new:
        note(connection, Line(action="hold.set", object_type=object_type, object_id=object_id, reason=reason))
    return bool(is_new)


def release_hold(connection: Connection, object_type: str, object_id: str) -> bool:
    """Return whether it was held."""
    was_held = connection.execute(
        "DELETE FROM legal_hold WHERE object_type = %s AND object_id = %s", [object_type, object_id]
    ).rowcount
    if was_held:
        note(connection, Line(action="hold.released", object_type=object_type, object_id=object_id))
    return bool(was_held)


def list_holds(connection: Connection) -> list[dict[str, object]]:
    rows = connection.execute(
        "SELECT object_type, object_id, reason, set_by, set_at FROM legal_hold ORDER BY object_type, object_id"
    ).fetchall()
    names = ("object_type", "object_id", "reason", "set_by", "set_at")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _list_done(connection: Connection, *, on: date) -> set[str]:
    return {str(row[0]) for row in connection.execute("SELECT kind FROM retention_run WHERE ran_on = %s", [on])}


def _insert_run(connection: Connection, name: str, *, on: date, removed: int) -> None:
    connection.execute(
        """
        INSERT INTO retention_run AS run (kind, ran_on, removed)
        VALUES (%s, %s, %s)
            ON CONFLICT (kind, ran_on) DO UPDATE SET removed = run.removed + excluded.removed
        """,
        [name, on, removed],
    )


def sent_events() -> DataClass:
    """The outbox, wherever a service has one."""

    def remove(connection: Connection, before: datetime, batch: int, after: int) -> Step:
        removed, seen, last = outbox.remove_sent(connection, before, batch, after)
        return Step(removed=removed, seen=seen, after=last)

    return DataClass(name="sent_events", measure=outbox.measure_sent, remove=remove)


def measured(row: tuple[object, ...] | None) -> tuple[int, datetime | None]:
    """What a statement `SELECT count(*), min(...)` has found."""
    return (int(str(row[0])), cast("datetime | None", row[1])) if row else (0, None)
