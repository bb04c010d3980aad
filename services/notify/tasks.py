"""The Celery door: when digests are composed and what is due goes out. Each task calls one handler."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify.channels.registry import open_channels
from services.notify.handlers.delivering import Chances, DeliveryRules
from services.notify.handlers.digests import DigestRules, compose_digests
from services.notify.handlers.dispatching import Dispatcher
from services.notify.rendering import Renderer
from services.notify.settings import NotifySettings
from shared.database import Pool
from shared.identifiers import new_id
from shared.worker import RELIABLE, make_celery, nudge

COMPOSE = "notify.compose_digests"
DELIVER = "notify.deliver"


def create_worker(settings: NotifySettings, pool: Pool) -> Any:  # noqa: ANN401 - a Celery app, and Celery has no types
    app = make_celery("notify")
    renderer = Renderer(settings.zone)
    digest_rules = DigestRules(
        interval=timedelta(seconds=settings.digest_interval_seconds),
        valid_for=timedelta(hours=settings.delivery_valid_hours),
        mail_domain=settings.sender.domain,
    )
    dispatcher = Dispatcher(
        pool,
        open_channels(settings),
        DeliveryRules(attempts_max=settings.delivery_attempts_max),
        Chances(clock=_now, draw=random.random),
    )

    @app.task(name=COMPOSE, **RELIABLE)
    def compose() -> None:
        if compose_digests(pool, renderer, digest_rules, now=_now(), new_id=new_id):
            nudge(app, DELIVER)

    @app.task(name=DELIVER, **RELIABLE)
    def deliver() -> None:
        """Hands out what is due to threads of its own: a server that hangs must not hold the threads of the worker."""
        dispatcher.sweep()

    app.conf.beat_schedule = {
        name: {"task": name, "schedule": settings.sweep_seconds, "options": {"expires": settings.sweep_seconds}}
        for name in (COMPOSE, DELIVER)
    }
    return app


def _now() -> datetime:
    return datetime.now(UTC)
