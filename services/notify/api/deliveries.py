"""The state of deliveries, over HTTP."""

from typing import Annotated

from fastapi import Depends, FastAPI, Response

from services.notify.api.paging import Cursor, Limit, page, read_id
from services.notify.domain.deliveries import DeliveryStatus
from services.notify.handlers import deliveries
from services.notify.storage.deliveries import Delivery
from shared.access.principal import Principal
from shared.database import Pool
from shared.http import json_response, permit


def add_deliveries(app: FastAPI, pool: Pool) -> None:
    @app.get("/v1/deliveries")
    def list_deliveries(
        _: Annotated[Principal, Depends(permit("delivery.read"))],
        state: DeliveryStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        found = deliveries.list_deliveries(pool, status=state, before=read_id(cursor), limit=limit + 1)
        items, next_cursor = page(found, limit, [str(item.id) for item in found])
        return json_response({"items": [_show_delivery(item) for item in items], "next_cursor": next_cursor})


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
