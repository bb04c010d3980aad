"""How a connection is listened to and answered: heads of bounded size, in bounded time; and an answer by one write."""

import asyncio
import json
from typing import Any, ClassVar, cast

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from shared.edge import WHOLE

# Reason phrases, and what is wrong: as everywhere in problem documents of RFC 9457, though no app has seen the request.
TOO_SLOW = (408, "Request Timeout", "too-slow", "the head of the request took too long")
TOO_LARGE = (431, "Request Header Fields Too Large", "too-large", "the head of the request is too large")
NOT_HTTP = (400, "Bad Request", "not-http", "what was sent is no request of HTTP/1.1")
LARGEST_JOINED_BYTES = 64 * 1024  # beyond it copying costs more than a second write
Refusal = tuple[int, str, str, str]


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose parser keeps nothing that has no end: request lines, headers, trailers, pipelined requests."""

    largest_head_bytes: ClassVar[int] = 64 * 1024
    head_seconds: ClassVar[float] = 20
    most_pipelined: ClassVar[int] = 100

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **options)
        self._kept_bytes = 0  # received since the last thing that the app could take
        self._head_due: float | None = None
        self._watch: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(cast("asyncio.Transport", OneWrite(transport, self.loop)))
        self._expect_head()
        self._watch_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        self._kept_bytes += len(data)
        super().data_received(data)
        if self._kept_bytes > self.largest_head_bytes:
            self._refuse(TOO_LARGE)
        elif len(self.pipeline) > self.most_pipelined:
            self.transport.abort()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    @override
    def on_headers_complete(self) -> None:
        self._kept_bytes = 0
        self._head_due = None
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self._kept_bytes = 0
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._kept_bytes = 0
        cast("dict[str, object]", self.scope)[WHOLE] = True
        super().on_message_complete()

    def _expect_head(self) -> None:
        if self._head_due is None:
            self._head_due = self.loop.time() + self.head_seconds

    def _watch_head(self) -> None:
        """One alarm a connection, which looks again when something can be late: one a request would cost more."""
        now = self.loop.time()
        if self._head_due is not None and now >= self._head_due:
            self._refuse(TOO_SLOW)
        else:
            self._watch = self.loop.call_at(self._head_due or now + self.head_seconds, self._watch_head)

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(NOT_HTTP)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer where no answer is under way, and close in any case."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type forgets that there is none at first
        if cycle is None or cycle.response_complete:
            self.transport.write(_write(refusal))
        self.transport.close()


class OneWrite:
    """A transport that sends the head of an answer together with its body, where that follows at once.

    Two writes are two packets and twice the kernel's work, which is much of what a short answer costs.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head and len(data) < LARGEST_JOINED_BYTES:
            data, self._head = self._head + data, b""
        elif data[:9] == b"HTTP/1.1 ":
            self._send_head()
            self._head = data
            self._loop.call_soon(self._send_head)
            return
        self._send_head()
        self._transport.write(data)

    def close(self) -> None:
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)


def _write(refusal: Refusal) -> bytes:
    status, phrase, code, detail = refusal
    document = {"type": f"urn:lianxin:problem:{code}", "title": code, "status": status, "detail": detail}
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status} {phrase}\r\n"
        "content-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n"
        "x-content-type-options: nosniff\r\n"
        "cache-control: no-store\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body
