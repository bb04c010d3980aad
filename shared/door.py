"""The outermost middleware of every app: correlation, safety headers, one measure and one log line a request, bugs."""

import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from fastapi.routing import APIRoute
from prometheus_client import Counter, Histogram

from shared.edge import Application, Message, Receive, Scope, Send, send_problem
from shared.headers import complete
from shared.observability import correlated, get_logger, is_debugging, new_correlation_id
from shared.reach import acting
from shared.throttle import throttle_of
from shared.witness import ASKED

_CORRELATION: Final = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)

requests_total = Counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram("http_request_seconds", "Time from the request's first byte to its answer.", ["route"])
log = get_logger()


class Door:
    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = next((value for name, value in scope["headers"] if name == b"x-correlation-id"), b"").decode("latin-1")
        identifier = asked if _CORRELATION.fullmatch(asked) else new_correlation_id()
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = complete(message.get("headers", []), scope)
                message["headers"] = [*own, (b"x-correlation-id", identifier.encode())]
            await send(message)

        with correlated(identifier), acting(None):
            try:
                await self._app(scope, receive, send_with_headers)
            except Exception:
                log.exception("request_failed")
                if status:  # the answer is under way: only breaking it off tells that it is not whole
                    raise
                await send_problem(
                    send_with_headers,
                    500,
                    "internal-error",
                    "something went wrong; the correlation id finds it in the logs",
                )
            finally:
                _measure(scope, status or 500, time.perf_counter() - started)
                if status == 404:
                    await _count_not_found(scope)


async def _count_not_found(scope: Scope) -> None:
    """Once the answer has left, so that counting cannot be told from its time."""
    throttle = throttle_of(scope["app"]) if ASKED in scope else None
    if throttle is not None:
        await throttle.note_not_found(scope[ASKED][0], now=datetime.now(UTC))


def _measure(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("route")
    path = route.path_format if isinstance(route, APIRoute) else "unmatched"
    method = scope["method"] if scope["method"] in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"} else "other"
    counter, histogram = _measures_of(method, path, status)
    counter.inc()
    histogram.observe(seconds)
    if status >= 500 or is_debugging():
        write = log.warning if status >= 500 else log.debug
        write("request_answered", method=method, route=path, status=status, milliseconds=round(seconds * 1000, 1))


@lru_cache(maxsize=2_048)
def _measures_of(method: str, path: str, status: int) -> tuple[Counter, Histogram]:
    """Looking up a measure by its labels takes longer than counting."""
    return requests_total.labels(method, path, str(status)), request_seconds.labels(path)
