"""The process that pushes: one event loop that talks to receivers, one thread that talks to the database.

Many receivers are slow, and waiting for them must cost nothing: that is why this one door is asynchronous
(docs/decisions/0091-one-loop-pushes.md).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from services.notify import metrics
from services.notify.channels.webhooks import Call, WebhookChannel
from services.notify.domain.cloud_events import CONTENT_TYPE, tell, tell_test
from services.notify.handlers import handshakes
from services.notify.handlers.endpoints import PURPOSE, aad_of
from services.notify.handlers.handshakes import Handshake
from services.notify.handlers.webhook_deliveries import (
    Attempted,
    Errand,
    PushRules,
    claim_errands,
    record_attempts,
    withdraw_forgotten,
)
from services.notify.signing.webhooks import SigningKey, make_headers
from services.notify.storage.endpoints import StoredKey
from services.notify.storage.webhook_claims import Claimed
from shared import crash
from shared.crypto import CryptoProvider
from shared.database import Pool
from shared.errors import LianxinError
from shared.observability import correlated, get_logger

MOST_UNDER_WAY: Final = 2_000
MOST_HANDSHAKES: Final = 50
ASKS_EVERY_SECONDS: Final = 1.0
MOST_KEYS_REMEMBERED: Final = 10_000
log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PusherSettings:
    """`patience`: how long a claimed delivery waits for its turn before it is given back.

    Turns begin `turn_seconds` apart: each costs the same few statements however much there is to claim and record.
    """

    origin: str
    tick_seconds: float = 0.5
    turn_seconds: float = 0.1
    in_flight: int = 8  # to one endpoint
    patience: timedelta = timedelta(seconds=20)
    grace_seconds: float = 20
    rules: PushRules = field(default_factory=PushRules)


@dataclass(slots=True)
class _Errands:
    """What this process has under way of one endpoint, and how much of it may talk at the same time."""

    turns: asyncio.Semaphore
    count: int = 0


class Pusher:
    """`run` until `stop`. Several may run beside each other, on any hosts: the rows say who does what."""

    def __init__(
        self,
        pool: Pool,
        channel: WebhookChannel,
        crypto: CryptoProvider,
        settings: PusherSettings,
        *,
        clock: Callable[[], datetime],
        draw: Callable[[], float],
    ) -> None:
        self._pool = pool
        self._channel = channel
        self._crypto = crypto
        self._settings = settings
        self._clock = clock
        self._draw = draw
        self._database = ThreadPoolExecutor(1, thread_name_prefix="push")
        self._errands: dict[UUID, _Errands] = {}
        self._attempted: list[Attempted] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._keys: dict[UUID, SigningKey] = {}
        self._news = asyncio.Event()
        self._stopping = False
        self._ask_again_at = 0.0
        self._turn_again_at = 0.0
        self.last_progress = time.monotonic()

    def stop(self) -> None:
        self._stopping = True

    def run(self) -> None:
        asyncio.run(self._run())

    async def turn(self) -> int:
        """Record what has come back, claim what is due and send it off. Return how much of both there was."""
        await self._wait_for_turn()
        self._news.clear()
        attempted = list(self._attempted)
        errands, asking = await self._in_database(lambda: self._turn_in_database(attempted))
        del self._attempted[: len(attempted)]
        for errand in errands:
            for claimed in errand.claimed:
                self._start(errand.ready.endpoint_id, self._deliver(errand, claimed))
        for handshake in asking:
            self._start(handshake.endpoint_id, self._ask(handshake))
        self.last_progress = time.monotonic()
        return len(attempted) + sum(len(errand.claimed) for errand in errands) + len(asking)

    async def _wait_for_turn(self) -> None:
        pause = self._turn_again_at - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        self._turn_again_at = time.monotonic() + self._settings.turn_seconds

    async def run_until_idle(self) -> None:
        """For tests and measurements: come back when nothing is due, under way or unrecorded."""
        while await self.turn() or self._tasks or self._attempted:
            if self._tasks and not self._attempted:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Let what is under way come to its end, and write it down; what does not in time is found by its lease."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.grace_seconds)
        for task in self._tasks:
            task.cancel()
        attempted = list(self._attempted)
        try:
            await self._in_database(lambda: record_attempts(self._pool, attempted, now=self._clock(), draw=self._draw))
        finally:
            await self._channel.close()
            self._database.shutdown()

    async def _run(self) -> None:
        try:
            while not self._stopping:
                await self._turn_or_wait()
        finally:
            await self.close()

    async def _turn_or_wait(self) -> None:
        done = 0
        try:
            done = await self.turn()
        except LianxinError as error:
            log.warning("push_put_off", reason=error.code)
        except Exception:
            log.exception("push_failed")
        if done == 0:
            try:
                await asyncio.wait_for(self._news.wait(), self._settings.tick_seconds)
            except TimeoutError:
                return

    async def _in_database(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
        return await asyncio.get_running_loop().run_in_executor(self._database, work)

    def _turn_in_database(self, attempted: list[Attempted]) -> tuple[list[Errand], list[Handshake]]:
        if attempted:
            record_attempts(self._pool, attempted, now=self._clock(), draw=self._draw)
        if self._stopping:
            return [], []
        under_way = {endpoint_id: errands.count for endpoint_id, errands in self._errands.items()}
        room = MOST_UNDER_WAY - sum(under_way.values())
        rules = self._settings.rules
        errands = claim_errands(self._pool, rules, under_way, room=room, clock=self._clock)
        forgotten = [
            (errand.ready.endpoint_id, claimed)
            for errand in errands
            for claimed in errand.claimed
            if claimed.kind != "test" and claimed.envelope is None
        ]
        if forgotten:
            withdraw_forgotten(self._pool, forgotten, now=self._clock())
        return errands, self._claim_handshakes()

    def _claim_handshakes(self) -> list[Handshake]:
        """Now and then: new endpoints are few, and deliveries should not wait for the question whether there is one."""
        if time.monotonic() < self._ask_again_at:
            return []
        self._ask_again_at = time.monotonic() + ASKS_EVERY_SECONDS
        lease = self._settings.rules.lease
        return handshakes.claim_handshakes(self._pool, now=self._clock(), lease=lease, limit=MOST_HANDSHAKES)

    def _start(self, endpoint_id: UUID, work: Coroutine[Any, Any, None]) -> None:
        errands = self._errands.setdefault(endpoint_id, _Errands(asyncio.Semaphore(self._settings.in_flight)))
        errands.count += 1
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._end(endpoint_id, done))

    def _end(self, endpoint_id: UUID, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        errands = self._errands[endpoint_id]
        errands.count -= 1
        if errands.count == 0:
            del self._errands[endpoint_id]
        self._news.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug of ours with one delivery: its lease brings it back, and all others go on.
            log.error("push_task_failed", endpoint_id=str(endpoint_id), exc_info=error)

    async def _deliver(self, errand: Errand, claimed: Claimed) -> None:
        if claimed.kind != "test" and claimed.envelope is None:
            return
        waiting_since = time.monotonic()
        async with self._errands[errand.ready.endpoint_id].turns:
            started_at = self._clock()
            if time.monotonic() - waiting_since > self._settings.patience.total_seconds():
                self._note(errand, claimed, started_at, None, None)
                return
            begun = time.monotonic()
            call = self._make_call(errand, claimed, at=started_at)
            with correlated(str(claimed.event_id)):
                reply = await self._channel.call(call)
            crash.point("webhook.after_send_before_mark")
            self._observe(claimed, started_at)
            self._note(errand, claimed, started_at, begun, reply.answer)

    def _note(
        self,
        errand: Errand,
        claimed: Claimed,
        started_at: datetime,
        begun: float | None,
        answer: Any,  # noqa: ANN401
    ) -> None:
        self._attempted.append(
            Attempted(
                endpoint_id=errand.ready.endpoint_id,
                delivery_id=claimed.delivery_id,
                kind=claimed.kind,
                attempt=claimed.attempt,
                tries=claimed.tries,
                first_attempt_at=claimed.first_attempt_at,
                started_at=started_at,
                milliseconds=0 if begun is None else round((time.monotonic() - begun) * 1000),
                answer=answer,
            )
        )

    def _make_call(self, errand: Errand, claimed: Claimed, *, at: datetime) -> Call:
        if claimed.envelope is None:
            told = tell_test(claimed.event_id, at=claimed.created_at)
        else:
            told = tell(claimed.envelope, "facts" if errand.ready.content == "facts" else "ids")
        body = orjson.dumps(told)
        keys = [self._open(key) for key in errand.keys]
        headers = make_headers(str(claimed.event_id), body, at=at, keys=keys)
        return Call(
            bulkhead=errand.ready.endpoint_id,
            url=errand.ready.url,
            headers={**headers, "Content-Type": CONTENT_TYPE},
            body=body,
        )

    def _open(self, key: StoredKey) -> SigningKey:
        """Raises Undecipherable for a key that was altered or lies in another's place."""
        known = self._keys.get(key.id)
        if known is None:
            if len(self._keys) >= MOST_KEYS_REMEMBERED:
                self._keys.clear()
            material = self._crypto.decrypt(PURPOSE, aad=aad_of(key.id), data=key.sealed)
            known = self._keys[key.id] = SigningKey(kind=key.kind, material=material)
        return known

    def _observe(self, claimed: Claimed, started_at: datetime) -> None:
        if claimed.kind == "event" and claimed.attempt == 1 and claimed.envelope is not None:
            recorded_at = datetime.fromisoformat(claimed.envelope["time"])
            metrics.webhook_handed_over_seconds.observe(max(0.0, (started_at - recorded_at).total_seconds()))

    async def _ask(self, handshake: Handshake) -> None:
        origin = self._settings.origin
        headers = handshakes.make_headers(origin)
        call = Call(bulkhead=handshake.endpoint_id, url=handshake.url, headers=headers, method="OPTIONS")
        reply = await self._channel.call(call)
        await self._in_database(
            lambda: handshakes.record_handshake(
                self._pool, handshake, reply, origin=origin, now=self._clock(), draw=self._draw
            )
        )
