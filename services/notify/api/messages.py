"""The inbox of a subscription, over HTTP."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.notify.api.paging import Cursor, Limit, page, read_id
from services.notify.domain.messages import Language
from services.notify.handlers import subscriptions
from services.notify.storage.messages import Message
from shared.access.principal import Principal
from shared.answers import Page, Shown, shows
from shared.edge import CodeText
from shared.http import AppPool, json_response, permit

router = APIRouter()


class ShownMessage(Shown):
    id: UUID
    composed_at: datetime
    language: Language
    score_count: int
    subject: str
    text: str
    read_at: datetime | None


class MarkedRead(Shown):
    """When it was read for the first time: a repeat changes nothing."""

    id: UUID
    read_at: datetime


@router.get("/v1/inbox/{subscription}/messages", responses=shows(Page[ShownMessage]))
def list_messages(
    subscription: CodeText,
    _: Annotated[Principal, Depends(permit("message.read"))],
    pool: AppPool,
    *,
    unread: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    found = subscriptions.list_messages(pool, subscription, unread_only=unread, before=read_id(cursor), limit=limit + 1)
    items, next_cursor = page(found, limit, [str(item.id) for item in found])
    return json_response({"items": [_show_message(item) for item in items], "next_cursor": next_cursor})


@router.post("/v1/inbox/{subscription}/messages/{message_id}/read", responses=shows(MarkedRead))
def mark_read(
    subscription: CodeText,
    message_id: UUID,
    _: Annotated[Principal, Depends(permit("message.mark_read"))],
    pool: AppPool,
) -> Response:
    read_at = subscriptions.mark_read(pool, subscription, message_id, at=datetime.now(UTC))
    return json_response({"id": message_id, "read_at": read_at})


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
