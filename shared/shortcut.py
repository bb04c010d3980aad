"""Short ways to routes that leave the framework nothing to read: their dependency and function, called at once.

The framework's way to them costs more than all else of a recorded contact: docs/decisions/0086-short-ways.md.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import isawaitable, iscoroutinefunction
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handlers = Mapping[Any, Callable[[Any, Any], Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortWay:
    """A route whose function wants the request and what one dependency makes of the request, and nothing else."""

    route: APIRoute
    admit: Callable[[Request], Awaitable[object]]
    request_name: str
    admitted_name: str

    async def answer(self, request: Request) -> Response:
        admitted = await self.admit(request)
        response: Response = await self.route.endpoint(**{self.request_name: request, self.admitted_name: admitted})
        return response


class Shortcut:
    """Innermost middleware. What it does not know, and any other method, goes the framework's way."""

    def __init__(self, app: ASGIApp, *, routes: Callable[[], Iterable[APIRoute]], handlers: Handlers) -> None:
        self._app = app
        self._routes = routes
        self._handlers = handlers  # of exceptions: those of the app, which may still get more
        self._ways: dict[tuple[str, str], ShortWay] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._find(scope) if scope["type"] == "http" and not scope.get("root_path") else None
        if way is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = way.route
        request = Request(scope, receive, send)
        try:
            response = await way.answer(request)
        except Exception as error:
            handle = next((self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers), None)
            if handle is None:
                raise
            answer = handle(request, error)
            response = await answer if isawaitable(answer) else answer
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> ShortWay | None:
        if self._ways is None:  # the routes are all there once the first request is
            self._ways = find_short_ways(self._routes())
        return self._ways.get((scope["method"], scope["path"]))


def find_short_ways(routes: Iterable[APIRoute]) -> dict[tuple[str, str], ShortWay]:
    """By method and path; of two routes for the same the framework takes the first one, and so does this."""
    ways: dict[tuple[str, str], ShortWay] = {}
    taken: set[tuple[str, str]] = set()
    for route in routes:
        names = {(method, route.path) for method in route.methods or ()} - taken
        taken |= names
        way = _short_way_of(route)
        if way is not None:
            ways |= dict.fromkeys(names, way)
    return ways


def _short_way_of(route: APIRoute) -> ShortWay | None:
    whole = route.dependant
    if type(route) is not APIRoute:  # one that has its own way of answering
        return None
    if "{" in route.path or len(whole.dependencies) != 1 or not _returns_response(route):
        return None
    [admitting] = whole.dependencies
    if admitting.dependencies or not iscoroutinefunction(admitting.call) or admitting.name is None:
        return None
    if _reads_of_request(whole) or _reads_of_request(admitting):
        return None
    if whole.request_param_name is None or admitting.request_param_name is None:
        return None
    return ShortWay(
        route=route,
        admit=admitting.call,
        request_name=whole.request_param_name,
        admitted_name=admitting.name,
    )


def _returns_response(route: APIRoute) -> bool:
    """Whether the answer is whole as the function gives it: a coroutine's, which needs no other thread."""
    returned = getattr(route.endpoint, "__annotations__", {}).get("return")
    return iscoroutinefunction(route.endpoint) and isinstance(returned, type) and issubclass(returned, Response)


def _reads_of_request(dependant: Any) -> bool:  # noqa: ANN401 - the framework's own description of a function
    """Whether the framework has to read or make anything that the function asks for beside the request itself."""
    return bool(
        dependant.path_params
        or dependant.query_params
        or dependant.header_params
        or dependant.cookie_params
        or dependant.body_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.http_connection_param_name
        or dependant.websocket_param_name
    )
