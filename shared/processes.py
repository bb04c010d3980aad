"""How the processes of every service say that they are ready, work, and end.

What only some of them need is imported by these alone: a relay would wait longer for FastAPI than for its database.
"""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from prometheus_client import Counter
from pydantic import SecretStr

from shared import outbox
from shared.backlogs import watch_backlog
from shared.broker.consumer import Consumer, Producer, Settlement
from shared.broker.seals import Seals, purpose_of
from shared.broker.topology import Subscription, declare_publishing, declare_subscription, producer_of
from shared.commands import LONGEST_STATEMENT_SECONDS, open_keys
from shared.contracts.envelope import Envelope
from shared.database import Pool, check_durability, migrate, open_pool, transaction
from shared.errors import LianxinError
from shared.inbox import FailureBook
from shared.management import Check, ManagementServer
from shared.observability import get_logger
from shared.settings import ProcessSettings, ServiceSettings, UnsafeSetting
from shared.startup import check_database

if TYPE_CHECKING:
    from fastapi import FastAPI

    from shared.access.principal import Authenticator

Handle = Callable[[Sequence[Envelope]], None]

STALLED_AFTER_SECONDS = 30

log = get_logger()


def open_authenticator(settings: ProcessSettings, *, service: str) -> "Authenticator":
    """Raises UnsafeSetting. The identity database is asked over connections of its own, as a role of its own."""
    url = _required(settings, "identity_database_url", settings.identity_database_url)
    pool = open_pool(url, size=2, application=f"{service}.identity", statement_timeout_seconds=2)
    return make_authenticator(settings, pool, service=service)


def make_authenticator(settings: ProcessSettings, pool: Pool, *, service: str) -> "Authenticator":
    """Over an open pool on the identity database."""
    from shared.access.authenticator import SessionsAndTokens
    from shared.access.store import IdentityStore

    return SessionsAndTokens(
        IdentityStore(pool), audience=f"urn:lianxin:{service}", allowed_origins=settings.allowed_origins
    )


def serve_api(settings: ProcessSettings, pool: Pool, app: "FastAPI") -> int:
    from shared.http import serve

    _open_management(settings, pool, {})
    serve(app, settings)
    return 0


def relay_events(settings: ServiceSettings, pool: Pool, *, service: str, sent: Counter) -> int:
    from shared.relay import Relay

    relay = Relay(
        settings.database_url.get_secret_value(),
        settings.broker_url.get_secret_value(),
        service=service,
        macs=open_keys(settings, purpose_of(service)),
        sent=sent.inc,
    )

    def measure() -> tuple[int, float]:
        with transaction(pool) as connection:
            return outbox.measure_backlog(connection)

    watch_backlog(
        f"{service}_outbox_unsent", f"{service}_outbox_oldest_seconds", "Events that wait to be sent", measure
    )
    _stop_on_signals(relay.stop)
    _open_management(settings, pool, {"progress": check_progress(relay)})
    relay.run()
    return 0


def consume_events(
    settings: ServiceSettings, pool: Pool, handlers: Mapping[Subscription, Handle], *, settled: Counter
) -> int:
    """Consume each queue on a thread of its own. `settled` counts messages by the label `outcome`: handled, ..."""

    def count(settlement: Settlement) -> None:
        for outcome in ("handled", "dead", "parked"):
            settled.labels(outcome).inc(getattr(settlement, outcome))

    consumers = [
        _make_consumer(settings, pool, subscription, handle, count) for subscription, handle in handlers.items()
    ]
    _stop_on_signals(partial(_stop_all, consumers))
    checks = {"broker": partial(_check_connected, consumers), "progress": partial(_check_all_progress, consumers)}
    _open_management(settings, pool, checks)
    return _run_all(consumers)


def _check_connected(consumers: Sequence[Consumer]) -> None:
    if not all(consumer.connected.is_set() for consumer in consumers):
        raise ConnectionError("the broker is away")


def _check_all_progress(consumers: Sequence[Consumer]) -> None:
    for consumer in consumers:
        check_progress(consumer)()


def _stop_all(consumers: Sequence[Consumer]) -> None:
    for consumer in consumers:
        consumer.stop()


def _run_all(consumers: Sequence[Consumer]) -> int:
    """Until all have ended. Where one ends by a fault of ours, so do the others, and the process says so."""
    faults: list[BaseException] = []

    def run(consumer: Consumer) -> None:
        try:
            consumer.run()
        except BaseException as error:
            log.exception("consumer_failed")
            faults.append(error)
            _stop_all(consumers)

    threads = [threading.Thread(target=run, args=[consumer], daemon=True) for consumer in consumers[1:]]
    for thread in threads:
        thread.start()
    run(consumers[0])
    for thread in threads:
        thread.join()
    return 1 if faults else 0


def work(
    settings: ServiceSettings,
    pool: Pool,
    app: Any,  # noqa: ANN401 - Celery has no types
    *,
    threads: int,
    longest_task_seconds: float = LONGEST_STATEMENT_SECONDS,
) -> int:
    from shared.worker import connect_celery, run_worker, watch_progress

    connect_celery(app, _required(settings, "task_broker_url", settings.task_broker_url))
    _open_management(settings, pool, {"progress": watch_progress(longest_task_seconds=longest_task_seconds)})
    run_worker(app, concurrency=threads)
    return 0


class Progressing(Protocol):
    """Whatever notes the time of each round that it came through."""

    last_progress: float


class Runner(Progressing, Protocol):
    """What goes round until it is told to stop."""

    def run(self) -> None: ...
    def stop(self) -> None: ...


