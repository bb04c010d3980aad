"""HTTP calls to gateways: bounded in time and size whatever the other side does, never redirected, over no proxy."""

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final, Self

import httpcore
from typing_extensions import override

from shared.gateways.results import Result

LARGEST_ANSWER: Final = 64 * 1024
CONNECT_SECONDS: Final = 5.0
BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
# Wrong address or credentials: whatever is sent there fails alike, until somebody sets it right.
ASTRAY: Final = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405, 407, 410})
OK: Final = range(200, 300)
LONGEST_RESPITE_SECONDS: Final = 3_600


class CallFailed(Exception):
    """No whole answer came. The text names the kind of failure and nothing of the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes


class _Deadline:
    """Of one call, from its first step to the last byte of the answer; `begin` is that of the next one."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self, wanted: float | None, error: type[Exception]) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise error("the time for the call is up")
        return left if wanted is None else min(wanted, left)


class _Stream(httpcore.NetworkStream):
    """A time limit for each read would start again with every byte that drips in; this one does not."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout, httpcore.WriteTimeout))

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(CONNECT_SECONDS, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options), self._deadline)


class Caller:
    """Makes one call after another over a connection that is kept as long as the other side keeps it.

    For one thread at a time: its calls wait for nobody else's.
    """

    def __init__(self, *, context: ssl.SSLContext | None = None) -> None:
        self._deadline = _Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context or _trusted(), network_backend=_Backend(self._deadline), retries=0
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def post(self, url: str, content: bytes, headers: Mapping[str, str], *, within_seconds: float) -> Answer:
        """Raises CallFailed."""
        self._deadline.begin(within_seconds)
        sent = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        try:
            with self._pool.stream("POST", url, headers=sent, content=content) as response:
                body = b""
                for part in response.iter_stream():
                    body += part
                    if len(body) > LARGEST_ANSWER:
                        raise CallFailed("the answer is too long")
                named = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in response.headers}
                return Answer(status=response.status, headers=named, body=body)
        except (OSError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise CallFailed(type(error).__name__) from None
        except httpcore.UnsupportedProtocol:
            raise CallFailed("UnsupportedProtocol") from None


def post(
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    within_seconds: float,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """One call by itself. Raises CallFailed."""
    with Caller(context=context) as caller:
        return caller.post(url, content, headers, within_seconds=within_seconds)


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """Made once: reading the authorities of the system takes longer than a call."""
    return ssl.create_default_context()


def attempt(call: Callable[[], Answer], judge: Callable[[Answer], Result], *, now: Callable[[], float]) -> Result:
    """Make a call and say what became of it. `judge` is asked about answers of 2xx alone; `now` gives seconds.

    Whoever does not answer, is busy or not the right one is to blame; any other refusal concerns what was sent.
    """
    try:
        answer = call()
    except CallFailed as error:
        return Result(outcome="retry", reason=f"connection: {error}", blames_endpoint=True)
    if answer.status in OK:
        return judge(answer)
    reason = f"http {answer.status}"
    if answer.status in BUSY:
        return Result(outcome="retry", reason=reason, blames_endpoint=True, not_before=_respite(answer, now()))
    if answer.status in ASTRAY:
        return Result(outcome="retry", reason=reason, blames_endpoint=True)
    return Result(outcome="failed", reason=reason)


def _respite(answer: Answer, now: float) -> timedelta | None:
    """How long the other side asks to be left alone, in seconds or until a date; an hour at most."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        seconds = float(value)
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_RESPITE_SECONDS))
