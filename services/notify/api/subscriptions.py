"""Who wants to be told, over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.notify.api.paging import Cursor, Limit, page
from services.notify.domain.messages import Language
from services.notify.domain.subscriptions import Wish
from services.notify.handlers import subscriptions
from services.notify.storage.subscriptions import Subscription
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.conditions import read_expected
from shared.edge import ShortText
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit
from shared.identifiers import new_id
from shared.pages import decode_cursor

router = APIRouter()
SubscriptionChannel = Literal["inbox", "email"]


class SubscriptionBody(Body):
    """Without an organisation the whole county is followed, else that organisation and all below it."""

    recipient_name: ShortText
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    organisation_id: UUID | None = None
    language: Language = "zh"
    channels: Annotated[tuple[SubscriptionChannel, ...], Field(min_length=1, max_length=2)] = ("inbox",)


class ShownSubscription(Shown):
    """`version` may be sent back in If-Match with a change."""

    name: str
    recipient_name: str
    email: str | None
    organisation_id: UUID | None
    language: Language
    channels: list[SubscriptionChannel]
    digested_at: datetime | None
    version: int


@router.put(
    "/v1/subscriptions/{name}",
    responses=shows(ShownSubscription)
    | shows(ShownSubscription, status=201)
    | refuses(412, _409="The name belongs to another subscription."),
    openapi_extra=describe_body(SubscriptionBody),
)
def put_subscription(
    request: Request,
    name: str,
    _: Annotated[Principal, Depends(permit("subscription.put"))],
    pool: AppPool,
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
    expected = read_expected(request)
    subscription, is_new = subscriptions.put_subscription(pool, wish, expected=expected, new_id=new_id())
    return json_response(_show_subscription(subscription), status=201 if is_new else 200)


@router.get("/v1/subscriptions", responses=shows(Page[ShownSubscription]))
def list_subscriptions(
    _: Annotated[Principal, Depends(permit("subscription.read"))],
    pool: AppPool,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    after = decode_cursor(cursor, length=1)[0] if cursor else ""
    found = subscriptions.list_subscriptions(pool, after=after or "", limit=limit + 1)
    items, next_cursor = page(found, limit, [item.name for item in found])
    return json_response({"items": [_show_subscription(item) for item in items], "next_cursor": next_cursor})


def _show_subscription(item: Subscription) -> dict[str, object]:
    return {
        "name": item.name,
        "recipient_name": item.recipient_name,
        "email": item.email,
        "organisation_id": item.organisation_id,
        "language": item.language,
        "channels": item.channels,
        "digested_at": item.digested_at,
        "version": item.version,
    }
