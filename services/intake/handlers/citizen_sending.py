"""Sending citizens what was noted for them: claim and commit, open the phone, call, record.

No transaction is open while the gateway is talked to, and no phone is kept or told of anywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.intake import metrics
from services.intake.domain.citizen_messages import TellingRules
from services.intake.domain.citizens import is_mobile
from services.intake.sealing import vault
from services.intake.storage import citizen_sending as storage
from services.intake.storage.citizen_sending import Claimed
from shared import crash
from shared.ciphers import Undecipherable
from shared.database import Connection, Pool, transaction
from shared.gateways.backoff import Backoff
from shared.gateways.circuits import CircuitRules, Pace, room_for
from shared.gateways.described import Gateway
from shared.gateways.results import Result
from shared.gateways.sms import hand_over
from shared.observability import get_logger

UNREACHABLE: Final = "no mobile number that can be read"

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingRules:
    """The lease is longer than a batch can take, so that another process does not send a slow batch again."""

    gateway: Gateway
    telling: TellingRules
    attempts_max: int = 200
    batch: int = 5
    lease: timedelta = timedelta(seconds=240)
    backoff: Backoff = field(default_factory=Backoff)
    circuit: CircuitRules = field(default_factory=CircuitRules)

    @property
    def pace(self) -> Pace:
        return Pace(per_minute=self.gateway.per_minute, burst=self.batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """What sending does not decide by itself: the time, and a draw between 0 and 1 for every pause."""

    clock: Callable[[], datetime]
    draw: Callable[[], float]


def send_batch(pool: Pool, rules: SendingRules, chances: Chances) -> int:
    """Send what is due, a few; return how many were tried. Nothing in quiet hours. Safe to run twice, also at once."""
    now = chances.clock()
    items = _claim(pool, rules, now=now)
    if items:
        crash.point("intake.after_message_attempt_row")
    tried, is_away = 0, False
    for item in items:
        result = Result(outcome="unused") if is_away else _call(item, rules)
        is_away = is_away or result.blames_endpoint
        crash.point("intake.after_gateway_reply_before_mark")
        with transaction(pool) as connection:
            _record(connection, item, result, rules, chances)
            _judge(connection, result, rules, chances)
        metrics.citizen_message_attempts_total.labels(result.outcome).inc()
        if result.outcome != "unused":
            tried += 1
            log.info("citizen_message_tried", message_id=str(item.message_id), outcome=result.outcome)
    if tried < len(items):
        _give_back(pool, rules, len(items) - tried)
    return tried


def _claim(pool: Pool, rules: SendingRules, *, now: datetime) -> list[Claimed]:
    """As many as the circuit and the pace leave; none where somebody else is just claiming."""
    with transaction(pool) as connection:
        held = storage.lock_gateway(connection, waits=False)
        if held is None:
            return []
        ended = storage.settle_hopeless(connection, now=now, attempts_max=rules.attempts_max)
        for state, count in zip(("expired", "failed", "withdrawn"), ended, strict=True):
            metrics.citizen_messages_given_up_total.labels(state).inc(count)
        if rules.telling.is_quiet(now):
            return []
        circuit, paced_until = held
        under_way = storage.count_under_way(connection, now=now)
        room = min(
            room_for(circuit, under_way=under_way, most=rules.batch, now=now),
            rules.pace.allowance(paced_until, now=now),
        )
        if room == 0:
            return []
        items = storage.claim_due(connection, now=now, lease=rules.lease, limit=room)
        if items:
            storage.set_pace(connection, until=rules.pace.take(len(items), paced_until, now=now))
        return items


def _call(item: Claimed, rules: SendingRules) -> Result:
    """The phone is open between these lines, and nowhere else."""
    try:
        key = vault().open_key(item.citizen_ref, item.wrapped_key)
        phone = vault().open("citizen", "phone", item.citizen_ref, item.phone_sealed, key)
        text = vault().open("citizen_message", "text", item.message_id, item.text_sealed, key)
    except Undecipherable:
        return Result(outcome="failed", reason=UNREACHABLE)
    if phone is None or text is None or not is_mobile(phone):
        return Result(outcome="failed", reason=UNREACHABLE)
    return hand_over(
        rules.gateway,
        phone=phone,
        text=text,
        reference=str(item.message_id),
        within_seconds=rules.gateway.timeout_seconds,
    )


def _record(connection: Connection, item: Claimed, result: Result, rules: SendingRules, chances: Chances) -> None:
    now = chances.clock()
    if result.outcome == "unused":
        storage.release(connection, item, now=now)
        return
    storage.end_attempt(connection, item, at=now, outcome=result.outcome, reason=result.reason)
    if result.outcome == "sent":
        storage.set_sent(connection, item.message_id, at=now, reference=result.reference)
    elif result.reason == UNREACHABLE:
        storage.set_ended(connection, item, "withdrawn", at=now, reason=result.reason)
    elif result.outcome == "failed":
        storage.set_ended(connection, item, "failed", at=now, reason=result.reason)
        log.error("citizen_message_failed", message_id=str(item.message_id), reason=result.reason)
    else:
        pause = max(rules.backoff.pause(item.attempt, draw=chances.draw()), result.not_before or timedelta())
        storage.set_due_again(connection, item, next_attempt_at=now + pause, reason=result.reason)


def _judge(connection: Connection, result: Result, rules: SendingRules, chances: Chances) -> None:
    """Let the answer count for or against the gateway. A refusal of one message says that it is well."""
    if result.outcome == "unused" or result.reason == UNREACHABLE:
        return
    held = storage.lock_gateway(connection, waits=True)
    if held is None:
        raise RuntimeError("there is one gateway")
    before, now = held[0], chances.clock()
    if result.blames_endpoint:
        after = before.fail(rules.circuit, now=now, draw=chances.draw())
    else:
        after = before.succeed(rules.circuit, now=now)
    if after != before:
        storage.set_circuit(connection, after)
    if after.openings > before.openings:
        log.error("citizen_gateway_left_alone", openings=after.openings, reason=result.reason)


def _give_back(pool: Pool, rules: SendingRules, count: int) -> None:
    with transaction(pool) as connection:
        held = storage.lock_gateway(connection, waits=True)
        if held is not None and held[1] is not None:
            storage.set_pace(connection, until=rules.pace.give_back(count, held[1]))
