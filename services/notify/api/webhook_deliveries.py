"""What went to an endpoint and what came of it: the log, a test, and sending a stretch of the past again."""

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field, model_validator

from services.notify.api.paging import Cursor, Limit, page
from services.notify.domain.audiences import TEST_TYPE
from services.notify.domain.endpoints import WebhookDeliveryStatus
from services.notify.handlers import replays, webhook_deliveries
from services.notify.handlers.replays import Span
from services.notify.storage.webhook_deliveries import ShownAttempt, ShownDelivery
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.edge import Instant
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit, told_as
from shared.identifiers import new_id
from shared.pages import BadCursor, decode_cursor

router = APIRouter(prefix="/v1/webhook-endpoints/{endpoint_id}", tags=["webhook deliveries"])
Reading = Annotated[Principal, Depends(permit("endpoint.read"))]
Changing = Annotated[Principal, Depends(permit("endpoint.change"))]
DeliveryId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Position = Annotated[int, Field(ge=1, le=10**15)]

ENDS = {"from_position": "integer", "to_position": "integer", "from_at": "string", "until_at": "string"}


class ReplayBody(Body):
    """A range by positions of the log or by the times at which events were heard; both ends are optional, one is not.

    Of a range the first `limit` are sent; where there are more, ask again from behind the last one.
    """

    model_config = told_as(
        ({"required": [end], "properties": {end: {"type": kind}}} for end, kind in ENDS.items()), any_of=True
    )

    from_position: Position | None = None
    to_position: Position | None = None
    from_at: Instant | None = None
    until_at: Instant | None = None
    only_failed: bool = False
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1_000

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, end) is None for end in ENDS):
            raise ValueError("a range has at least one end")
        return self


class DeliveryWithAttempts(Shown):
    delivery: ShownDelivery
    attempts: list[ShownAttempt]


class Ordered(Shown):
    """What is owed now: the delivery of a test."""

    delivery_id: int


class Replayed(Shown):
    """How many deliveries that made; `last_position` is the last event among them."""

    count: int
    last_position: int | None


@router.get("/deliveries", responses=shows(Page[ShownDelivery]))
def list_webhook_deliveries(
    endpoint_id: UUID,
    _: Reading,
    pool: AppPool,
    state: WebhookDeliveryStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The newest first; with `state=failed`, what was given up."""
    found = webhook_deliveries.list_deliveries(
        pool, endpoint_id, status=state, before=read_number(cursor), limit=limit + 1
    )
    shown, next_cursor = page(found, limit, [str(item.id) for item in found])
    return json_response({"items": shown, "next_cursor": next_cursor})


@router.get("/deliveries/{delivery_id}", responses=shows(DeliveryWithAttempts))
def get_webhook_delivery(endpoint_id: UUID, delivery_id: DeliveryId, _: Reading, pool: AppPool) -> Response:
    """One delivery with every attempt at it, and how each was answered."""
    delivery, attempts = webhook_deliveries.get_delivery(pool, endpoint_id, delivery_id)
    return json_response({"delivery": delivery, "attempts": attempts})


@router.post("/tests", status_code=202, responses=shows(Ordered, status=202) | refuses(409))
def post_test(endpoint_id: UUID, _: Changing, pool: AppPool) -> Response:
    """Have a delivery sent that tells of nothing, once; the log says how it was answered."""
    made = webhook_deliveries.order_test(pool, endpoint_id, TEST_TYPE, event_id=new_id(), now=datetime.now(UTC))
    return json_response({"delivery_id": made}, status=202)


@router.post(
    "/replays",
    status_code=202,
    openapi_extra=describe_body(ReplayBody),
    responses=shows(Replayed, status=202) | refuses(409),
)
def post_replay(
    endpoint_id: UUID, _: Changing, pool: AppPool, body: Annotated[ReplayBody, Depends(json_body(ReplayBody))]
) -> Response:
    """Send a stretch of what was told again, under the same ids and in the same order, behind all that is owed."""
    count, last = replays.order_replay(
        pool, endpoint_id, Span(**body.model_dump(exclude={"limit"}), most=body.limit), now=datetime.now(UTC)
    )
    return json_response({"count": count, "last_position": last}, status=202)


def read_number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        return int(decode_cursor(cursor, length=1)[0] or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None
