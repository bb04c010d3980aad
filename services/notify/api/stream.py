"""The inbox as it fills, as server-sent events: a client that was away says by Last-Event-ID what it has seen."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from services.notify.api.doors import AppSettings
from services.notify.domain.notices import OwnMessage
from services.notify.handlers import own
from services.notify.settings import NotifySettings
from shared.access.principal import Principal
from shared.answers import gives
from shared.database import Pool
from shared.errors import Forbidden, Rejected, TooMany, Transient, Unauthenticated
from shared.http import AppPool, authenticate, permit
from shared.reach import Reach, acting, current

router = APIRouter()
MOST_STREAMS: Final = 3  # of one account in a process
BATCH: Final = 100
HEARTBEAT_SECONDS: Final = 15.0
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


class BadEventId(Rejected):
    code = "bad-last-event-id"


@dataclass(slots=True)
class OpenStreams:
    """How many streams each account has open here."""

    by_account: Counter[UUID] = field(default_factory=Counter)

    def enter(self, account_id: UUID) -> None:
        """Raises TooMany."""
        if self.by_account[account_id] >= MOST_STREAMS:
            raise TooMany("too many streams of this account are open", retry_after_seconds=30)
        self.by_account[account_id] += 1

    def leave(self, account_id: UUID) -> None:
        self.by_account[account_id] -= 1
        if not self.by_account[account_id]:
            del self.by_account[account_id]


async def streams_of(request: Request) -> OpenStreams:
    streams: OpenStreams = request.app.state.streams
    return streams


@router.get(
    "/v1/own/stream",
    tags=["own"],
    response_class=StreamingResponse,
    responses=gives(
        200, description="Messages as they come.", content={"text/event-stream": {"schema": {"type": "string"}}}
    ),
)
async def stream_own_messages(
    request: Request,
    principal: Annotated[Principal, Depends(permit("own.read"))],
    pool: AppPool,
    settings: AppSettings,
    streams: Annotated[OpenStreams, Depends(streams_of)],
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> StreamingResponse:
    """Each event is one message, its id the message's number. It ends after a while: come back with that id."""
    if last_event_id is not None and not _NUMBER.fullmatch(last_event_id):
        raise BadEventId("Last-Event-ID is the number of a message")
    reach = current()
    seen = int(last_event_id) if last_event_id is not None else None
    after = seen if seen is not None else await run_in_threadpool(own.find_last, pool, principal)
    streams.enter(principal.account_id)

    async def still_known() -> bool:
        try:
            await authenticate(request)
        except (Unauthenticated, Forbidden):
            return False
        return not await request.is_disconnected()

    async def told() -> AsyncIterator[bytes]:
        try:
            async for part in _follow(pool, principal, reach, after, settings, still_known):
                yield part
        finally:
            streams.leave(principal.account_id)

    return StreamingResponse(told(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _follow(
    pool: Pool,
    principal: Principal,
    reach: Reach | None,
    after: int,
    settings: NotifySettings,
    still_known: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    """Whoever signs out or is disabled is told nothing more; the database decides with every look what is one's own."""
    until = time.monotonic() + settings.stream_seconds
    yield b"retry: 3000\n\n"
    spoken_at = time.monotonic()
    while time.monotonic() < until:
        for message in await run_in_threadpool(_look, pool, principal, reach, after):
            after = message.number
            yield _write(message)
            spoken_at = time.monotonic()
        if time.monotonic() - spoken_at >= HEARTBEAT_SECONDS:
            yield b": still here\n\n"
            spoken_at = time.monotonic()
        await asyncio.sleep(settings.stream_poll_seconds)
        if not await still_known():
            return


def _look(pool: Pool, principal: Principal, reach: Reach | None, after: int) -> list[OwnMessage]:
    """A database that is away is no reason to end: the next look finds what has come meanwhile."""
    try:
        with acting(reach):
            return own.list_after(pool, principal, after=after, limit=BATCH)
    except Transient:
        return []


def _write(message: OwnMessage) -> bytes:
    return b"id: %d\nevent: message\ndata: %s\n\n" % (message.number, orjson.dumps(message))
