"""Webhooks a second to a local sink: the whole way with its database, against a bare loop of httpx, in turns."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import psycopg

from bench.report import Figure
from services.notify.channels.webhooks import WebhookChannel
from services.notify.handlers.endpoints import EndpointDesk
from services.notify.pushing import Pusher, PusherSettings
from shared.crypto import KeyRing
from shared.database import Pool, open_pool, transaction
from shared.identifiers import new_id
from tests.harness.partners import RULES, connect, end_agreement
from tests.harness.sinks import Sink
from tests.harness.suite import ROOT, Suite

RECEIVERS = 4
CONCURRENCY = 32  # eight to each
EVENTS = 2_000  # told to each receiver
ROUNDS = 3
BAR = 0.5
BODY_BYTES = 480  # of an event as it is told


def measure_delivering(suite: Suite) -> list[Figure]:
    for process in suite.processes.values():
        process.stop()
    pool = open_pool(
        suite.urls["LIANXIN_NOTIFY_DATABASE_URL"],
        size=4,
        application="bench",
        statement_timeout_seconds=60,
        system=True,
    )
    keys = KeyRing(suite.folder / "keys" / "notify")
    own: list[float] = []
    bare: list[float] = []
    try:
        with _sink() as ports:
            connect(
                EndpointDesk(pool=pool, crypto=keys, rules=RULES),
                [f"http://127.0.0.1:{port}/hook" for port in ports],
                number="bench",
            )
            asyncio.run(_push(pool, keys))  # the handshakes
            for _ in range(ROUNDS):
                bare.append(asyncio.run(_bare(ports, EVENTS * RECEIVERS)))
                tell(pool, EVENTS)
                begun = time.monotonic()
                asyncio.run(_push(pool, keys))
                own.append(EVENTS * RECEIVERS / (time.monotonic() - begun))
            _check(suite)
            beside = [_push_beside_a_drip(pool, keys) for _ in range(ROUNDS)]
    finally:
        pool.close()
    return [
        Figure(
            name=f"webhooks to {RECEIVERS} receivers, {CONCURRENCY} at once",
            unit="deliveries/s",
            values=own,
            yardstick=bare,
            bar=f"ratio >= {BAR}",
        ),
        Figure(
            name="the same beside a receiver that drips a byte a second",
            unit="deliveries/s",
            values=beside,
            yardstick=own,
        ),
    ]


def tell(pool: Pool, count: int) -> None:
    """So many events in the log, each of an issue of its own."""
    with transaction(pool) as connection:
        connection.execute(
            """
              WITH moved AS (
                      UPDATE event_position SET last_position = last_position + %(count)s RETURNING last_position),
                   made AS (
                      SELECT last_position - %(count)s + number AS position, gen_random_uuid() AS event_id,
                             gen_random_uuid() AS issue_id
                        FROM moved, generate_series(1, %(count)s) AS number)
            INSERT INTO event (position, event_id, source, type, aggregate, aggregate_id, sequence, organisation_ids,
                               concerns_all, recorded_at, heard_at, correlation_id, envelope)
            SELECT position, event_id, '/intake', 'cn.lianxin.issue.received.v1', 'issue', issue_id, 1, '{}', false,
                   now(), now(), 'bench',
                   json_build_object('specversion', '1.0', 'id', event_id, 'source', '/intake',
                                     'type', 'cn.lianxin.issue.received.v1', 'subject', 'issue/' || issue_id,
                                     'time', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                                     'sequence', '1',
                                     'data', json_build_object('issue_id', issue_id, 'issue_type', 'help',
                                                               'category', 'water_supply', 'channel', 'phone',
                                                               'received_at', now()))
              FROM made
            """,
            {"count": count},
        )


async def _push(pool: Pool, keys: KeyRing) -> None:
    """One process's worth of pushing, until nothing is owed."""
    pusher = make_pusher(pool, keys)
    await pusher.run_until_idle()
    await pusher.close()


def make_pusher(pool: Pool, keys: KeyRing, *, grace_seconds: float = 20) -> Pusher:
    return Pusher(
        pool,
        WebhookChannel(RULES),
        keys,
        PusherSettings(origin="bench.localhost", in_flight=CONCURRENCY // RECEIVERS, grace_seconds=grace_seconds),
        clock=lambda: datetime.now(UTC),
        draw=lambda: 0.5,
    )


def _push_beside_a_drip(pool: Pool, keys: KeyRing) -> float:
    """So many a second to those who answer, while one more is owed as much and keeps every connection that it gets."""
    slow = Sink()
    slow.start()
    try:
        agreement = connect(
            EndpointDesk(pool=pool, crypto=keys, rules=RULES),
            [f"http://127.0.0.1:{slow.port}/drip"],
            number=f"drip-{new_id()}",
        )
        asyncio.run(_push(pool, keys))  # the handshake
        tell(pool, EVENTS)
        rate = asyncio.run(_push_until(pool, keys, EVENTS * RECEIVERS))
        if slow.count == 0:
            raise RuntimeError("nothing dripped: nothing was measured")
        end_agreement(pool, agreement)
    finally:
        slow.stop()
    return rate


async def _push_until(pool: Pool, keys: KeyRing, count: int) -> float:
    pusher = make_pusher(pool, keys, grace_seconds=0.1)
    before, begun = _count_delivered(pool), time.monotonic()
    while _count_delivered(pool) - before < count:
        if not await pusher.turn():
            await asyncio.sleep(0.01)
    seconds = time.monotonic() - begun
    await pusher.close()
    return count / seconds


def _count_delivered(pool: Pool) -> int:
    with transaction(pool) as connection:
        row = connection.execute("SELECT count(*) FROM webhook_delivery WHERE status = 'delivered'").fetchone()
    return int(str(row[0])) if row else 0


async def _bare(ports: list[int], count: int) -> float:
    """POSTs a second of httpx with as many at once, and nothing else: no database, no signature, no look at names."""
    body = b"x" * BODY_BYTES
    remaining = iter(range(count))

    async def work(client: httpx.AsyncClient, port: int) -> None:
        for _ in remaining:
            answer = await client.post(f"http://127.0.0.1:{port}/hook", content=body)
            answer.raise_for_status()

    async with httpx.AsyncClient(trust_env=False) as client:
        begun = time.monotonic()
        await asyncio.gather(*(work(client, ports[worker % len(ports)]) for worker in range(CONCURRENCY)))
        return count / (time.monotonic() - begun)


@contextmanager
def _sink() -> Iterator[list[int]]:
    command = [sys.executable, "-m", "bench.sink", str(RECEIVERS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield [int(port) for port in (process.stdout or sys.stdin).readline().split()]
        finally:
            process.terminate()


def _check(suite: Suite) -> None:
    """Raises RuntimeError where something was not delivered, or twice: then nothing was measured."""
    with psycopg.connect(
        suite.urls["LIANXIN_NOTIFY_OWNER_DATABASE_URL"], options="-c lianxin.reach=system"
    ) as connection:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE status = 'delivered'), sum(attempts) FROM webhook_delivery"
        ).fetchone()
    wanted = EVENTS * RECEIVERS * ROUNDS
    if row is None or row[0] != wanted or row[1] != wanted:
        raise RuntimeError(f"{row} of {wanted} deliveries: nothing was measured")
