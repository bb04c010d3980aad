"""Webhooks a second to a local sink: the whole way with its database, against a bare loop of httpx, in turns."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import psycopg

from bench.report import Figure
from services.notify.channels.webhooks import WebhookChannel
from services.notify.domain.agreements import Terms
from services.notify.domain.destinations import EgressRules, read_networks
from services.notify.domain.endpoints import EndpointWish
from services.notify.handlers import agreements, endpoints
from services.notify.handlers.endpoints import EndpointDesk
from services.notify.pushing import Pusher, PusherSettings
from shared.crypto import KeyRing
from shared.database import Pool, open_pool, transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting
from tests.fakes import person
from tests.harness.suite import ROOT, Suite

RECEIVERS = 4
CONCURRENCY = 32  # eight to each
EVENTS = 2_000  # told to each receiver
ROUNDS = 3
BAR = 0.5
RULES = EgressRules(networks=read_networks(["127.0.0.0/8"]), plain_loopback=True)
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
            connect(EndpointDesk(pool=pool, crypto=keys, rules=RULES), ports)
            asyncio.run(_push(pool, keys))  # the handshakes
            for _ in range(ROUNDS):
                bare.append(asyncio.run(_bare(ports, EVENTS * RECEIVERS)))
                tell(pool, EVENTS)
                begun = time.monotonic()
                asyncio.run(_push(pool, keys))
                own.append(EVENTS * RECEIVERS / (time.monotonic() - begun))
            _check(suite)
    finally:
        pool.close()
    return [
        Figure(
            name=f"webhooks to {RECEIVERS} receivers, {CONCURRENCY} at once",
            unit="deliveries/s",
            values=own,
            yardstick=bare,
            bar=f"ratio >= {BAR}",
        )
    ]


def connect(desk: EndpointDesk, ports: list[int]) -> None:
    """One endpoint at each port, under one agreement."""
    now = datetime.now(UTC)
    proposer, decider = person("department_officer", name="proposer"), person("approver", name="decider")
    terms = Terms(
        number="bench",
        partner="bench",
        client_id=None,
        event_types=(),
        organisation_id=None,
        content="facts",
        valid_from=now - timedelta(days=1),
        valid_until=now + timedelta(days=1),
    )
    with acting(SYSTEM):
        made = agreements.propose_agreement(desk.pool, terms, by=proposer, new_id=new_id(), now=now)
        agreements.decide_agreement(desk.pool, made.id, "agreed", by=decider, now=now)
        for port in ports:
            wish = EndpointWish(url=f"http://127.0.0.1:{port}/hook", signs_with="v1")
            endpoint, _ = endpoints.propose_endpoint(desk, made.id, wish, by=proposer, new_id=new_id, now=now)
            endpoints.decide_endpoint(desk.pool, endpoint.id, "approve", by=decider, now=now)


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
    pusher = Pusher(
        pool,
        WebhookChannel(RULES),
        keys,
        PusherSettings(origin="bench.localhost", in_flight=CONCURRENCY // RECEIVERS),
        clock=lambda: datetime.now(UTC),
        draw=lambda: 0.5,
    )
    await pusher.run_until_idle()
    await pusher.close()


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
