"""Making digests of the news that a subscription has not been told, together with their deliveries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.notify import metrics
from services.notify.domain.deliveries import message_id_of
from services.notify.domain.messages import Rendering
from services.notify.rendering.digests import DigestFacts, Renderer
from services.notify.storage import deliveries, digests, messages, subscriptions
from services.notify.storage.deliveries import NewDelivery
from services.notify.storage.digests import Audience, NewDigest
from services.notify.storage.subscriptions import Subscription
from shared.database import Connection, Pool, transaction

LARGEST_DIGEST = 20_000  # scores; what is beyond goes into the next digest, so that no transaction grows without end
MOVEMENTS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRules:
    interval: timedelta
    valid_for: timedelta
    mail_domain: str
    largest: int = LARGEST_DIGEST


def compose_digests(
    pool: Pool, renderer: Renderer, rules: DigestRules, *, now: datetime, new_id: Callable[[], UUID]
) -> int:
    """Compose what is due, one subscription a transaction; return how many digests were made.

    Safe to run twice, also at the same time: a subscription is locked while its position moves.
    """
    composed = 0
    while True:
        with transaction(pool) as connection:
            subscription = subscriptions.lock_waiting_subscription(connection, now=now, interval=rules.interval)
            if subscription is None:
                return composed
            made = _compose(connection, subscription, renderer, rules, now, new_id)
        if made:
            composed += 1
            metrics.digests_composed_total.inc()


def _compose(
    connection: Connection,
    subscription: Subscription,
    renderer: Renderer,
    rules: DigestRules,
    now: datetime,
    new_id: Callable[[], UUID],
) -> bool:
    """Move the subscription's position. Return whether that was worth a digest: values already told are not."""
    audience = Audience(
        subscription_id=subscription.id,
        organisation_id=subscription.organisation_id,
        seen_through=subscription.seen_through,
    )
    digest_id = new_id()
    through = digests.find_new_position(connection, audience, limit=rules.largest)
    score_count = digests.tell_scores(connection, audience, digest_id, through=through)
    subscriptions.set_seen(connection, subscription.id, through=through)
    if score_count == 0:
        return False
    digests.insert_digest(
        connection,
        NewDigest(
            id=digest_id,
            subscription_id=subscription.id,
            composed_at=now,
            seen_through=through,
            score_count=score_count,
            language=subscription.language,
            rendering=_render(connection, subscription, renderer, digest_id, now),
            correlation_id=digest_id.hex,
        ),
    )
    _insert_deliveries(connection, subscription, rules, digest_id, now, new_id)
    subscriptions.set_digested(connection, subscription.id, at=now)
    return True


def _render(
    connection: Connection, subscription: Subscription, renderer: Renderer, digest_id: UUID, now: datetime
) -> Rendering:
    facts = DigestFacts(
        subscription_name=subscription.name,
        recipient_name=subscription.recipient_name,
        whole_county=subscription.organisation_id is None,
        composed_at=now,
        periods=digests.list_period_counts(connection, digest_id),
        movements=digests.list_movements(connection, digest_id, limit=MOVEMENTS_SHOWN),
    )
    return renderer.render(facts, subscription.language)


def _insert_deliveries(
    connection: Connection,
    subscription: Subscription,
    rules: DigestRules,
    digest_id: UUID,
    now: datetime,
    new_id: Callable[[], UUID],
) -> None:
    """Owe one delivery a channel. The inbox is a table of ours: writing the message is its delivery."""
    for channel in subscription.channels:
        if channel == "inbox":
            messages.insert_message(connection, new_id(), subscription_id=subscription.id, digest_id=digest_id)
        delivery_id = new_id()
        deliveries.insert_delivery(
            connection,
            NewDelivery(
                id=delivery_id,
                digest_id=digest_id,
                channel=channel,
                endpoint=channel,
                recipient_name=subscription.recipient_name,
                address=subscription.email if channel == "email" else None,
                message_id=message_id_of(delivery_id, rules.mail_domain),
                status="sent" if channel == "inbox" else "due",
                created_at=now,
                valid_until=now + rules.valid_for,
            ),
        )
