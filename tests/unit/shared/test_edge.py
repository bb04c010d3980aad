"""The edge guard and the app around it, with hostile requests."""

import json
from typing import Annotated

import anyio
import httpx
import pytest
import structlog.testing
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from shared.access.principal import Principal
from shared.edge import Refused, SafeStr, check_json, check_text
from shared.http import (
    Body,
    check_routes_are_guarded,
    create_app,
    json_body,
    json_response,
    leave_open,
    list_routes,
    permit,
    take_routes,
)
from shared.observability import correlation_id
from shared.settings import ServiceSettings
from tests.fakes import KnownPrincipals, person

TOKEN = "a-token-of-the-clerk-0001"
CLERK = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}


class Note(Body):
    text: Annotated[SafeStr, Field(max_length=100)]
    count: Annotated[int, Field(ge=0, le=10)] = 0


@pytest.fixture
def app():
    settings = ServiceSettings(
        database_url="postgresql://svc:a-long-enough-pw-1@localhost/x",
        broker_url="amqp://svc:a-long-enough-pw-2@localhost/x",
    )
    app = create_app("test", settings, authenticator=KnownPrincipals({TOKEN: person("clerk")}), form_paths=["/form"])

    @app.post("/form")
    async def post_form(request: Request, _: Annotated[None, Depends(leave_open("token.request"))]) -> Response:
        return json_response({"bytes": len(await request.body())})

    @app.post("/notes")
    def post_note(
        _: Annotated[Principal, Depends(permit("contact.record"))], note: Annotated[Note, Depends(json_body(Note))]
    ):
        return json_response({"text": note.text})

    @app.get("/notes/{number}")
    def get_note(number: int, _: Annotated[Principal, Depends(permit("contact.record"))]):
        return json_response({"number": number})

    router = APIRouter(prefix="/notes")

    @router.delete("/{number}")
    def delete_note(number: int, _: Annotated[Principal, Depends(permit("contact.record"))]):
        return json_response({"number": number})

    @router.put("/{path:path}", include_in_schema=False)
    def refuse(path: str, _: Annotated[Principal, Depends(permit("contact.record"))]):
        return json_response({"path": path}, status=404)

    take_routes(app, router)

    @app.get("/officers")
    def get_officers(_: Annotated[Principal, Depends(permit("scheme.read"))]):
        return json_response({})

    @app.get("/bug")
    def get_bug(_: Annotated[Principal, Depends(permit("contact.record"))]):
        raise RuntimeError("secret detail 13800001111")

    return app


def _note_correlation(_, __, event):
    return {**event, "correlation_id": correlation_id()}


def send(app, method, path, **request):
    async def call():
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **request)

    return anyio.run(call)


def post(app, content, **headers):
    return send(app, "POST", "/notes", content=content, headers={**CLERK, **JSON, **headers})


def test_a_good_request_passes_with_rare_names(app):
    answer = post(app, json.dumps({"text": "𬱖\U00020000 \ue000 䶮"}).encode())

    assert answer.status_code == 200
    assert answer.json() == {"text": "𬱖\U00020000 \ue000 䶮"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.headers["x-correlation-id"]) == 32


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"text":"a","count":NaN}', 400),
        (b'{"text":"a","count":Infinity}', 400),
        (b'{"text":"a","count":1e999}', 422),
        (b'{"text":"\\ud800"}', 400),
        (b'{"\\udfff":"a"}', 400),
        (b'{"text":"a\\u0000b"}', 400),
        (b'{"text":"a","text":"b"}', 400),
        (b"\xff\xfe{\x00}\x00", 400),
        ('{"text":"中"}'.encode("gbk"), 400),
        (b'{"text":' + b"[" * 40 + b"]" * 40 + b"}", 400),
        (b"{" * 200_000, 400),
        (b'{"text":"a","count":1' + b"0" * 40 + b"}", 400),
        (b'{"text":"a","count":1' + b"0" * 19 + b"}", 400),
        (b'{"text":"a","count":-1' + b"0" * 19 + b"}", 400),
        (b'{"text":"a","count":1' + b"0" * 18 + b"}", 422),
        (b'{"text":"a","count":-1' + b"0" * 18 + b"}", 422),
        (b'{"text":"a","count":"7"}', 422),
        (b'{"text":"a","count":7.5}', 422),
        (b'{"text":"a","count":11.0}', 422),
        (b'{"text":"a","count":9007199254740993.0}', 422),
        (b'{"text":"a","count":7e0}', 422),
        (b'{"text":"a","count":0.7e1}', 422),
        (b'{"text":"a","count":true}', 422),
        (b'{"text":"a","role":"admin"}', 422),
        (b'{"text":"a\\u202eb"}', 422),
        (b'{"text":"a\\u200bb"}', 422),
        (b'{"text":"a\\u0007b"}', 422),
        (b'{"text":"a"', 400),
        (b"", 422),
        (b"[]", 422),
        (b'{"text":"' + b"a" * 300_000 + b'"}', 413),
    ],
)
def test_a_hostile_body_is_refused_clearly(app, content, status):
    answer = post(app, content)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize("count", [b"7.0", b"7.000", b"-0.0"])
def test_an_integer_may_be_written_with_an_empty_fraction(app, count: bytes):
    answer = post(app, b'{"text":"7.0","count":' + count + b"}")

    assert answer.status_code == 200
    assert answer.json() == {"text": "7.0"}


def test_beside_a_fault_an_empty_fraction_is_not_called_one(app):
    answer = post(app, b'{"text":5,"count":7.0}')

    assert answer.status_code == 422
    assert "text" in answer.text
    assert "count" not in answer.text


