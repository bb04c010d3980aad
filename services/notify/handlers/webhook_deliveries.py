"""Delivering to webhook endpoints: make what is owed out of the log, claim and commit; record what came of it.

No transaction is open while a receiver is talked to, and what goes out is in the ledger before it does.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.notify import metrics
from services.notify.domain.attempts import Answer, Health, Verdict, judge
from services.notify.domain.audiences import open_types
from services.notify.domain.endpoints import (
    DeliveryKind,
    DisabledBecause,
    UnknownDelivery,
    UnknownEndpoint,
    WebhookDeliveryStatus,
)
from services.notify.storage import disclosures, endpoints, webhook_claims
from services.notify.storage import webhook_deliveries as storage
from services.notify.storage.disclosures import Telling
from services.notify.storage.endpoints import StoredKey
from services.notify.storage.webhook_claims import Claimed, Ready, Settling, State
from services.notify.storage.webhook_deliveries import ShownAttempt, ShownDelivery
from shared import crash
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.observability import get_logger

BURST: Final = timedelta(seconds=1)
NO_LONGER_KEPT: Final = "the event is not kept any more"
log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRules:
    """`lease` is longer than an attempt may wait for its turn and then take, so that nobody makes it a second time."""

    claimed_most: int = 128  # of one endpoint by one process: enough to go on with while the next are claimed
    claimed_by_all: int = 512  # of one endpoint: so that what dead processes had claimed leaves room for the living
    open_most: int = 1_000  # of one endpoint: the rest waits in the log
    window: int = 2_000  # events of the log that are looked at in one transaction
    lease: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What was claimed of one endpoint, with all that sending it takes."""

    ready: Ready
    keys: Sequence[StoredKey]
    claimed: Sequence[Claimed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What came of one attempt; without an answer it was not made."""

    endpoint_id: UUID
    delivery_id: int
    kind: DeliveryKind
    attempt: int
    tries: int
    first_attempt_at: datetime
    started_at: datetime
    milliseconds: int
    answer: Answer | None


@dataclass(slots=True)
class _Ledger:
    """What the results of one endpoint change about it."""

    health: Health
    last_success_at: datetime | None
    succeeded_at: datetime | None = None
    disabled: DisabledBecause | None = None
    settlings: list[Settling] = field(default_factory=list)


def claim_errands(
    pool: Pool, rules: PushRules, under_way: Mapping[UUID, int], *, room: int, clock: Callable[[], datetime]
) -> list[Errand]:
    """Claim what is due, an endpoint at a time and each in a transaction of its own; at most `room` in all.

    `under_way` counts what this process has of each.
    """
    now = clock()
    busy = [endpoint_id for endpoint_id, count in under_way.items() if count >= rules.claimed_most]
    with transaction(pool) as connection:
        waiting = webhook_claims.list_ready(connection, now=now, busy=busy)
    errands = []
    for ready in waiting:
        if room <= 0:
            break
        own = rules.claimed_most - under_way.get(ready.endpoint_id, 0)
        errand = _claim(pool, rules, ready, room=min(room, own), now=clock())
        if errand is not None and errand.claimed:
            errands.append(errand)
            room -= len(errand.claimed)
    if errands:
        crash.point("webhook.after_claim")
    return errands


def record_attempts(pool: Pool, attempted: Sequence[Attempted], *, now: datetime, draw: Callable[[], float]) -> int:
    """Write down what came of attempts, and what it says of their endpoints; return how many were still theirs."""
    by_endpoint: dict[UUID, list[Attempted]] = defaultdict(list)
    for item in attempted:
        by_endpoint[item.endpoint_id].append(item)
    with transaction(pool) as connection:
        # In the order of ids: two processes that record at once wait for each other and do not deadlock.
        recorded = sum(
            _record(connection, endpoint_id, by_endpoint[endpoint_id], now, draw) for endpoint_id in sorted(by_endpoint)
        )
    for item in attempted:
        if item.answer is not None:
            metrics.webhook_attempts_total.labels(_label(item.answer)).inc()
    return recorded


def withdraw_forgotten(pool: Pool, forgotten: Sequence[tuple[UUID, Claimed]], *, now: datetime) -> int:
    """What was claimed of events whose time was over meanwhile goes nowhere."""
    settlings = [
        Settling(
            delivery_id=claimed.delivery_id,
            attempt=claimed.attempt,
            status="withdrawn",
            outcome="unused",
            tries=claimed.tries,
            next_attempt_at=None,
            settled_at=now,
            started_at=now,
            milliseconds=0,
            http_status=None,
            reason=NO_LONGER_KEPT,
        )
        for _, claimed in forgotten
    ]
    with transaction(pool) as connection:
        return len(webhook_claims.settle(connection, settlings))


def list_deliveries(
    pool: Pool, endpoint_id: UUID, *, status: WebhookDeliveryStatus | None, before: int | None, limit: int
) -> list[ShownDelivery]:
    """Raises UnknownEndpoint."""
    with transaction(pool) as connection:
        _check_known(connection, endpoint_id)
        return storage.list_deliveries(connection, endpoint_id, status=status, before=before, limit=limit)


def get_delivery(pool: Pool, endpoint_id: UUID, delivery_id: int) -> tuple[ShownDelivery, list[ShownAttempt]]:
    """Raises UnknownEndpoint, UnknownDelivery."""
    with transaction(pool) as connection:
        _check_known(connection, endpoint_id)
        found = storage.find_delivery(connection, endpoint_id, delivery_id)
        if found is None:
            raise UnknownDelivery("the endpoint has no such delivery")
        return found, storage.list_attempts(connection, delivery_id)


def order_test(pool: Pool, endpoint_id: UUID, event_type: str, *, event_id: UUID, now: datetime) -> int:
    """Owe the endpoint a delivery that tells of nothing; return its id. Raises UnknownEndpoint."""
    with transaction(pool) as connection:
        _check_known(connection, endpoint_id)
        made = storage.insert_test(connection, endpoint_id, event_id, event_type, now=now)
        note(connection, Line(action="endpoint.test", object_type="webhook_endpoint", object_id=endpoint_id))
    return made


def measure_backlog(pool: Pool) -> tuple[int, float]:
    with transaction(pool) as connection:
        return storage.measure_backlog(connection)


def passing_of(ready: Ready) -> dict[str, Any]:
    """What events must be to be told: every filter narrows what is open."""
    return passing(
        (ready.agreed_types, ready.endpoint_types), (ready.agreed_organisation_id, ready.endpoint_organisation_id)
    )


def passing(types: Collection[Sequence[str]], organisation_ids: Collection[UUID | None]) -> dict[str, Any]:
    allowed = set(open_types())
    for named in types:
        if named:
            allowed &= set(named)
    within = sorted({organisation_id for organisation_id in organisation_ids if organisation_id is not None})
    return {"types": sorted(allowed), "within": within}


def _claim(pool: Pool, rules: PushRules, ready: Ready, *, room: int, now: datetime) -> Errand | None:
    with transaction(pool) as connection:
        state = webhook_claims.lock_state(connection, ready.endpoint_id, now=now)
        if state is None:
            return None
        only_tests = state.status != "active"
        if not only_tests:
            _make_deliveries(connection, rules, ready, state, now)
        free = rules.claimed_most if only_tests else _room_of(state, rules, now)
        granted, free_at = _within_rate(state, min(free, room), now)
        if granted <= 0:
            return None
        claimed = webhook_claims.claim_due(
            connection,
            ready.endpoint_id,
            limit=granted,
            only_tests=only_tests,
            now=now,
            lease_until=now + rules.lease,
        )
        if state.rate_per_minute is not None and claimed:
            spent = timedelta(minutes=1) / state.rate_per_minute * len(claimed)
            endpoints.set_free_at(connection, ready.endpoint_id, free_at + spent)
        told = [item.event_id for item in claimed if item.envelope is not None]
        if told:
            telling = Telling(
                agreement_id=ready.agreement_id,
                via="webhook",
                recipient=str(ready.endpoint_id),
                content="facts" if ready.content == "facts" else "ids",
            )
            disclosures.insert_disclosures(connection, telling, told, now=now)
        keys = endpoints.list_keys(connection, [ready.endpoint_id], now=now) if claimed else []
        return Errand(ready=ready, keys=keys, claimed=claimed)


def _make_deliveries(connection: Connection, rules: PushRules, ready: Ready, state: State, now: datetime) -> None:
    """Only while the endpoint takes them: what a receiver that is away will not have waits in the log."""
    if ready.is_behind and state.open_count < rules.open_most:
        storage.make_deliveries(
            connection,
            ready.endpoint_id,
            after=state.position,
            window=rules.window,
            passing=passing_of(ready),
            now=now,
        )


def _room_of(state: State, rules: PushRules, now: datetime) -> int:
    health = Health(
        failures=state.failures,
        failing_since=state.failing_since,
        probe_at=state.probe_at,
        hold_until=state.hold_until,
    )
    return health.room(now=now, in_flight=state.in_flight, most=rules.claimed_by_all)


def _within_rate(state: State, wanted: int, now: datetime) -> tuple[int, datetime]:
    """How many the receiver's rate allows now, and the instant that their cost is counted from."""
    if state.rate_per_minute is None:
        return wanted, now
    interval = timedelta(minutes=1) / state.rate_per_minute
    free_at = max(state.free_at or now, now - max(BURST, interval))
    if free_at > now:
        return 0, free_at
    return min(wanted, int((now - free_at) / interval) + 1), free_at


def _record(
    connection: Connection,
    endpoint_id: UUID,
    attempted: Sequence[Attempted],
    now: datetime,
    draw: Callable[[], float],
) -> int:
    endpoint = endpoints.lock_endpoint(connection, endpoint_id)
    if endpoint is None:
        return 0
    ledger = _Ledger(health=endpoint.health, last_success_at=endpoint.last_success_at)
    was_broken = ledger.health.is_broken
    for item in attempted:
        _weigh(ledger, item, now, draw)
    recorded = len(webhook_claims.settle(connection, ledger.settlings))
    if ledger.health != endpoint.health or ledger.succeeded_at is not None:
        endpoints.set_health(connection, endpoint_id, ledger.health, succeeded_at=ledger.succeeded_at)
    if was_broken and not ledger.health.is_broken:
        storage.bring_forward(connection, endpoint_id, now=now)
    if ledger.disabled is not None:
        disable(connection, endpoint_id, ledger.disabled, now=now)
    return recorded


def disable(connection: Connection, endpoint_id: UUID, because: DisabledBecause, *, now: datetime) -> None:
    """What was not delivered stays owed, and goes out once somebody switches the endpoint on again."""
    if not endpoints.set_disabled(connection, endpoint_id, because, now=now):
        return
    metrics.webhook_endpoints_disabled_total.labels(because).inc()
    log.error("webhook_endpoint_disabled", endpoint_id=str(endpoint_id), because=because)
    note(
        connection,
        Line(
            action="endpoint.disable",
            object_type="webhook_endpoint",
            object_id=endpoint_id,
            details={"because": because},
        ),
    )


def _weigh(ledger: _Ledger, item: Attempted, now: datetime, draw: Callable[[], float]) -> None:
    if item.answer is None:
        ledger.settlings.append(_settling(item, "due", Verdict(outcome="unused", tries=item.tries), again_at=now))
        return
    verdict = judge(item.answer, tries=item.tries, now=now, draw=draw())
    if item.kind == "test":
        status: WebhookDeliveryStatus = "delivered" if verdict.outcome == "delivered" else "failed"
        ledger.settlings.append(_settling(item, status, verdict, settled_at=now))
        return
    ledger.health = ledger.health.after(verdict, now=now, draw=draw())
    if verdict.outcome == "delivered":
        ledger.succeeded_at = ledger.last_success_at = now
        ledger.settlings.append(_settling(item, "delivered", verdict, settled_at=now))
    elif verdict.outcome == "gone":
        ledger.disabled = "gone"
        ledger.settlings.append(_settling(item, "due", verdict, again_at=now))
    elif not verdict.is_exhausted:
        ledger.settlings.append(_settling(item, "due", verdict, again_at=verdict.next_attempt_at))
    elif ledger.last_success_at is not None and ledger.last_success_at >= item.first_attempt_at:
        # Others arrived meanwhile: the receiver is there, and will not have this one.
        ledger.settlings.append(_settling(item, "failed", verdict, settled_at=now))
    else:
        ledger.disabled = "failing"
        ledger.settlings.append(_settling(item, "due", verdict, again_at=now))


def _settling(
    item: Attempted,
    status: WebhookDeliveryStatus,
    verdict: Verdict,
    *,
    again_at: datetime | None = None,
    settled_at: datetime | None = None,
) -> Settling:
    answer = item.answer or Answer()
    return Settling(
        delivery_id=item.delivery_id,
        attempt=item.attempt,
        status=status,
        outcome=verdict.outcome,
        tries=verdict.tries,
        next_attempt_at=again_at,
        settled_at=settled_at,
        started_at=item.started_at,
        milliseconds=item.milliseconds,
        http_status=answer.status,
        reason=answer.reason,
    )


def _label(answer: Answer) -> str:
    """A closed set, for the metric."""
    if answer.fault is not None:
        return answer.fault
    return f"{(answer.status or 0) // 100}xx"


def _check_known(connection: Connection, endpoint_id: UUID) -> None:
    if endpoints.find_endpoint(connection, endpoint_id) is None:
        raise UnknownEndpoint("there is no such endpoint")
