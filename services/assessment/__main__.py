"""The processes of assessment: python -m services.assessment serve | consume | relay | work | migrate | replay."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from services.assessment import messaging, metrics
from services.assessment.api.app import create_api
from services.assessment.handlers.backlogs import measure_due, measure_outbox
from services.assessment.handlers.failures import FailureBook
from services.assessment.handlers.schemes import load_schemes
from services.assessment.settings import AssessmentSettings
from services.assessment.tasks import SCORE, create_worker
from shared import crash
from shared.broker.consumer import Consumer, Settlement
from shared.broker.topology import declare_publishing, declare_subscription
from shared.database import Pool, check_durability, migrate, open_pool, transaction
from shared.errors import LianxinError
from shared.http import serve
from shared.management import Check, ManagementServer
from shared.observability import configure_logging, get_logger
from shared.relay import Relay
from shared.settings import UnsafeSetting, load
from shared.worker import connect_celery, make_celery, nudge, run_worker

HOME = Path(__file__).parent
STALLED_AFTER_SECONDS = 30
STATEMENT_SECONDS = {"serve": 5, "consume": 30, "relay": 5, "work": 60, "replay": 60}

log = get_logger()


def main(arguments: Sequence[str]) -> int:
    options = _read_arguments(arguments)
    try:
        settings = load(AssessmentSettings, secrets_directory=os.environ.get("LIANXIN_SECRETS_DIR"))
        configure_logging(service="assessment", process=options.command, level=settings.log_level)
        crash.arm(settings.crash_points, mode=settings.mode)
        if options.command == "migrate":
            return run_migrate(settings)
        pool = _open_pool(settings, options.command)
        try:
            run: Mapping[str, Callable[[], int]] = {
                "serve": lambda: run_serve(settings, pool),
                "consume": lambda: run_consume(settings, pool),
                "relay": lambda: run_relay(settings, pool),
                "work": lambda: run_work(settings, pool),
                "replay": lambda: run_replay(settings, pool, options),
            }
            return run[options.command]()
        finally:
            pool.close()
    except (UnsafeSetting, LianxinError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def run_serve(settings: AssessmentSettings, pool: Pool) -> int:
    app = create_api(settings, pool)
    _open_management(settings, pool, {})
    serve(app, settings)
    return 0


def run_consume(settings: AssessmentSettings, pool: Pool) -> int:
    consumer = _create_consumer(settings, pool)
    _stop_on_signals(consumer.stop)

    def check_broker() -> None:
        if not consumer.connected.is_set():
            raise ConnectionError("the broker is away")

    _open_management(settings, pool, {"broker": check_broker})
    consumer.run()
    return 0


def run_relay(settings: AssessmentSettings, pool: Pool) -> int:
    relay = Relay(
        settings.database_url.get_secret_value(), settings.broker_url.get_secret_value(), service="assessment"
    )
    _stop_on_signals(relay.stop)

    def check_progress() -> None:
        if time.monotonic() - relay.last_progress > STALLED_AFTER_SECONDS:
            raise TimeoutError("no pass over the outbox for too long")

    _open_management(settings, pool, {"relay": check_progress})
    relay.run()
    return 0


def run_work(settings: AssessmentSettings, pool: Pool) -> int:
    if settings.task_broker_url is None:
        raise UnsafeSetting("refusing to start: LIANXIN_ASSESSMENT_TASK_BROKER_URL: is needed by this process")
    app = create_worker(settings, pool)
    connect_celery(app, settings.task_broker_url.get_secret_value())
    metrics.watch_backlog(lambda: measure_due(pool), lambda: measure_outbox(pool))
    _open_management(settings, pool, {})
    run_worker(app, concurrency=3)
    return 0


def run_migrate(settings: AssessmentSettings) -> int:
    """Bring tables, schemes and topology up to date. The schemes are loaded as the runtime role: it owns no table."""
    if settings.owner_database_url is None or settings.deploy_broker_url is None:
        raise UnsafeSetting(
            "refusing to start: LIANXIN_ASSESSMENT_OWNER_DATABASE_URL, LIANXIN_ASSESSMENT_DEPLOY_BROKER_URL: "
            "are needed by migrate"
        )
    migrate(settings.owner_database_url.get_secret_value(), HOME / "migrations")
    pool = _open_pool(settings, "work")
    try:
        loaded = load_schemes(
            pool,
            (HOME / "schemes").glob("*.toml"),
            indicators_file=HOME / "indicators.toml",
            now=datetime.now(UTC),
        )
    finally:
        pool.close()
    log.info("schemes_loaded", names=loaded)
    broker_url = settings.deploy_broker_url.get_secret_value()
    declare_publishing(broker_url, "assessment")
    declare_subscription(broker_url, messaging.SUBSCRIPTION)
    return 0


def run_replay(settings: AssessmentSettings, pool: Pool, options: argparse.Namespace) -> int:
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


def _read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services.assessment")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("serve", "consume", "relay", "work", "migrate"):
        commands.add_parser(name)
    replay = commands.add_parser("replay", help="look into, or process again, what was set aside")
    replay.add_argument("--queue", choices=["dead", "parked"], default="dead")
    replay.add_argument("--limit", type=int, default=1_000)
    replay.add_argument("--list", action="store_true", help="show it and change nothing")
    return parser.parse_args(arguments)


def _open_pool(settings: AssessmentSettings, process: str) -> Pool:
    return open_pool(
        settings.database_url.get_secret_value(),
        size=settings.pool_size,
        application=f"assessment.{process}",
        statement_timeout_seconds=STATEMENT_SECONDS[process],
    )


def _create_consumer(settings: AssessmentSettings, pool: Pool) -> Consumer:
    broker_url = settings.broker_url.get_secret_value()
    celery = make_celery("assessment")
    can_nudge = settings.task_broker_url is not None
    if settings.task_broker_url is not None:
        connect_celery(celery, settings.task_broker_url.get_secret_value())
    door = messaging.FactsDoor(
        pool,
        zone=settings.zone,
        nudge_scoring=lambda: nudge(celery, SCORE) if can_nudge else None,
        interval_seconds=settings.scoring_interval_seconds,
    )

    def count(settlement: Settlement) -> None:
        for outcome in ("handled", "dead", "parked"):
            metrics.messages_settled_total.labels(outcome).inc(getattr(settlement, outcome))

    return Consumer(
        broker_url,
        messaging.SUBSCRIPTION,
        producer=messaging.producer_of(broker_url),
        handle=door.handle,
        failures=FailureBook(pool),
        settled=count,
    )


def _open_management(settings: AssessmentSettings, pool: Pool, checks: Mapping[str, Check]) -> ManagementServer:
    def check_database() -> None:
        with transaction(pool) as connection:
            if settings.mode == "test":
                connection.execute("SELECT 1")
            else:
                check_durability(connection)

    return ManagementServer(settings.management_host, settings.management_port, {"database": check_database, **checks})


def _stop_on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
