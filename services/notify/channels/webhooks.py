"""How a webhook leaves us: one request over HTTP/1.1 to an address that was checked, and never to another one."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import ip_address
from socket import SOCK_STREAM, gaierror, getaddrinfo
from typing import Final, Literal
from uuid import UUID

import httpcore
from typing_extensions import override

from services.notify.domain.attempts import Answer, Fault
from services.notify.domain.destinations import Address, Destination, EgressRules, UnsafeDestination

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
LARGEST_ANSWER: Final = 64 * 1024
RESOLVING_THREADS: Final = 32
MOST_POOLS: Final = 1_000
USER_AGENT: Final = "Lianxin-Webhooks/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """`total_seconds` is from the first look at the name to the last byte of the answer, however it drips."""

    connect_seconds: float = 5
    total_seconds: float = 20
    connections: int = 8  # to one endpoint
    idle_seconds: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. Calls of one `bulkhead` share a few connections, and those of two never wait for each other."""

    bulkhead: UUID
    url: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    method: Literal["POST", "OPTIONS"] = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    answer: Answer
    headers: Mapping[str, str] = field(default_factory=dict)  # names in small letters


class ForbiddenAddress(Exception):
    """The name stands for an address that is never called."""


class WebhookChannel:
    """Calls the endpoints of partners from one event loop. Nothing of the environment changes where a call goes."""

    def __init__(
        self,
        rules: EgressRules,
        *,
        limits: CallLimits | None = None,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._rules = rules
        self._limits = limits or CallLimits()
        self._tls = tls or make_context()
        self._names = ThreadPoolExecutor(RESOLVING_THREADS, thread_name_prefix="names")
        self._backend = _GuardedBackend(rules, resolve or self._resolve)
        self._pools: OrderedDict[UUID, httpcore.AsyncConnectionPool] = OrderedDict()

    async def call(self, call: Call) -> Reply:
        """Never raises for what the other side does: what went wrong is in the answer."""
        try:
            destination = self._rules.read_url(call.url)
            async with asyncio.timeout(self._limits.total_seconds):
                return await self._exchange(call, destination)
        except (ForbiddenAddress, UnsafeDestination):
            return _failed("address")
        except (TimeoutError, httpcore.TimeoutException):
            return _failed("timeout")
        except httpcore.NetworkError as error:
            return _failed("tls" if _is_of_tls(error) else "connection")
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError):
            return _failed("protocol")

    async def close(self) -> None:
        while self._pools:
            _, pool = self._pools.popitem()
            await pool.aclose()
        self._names.shutdown(wait=False, cancel_futures=True)

    async def _exchange(self, call: Call, destination: Destination) -> Reply:
        url = httpcore.URL(
            scheme=destination.scheme, host=destination.host, port=destination.port, target=destination.target
        )
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **call.headers}
        timeouts = {"connect": self._limits.connect_seconds}
        async with self._pool_of(call.bulkhead).stream(
            call.method, url, headers=list(headers.items()), content=call.body, extensions={"timeout": timeouts}
        ) as response:
            seen = 0
            async for part in response.aiter_stream():
                seen += len(part)
                if seen > LARGEST_ANSWER:
                    return Reply(answer=Answer(status=response.status, fault="too-large"))
            read = _read_headers(response.headers)
            return Reply(answer=Answer(status=response.status, retry_after=read.get("retry-after")), headers=read)

    def _pool_of(self, bulkhead: UUID) -> httpcore.AsyncConnectionPool:
        pool = self._pools.get(bulkhead)
        if pool is None:
            pool = httpcore.AsyncConnectionPool(
                ssl_context=self._tls,
                max_connections=self._limits.connections,
                max_keepalive_connections=self._limits.connections,
                keepalive_expiry=self._limits.idle_seconds,
                http2=False,
                retries=0,
                network_backend=self._backend,
            )
            self._pools[bulkhead] = pool
            self._forget_oldest()
        self._pools.move_to_end(bulkhead)
        return pool

    def _forget_oldest(self) -> None:
        """Pools without a connection hold nothing that must be closed."""
        for bulkhead in list(self._pools)[: max(0, len(self._pools) - MOST_POOLS)]:
            if not self._pools[bulkhead].connections:
                del self._pools[bulkhead]

    async def _resolve(self, host: str, port: int) -> Sequence[Address]:
        """On threads of its own: a name server that does not answer must hold up nothing else."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._names, lambda: getaddrinfo(host, port, type=SOCK_STREAM))
        return list(dict.fromkeys(ip_address(str(entry[4][0])) for entry in found))


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Looks a name up once, has every address of it checked, and connects to one of these addresses.

    The name stays what TLS asks the receiver to prove and what stands in Host: only the connection knows the address.
    """

    def __init__(self, rules: EgressRules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        async with asyncio.timeout(timeout):
            try:
                addresses = await self._resolve(host, port)
            except (gaierror, UnicodeError) as error:
                raise httpcore.ConnectError("the name cannot be looked up") from error
            if not self._rules.permits_all(addresses):
                raise ForbiddenAddress
            return await self._connect(addresses, port, local_address, socket_options)

    async def _connect(
        self,
        addresses: Sequence[Address],
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, local_address=local_address, socket_options=socket_options
                )
            except httpcore.ConnectError:
                continue
        return await self._inner.connect_tcp(
            str(addresses[-1]), port, local_address=local_address, socket_options=socket_options
        )

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise ForbiddenAddress

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def make_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Believes the system's authorities, or those of a file alone. Certificate and name are always checked."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _failed(fault: Fault) -> Reply:
    return Reply(answer=Answer(fault=fault))


def _is_of_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _read_headers(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """The first of each name, which is all that anybody here asks for."""
    read: dict[str, str] = {}
    for name, value in headers:
        read.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return read
