"""The processes of notify: python -m services.notify serve | consume | work | migrate | replay."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from prometheus_client import REGISTRY

from services.notify import messaging, metrics
from services.notify.api import create_api
from services.notify.handlers.deliveries import measure_backlog
from services.notify.handlers.failures import FailureBook
from services.notify.settings import NotifySettings
from services.notify.tasks import create_worker
from shared import crash
from shared.broker.consumer import Consumer, Settlement
from shared.broker.topology import declare_publishing, declare_subscription
from shared.database import Pool, check_durability, migrate, open_pool, transaction
from shared.http import serve
from shared.management import Check, ManagementServer
from shared.observability import configure_logging, get_logger
from shared.settings import UnsafeSetting, load
from shared.worker import connect_celery, run_worker

WORKER_THREADS = 3
STATEMENT_SECONDS = {"serve": 5, "consume": 30, "work": 60, "replay": 60}

log = get_logger()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.notify")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("serve", "consume", "work", "migrate"):
        commands.add_parser(name)
    replay = commands.add_parser("replay", help="look into, or process again, what was set aside")
    replay.add_argument("--queue", choices=["dead", "parked"], default="dead")
    replay.add_argument("--limit", type=int, default=1_000)
    replay.add_argument("--list", action="store_true", help="show it and change nothing")
    options = parser.parse_args(arguments)
    try:
        settings = load(NotifySettings, secrets_directory=os.environ.get("LIANXIN_SECRETS_DIR"))
    except UnsafeSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging(service="notify", process=options.command, level=settings.log_level)
    crash.arm(settings.crash_points, mode=settings.mode)
    if options.command == "migrate":
        return run_migrate(settings)
    pool = open_pool(
        settings.database_url.get_secret_value(),
        size=settings.pool_size,
        application=f"notify.{options.command}",
        statement_timeout_seconds=STATEMENT_SECONDS[options.command],
    )
    try:
        run: Mapping[str, Callable[[], int]] = {
            "serve": lambda: run_serve(settings, pool),
            "consume": lambda: run_consume(settings, pool),
            "work": lambda: run_work(settings, pool),
            "replay": lambda: run_replay(settings, pool, options),
        }
        return run[options.command]()
    finally:
        pool.close()


def run_serve(settings: NotifySettings, pool: Pool) -> int:
    app = create_api(settings, pool)
    _open_management(settings, pool, {})
    serve(app, settings)
    return 0


def run_consume(settings: NotifySettings, pool: Pool) -> int:
    consumer = _create_consumer(settings, pool)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: consumer.stop())

    def check_broker() -> None:
        if not consumer.connected.is_set():
            raise ConnectionError("the broker is away")

    _open_management(settings, pool, {"broker": check_broker})
    consumer.run()
    return 0


def run_work(settings: NotifySettings, pool: Pool) -> int:
    if settings.task_broker_url is None:
        sys.stderr.write("refusing to start: LIANXIN_NOTIFY_TASK_BROKER_URL: is needed by work\n")
        return 2
    app = create_worker(settings, pool)
    connect_celery(app, settings.task_broker_url.get_secret_value())
    REGISTRY.register(metrics.BacklogCollector(lambda: measure_backlog(pool)))
    _open_management(settings, pool, {})
    run_worker(app, concurrency=WORKER_THREADS)
    return 0


def run_migrate(settings: NotifySettings) -> int:
    if settings.owner_database_url is None or settings.deploy_broker_url is None:
        sys.stderr.write(
            "refusing to start: LIANXIN_NOTIFY_OWNER_DATABASE_URL, LIANXIN_NOTIFY_DEPLOY_BROKER_URL: "
            "are needed by migrate\n"
        )
        return 2
    migrate(settings.owner_database_url.get_secret_value(), Path(__file__).parent / "migrations")
    broker_url = settings.deploy_broker_url.get_secret_value()
    declare_publishing(broker_url, "notify")
    declare_subscription(broker_url, messaging.SUBSCRIPTION)
    return 0


def run_replay(settings: NotifySettings, pool: Pool, options: argparse.Namespace) -> int:
    consumer = _create_consumer(settings, pool)
    subscription = messaging.SUBSCRIPTION
    queue = subscription.dead_queue if options.queue == "dead" else subscription.parked_queue
    if options.list:
        for delivery in consumer.look(queue, limit=options.limit):
            kind, producer = delivery.properties.type or "unknown", delivery.user_id or "unknown"
            sys.stdout.write(f"{delivery.message_id} {kind} from {producer}, {len(delivery.body)} bytes\n")
        return 0
    settlement = consumer.drain(queue, limit=options.limit)
    log.info("replay_finished", queue=queue, handled=settlement.handled, failed=settlement.dead)
    return 1 if settlement.dead else 0


def _create_consumer(settings: NotifySettings, pool: Pool) -> Consumer:
    def count(settlement: Settlement) -> None:
        for result in ("handled", "dead", "parked"):
            metrics.MESSAGES_SETTLED.labels(result).inc(getattr(settlement, result))

    broker_url = settings.broker_url.get_secret_value()
    return Consumer(
        broker_url,
        messaging.SUBSCRIPTION,
        producer=messaging.producer_of(broker_url),
        handle=lambda batch: messaging.handle(pool, batch),
        failures=FailureBook(pool),
        settled=count,
    )


def _open_management(settings: NotifySettings, pool: Pool, checks: Mapping[str, Check]) -> ManagementServer:
    def check_database() -> None:
        with transaction(pool) as connection:
            if settings.mode == "test":
                connection.execute("SELECT 1")
            else:
                check_durability(connection)

    return ManagementServer(settings.management_host, settings.management_port, {"database": check_database, **checks})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
