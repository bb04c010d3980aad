"""The route of the feed: events for systems that come and ask."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from services.notify.api.doors import AppSettings
from services.notify.api.paging import Cursor
from services.notify.handlers.feed import FeedPage, Place, Wanted, read_feed
from services.notify.settings import NotifySettings
from shared.access.principal import Principal
from shared.answers import Shown, refuses, shows
from shared.database import Pool
from shared.edge import CodeText
from shared.http import AppPool, json_response, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.schedule import load_schedule

router = APIRouter(prefix="/v1/events", tags=["feed"])
LONGEST_WAIT: Final = 15  # seconds: shorter than a process gives its requests to end in
MOST_WAITING: Final = 64  # in one process; whoever comes then is answered at once
LOOKS_EVERY: Final = 1.0
Reading = Annotated[Principal, Depends(permit("event.read"))]


class Told(Shown):
    """Events as CloudEvents 1.0 in structured JSON, in the order of the log."""

    items: list[dict[str, Any]]
    next_cursor: str
    is_complete: bool


@dataclass(slots=True)
class Waiting:
    """How many requests wait here for something to tell."""

    count: int = 0


async def waiting_of(request: Request) -> Waiting:
    waiting: Waiting = request.app.state.feed_waiting
    return waiting


def _read_wanted(
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    agreement: Annotated[CodeText | None, Query(description="The number of one of several agreements")] = None,
    type: Annotated[list[str] | None, Query(max_length=200)] = None,  # noqa: A002 - the name that CloudEvents has
    organisation_id: UUID | None = None,
) -> Wanted:
    return Wanted(
        agreement_number=agreement, event_types=tuple(type or ()), organisation_id=organisation_id, limit=limit
    )


@router.get("", responses=shows(Told) | refuses(_409="Several agreements are in force: name one."))
async def list_events(  # noqa: PLR0913 - what it takes are its arguments
    request: Request,
    by: Reading,
    *,
    pool: AppPool,
    settings: AppSettings,
    waiting: Annotated[Waiting, Depends(waiting_of)],
    wanted: Annotated[Wanted, Depends(_read_wanted)],
    cursor: Cursor = None,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for something to tell")] = 0,
) -> Response:
    """Events behind a cursor, or from the oldest that is kept; nothing is left out between two cursors.

    With `wait` the answer comes when there is something to tell, and at the latest after so many seconds.
    """
    asking = replace(wanted, client_id=by.person_id.removeprefix("client:"))
    after = _read_place(cursor)
    until = time.monotonic() + (wait if waiting.count < MOST_WAITING else 0)
    waiting.count += 1
    try:
        while True:
            page = await run_in_threadpool(_read, pool, settings, asking, after)
            after = page.next_place
            left = until - time.monotonic()
            if page.items or (page.is_complete and left <= 0) or await request.is_disconnected():
                return json_response(_show(page))
            if page.is_complete:
                await asyncio.sleep(min(LOOKS_EVERY, left))
            elif left <= 0:
                return json_response(_show(page))
    finally:
        waiting.count -= 1


def _read(pool: Pool, settings: NotifySettings, wanted: Wanted, after: Place | None) -> FeedPage:
    now = datetime.now(UTC)
    kept_since = load_schedule(settings.retention_schedule).keep["event_log"].before(now)
    return read_feed(pool, wanted, after=after, kept_since=kept_since, now=now)


def _show(page: FeedPage) -> dict[str, object]:
    place = page.next_place
    written = [str(place.position), str(place.agreement_id), str(int(place.told_at.timestamp()))]
    return {"items": page.items, "next_cursor": encode_cursor([*written]), "is_complete": page.is_complete}


def _read_place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        position, agreement_id, told_at = (part or "" for part in decode_cursor(cursor, length=3))
        return Place(
            position=int(position),
            agreement_id=UUID(agreement_id),
            told_at=datetime.fromtimestamp(int(told_at), UTC),
        )
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None
