"""Delivering what is due: claim and commit, call, record. No transaction is open while a server is talked to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.notify import metrics
from services.notify.channels.protocol import Channel, Channels
from services.notify.domain.deliveries import Outgoing
from services.notify.storage import circuits
from services.notify.storage import claims as storage
from shared import crash
from shared.database import Connection, Pool, transaction
from shared.gateways.backoff import Backoff
from shared.gateways.circuits import Circuit, CircuitRules, Pace, room_for
from shared.gateways.results import Result
from shared.observability import correlated, get_logger

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """The lease is longer than the time for a batch, so that another worker does not send a slow batch again."""

    attempts_max: int
    batch: int = 50
    batch_seconds: float = 20
    lease: timedelta = timedelta(seconds=45)
    backoff: Backoff = field(default_factory=Backoff)
    circuit: CircuitRules = field(default_factory=CircuitRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """What deliveries do not decide by themselves: the time, and a draw between 0 and 1 for every pause."""

    clock: Callable[[], datetime]
    draw: Callable[[], float]


def find_due(pool: Pool, channels: Channels, rules: DeliveryRules, *, now: datetime) -> list[tuple[str, str]]:
    """End what is hopeless, and list the channels and endpoints for which something is due."""
    with transaction(pool) as connection:
        expired, failed = storage.settle_hopeless(connection, now=now, attempts_max=rules.attempts_max)
        waiting = storage.list_waiting_endpoints(connection, now=now)
    metrics.deliveries_expired_total.inc(expired)
    metrics.deliveries_abandoned_total.inc(failed)
    if expired or failed:
        log.error("deliveries_abandoned", expired=expired, failed=failed)
    return [(channel, endpoint) for channel, endpoint in waiting if channel in channels]


def find_pause(pool: Pool, channel: Channel, endpoint: str, *, now: datetime) -> timedelta | None:
    """How long what is due has to wait for the pace of its endpoint; None where that is not what it waits for."""
    if channel.pace is None:
        return None
    with transaction(pool) as connection:
        circuit, paced_until = circuits.get_circuit(connection, endpoint)
        under_way = storage.count_under_way(connection, endpoint, now=now)
        if room_for(circuit, under_way=under_way, most=channel.most_at_once, now=now) == 0:
            return None
        if not storage.has_due(connection, endpoint, now=now):
            return None
    return channel.pace.pause(paced_until, now=now)


def share_of(channel: Channel, rules: DeliveryRules) -> int:
    """How much one hand takes at a time, so that it leaves something to the others."""
    return min(rules.batch, max(1, channel.most_at_once // channel.hands))


def deliver_batch(pool: Pool, channel: Channel, endpoint: str, rules: DeliveryRules, chances: Chances) -> int:
    """Deliver one batch to one endpoint and return how many were tried. Safe to run twice, also at the same time."""
    items = _claim(pool, channel, endpoint, rules, now=chances.clock())
    if not items:
        return 0
    crash.point("notify.after_attempt_row")
    tried = 0
    for item, result in channel.send(items, within_seconds=rules.batch_seconds):
        crash.point("notify.after_gateway_reply_before_mark")
        with correlated(item.correlation_id), transaction(pool) as connection:
            recorded = _record(connection, item, result, rules, chances)
            _judge(connection, endpoint, result, rules, chances)
        metrics.delivery_attempts_total.labels(endpoint.partition("/")[0], result.outcome).inc()
        if result.outcome != "unused":
            tried += 1
            _log(item, endpoint, result, recorded=recorded)
    if channel.pace is not None and tried < len(items):
        _give_back(pool, channel.pace, endpoint, len(items) - tried)
    return tried


def _give_back(pool: Pool, pace: Pace, endpoint: str, count: int) -> None:
    with transaction(pool) as connection:
        held = circuits.lock_circuit(connection, endpoint, waits=True)
        if held is not None and held[1] is not None:
            circuits.set_pace(connection, endpoint, until=pace.give_back(count, held[1]))


def _claim(pool: Pool, channel: Channel, endpoint: str, rules: DeliveryRules, *, now: datetime) -> list[Outgoing]:
    """As many as the circuit, the bulkhead and the pace leave; none where somebody else is just claiming."""
    with transaction(pool) as connection:
        held = circuits.lock_circuit(connection, endpoint, waits=False)
        if held is None:
            return []
        circuit, paced_until = held
        under_way = storage.count_under_way(connection, endpoint, now=now)
        room = min(share_of(channel, rules), room_for(circuit, under_way=under_way, most=channel.most_at_once, now=now))
        if channel.pace is not None:
            room = min(room, channel.pace.allowance(paced_until, now=now))
        if room == 0:
            return []
        items = storage.claim_due(connection, endpoint, now=now, lease=rules.lease, limit=room)
        if channel.pace is not None and items:
            circuits.set_pace(connection, endpoint, until=channel.pace.take(len(items), paced_until, now=now))
        return items


def _record(connection: Connection, item: Outgoing, result: Result, rules: DeliveryRules, chances: Chances) -> bool:
    now = chances.clock()
    if result.outcome == "unused":
        return storage.release(connection, [item], now=now) == 1
    if result.outcome == "sent":
        return storage.set_sent(connection, item.delivery_id, at=now, reference=result.reference, attempt=item.attempt)
    storage.end_attempt(connection, item, at=now, outcome=result.outcome, reason=result.reason)
    if result.outcome == "failed":
        return storage.set_failed(connection, item, at=now, reason=result.reason)
    pause = max(rules.backoff.pause(item.attempt, draw=chances.draw()), result.not_before or timedelta())
    return storage.set_due_again(connection, item, next_attempt_at=now + pause, reason=result.reason)


def _judge(connection: Connection, endpoint: str, result: Result, rules: DeliveryRules, chances: Chances) -> None:
    """Let the answer count for or against the endpoint. A refusal of one message says that it is well."""
    if result.outcome == "unused":
        return
    if not result.blames_endpoint and circuits.get_circuit(connection, endpoint)[0] == Circuit():
        return  # nothing was held against it: the common case, for which nobody else has to wait
    held = circuits.lock_circuit(connection, endpoint, waits=True)
    if held is None:
        raise RuntimeError("a row that was waited for is there")
    now, before = chances.clock(), held[0]
    if result.blames_endpoint:
        after = before.fail(rules.circuit, now=now, draw=chances.draw())
    else:
        after = before.succeed(rules.circuit, now=now)
    if after != before:
        circuits.set_circuit(connection, endpoint, after)
    if after.openings > before.openings:
        metrics.circuits_opened_total.labels(endpoint.partition("/")[0]).inc()
        log.error("circuit_opened", endpoint=endpoint, openings=after.openings, reason=result.reason)


def _log(item: Outgoing, endpoint: str, result: Result, *, recorded: bool) -> None:
    write = log.info if result.outcome == "sent" else log.warning
    with correlated(item.correlation_id):
        write(
            "delivery_attempted",
            delivery_id=str(item.delivery_id),
            endpoint=endpoint,
            attempt=item.attempt,
            result=result.outcome,
            reason=result.reason,
            recorded=recorded,
        )
