"""Deliveries over HTTP: how they stand, what they said, and sending one again by hand."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.notify.api.doors import AppSettings
from services.notify.api.paging import Cursor, Limit, page, read_id
from services.notify.domain.deliveries import DeliveryStatus
from services.notify.handlers import deliveries
from services.notify.storage.deliveries import Attempt, Delivery
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.gateways.receipts import Receipt
from shared.http import AppPool, json_response, permit

router = APIRouter()


class ShownDelivery(Shown):
    """`state` says how far it has come; `receipt` what the gateway told of it afterwards."""

    id: UUID
    digest_id: UUID
    subscription: str | None
    channel: str
    endpoint: str
    state: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    valid_until: datetime
    reason: str | None
    created_at: datetime
    settled_at: datetime | None
    receipt: Receipt | None
    receipt_at: datetime | None


class DeliveryInFull(ShownDelivery):
    """What it said is kept for a while only."""

    tries: list[Attempt]
    subject: str | None
    text: str | None


@router.get("/v1/deliveries", responses=shows(Page[ShownDelivery]))
def list_deliveries(
    _: Annotated[Principal, Depends(permit("delivery.read"))],
    pool: AppPool,
    state: DeliveryStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    found = deliveries.list_deliveries(pool, status=state, before=read_id(cursor), limit=limit + 1)
    items, next_cursor = page(found, limit, [str(item.id) for item in found])
    return json_response({"items": [_show_delivery(item) for item in items], "next_cursor": next_cursor})


@router.get("/v1/deliveries/{delivery_id}", responses=shows(DeliveryInFull))
def get_delivery(
    delivery_id: UUID, _: Annotated[Principal, Depends(permit("delivery.disclose"))], pool: AppPool
) -> Response:
    """With every attempt, and exactly what it said for as long as that is kept."""
    return json_response(_show_view(deliveries.get_delivery(pool, delivery_id)))


@router.post(
    "/v1/deliveries/{delivery_id}/replay",
    status_code=202,
    responses=shows(DeliveryInFull, status=202)
    | refuses(_409="It has not failed, or what it said is not kept any more."),
)
def replay_delivery(
    delivery_id: UUID,
    _: Annotated[Principal, Depends(permit("delivery.replay"))],
    pool: AppPool,
    settings: AppSettings,
) -> Response:
    """Have what failed, expired or was not delivered tried anew."""
    valid_for = timedelta(hours=settings.delivery_valid_hours)
    view = deliveries.replay_delivery(pool, delivery_id, valid_for=valid_for, now=datetime.now(UTC))
    return json_response(_show_view(view), status=202)


def _show_view(view: deliveries.DeliveryView) -> dict[str, object]:
    return {
        **_show_delivery(view.delivery),
        "tries": view.attempts,
        "subject": view.said.subject if view.said else None,
        "text": view.said.text_body if view.said else None,
    }


def _show_delivery(item: Delivery) -> dict[str, object]:
    return {
        "id": item.id,
        "digest_id": item.digest_id,
        "subscription": item.subscription,
        "channel": item.channel,
        "endpoint": item.endpoint,
        "state": item.status,
        "attempts": item.attempts,
        "next_attempt_at": item.next_attempt_at if item.status in {"due", "claimed"} else None,
        "valid_until": item.valid_until,
        "reason": item.reason,
        "created_at": item.created_at,
        "settled_at": item.settled_at,
        "receipt": item.receipt,
        "receipt_at": item.receipt_at,
    }
