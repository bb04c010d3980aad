"""The whole of notify's HTTP door: every topic's routes on one app."""

from fastapi import FastAPI

from services.notify.api import (
    agreements,
    deliveries,
    disclosures,
    endpoints,
    feed,
    messages,
    own,
    receipts,
    stream,
    subscriptions,
    templates,
    webhook_deliveries,
)
from services.notify.api.webhooks_described import describe_webhooks
from services.notify.channels.egress import make_rules
from services.notify.channels.registry import open_gateway
from services.notify.handlers import retention
from services.notify.handlers.endpoints import EndpointDesk
from services.notify.handlers.rules import load_rules
from services.notify.settings import NotifySettings
from shared.access.principal import Authenticator
from shared.audit_door import add_audit
from shared.crypto import CryptoProvider
from shared.database import Pool
from shared.http import create_app, take_routes
from shared.retention_door import add_retention
from shared.throttle import Throttle


def create_notify_app(
    settings: NotifySettings, pool: Pool, *, authenticator: Authenticator, keys: CryptoProvider | None = None
) -> FastAPI:
    """Without keys no endpoint can be made: `serve` has them always."""
    gateway = open_gateway(settings)
    app = create_app("Lianxin notify", settings, authenticator=authenticator)
    app.state.pool = pool
    add_audit(app, pool)
    add_retention(app, settings, retention.CLASSES, service="notify")
    app.state.throttle = Throttle(pool, reads_per_minute=settings.reads_per_minute)
    app.state.rules = load_rules(settings.rules)
    app.state.receipts = gateway.receipt if gateway is not None else None
    app.state.streams = stream.OpenStreams()
    app.state.endpoints = EndpointDesk(pool=pool, crypto=keys, rules=make_rules(settings))
    app.state.feed_waiting = feed.Waiting()
    for topic in (
        subscriptions,
        messages,
        own,
        stream,
        templates,
        deliveries,
        receipts,
        agreements,
        endpoints,
        webhook_deliveries,
        feed,
        disclosures,
    ):
        take_routes(app, topic.router)
    describe_webhooks(app)
    return app
