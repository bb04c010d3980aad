"""Holds every answer of an app in this process against what its document says of it: status, kind of content and shape.

Schemathesis makes requests up and seldom meets a record in a rare state; other tests make such records for their ends.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

import jsonschema
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Message, Receive, Scope, Send

from tests.conformance.closing import close_shapes

Paths = frozenset[tuple[str, str]]

_UNTIED: Final = frozenset({500})  # a fault of ours, of which a test has its own opinion


class Witness:
    """`faults` are what it found since they were last taken."""

    def __init__(self) -> None:
        self._paths: WeakKeyDictionary[FastAPI, Paths] = WeakKeyDictionary()
        self._documents: dict[Paths, dict[str, Any]] = {}
        self._validators: dict[tuple[Paths, str, str, str, str], jsonschema.Draft202012Validator] = {}
        self.faults: list[str] = []

    def take_faults(self) -> list[str]:
        taken, self.faults = self.faults, []
        return taken

    def hear(self, app: FastAPI, scope: Scope, taken: object, start: Message, body: bytes) -> None:
        """`taken` is the route that the app says it took, if it came as far as that."""
        route = _route_of(app, scope, taken)
        if route is None or not route.include_in_schema or start["status"] in _UNTIED:
            return
        fault = self._find_fault(app, route, scope["method"].lower(), start, body)
        if fault is not None:
            self.faults.append(f"{scope['method']} {route.path_format} {start['status']}: {fault}")

    def _find_fault(self, app: FastAPI, route: APIRoute, method: str, start: Message, body: bytes) -> str | None:
        paths = self._paths.get(app)
        if paths is None:
            paths = self._paths[app] = _described(app)
        if paths not in self._documents:
            self._documents[paths] = close_shapes(json.loads(json.dumps(app.openapi())))
        document, status = self._documents[paths], str(start["status"])
        described = document["paths"][route.path_format][method]["responses"].get(status)
        if described is None:
            return "the document knows no such status"
        kind = _kind_of(start)
        content = described.get("content", {})
        if not body:
            return None
        if kind not in content:
            return f"the document says {sorted(content)} and not {kind!r}"
        if not (kind == "application/json" or kind.endswith("+json")) or "schema" not in content[kind]:
            return None
        named = (paths, route.path_format, method, status, kind)
        if named not in self._validators:
            shape = {**content[kind]["schema"], "components": document.get("components", {})}
            self._validators[named] = jsonschema.Draft202012Validator(shape)
        error = jsonschema.exceptions.best_match(self._validators[named].iter_errors(json.loads(body)))
        return None if error is None else f"{error.message[:300]} at {error.json_path}"


def _described(app: FastAPI) -> Paths:
    """Of pages a document says nothing: an app with them has the same one as without, which takes long to write."""
    described = [one for one in app.routes if isinstance(one, APIRoute) and one.include_in_schema]
    return frozenset((app.title, one.path_format) for one in described)


def _route_of(app: FastAPI, scope: Scope, taken: object) -> APIRoute | None:
    if scope["type"] != "http" or scope["method"] == "HEAD":
        return None
    if isinstance(taken, APIRoute):  # also where the path is known and the method is not
        return taken if scope["method"] in (taken.methods or ()) else None
    return next(
        (route for route in app.routes if isinstance(route, APIRoute) and route.matches(scope)[0] is Match.FULL), None
    )


def _kind_of(start: Message) -> str:
    headers: Mapping[bytes, bytes] = dict(start["headers"])
    return headers.get(b"content-type", b"").decode("latin-1").partition(";")[0]


@contextmanager
def heard_by(witness: Witness) -> Iterator[None]:
    """Every app that answers in this process meanwhile, however a test came by it."""
    answer = FastAPI.__call__

    async def heard(app: FastAPI, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""

        async def send_heard(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")
            await send(message)

        asked = dict(scope)
        await answer(app, scope, receive, send_heard)
        if start is not None:
            witness.hear(app, asked, scope.get("route"), start, body)

    FastAPI.__call__ = heard  # type: ignore[method-assign, assignment] # no test knows of it
    try:
        yield
    finally:
        FastAPI.__call__ = answer  # type: ignore[method-assign] # same
