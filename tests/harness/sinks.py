"""Receivers of webhooks and an SMS gateway on one port, which keep what they were handed and whether they said so."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
from typing_extensions import override

AGREED = b"HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: *\r\nWebHook-Allowed-Rate: *\r\nContent-Length: 0\r\n\r\n"
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
SMS = "/sms"
DRIP_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """`reference` is what the sender calls the message on every attempt. Not `answered`: it never heard of it."""

    place: str
    reference: str
    at: float  # seconds of the epoch
    headers: Mapping[str, str]
    body: bytes
    answered: bool


class Sink:
    """Listens on a thread of its own. `loses` is told place and reference, and says whether that reply gets lost.

    Paths under /drip are answered a byte a second, and never to the end.
    """

    def __init__(self) -> None:
        self.loses: Callable[[str, str], bool] = lambda _, __: False
        self.port = 0
        self._hand_overs: list[HandOver] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.WriteTransport] = set()

    def start(self) -> None:
        self._thread.start()
        self._run(self._listen())

    def stop(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def hook(self, number: int) -> str:
        return f"http://127.0.0.1:{self.port}{hook_path(number)}"

    @property
    def sms_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{SMS}"

    @property
    def hand_overs(self) -> list[HandOver]:
        return list(self._hand_overs)

    @property
    def count(self) -> int:
        return len(self._hand_overs)

    def keep(self, hand_over: HandOver) -> None:
        self._hand_overs.append(hand_over)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(lambda: _Connection(self, self._connections), "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for transport in list(self._connections):
            transport.abort()
        await asyncio.sleep(0)


def hook_path(number: int) -> str:
    return f"/hook/{number}"


class _Connection(asyncio.Protocol):
    def __init__(self, sink: Sink, connections: set[asyncio.WriteTransport]) -> None:
        self._sink = sink
        self._connections = connections
        self._pending = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._connections.add(self._transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._pending[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            length = int(headers.get("content-length", "0"))
            if len(self._pending) < end + 4 + length:
                return
            body = self._pending[end + 4 : end + 4 + length]
            self._pending = self._pending[end + 4 + length :]
            method, path, _ = first.split(" ")
            if method == "OPTIONS":
                self._transport.write(AGREED)
            else:
                self._take(path, headers, body)

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        is_dripping = path.startswith("/drip")
        reference = orjson.loads(body)["reference"] if path == SMS else headers.get("webhook-id", "")
        answered = not (is_dripping or self._sink.loses(path, reference) or self._transport.is_closing())
        self._sink.keep(
            HandOver(place=path, reference=reference, at=time.time(), headers=headers, body=body, answered=answered)
        )
        if is_dripping:
            self._drip()
        elif answered:
            self._transport.write(TAKEN)
        else:
            self._transport.abort()

    def _drip(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"H")
            asyncio.get_running_loop().call_later(DRIP_SECONDS, self._drip)
