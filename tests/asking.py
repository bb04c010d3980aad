"""Asks an app on the thread of the test: TestClient takes nine times as long.

It has each request go to another thread and back several times, so that an answer can be read while it is made. Who
asks from several threads at once, or while a loop runs on this one, needs it.
"""

import asyncio
import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from typing import Any, TypeVar

import anyio.to_thread
from fastapi import FastAPI
from httpx2 import ASGITransport, BaseTransport, ByteStream, Client, Request, Response
from typing_extensions import override

T = TypeVar("T")
PEER = ("testclient", 50000)


class _Here(BaseTransport):
    def __init__(self, app: ASGITransport, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop

    @override
    def handle_request(self, request: Request) -> Response:
        run_sync = anyio.to_thread.run_sync
        anyio.to_thread.run_sync = _run_here  # type: ignore[assignment] # by mock it would cost every request twenty microseconds
        try:
            return self._loop.run_until_complete(self._ask(request))
        finally:
            anyio.to_thread.run_sync = run_sync

    async def _ask(self, request: Request) -> Response:
        answer = await self._app.handle_async_request(request)
        return Response(answer.status_code, headers=answer.headers, stream=ByteStream(await answer.aread()))


async def _run_here(function: Callable[..., T], *arguments: object, **_: object) -> T:
    """Instead of on another thread, which would begin and end with the request: nobody else waits for the loop."""
    return copy_context().run(function, *arguments)


@contextmanager
def asking(app: FastAPI) -> Iterator[Client]:
    """From the app's start to its end. Whatever it raises is an answer, and redirections are not followed."""
    with asyncio.Runner() as runner, started(app, runner.get_loop()):
        transport = _Here(ASGITransport(app, raise_app_exceptions=False, client=PEER), runner.get_loop())
        with Client(transport=transport, base_url="http://testserver") as client:
            yield client


@contextmanager
def started(app: FastAPI, loop: asyncio.AbstractEventLoop | None = None) -> Iterator[FastAPI]:
    """From the app's start to its end, for those who ask it by `client_at` meanwhile."""
    loop = loop or _loop_of_all()
    lifespan = app.router.lifespan_context(app)
    loop.run_until_complete(lifespan.__aenter__())
    yield app
    loop.run_until_complete(lifespan.__aexit__(None, None, None))


def client_at(app: FastAPI, *, peer: tuple[str, int] = PEER, **options: Any) -> Client:
    """As TestClient(app) without `with`, which neither starts nor stops the app. Redirections are not followed."""
    return Client(transport=asked_here(app, peer=peer), **({"base_url": "http://testserver"} | options))


def asked_here(app: FastAPI, *, peer: tuple[str, int] = PEER) -> BaseTransport:
    return _Here(ASGITransport(app, client=peer), _loop_of_all())


@cache
def _loop_of_all() -> asyncio.AbstractEventLoop:
    runner = asyncio.Runner()
    atexit.register(runner.close)
    return runner.get_loop()
