"""Who wants to be told, and the inbox of each."""

from datetime import datetime
from uuid import UUID

from services.notify.domain.messages import UnknownMessage
from services.notify.domain.subscriptions import NameTaken, UnknownOrganisation, UnknownSubscription, Wish
from services.notify.storage import messages, subscriptions
from services.notify.storage.messages import Message
from services.notify.storage.subscriptions import Subscription
from shared.database import Connection, Pool, transaction
from shared.versions import Expected, check_version


def put_subscription(pool: Pool, wish: Wish, *, expected: Expected, new_id: UUID) -> tuple[Subscription, bool]:
    """Make a subscription or replace what it wants; return it and whether it is new.

    Raises Rejected, NameTaken, Outdated.
    """
    wish.check()
    with transaction(pool) as connection:
        if not subscriptions.is_within_reach(connection, wish.organisation_id):
            raise UnknownOrganisation("no such organisation is known")
        check_version(subscriptions.lock_version(connection, wish.name), expected)
        is_new = subscriptions.insert_subscription(connection, new_id, wish)
        if not is_new and not subscriptions.set_subscription(connection, wish):
            raise NameTaken("the name belongs to another subscription")
        return _get_subscription(connection, wish.name), is_new


def list_subscriptions(pool: Pool, *, after: str, limit: int) -> list[Subscription]:
    with transaction(pool) as connection:
        return subscriptions.list_subscriptions(connection, after=after, limit=limit)


def list_messages(pool: Pool, name: str, *, unread_only: bool, before: UUID | None, limit: int) -> list[Message]:
    """Raises UnknownSubscription."""
    with transaction(pool) as connection:
        subscription = _get_subscription(connection, name)
        return messages.list_messages(connection, subscription.id, unread_only=unread_only, before=before, limit=limit)


def mark_read(pool: Pool, name: str, message_id: UUID, *, at: datetime) -> datetime:
    """Return since when the message is read; a repeat changes nothing. Raises UnknownSubscription, UnknownMessage."""
    with transaction(pool) as connection:
        subscription = _get_subscription(connection, name)
        read_at = messages.set_read(connection, subscription.id, message_id, at=at)
        if read_at is None:
            raise UnknownMessage("this inbox has no such message")
        return read_at


def _get_subscription(connection: Connection, name: str) -> Subscription:
    subscription = subscriptions.find_subscription(connection, name)
    if subscription is None:
        raise UnknownSubscription("there is no such subscription")
    return subscription
