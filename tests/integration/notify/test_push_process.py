"""The process that pushes, killed again and again in the midst of its work: nothing is lost."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from embedded.layout import free_port
from services.notify.handlers.events import take_events
from shared.database import Pool, open_pool
from tests.integration.notify.conftest import ZONE, envelope_of
from tests.integration.notify.receiving import ORIGIN, Partners, Receiver, make_partners, received_issue, reply
from tests.integration.notify.test_doors import wait_for

pytestmark = pytest.mark.integration
EVENTS = 600
KILLS = 4


@contextmanager
def in_a_thread(receiver: Receiver) -> Iterator[Receiver]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(receiver.start(), loop).result(10)
    try:
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(receiver.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def database(new_database):
    return new_database("notify")


@pytest.fixture
def pool(database) -> Iterator[Pool]:
    with contextlib.closing(
        open_pool(database.url, size=4, application="test", statement_timeout_seconds=30, system=True)
    ) as opened:
        yield opened


@pytest.fixture
def environment(database, keys_folder: Path) -> dict[str, str]:
    values = {
        "MODE": "test",
        "DATABASE_URL": database.url,
        "BROKER_URL": "amqp://nobody:is-asked-for-this-4711@127.0.0.1:1/x",
        "KEYS_DIRECTORY": str(keys_folder / "notify"),
        "WEBHOOK_ORIGIN": ORIGIN,
        "WEBHOOK_NETWORKS": '["127.0.0.0/8"]',
        "WEBHOOK_PLAIN_LOOPBACK": "true",
    }
    return os.environ | {f"LIANXIN_NOTIFY_{name}": value for name, value in values.items()}


def start(environment: dict[str, str], *, crash_points: str = "") -> "subprocess.Popen[bytes]":
    ports = {"LIANXIN_NOTIFY_MANAGEMENT_PORT": str(free_port()), "LIANXIN_NOTIFY_CRASH_POINTS": crash_points}
    return subprocess.Popen([sys.executable, "-m", "services.notify", "push"], env=environment | ports)


def end_leases(partners: Partners) -> None:
    """What a dead process had claimed is due now, not in a minute."""
    partners.ask("UPDATE webhook_delivery SET next_attempt_at = now() WHERE status IN ('claimed', 'due') RETURNING 1")


def tell(pool: Pool, first: int, count: int) -> None:
    now = datetime.now(UTC)
    batch = [envelope_of(received_issue(number), at=now) for number in range(first, first + count)]
    take_events(pool, "notify.intake", batch, zone=ZONE, now=now)


def is_settled(partners: Partners) -> bool:
    return partners.ask("SELECT count(*) FROM webhook_delivery WHERE status = 'delivered'") == [(EVENTS,)]


def connect(partners: Partners, receiver: Receiver) -> None:
    partners.now = datetime.now(UTC)
    partners.connect(partners.agree(), receiver.url)


def test_killed_in_the_midst_it_loses_nothing_and_repeats_what_was_under_way(pool, environment, keys_folder):
    partners = make_partners(pool, keys_folder)
    with in_a_thread(Receiver()) as receiver:
        connect(partners, receiver)
        kills = 0
        process = start(environment)
        try:
            wait_for(lambda: partners.ask("SELECT 1 FROM webhook_endpoint WHERE status = 'active'") != [])
            tell(pool, 1, EVENTS)
            while kills < KILLS:
                enough = (kills + 1) * EVENTS // (KILLS + 2)
                wait_for(lambda enough=enough: len(set(ids(receiver))) >= enough)
                process.send_signal(signal.SIGKILL)
                process.wait(10)
                kills += 1
                end_leases(partners)
                process = start(environment)
            wait_for(lambda: is_settled(partners), seconds=90)
        finally:
            process.terminate()
            assert process.wait(30) == 0

    repeats = sum(count - 1 for count in Counter(ids(receiver)).values())
    assert len(set(ids(receiver))) == EVENTS
    assert repeats <= KILLS * partners.rules.claimed_most
    assert partners.ask("SELECT count(*) FROM disclosure") == [(EVENTS,)]


@pytest.mark.parametrize("point", ["webhook.after_claim", "webhook.after_send_before_mark"])
def test_it_dies_where_it_was_told_to_and_loses_nothing(pool, environment, keys_folder, point):
    partners = make_partners(pool, keys_folder)
    with in_a_thread(Receiver()) as receiver:
        connect(partners, receiver)
        first = start(environment)
        wait_for(lambda: partners.ask("SELECT 1 FROM webhook_endpoint WHERE status = 'active'") != [])
        first.terminate()
        assert first.wait(30) == 0
        tell(pool, 1, 20)
        armed = start(environment, crash_points=point)
        assert armed.wait(60) == -signal.SIGKILL
        end_leases(partners)
        second = start(environment)
        wait_for(lambda: partners.ask("SELECT count(*) FROM webhook_delivery WHERE status = 'delivered'") == [(20,)])
        second.terminate()
        assert second.wait(30) == 0

    assert len(set(ids(receiver))) == 20


def test_a_slow_end_is_no_loss_either(pool, environment, keys_folder):
    """Told to stop, it lets what is under way come to its end, and writes down what came of it."""
    partners = make_partners(pool, keys_folder)

    def slowly(_) -> tuple[bytes, float]:
        return reply(200, "WebHook-Allowed-Origin: *"), 0.01

    with in_a_thread(Receiver(always=slowly)) as receiver:
        connect(partners, receiver)
        tell(pool, 1, 1)
        process = start(environment)
        wait_for(lambda: partners.ask("SELECT 1 FROM webhook_endpoint WHERE status = 'active'") != [])
        tell(pool, 2, 8)
        wait_for(lambda: len(receiver.posts) >= 4)
        process.terminate()
        assert process.wait(30) == 0

    assert partners.ask("SELECT count(*) FROM webhook_attempt WHERE outcome = 'unknown'") == [(0,)]
    delivered = partners.ask("SELECT count(*) FROM webhook_delivery WHERE status = 'delivered'")[0][0]
    assert delivered == len(receiver.posts)


def ids(receiver: Receiver) -> list[str]:
    return [post.headers["webhook-id"] for post in list(receiver.posts)]