def run_until_stopped(settings: ProcessSettings, pool: Pool, runner: Runner) -> int:
    """Until SIGTERM or SIGINT: for a process that neither serves nor consumes."""
    _stop_on_signals(runner.stop)
    _open_management(settings, pool, {"progress": check_progress(runner)})
    runner.run()
    return 0


def check_progress(watched: Progressing) -> Check:
    """A check that raises when no round has ended for a while: connected is not yet at work."""

    def check() -> None:
        if time.monotonic() - watched.last_progress > STALLED_AFTER_SECONDS:
            raise TimeoutError("no round has ended for too long")

    return check


def replay(
    settings: ServiceSettings, pool: Pool, handlers: Mapping[Subscription, Handle], arguments: Sequence[str]
) -> int:
    """Show, or process again, what a consumer set aside, of all its queues. Return 1 when some of it failed again."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{next(iter(handlers)).service} replay",
        description="Process again what was dead-lettered or parked; what fails again stays there.",
    )
    parser.add_argument("--queue", choices=["dead", "parked"], default="dead")
    parser.add_argument("--limit", type=int, default=1_000)
    parser.add_argument("--list", action="store_true", help="show it and change nothing")
    options = parser.parse_args(arguments)
    failed = 0
    for subscription, handle in handlers.items():
        consumer = _make_consumer(settings, pool, subscription, handle, lambda _: None)
        queue = subscription.dead_queue if options.queue == "dead" else subscription.parked_queue
        if options.list:
            for delivery in consumer.look(queue, limit=options.limit):
                kind, producer = delivery.properties.type or "unknown", delivery.user_id or "unknown"
                sys.stdout.write(f"{delivery.message_id} {kind} from {producer}, {len(delivery.body)} bytes\n")
            continue
        settlement = consumer.drain(queue, limit=options.limit)
        log.info("replay_finished", queue=queue, handled=settlement.handled, failed=settlement.dead)
        failed += settlement.dead
    return 1 if failed else 0


def bring_up_to_date(
    settings: ServiceSettings, *, service: str, migrations: Path, subscriptions: Sequence[Subscription] = ()
) -> None:
    """Apply migrations as the owner, and declare exchanges and queues as the account of deployments."""
    broker_url = _required(settings, "deploy_broker_url", settings.deploy_broker_url)
    bring_database_up_to_date(settings, migrations=migrations)
    declare_publishing(broker_url, service)
    for subscription in subscriptions:
        declare_subscription(broker_url, subscription)


def bring_database_up_to_date(settings: ProcessSettings, *, migrations: Path) -> str:
    """Apply migrations as the owner; return the URL by which the owner was let in."""
    owner_url = _required(settings, "owner_database_url", settings.owner_database_url)
    migrate(owner_url, migrations)
    return owner_url


def keep(settings: ProcessSettings, pool: Pool, duties: Mapping[str, Callable[[], object]], *, every: float) -> int:
    """Do what repeats, every so many seconds until SIGTERM or SIGINT: for a service without a broker."""
    keeper = Keeper(duties, interval_seconds=every)
    _stop_on_signals(keeper.stop)
    _open_management(settings, pool, {"progress": check_progress(keeper)})
    keeper.run()
    return 0


class Keeper:
    """Does all duties in turn, then waits; one that fails is logged and does not keep the others from being done."""

    def __init__(self, duties: Mapping[str, Callable[[], object]], *, interval_seconds: float) -> None:
        self._duties = dict(duties)
        self._interval_seconds = interval_seconds
        self._stopping = threading.Event()
        self.last_progress = time.monotonic()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            for name, duty in self._duties.items():
                self._do(name, duty)
            self._wait()

    def _do(self, name: str, duty: Callable[[], object]) -> None:
        try:
            duty()
        except LianxinError as error:
            log.warning("duty_put_off", duty=name, reason=error.code)
        except Exception:
            log.exception("duty_failed", duty=name)
        self.last_progress = time.monotonic()

    def _wait(self) -> None:
        """In short steps, so that a long pause does not look like a standstill."""
        due = time.monotonic() + self._interval_seconds
        while not self._stopping.is_set() and (left := due - time.monotonic()) > 0:
            self._stopping.wait(min(left, STALLED_AFTER_SECONDS / 3))
            self.last_progress = time.monotonic()


def _make_consumer(
    settings: ServiceSettings,
    pool: Pool,
    subscription: Subscription,
    handle: Handle,
    settled: Callable[[Settlement], None],
) -> Consumer:
    url = settings.broker_url.get_secret_value()
    origin = subscription.exchange.removeprefix("evt.")
    seals = Seals(open_keys(settings, purpose_of(origin)), service=origin)
    return Consumer(
        url,
        subscription,
        producer=Producer(user_id=producer_of(subscription, url), seals=seals),
        handle=handle,
        failures=FailureBook(pool, subscription.queue),
        settled=settled,
    )


def _open_management(settings: ProcessSettings, pool: Pool, checks: Mapping[str, Check]) -> None:
    def check_own_database() -> None:
        with transaction(pool) as connection:
            if settings.mode == "test":
                connection.execute("SELECT 1")
            elif settings.mode == "embedded":
                check_durability(connection)
            else:
                check_database(connection)

    # It serves on a daemon thread, so that it answers until the very end of the process.
    ManagementServer(
        settings.management_host,
        settings.management_port,
        {"database": check_own_database, **checks},
        tls=settings.make_door_context(client_ca=settings.management_client_ca_file),
    )


def _stop_on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def _required(settings: ProcessSettings, name: str, value: SecretStr | None) -> str:
    if value is None:
        prefix = settings.model_config.get("env_prefix", "")
        raise UnsafeSetting(f"refusing to start: {prefix}{name.upper()}: is needed by this command")
    return value.get_secret_value()
