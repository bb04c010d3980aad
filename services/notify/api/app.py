"""The whole of notify's HTTP door: every topic's routes on one app."""

from fastapi import FastAPI

from services.notify.api.agreements import add_agreements
from services.notify.api.deliveries import add_deliveries
from services.notify.api.disclosures import add_disclosures
from services.notify.api.endpoints import add_endpoints
from services.notify.api.feed import add_feed
from services.notify.api.messages import add_messages
from services.notify.api.own import add_own
from services.notify.api.receipts import add_receipts
from services.notify.api.stream import add_stream
from services.notify.api.subscriptions import add_subscriptions
from services.notify.api.templates import add_templates
from services.notify.api.webhook_deliveries import add_webhook_deliveries
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
from shared.http import create_app
from shared.retention_door import add_retention
from shared.throttle import Throttle


def create_notify_app(
    settings: NotifySettings, pool: Pool, *, authenticator: Authenticator, keys: CryptoProvider | None = None
) -> FastAPI:
    """Without keys no endpoint can be made: `serve` has them always."""
    app = create_app("Lianxin notify", settings, authenticator=authenticator)
    add_audit(app, pool)
    add_retention(app, pool, settings, retention.CLASSES, service="notify")
    app.state.throttle = Throttle(pool, reads_per_minute=settings.reads_per_minute)
    app.state.pool = pool
    add_subscriptions(app, pool)
    add_messages(app, pool)
    add_own(app, pool, load_rules(settings.rules))
    add_stream(app, pool, settings)
    add_templates(app, pool, settings.zone)
    add_deliveries(app, pool, settings)
    add_receipts(app, pool, open_gateway(settings))
    add_agreements(app, pool)
    add_endpoints(app, EndpointDesk(pool=pool, crypto=keys, rules=make_rules(settings)))
    add_webhook_deliveries(app, pool)
    add_feed(app, pool, settings)
    add_disclosures(app, pool)
    describe_webhooks(app)
    return app
