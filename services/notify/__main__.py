"""The processes of notify: python -m services.notify serve | consume | work | push | migrate | replay.

Each imports what it needs itself: a process that opens no door starts in half the time, and in less memory.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from services.notify.settings import NotifySettings
from shared import commands
from shared.database import Pool, open_pool
from shared.observability import get_logger

if TYPE_CHECKING:
    from services.notify.pushing import Pusher
    from services.notify.storage.directory import Directory

WORKER_THREADS = 3

log = get_logger()


def serve(settings: NotifySettings, pool: Pool, _: Sequence[str]) -> int:
    from services.notify.api.app import create_notify_app
    from services.notify.handlers.endpoints import PURPOSE
    from shared import processes

    authenticator = processes.open_authenticator(settings, service="notify")
    keys = commands.open_keys(settings, PURPOSE)
    app = create_notify_app(settings, pool, authenticator=authenticator, keys=keys)
    return processes.serve_api(settings, pool, app)


def consume(settings: NotifySettings, pool: Pool, _: Sequence[str]) -> int:
    from services.notify import messaging, metrics
    from shared import processes

    nudging = messaging.Nudging(_make_nudge(settings))
    nudging.start()
    doors = messaging.make_doors(pool, zone=settings.zone, told=nudging.ask)
    try:
        return processes.consume_events(settings, pool, doors, settled=metrics.messages_settled_total)
    finally:
        nudging.stop()


def _make_nudge(settings: NotifySettings) -> Callable[[], None]:
    """Without a broker of tasks people are told at the next sweep."""
    if settings.task_broker_url is None:
        return lambda: None
    from services.notify.tasks import NOTE
    from shared.worker import connect_celery, make_celery, nudge

    celery = make_celery("notify")
    connect_celery(celery, settings.task_broker_url.get_secret_value())
    return lambda: nudge(celery, NOTE)


def work(settings: NotifySettings, pool: Pool, _: Sequence[str]) -> int:
    from services.notify import metrics
    from services.notify.handlers import retention
    from services.notify.handlers.deliveries import count_open_circuits, measure_backlog, measure_channels
    from services.notify.handlers.noticing import measure_unread
    from services.notify.tasks import create_worker
    from shared import chores, processes
    from shared.backlogs import watch_backlog

    watch_backlog(
        "notify_deliveries_due",
        "notify_deliveries_due_oldest_seconds",
        "Deliveries that have neither arrived nor failed",
        partial(measure_backlog, pool),
    )
    metrics.watch_channels(partial(measure_channels, pool), lambda: count_open_circuits(pool, now=datetime.now(UTC)))
    watch_backlog(
        "notify_events_unread",
        "notify_events_unread_oldest_seconds",
        "Events that have not been gone through for who is to be told",
        partial(measure_unread, pool),
    )
    worker = create_worker(settings, pool, _open_directory(settings))
    chores.add_chores(worker, chores.open_chores(settings, pool, retention.CLASSES, service="notify"))
    return processes.work(settings, pool, worker, threads=WORKER_THREADS)


def _open_directory(settings: NotifySettings) -> "Directory":
    from services.notify.storage.directory import IdentityDirectory, NoDirectory

    if settings.identity_database_url is None:
        log.warning("nobody_told_by_role", detail="the worker has no identity_database_url to ask who has a role")
        return NoDirectory()
    url = settings.identity_database_url.get_secret_value()
    return IdentityDirectory(open_pool(url, size=1, application="notify.identity", statement_timeout_seconds=5))


def push(settings: NotifySettings, pool: Pool, _: Sequence[str]) -> int:
    from services.notify.handlers import webhook_deliveries
    from shared import processes
    from shared.backlogs import watch_backlog

    watch_backlog(
        "notify_webhook_deliveries_open",
        "notify_webhook_deliveries_oldest_seconds",
        "Webhook deliveries that have neither arrived nor failed",
        partial(webhook_deliveries.measure_backlog, pool),
    )
    return processes.run_until_stopped(settings, pool, make_pusher(settings, pool))


def make_pusher(settings: NotifySettings, pool: Pool) -> "Pusher":
    """Raises UnsafeSetting."""
    import random

    from services.notify.channels.egress import make_rules
    from services.notify.channels.webhooks import CallLimits, WebhookChannel, make_context
    from services.notify.handlers.endpoints import PURPOSE
    from services.notify.pushing import Pusher, PusherSettings

    channel = WebhookChannel(
        make_rules(settings),
        limits=CallLimits(total_seconds=settings.webhook_seconds, connections=settings.webhook_connections),
        tls=make_context(str(settings.webhook_ca_file) if settings.webhook_ca_file else None),
    )
    return Pusher(
        pool,
        channel,
        commands.open_keys(settings, PURPOSE),
        PusherSettings(origin=settings.webhook_origin, in_flight=settings.webhook_connections),
        clock=lambda: datetime.now(UTC),
        draw=random.random,
    )


def migrate(settings: NotifySettings, _: Pool, __: Sequence[str]) -> int:
    from services.notify import messaging
    from shared import processes

    processes.bring_up_to_date(
        settings,
        service="notify",
        migrations=Path(__file__).parent / "migrations",
        subscriptions=list(messaging.SUBSCRIPTIONS.values()),
    )
    return 0


def replay(settings: NotifySettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.notify import messaging
    from shared import processes

    return processes.replay(settings, pool, messaging.make_doors(pool, zone=settings.zone), arguments)


def retain(settings: NotifySettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.notify.handlers import retention
    from shared import chores

    return chores.retain(settings, pool, retention.CLASSES, arguments, service="notify")


def export_audit(settings: NotifySettings, pool: Pool, arguments: Sequence[str]) -> int:
    from shared import chores

    return chores.export_audit(settings, pool, arguments, service="notify")


COMMANDS = {
    "serve": serve,
    "consume": consume,
    "work": work,
    "push": push,
    "migrate": migrate,
    "replay": replay,
    "audit-export": export_audit,
    "retain": retain,
}

if __name__ == "__main__":
    sys.exit(commands.run("notify", NotifySettings, COMMANDS, sys.argv[1:]))