def test_a_refusal_never_echoes_what_was_sent(app):
    answer = post(app, b'{"text":"a","count":"110101199003078888"}')

    assert answer.status_code == 422
    assert "110101199003078888" not in answer.text
    assert answer.json()["faults"] == [{"kind": "int_type", "place": ["count"]}]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Length": "-1"}, 413),
        ({"Content-Length": "1" * 40}, 413),
    ],
)
def test_a_misleading_header_is_refused(app, headers, status):
    assert post(app, b'{"text":"a"}', **headers).status_code == status


def test_nobody_enters_without_a_known_token(app):
    for headers in ({}, {"Authorization": "Bearer nonsense-nonsense-nonsense"}, {"Authorization": TOKEN}):
        answer = send(app, "POST", "/notes", content=b'{"text":"a"}', headers={**JSON, **headers})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_another_role_is_forbidden(app):
    assert send(app, "GET", "/officers", headers=CLERK).status_code == 403


def test_a_form_is_taken_where_one_is_expected_and_nowhere_else(app):
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}

    assert send(app, "POST", "/form", content=b"a=1&b=2", headers=form).json() == {"bytes": 7}
    assert send(app, "POST", "/form", content=b"a=" + b"1" * 70_000, headers=form).status_code == 413
    assert send(app, "POST", "/form", content=b"a=1", headers={"Content-Type": "text/plain"}).status_code == 415
    assert send(app, "POST", "/notes", content=b"text=1", headers=CLERK | form).status_code == 415


def test_a_route_is_open_only_where_the_policy_says_so_and_then_asks_nobody():
    with pytest.raises(ValueError, match="does not open"):
        leave_open("contact.record")
    with pytest.raises(ValueError, match="nobody to ask"):
        permit("token.request")


def test_a_bug_answers_without_detail(app):
    answer = send(app, "GET", "/bug", headers=CLERK)

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "13800001111" not in answer.text


def test_a_bug_is_found_in_the_logs_by_the_correlation_id_of_its_answer(app):
    with structlog.testing.capture_logs(processors=[_note_correlation]) as logs:
        answer = send(app, "GET", "/bug", headers={**CLERK, "X-Correlation-Id": "visit-2025-0002"})

    assert answer.headers["x-correlation-id"] == "visit-2025-0002"
    assert [line["correlation_id"] for line in logs if line["event"] == "request_failed"] == ["visit-2025-0002"]


def test_unknown_paths_and_methods_are_problems(app):
    assert send(app, "GET", "/nothing").json()["title"] == "not-found"
    assert send(app, "DELETE", "/notes").status_code == 405
    for method in ("POST", "OPTIONS", "TRACE"):
        refused = send(app, method, "/notes/1", headers=CLERK)
        assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, GET"), method  # of all its routes


def test_a_route_that_lets_everybody_in_stops_the_start(app):
    @app.get("/open")
    def get_open():
        return {}

    with pytest.raises(RuntimeError, match="/open"):
        check_routes_are_guarded(app)


def test_a_route_that_reads_before_it_asks_who_is_there_stops_the_start(app):
    def put_hastily(
        note: Annotated[Note, Depends(json_body(Note))], _: Annotated[Principal, Depends(permit("contact.record"))]
    ):
        return json_response({"text": note.text})

    app.put("/hasty")(put_hastily)
    with pytest.raises(RuntimeError, match="/hasty reads"):
        check_routes_are_guarded(app)


def test_an_included_router_stops_the_start(app):
    router = APIRouter()

    @router.get("/included")
    def get_included(_: Annotated[Principal, Depends(permit("contact.record"))]):
        return json_response({})

    app.include_router(router)
    with pytest.raises(TypeError, match="not an API route"):
        check_routes_are_guarded(app)


def test_two_apps_answer_by_the_same_routes(app):
    router = APIRouter(prefix="/shared")

    @router.get("/{number}")
    def get_shared(number: int, _: Annotated[Principal, Depends(permit("contact.record"))]):
        return json_response({"number": number})

    other = create_app(
        "other", app.state.settings, authenticator=KnownPrincipals({"another-token-of-it": person("clerk")})
    )
    for each in (app, other):
        take_routes(each, router)

    assert list_routes(other)[-1] is list_routes(app)[-1]
    assert send(app, "GET", "/shared/7", headers={"Authorization": f"Bearer {TOKEN}"}).json() == {"number": 7}
    assert send(other, "GET", "/shared/8", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401


def test_a_correlation_id_is_taken_over_only_when_plain(app):
    kept = post(app, b'{"text":"a"}', **{"X-Correlation-Id": "visit-2025-0001"})
    replaced = post(app, b'{"text":"a"}', **{"X-Correlation-Id": "a b\tc; drop"})

    assert kept.headers["x-correlation-id"] == "visit-2025-0001"
    assert replaced.headers["x-correlation-id"] != "a b\tc; drop"


def test_braces_inside_strings_are_no_nesting():
    check_json(json.dumps({"text": "{[" * 100 + '\\"{'}).encode())


def test_depth_is_counted_outside_of_strings():
    with pytest.raises(Refused):
        check_json(b"[" * 33 + b"]" * 33)


@pytest.mark.parametrize("character", ["\u3400", "\U00030000", "\U00031350", "\U0002ebf0", "\ue000"])
def test_a_rare_ideograph_passes_whatever_unicode_this_python_knows(character: str):
    assert check_text(f"王{character}") == f"王{character}"


@pytest.mark.parametrize(
    "character", ["\x00", "\x85", "\u0378", "\ufffe", "\U0002fffe", "\U0003ffff", "\U00040000", "\u200b"]
)
def test_what_is_no_text_is_refused(character: str):
    with pytest.raises(ValueError, match="contains"):
        check_text(f"王{character}")


def test_text_comes_out_composed():
    assert check_text("e\u0301") == "\u00e9"
