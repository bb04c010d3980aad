"""The short way answers what the framework's way answers, and nothing takes it that the framework has to read for."""

from typing import Annotated

import anyio
import httpx
import pytest
from fastapi import Depends, Query, Request, Response
from fastapi.routing import APIRoute

from shared.access.principal import Principal
from shared.errors import Conflict
from shared.http import create_app, json_response, list_routes, permit
from shared.reach import current
from shared.settings import ServiceSettings
from shared.shortcut import find_short_ways
from tests.fakes import KnownPrincipals, person

TOKEN = "a-token-of-the-clerk-0001"
CLERK = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
Clerk = Annotated[Principal, Depends(permit("contact.record"))]


class OwnWay(APIRoute):
    """A route that would do more than call its function."""


async def post_record(request: Request, principal: Clerk) -> Response:
    reach = current()
    body = await request.body()
    if body == b'"taken"':
        raise Conflict("it stands already")
    if body == b'"bug"':
        raise RuntimeError("secret detail 13800001111")
    return json_response({"by": principal.name, "role": reach.role if reach else None, "bytes": len(body)}, status=201)


async def post_with_query(_: Request, __: Clerk, kind: Annotated[str, Query()]) -> Response:
    return json_response({"kind": kind})


def post_on_a_thread(_: Request, __: Clerk) -> Response:
    return json_response({})


async def post_document(_: Request, __: Clerk) -> dict[str, str]:
    return {"made": "by the framework"}


@pytest.fixture
def app():
    settings = ServiceSettings(
        database_url="postgresql://svc:a-long-enough-pw-1@localhost/x",
        broker_url="amqp://svc:a-long-enough-pw-2@localhost/x",
    )
    app = create_app("test", settings, authenticator=KnownPrincipals({TOKEN: person("clerk")}))
    app.post("/records")(post_record)
    app.post("/with-query")(post_with_query)
    app.post("/on-a-thread")(post_on_a_thread)
    app.post("/document")(post_document)
    app.post("/of/{place}")(post_record)
    app.router.add_api_route("/own-way", post_record, methods=["POST"], route_class_override=OwnWay)
    app.router.add_api_route("/framework", post_record, methods=["POST"], route_class_override=OwnWay)
    return app


@pytest.fixture
def ask(app):
    def send(method: str, path: str, *, headers=CLERK, content: bytes = b"{}") -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, headers={**JSON, **headers}, content=content)

        return anyio.run(run)

    return send


def test_only_what_the_framework_need_not_read_for_is_short(app):
    assert find_short_ways(list_routes(app)).keys() == {("POST", "/records")}


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (CLERK, b"{}", 201),
        (CLERK, b'"taken"', 409),
        (CLERK, b'"bug"', 500),
        (CLERK, b"{,", 400),
        ({}, b"{}", 401),
        ({"Authorization": "Bearer somebody-else-entirely"}, b"{}", 401),
    ],
)
def test_both_ways_answer_the_same(ask, headers, content, status):
    short = ask("POST", "/records", headers=headers, content=content)
    long = ask("POST", "/framework", headers=headers, content=content)

    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert short.status_code == status
    assert short.headers.keys() == long.headers.keys()


def test_what_may_be_touched_is_in_force_on_the_short_way(ask):
    assert ask("POST", "/records").json() == {"by": "the-clerk", "role": "clerk", "bytes": 2}


def test_another_method_is_refused_by_the_framework(ask):
    assert ask("PUT", "/records").status_code == 405


def test_of_two_routes_for_one_path_the_first_one_answers(app):
    app.post("/on-a-thread")(post_record)

    assert ("POST", "/on-a-thread") not in find_short_ways(list_routes(app))


def test_an_exception_is_answered_by_the_handler_that_the_app_has_for_it(app, ask):
    async def answer(_: Request, error: Exception) -> Response:
        return json_response({"was": type(error).__name__}, status=418)

    app.add_exception_handler(RuntimeError, answer)

    assert ask("POST", "/records", content=b'"bug"').status_code == 418
