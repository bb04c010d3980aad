"""Asks an app on the thread of the test, for tests of thousands of requests: TestClient takes nine times as long.

It has each request go to another thread and back several times, so that an answer can be read while it is made.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar
from unittest.mock import patch

import anyio.to_thread
from fastapi import FastAPI
from httpx2 import ASGITransport, BaseTransport, ByteStream, Client, Request, Response
from typing_extensions import override

T = TypeVar("T")


class _Here(BaseTransport):
    def __init__(self, app: FastAPI, loop: asyncio.AbstractEventLoop) -> None:
        self._app = ASGITransport(app, raise_app_exceptions=False, client=("testclient", 50000))
        self._loop = loop

    @override
    def handle_request(self, request: Request) -> Response:
        with patch.object(anyio.to_thread, "run_sync", _run_here):
            return self._loop.run_until_complete(self._ask(request))

    async def _ask(self, request: Request) -> Response:
        answer = await self._app.handle_async_request(request)
        return Response(answer.status_code, headers=answer.headers, stream=ByteStream(await answer.aread()))


async def _run_here(function: Callable[..., T], *arguments: object, **_: object) -> T:
    """Instead of on another thread, which would begin and end with the request: nobody else waits for the loop."""
    return copy_context().run(function, *arguments)


@contextmanager
def asking(app: FastAPI) -> Iterator[Client]:
    """From the app's start to its end. Whatever it raises is an answer, and redirections are not followed."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        lifespan = app.router.lifespan_context(app)
        loop.run_until_complete(lifespan.__aenter__())
        with Client(transport=_Here(app, loop), base_url="http://testserver") as client:
            yield client
        loop.run_until_complete(lifespan.__aexit__(None, None, None))
