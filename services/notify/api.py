"""The HTTP door for programs: subscriptions, the inbox, and the state of deliveries."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Response
from pydantic import Field

from services.notify.domain import Channel, DeliveryStatus, Language, Wish
from services.notify.handlers import deliveries, retention, subscriptions
from services.notify.settings import NotifySettings
from services.notify.storage.deliveries import Delivery
from services.notify.storage.messages import Message
from services.notify.storage.subscriptions import Subscription
from shared.access.principal import Authenticator, Principal
from shared.audit_door import add_audit
from shared.database import Pool
from shared.edge import CodeText, ShortText
from shared.http import Body, create_app, describe_body, json_body, json_response, permit
from shared.identifiers import new_id
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.retention_door import add_retention
from shared.throttle import Throttle

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]


class SubscriptionBody(Body):
    """Without an organisation the whole county is followed, else that organisation and all below it."""

    recipient_name: ShortText
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    organisation_id: UUID | None = None
    language: Language = "zh"
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=2)] = ("inbox",)


def create_api(settings: NotifySettings, pool: Pool, *, authenticator: Authenticator) -> FastAPI:
    app = create_app("Lianxin notify", settings, authenticator=authenticator)
    add_audit(app, pool)
    add_retention(app, pool, settings, retention.CLASSES, service="notify")
    app.state.throttle = Throttle(pool, reads_per_minute=settings.reads_per_minute)
    app.state.pool = pool
    _add_subscriptions(app, pool)
    _add_inbox(app, pool)
    _add_deliveries(app, pool)
    return app


def _add_subscriptions(app: FastAPI, pool: Pool) -> None:
    @app.put("/v1/subscriptions/{name}", openapi_extra=describe_body(SubscriptionBody))
    def put_subscription(
        name: str,
        _: Annotated[Principal, Depends(permit("subscription.put"))],
        body: Annotated[SubscriptionBody, Depends(json_body(SubscriptionBody))],
    ) -> Response:
        wish = Wish(
            name=name,
            recipient_name=body.recipient_name,
            email=body.email,
            organisation_id=body.organisation_id,
            language=body.language,
            channels=tuple(dict.fromkeys(body.channels)),
        )
        subscription, is_new = subscriptions.put_subscription(pool, wish, new_id=new_id())
        return json_response(_show_subscription(subscription), status=201 if is_new else 200)

    @app.get("/v1/subscriptions")
    def list_subscriptions(
        _: Annotated[Principal, Depends(permit("subscription.read"))], limit: Limit = 50, cursor: Cursor = None
    ) -> Response:
        after = decode_cursor(cursor, length=1)[0] if cursor else ""
        found = subscriptions.list_subscriptions(pool, after=after or "", limit=limit + 1)
        page, next_cursor = _page(found, limit, [item.name for item in found])
        return json_response({"items": [_show_subscription(item) for item in page], "next_cursor": next_cursor})


def _add_inbox(app: FastAPI, pool: Pool) -> None:
    @app.get("/v1/inbox/{subscription}/messages")
    def list_messages(
        subscription: CodeText,
        _: Annotated[Principal, Depends(permit("message.read"))],
        *,
        unread: bool = False,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        found = subscriptions.list_messages(
            pool, subscription, unread_only=unread, before=_read_id(cursor), limit=limit + 1
        )
        page, next_cursor = _page(found, limit, [str(item.id) for item in found])
        return json_response({"items": [_show_message(item) for item in page], "next_cursor": next_cursor})

    @app.post("/v1/inbox/{subscription}/messages/{message_id}/read")
    def mark_read(
        subscription: CodeText, message_id: UUID, _: Annotated[Principal, Depends(permit("message.mark_read"))]
    ) -> Response:
        read_at = subscriptions.mark_read(pool, subscription, message_id, at=datetime.now(UTC))
        return json_response({"id": message_id, "read_at": read_at})


def _add_deliveries(app: FastAPI, pool: Pool) -> None:
    @app.get("/v1/deliveries")
    def list_deliveries(
        _: Annotated[Principal, Depends(permit("delivery.read"))],
        state: DeliveryStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        found = deliveries.list_deliveries(pool, status=state, before=_read_id(cursor), limit=limit + 1)
        page, next_cursor = _page(found, limit, [str(item.id) for item in found])
        return json_response({"items": [_show_delivery(item) for item in page], "next_cursor": next_cursor})


def _read_id(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, length=1)[0])
    except (ValueError, TypeError, AttributeError):
        raise BadCursor("the cursor is not one of ours") from None


def _page(found: Sequence[Item], limit: int, keys: Sequence[str]) -> tuple[Sequence[Item], str | None]:
    """One more than the page was asked for: whether it is there tells whether there is a next page."""
    return found[:limit], encode_cursor([keys[limit - 1]]) if len(found) > limit else None


def _show_subscription(item: Subscription) -> dict[str, object]:
    return {
        "name": item.name,
        "recipient_name": item.recipient_name,
        "email": item.email,
        "organisation_id": item.organisation_id,
        "language": item.language,
        "channels": item.channels,
        "digested_at": item.digested_at,
    }


def _show_message(item: Message) -> dict[str, object]:
    return {
        "id": item.id,
        "composed_at": item.composed_at,
        "language": item.language,
        "score_count": item.score_count,
        "subject": item.subject,
        "text": item.text_body,
        "read_at": item.read_at,
    }


def _show_delivery(item: Delivery) -> dict[str, object]:
    return {
        "id": item.id,
        "digest_id": item.digest_id,
        "subscription": item.subscription,
        "channel": item.channel,
        "state": item.status,
        "attempts": item.attempts,
        "next_attempt_at": item.next_attempt_at if item.status in {"due", "claimed"} else None,
        "valid_until": item.valid_until,
        "reason": item.reason,
        "created_at": item.created_at,
        "settled_at": item.settled_at,
    }
