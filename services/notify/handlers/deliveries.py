"""Delivering what is due: claim and commit, call, record. No transaction is open while a server is talked to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.notify import metrics
from services.notify.channels.mail import MailChannel
from services.notify.domain.backoff import Backoff
from services.notify.domain.deliveries import DeliveryStatus, Mail, Result
from services.notify.storage import deliveries as storage
from services.notify.storage.deliveries import Delivery
from shared import crash
from shared.database import Connection, Pool, transaction
from shared.observability import correlated, get_logger

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """The lease is longer than the time for a batch, so that another worker does not send a slow batch again."""

    attempts_max: int
    batch: int = 50
    batch_seconds: float = 60
    lease: timedelta = timedelta(seconds=120)
    backoff: Backoff = field(default_factory=Backoff)


def deliver_due(
    pool: Pool,
    channel: MailChannel,
    rules: DeliveryRules,
    *,
    clock: Callable[[], datetime],
    draw: Callable[[], float],
) -> int:
    """Deliver one batch of what is due and return how many were claimed. Safe to run twice, also at the same time."""
    now = clock()
    with transaction(pool) as connection:
        abandoned = storage.abandon_hopeless(connection, now=now, attempts_max=rules.attempts_max)
        mails = storage.claim_due_mails(connection, now=now, lease=rules.lease, limit=rules.batch)
    metrics.deliveries_abandoned_total.inc(abandoned)
    if abandoned:
        log.error("deliveries_abandoned", count=abandoned)
    if mails:
        crash.point("notify.after_attempt_row")
    for mail, result in channel.send(mails, within_seconds=rules.batch_seconds) if mails else ():
        crash.point("notify.after_gateway_reply_before_mark")
        with correlated(mail.correlation_id), transaction(pool) as connection:
            recorded = _record(connection, mail, result, rules, clock(), draw)
        metrics.delivery_attempts_total.labels("email", result.outcome).inc()
        if result.outcome != "unused":
            _log(mail, result, recorded=recorded)
    return len(mails)


def list_deliveries(pool: Pool, *, status: DeliveryStatus | None, before: UUID | None, limit: int) -> list[Delivery]:
    with transaction(pool) as connection:
        return storage.list_deliveries(connection, status=status, before=before, limit=limit)


def measure_backlog(pool: Pool) -> tuple[int, float]:
    with transaction(pool) as connection:
        return storage.measure_backlog(connection)


def _record(
    connection: Connection, mail: Mail, result: Result, rules: DeliveryRules, now: datetime, draw: Callable[[], float]
) -> bool:
    if result.outcome == "sent":
        return storage.set_sent(connection, mail.delivery_id, at=now)
    if result.outcome == "failed":
        return storage.set_failed(connection, mail, at=now, reason=result.reason)
    if result.outcome == "unused":
        return storage.release(connection, [mail], now=now) == 1
    again_at = now + rules.backoff.pause(mail.attempt, draw=draw())
    return storage.set_due_again(connection, mail, next_attempt_at=again_at, reason=result.reason)


def _log(mail: Mail, result: Result, *, recorded: bool) -> None:
    write = log.info if result.outcome == "sent" else log.warning
    with correlated(mail.correlation_id):
        write(
            "delivery_attempted",
            delivery_id=str(mail.delivery_id),
            attempt=mail.attempt,
            result=result.outcome,
            reason=result.reason,
            recorded=recorded,
        )
