"""The Celery app that every service starts from. The row in PostgreSQL is the truth, a task only a nudge."""

import logging
import ssl
import time
from collections.abc import Callable
from typing import Any, Never
from urllib.parse import urlsplit

import celery.beat
from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_ready
from celery.worker.consumer import Consumer
from kombu import compression
from kombu.entity import Queue
from kombu.exceptions import KombuError
from prometheus_client import Counter

from shared.links import tls_files, without_files
from shared.nudges import REASONS, NoNudge, read_nudge
from shared.observability import get_logger

# A task that failed or was lost with its worker is not repeated by the queue but found again by the sweep.
RELIABLE: dict[str, Any] = {
    "acks_late": True,
    "reject_on_worker_lost": True,
    "ignore_result": True,
    "max_retries": 0,
}

STALLED_AFTER_SECONDS = 60

tasks_refused_total = Counter(
    "tasks_refused_total", "Task messages dropped undone, since no service writes such.", ["reason"]
)
log = get_logger()


class PlainConsumer(Consumer):  # type: ignore[misc] # Celery has no types
    """Celery's consumer for plain nudges alone.

    It has no delayed delivery: no task is ever postponed, and it would cost 28 queues a service. And it has a gate: a
    body of an unexpected shape would end the worker and every one after it, since the message goes back to the queue,
    or keep its place among the prefetched until none is left; other surprises are logged with all that they contain.
    """

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc] # same
        default_steps = tuple(
            step for step in Consumer.Blueprint.default_steps if not step.endswith(":DelayedDelivery")
        )

    def create_task_handler(self, *arguments: Any) -> Callable[[Any], None]:  # noqa: ANN401 - same
        handle = super().create_task_handler(*arguments)
        tasks = {name: task.run for name, task in self.app.tasks.items() if not name.startswith("celery.")}

        def on_task_received(message: Any) -> None:  # noqa: ANN401 - same
            content = message.content_type, message.content_encoding
            try:
                message.headers = read_nudge(message.body, message.headers, content=content, tasks=tasks)
            except NoNudge as refusal:
                refuse(message, refusal.detail)
            else:
                handle(message)

        return on_task_received

    def on_decode_error(self, message: Any, exc: Exception) -> None:  # noqa: ANN401, ARG002 - same
        refuse(message, "packed")


def refuse(message: Any, reason: str) -> None:  # noqa: ANN401 - kombu has no types
    """Drop the message and tell nothing of its content. The row is the truth: a sweep finds what it may have asked."""
    tasks_refused_total.labels(reason).inc()
    log.error("task_refused", reason=reason)
    message.reject(requeue=False)


def forbid_packing() -> None:
    """Have this process unpack no message. Nobody here packs one, and a thousandth of its size is easily sent."""

    def unpack(_: bytes) -> Never:
        raise ValueError("messages are not packed here")

    for kind in compression.encoders():  # type: ignore[no-untyped-call] # kombu
        compression.register(unpack, unpack, kind)  # type: ignore[no-untyped-call] # same


def make_celery(service: str) -> Celery:
    """A Celery app with safe settings and no connection yet; `connect_celery` gives it a broker."""
    app = Celery(service)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_default_queue=f"{service}.tasks",
        task_default_queue_type="quorum",
        task_queues=[
            Queue(f"{service}.tasks", routing_key=f"{service}.tasks", queue_arguments={"x-queue-type": "quorum"})  # type: ignore[no-untyped-call] # kombu
        ],
        task_default_exchange_type="direct",
        worker_detect_quorum_queues=True,
        broker_transport_options={"confirm_publish": True},
        broker_heartbeat=30,
        broker_connection_timeout=5,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_consumer="shared.worker:PlainConsumer",
        worker_prefetch_multiplier=1,
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # Only a retry opens a lost connection again: without it the clock would stay on a dead one for ever.
        task_publish_retry=True,
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        enable_utc=True,
        timezone="UTC",
    )
    return app


def connect_celery(app: Celery, task_broker_url: str) -> None:
    files = tls_files(task_broker_url)
    if files is None:
        app.conf.broker_url = task_broker_url
        return
    app.conf.broker_url = without_files(task_broker_url).replace("amqps://", "amqp://", 1)
    # Said in full, because the client checks neither certificate nor name of its own accord.
    app.conf.broker_use_ssl = {
        "ca_certs": files.cacertfile,
        "certfile": files.certfile,
        "keyfile": files.keyfile,
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": urlsplit(task_broker_url).hostname,
        "tls_minimum_version": ssl.TLSVersion.TLSv1_2,
    }


def nudge(app: Celery, task: str, **arguments: str) -> None:
    """Ask for a task soon. A lost nudge is no loss: the periodic sweep finds what is due."""
    try:
        app.send_task(task, kwargs=arguments, expires=60, retry=False)
    except (OSError, KombuError) as error:
        log.warning("nudge_lost", task=task, error=type(error).__name__)


def watch_progress(*, longest_task_seconds: float) -> Callable[[], None]:
    """A check that raises when no task has ended for a while: a worker may be up and yet have stopped consuming.

    A task that may run for so long is work for so long, also where all threads are at such tasks.
    """
    last = [time.monotonic()]
    running: dict[str, float] = {}

    def note_begin(task_id: str, **_: object) -> None:
        running[task_id] = time.monotonic()

    def note_end(task_id: str, **_: object) -> None:
        running.pop(task_id, None)
        last[0] = time.monotonic()

    def check() -> None:
        now = time.monotonic()
        is_working = any(now - begun <= longest_task_seconds for begun in list(running.values()))
        if now - last[0] > STALLED_AFTER_SECONDS and not is_working:
            raise TimeoutError("no task has ended for too long, not even a periodic one")

    task_prerun.connect(note_begin, weak=False)
    task_postrun.connect(note_end, weak=False)
    return check


def run_worker(app: Celery, *, concurrency: int = 2) -> None:
    """Work until SIGTERM, with the clock of periodic tasks on a thread. Two such workers do no harm to one another.

    Threads and not child processes: the tasks wait for the database and the network; one process is half the memory.
    """
    clock: list[object] = []

    def start_clock(**_: object) -> None:
        beat = celery.beat.EmbeddedService(app, thread=True, scheduler_cls="celery.beat:Scheduler", max_interval=1)
        beat.daemon = True
        beat.start()
        clock.append(beat)

    def keep_logging(**_: object) -> None:
        """A receiver is what makes Celery leave the root logger, its level and its format as they are."""
        logging.getLogger("celery").setLevel(logging.WARNING)

    for reason in (*REASONS, "packed"):
        tasks_refused_total.labels(reason)  # from nothing to one is no increase that an alert could see
    forbid_packing()
    worker_ready.connect(start_clock, weak=False)
    setup_logging.connect(keep_logging, weak=False)
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=threads",
            f"--concurrency={concurrency}",
            "--without-gossip",
            "--without-mingle",
        ]
    )
