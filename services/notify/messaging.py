"""The event door: which queue is answered by which handler."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from services.notify.handlers.events import take_events
from shared.broker.topology import Subscription
from shared.contracts.envelope import Envelope
from shared.database import Pool

# By the name under which the inbox knows them.
SUBSCRIPTIONS: Mapping[str, Subscription] = {
    "notify.events": Subscription(
        service="notify", queue="q.notify.events", exchange="evt.assessment", patterns=("assessment.#",)
    ),
    "notify.intake": Subscription(
        service="notify", queue="q.notify.intake", exchange="evt.intake", patterns=("intake.#",)
    ),
}


def make_doors(pool: Pool, *, zone: ZoneInfo) -> dict[Subscription, Callable[[Sequence[Envelope]], None]]:
    return {subscription: partial(_handle, pool, consumer, zone) for consumer, subscription in SUBSCRIPTIONS.items()}


def _handle(pool: Pool, consumer: str, zone: ZoneInfo, batch: Sequence[Envelope]) -> None:
    take_events(pool, consumer, batch, zone=zone, now=datetime.now(UTC))
