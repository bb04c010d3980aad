"""The Celery door: when digests are composed and what is due goes out. Each task calls one handler."""

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify.channels.mail import MailChannel
from services.notify.handlers.deliveries import DeliveryRules, deliver_due
from services.notify.handlers.digests import DigestRules, compose_digests
from services.notify.rendering import Renderer
from services.notify.settings import NotifySettings
from shared.database import Pool
from shared.identifiers import new_id
from shared.worker import RELIABLE, make_celery, nudge

COMPOSE = "notify.compose_digests"
DELIVER = "notify.deliver"


def create_worker(settings: NotifySettings, pool: Pool) -> Any:  # noqa: ANN401 - a Celery app, and Celery has no types
    app = make_celery("notify")
    channel = MailChannel(
        settings.mail_server,
        settings.mail_login,
        tls=settings.mail_tls,
        sender=settings.sender,
        timeout_seconds=settings.smtp_timeout_seconds,
    )
    renderer = Renderer(settings.zone)
    digest_rules = DigestRules(
        interval=timedelta(seconds=settings.digest_interval_seconds),
        valid_for=timedelta(hours=settings.delivery_valid_hours),
        mail_domain=channel.domain,
    )
    delivery_rules = DeliveryRules(attempts_max=settings.delivery_attempts_max)
    delivering = threading.Lock()

    @app.task(name=COMPOSE, **RELIABLE)
    def compose() -> None:
        if compose_digests(pool, renderer, digest_rules, now=_now(), new_id=new_id):
            nudge(app, DELIVER)

    @app.task(name=DELIVER, **RELIABLE)
    def deliver() -> None:
        """One at a time in a process: a mail server that hangs must not hold every thread of the worker."""
        if not delivering.acquire(blocking=False):
            return
        try:
            while deliver_due(pool, channel, delivery_rules, clock=_now, draw=random.random) >= delivery_rules.batch:
                pass
        finally:
            delivering.release()

    app.conf.beat_schedule = {
        name: {"task": name, "schedule": settings.sweep_seconds, "options": {"expires": settings.sweep_seconds}}
        for name in (COMPOSE, DELIVER)
    }
    return app


def _now() -> datetime:
    return datetime.now(UTC)
