"""HTTP loads on keep-alive connections, light enough to leave the cores to what is measured."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import httptools
from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """Requests answered, in how many seconds, and each one's seconds; statuses other than 2xx are failures."""

    answered: int
    failed: int
    refusals: Mapping[int, int]  # how often each status other than 2xx
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class _Answers(asyncio.Protocol):
    """One connection: one request at a time, parsed by the parser that the server itself uses."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection is one
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("closed by the server"))

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._parser = httptools.HttpResponseParser(self)
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(status)

    async def ask(self, request: bytes) -> int:
        assert self.transport is not None  # noqa: S101 - asked only after connecting
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answered


def build_request(path: str, body: bytes | None, *, headers: Mapping[str, str]) -> bytes:
    """A POST of JSON, or without a body a GET."""
    own = dict(headers) | ({} if body is None else {"Content-Type": "application/json"})
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    method, body = ("GET", b"") if body is None else ("POST", body)
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _drive(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> LoadResult:
    loop = asyncio.get_running_loop()
    pairs = [await loop.create_connection(_Answers, "127.0.0.1", port) for _ in range(connections)]
    started = time.perf_counter()
    deadline = started + seconds
    latencies: list[float] = []
    refusals: Counter[int] = Counter()

    async def client(protocol: _Answers) -> None:
        while time.perf_counter() < deadline:
            asked = time.perf_counter()
            status = await protocol.ask(next(requests))
            latencies.append(time.perf_counter() - asked)
            if not 200 <= status < 300:
                refusals[status] += 1

    await asyncio.gather(*(client(protocol) for _, protocol in pairs))
    elapsed = time.perf_counter() - started
    for transport, _ in pairs:
        transport.close()
    return LoadResult(
        answered=len(latencies), failed=refusals.total(), refusals=refusals, seconds=elapsed, latencies=latencies
    )


async def _pace(port: int, requests: Sequence[bytes], *, connections: int, rate: float) -> LoadResult:
    loop = asyncio.get_running_loop()
    pairs = [await loop.create_connection(_Answers, "127.0.0.1", port) for _ in range(connections)]
    free = asyncio.Queue[_Answers]()
    for _, protocol in pairs:
        free.put_nowait(protocol)
    latencies: list[float] = []
    refusals: Counter[int] = Counter()

    async def ask(protocol: _Answers, request: bytes, due: float) -> None:
        status = await protocol.ask(request)
        latencies.append(time.perf_counter() - due)
        if not 200 <= status < 300:
            refusals[status] += 1
        free.put_nowait(protocol)

    started = time.perf_counter()
    under_way = []
    for number, request in enumerate(requests):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        under_way.append(asyncio.create_task(ask(await free.get(), request, due)))
    await asyncio.gather(*under_way)
    elapsed = time.perf_counter() - started
    for transport, _ in pairs:
        transport.close()
    return LoadResult(
        answered=len(latencies), failed=refusals.total(), refusals=refusals, seconds=elapsed, latencies=latencies
    )


def pace(port: int, requests: Sequence[bytes], *, connections: int, rate: float) -> LoadResult:
    """Ask so many times a second, however long answers take; whoever waits for a connection waits on our account."""
    return asyncio.run(_pace(port, requests, connections=connections, rate=rate))


def drive(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> LoadResult:
    """Ask as fast as answers come, on so many connections, for so long."""
    return asyncio.run(_drive(port, requests, connections=connections, seconds=seconds))
