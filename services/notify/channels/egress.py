"""Where an installation lets webhooks go, as its settings say it."""

from services.notify.domain.destinations import EgressRules
from services.notify.settings import NotifySettings


def make_rules(settings: NotifySettings) -> EgressRules:
    return EgressRules(
        ports=frozenset(settings.webhook_ports),
        networks=settings.webhook_networks,
        plain_loopback=settings.webhook_plain_loopback,
        hosts=frozenset(host.lower() for host in settings.webhook_hosts),
    )
