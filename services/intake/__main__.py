"""The processes of intake: python -m services.intake serve | relay | work | migrate | import."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from services.intake import metrics
from services.intake.settings import IntakeSettings
from shared import crash, outbox
from shared.broker.topology import declare_publishing
from shared.database import Pool, check_durability, migrate, open_pool, transaction
from shared.errors import LianxinError
from shared.http import serve
from shared.management import Check, ManagementServer
from shared.observability import configure_logging, get_logger
from shared.relay import Relay
from shared.settings import UnsafeSetting, load
from shared.worker import connect_celery, nudge, run_worker

STALLED_AFTER_SECONDS = 30

log = get_logger()


def run_serve(settings: IntakeSettings) -> int:
    from services.intake.api.app import create_intake_app
    from services.intake.tasks import celery

    pool = _open_pool(settings, "serve", settings.pool_size)
    if settings.task_broker_url is not None:
        connect_celery(celery, settings.task_broker_url.get_secret_value())
    app = create_intake_app(
        settings, pool, nudge_import=lambda import_id: nudge(celery, "intake.run_import", import_id=import_id)
    )
    management = _manage(settings, {"database": lambda: _ask(pool)})
    try:
        serve(app, settings)
    finally:
        management.close()
        pool.close()
    return 0


def run_relay(settings: IntakeSettings) -> int:
    pool = _open_pool(settings, "relay-measures", 1)
    metrics.watch_backlog(lambda: _measure_backlog(pool))
    relay = Relay(
        settings.database_url.get_secret_value(),
        settings.broker_url.get_secret_value(),
        service="intake",
        sent=metrics.events_sent_total.inc,
    )

    def check_progress() -> None:
        if time.monotonic() - relay.last_progress > STALLED_AFTER_SECONDS:
            raise TimeoutError("no pass over the outbox for too long")

    management = _manage(settings, {"relay": check_progress})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: relay.stop())
    try:
        relay.run()
    finally:
        management.close()
        pool.close()
    return 0


def run_work(settings: IntakeSettings) -> int:
    from services.intake import tasks

    if settings.task_broker_url is None:
        raise UnsafeSetting("refusing to start: LIANXIN_INTAKE_TASK_BROKER_URL: is needed by this process")
    pool = _open_pool(settings, "work", settings.pool_size, statement_timeout_seconds=60)
    connect_celery(tasks.celery, settings.task_broker_url.get_secret_value())
    tasks.wire(pool, settings)
    management = _manage(settings, {"database": lambda: _ask(pool)})
    try:
        run_worker(tasks.celery)
    finally:
        management.close()
        pool.close()
    return 0


def run_migrate(settings: IntakeSettings) -> int:
    if settings.owner_database_url is None:
        raise UnsafeSetting("refusing to start: LIANXIN_INTAKE_OWNER_DATABASE_URL: is needed by migrate")
    migrate(settings.owner_database_url.get_secret_value(), Path(__file__).parent / "migrations")
    if settings.deploy_broker_url is not None:
        declare_publishing(settings.deploy_broker_url.get_secret_value(), "intake")
    return 0


def run_import(settings: IntakeSettings, arguments: list[str]) -> int:
    from services.intake.handlers import imports
    from services.intake.importing.cli import main as read_arguments_and_import

    pool = _open_pool(settings, "import", 3, statement_timeout_seconds=60)
    own = imports.settings_of(settings)
    try:
        return read_arguments_and_import(
            arguments,
            lambda file, profile, dry_run, report: imports.import_for_command(
                pool, file, profile, own, dry_run=dry_run, report=report
            ),
        )
    finally:
        pool.close()


COMMANDS: Mapping[str, Callable[[IntakeSettings], int]] = {
    "serve": run_serve,
    "relay": run_relay,
    "work": run_work,
    "migrate": run_migrate,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.intake")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        commands.add_parser(name)
    commands.add_parser("import", add_help=False)
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "import":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        settings = load(IntakeSettings, secrets_directory=os.environ.get("LIANXIN_SECRETS_DIR"))
        configure_logging(service="intake", process=options.command, level=settings.log_level)
        crash.arm(settings.crash_points, mode=settings.mode)
        return run_import(settings, rest) if options.command == "import" else COMMANDS[options.command](settings)
    except (UnsafeSetting, LianxinError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _open_pool(settings: IntakeSettings, process: str, size: int, *, statement_timeout_seconds: float = 5) -> Pool:
    return open_pool(
        settings.database_url.get_secret_value(),
        size=size,
        application=f"intake.{process}",
        statement_timeout_seconds=statement_timeout_seconds,
    )


def _manage(settings: IntakeSettings, checks: Mapping[str, Check]) -> ManagementServer:
    return ManagementServer(settings.management_host, settings.management_port, checks)


def _ask(pool: Pool) -> None:
    with transaction(pool) as connection:
        check_durability(connection)


def _measure_backlog(pool: Pool) -> tuple[int, float]:
    with transaction(pool) as connection:
        return outbox.measure_backlog(connection)


if __name__ == "__main__":
    sys.exit(main())
