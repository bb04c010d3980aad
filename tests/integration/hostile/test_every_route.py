"""What holds for every route of every service, whoever asks and whatever is sent."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from shared.headers import ALWAYS
from tests.integration.hostile.conftest import Door, Route

pytestmark = pytest.mark.integration

SECRET = "秘密 13800001111 SELECT name FROM citizen"
JSON = {"content-type": "application/json"}
FOREIGN = [
    {"Origin": "null"},
    {"Origin": "https://evil.example.org"},
    {"Origin": "http://testserver.evil.example.org"},
    {"Origin": "https://evil.example.org", "Access-Control-Request-Method": "POST"},
]
NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 400, '"7"', "7.5", "true", "null", "[]", "{}", '""']
TIMES = [
    "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "infinity", "-infinity", "2026-03-01T24:00:00Z",
    "2026-03-01T24:00:01Z", "2016-12-31T23:59:60Z", "2026-03-01T10:00:00", "2026-03-01T10:00:00+14:00",
    "2026-03-01T10:00:00+24:00", "1900-01-01T00:00:00Z", "2026-02-30", "2026-13-01", "now", "today", "epoch",
    "１９９９-01-01", "2026-03-01T10:00:00.1234567890123Z", "-0001-01-01", "99999999-01-01",
]  # fmt: skip
INSTANTS: list[object] = [0, -1, 1_700_000_000, 1_700_000_000_000, 10**18, 1.5, True, None, [], {}]
TEXTS = [
    "\0", "a\0b", "\u202e", "\u200b", "\ufeff", "\x1b[31m", "\r\nSet-Cookie: a=b", "' OR 1=1 --", "{{7*7}}",
    "${jndi:x}", "../../etc/passwd", "<script>alert(1)</script>", "=HYPERLINK(1)",
    "A" * 100_000, "长" * 30_000, "e\u0301" * 50, "％００",
]  # fmt: skip
PATHS = [
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%252e%252e%252f", "..%2f", "%00", "a%00b", "%ff", "%c0%ae%c0%ae%2f", "%e2%80%ae",
    "%0d%0aSet-Cookie:a=b", "..;", "%5c..%5c", "A" * 5_000, "%25", "%f0%9f%98%80", "0", "-1", "null", "*", "%20",
]  # fmt: skip
BROKEN_BODIES = [
    b'{"a": "\\ud800"}', b'{"\\ud800": 1}', b'{"a": "\\u0000"}', b'{"a": "\x00"}', b'{"a": "\xff\xfe"}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"[" * 10_000, b'{"a":' * 50 + b"1" + b"}" * 50, b'"text"',
    b"7", b"[]",
    b"null", b"", b"{", b"{}{}", b'{"a": 1}garbage', b"<xml/>",
]  # fmt: skip
TOGETHER = 10  # places filled at once: fewer than the faults that an answer tells of
UNUSED_METHODS = ["TRACE", "TRACK", "CONNECT", "OPTIONS", "PROPFIND", "MOVE", "PATCH", "DELETE", "DEBUG", "BREW"]
NOT_HERE = [
    "/metrics", "/docs", "/redoc", "/openapi.json", "/debug", "/debug/pprof", "/actuator", "/actuator/env",
    "/.git/config",
    "/.env", "/healthz", "/readyz", "/server-status", "/api/overview", "/flower", "/phpmyadmin", "/admin", "/console",
    "/swagger.json", "/graphql", "/static/../settings.py", "/config.json", "/backup.sql",
]  # fmt: skip


def check(answer: Any, route: object, sent: object) -> None:
    """Passwords and codes have few tries, since each takes its time: identity may answer that they were too many."""
    is_told = answer.status_code != 429 or "service='identity'" in str(route)
    assert is_told, f"{route} says nothing of {sent!r:.200}"
    assert answer.status_code < 500 or answer.status_code == 501, (
        f"{route} answered {answer.status_code} to {sent!r:.200}"
    )
    assert "Traceback" not in answer.text


def test_every_answer_carries_every_header_and_none_that_lets_others_read(door: Door):
    for route in door.routes:
        for headers in ({}, *FOREIGN, {"Authorization": ""}):
            answer = door.ask(route, headers=headers)
            for name, value in ALWAYS:
                assert answer.headers.get_list(name.decode()), f"{route} says nothing of {name!r}"
                if name not in {b"content-security-policy", b"cache-control", b"referrer-policy"}:
                    assert answer.headers[name.decode()] == value.decode(), route
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy, route
            assert "frame-ancestors 'none'" in policy, route
            assert "unsafe-" not in policy, route
            assert "no-store" in answer.headers["cache-control"] or "/style" in route.path, route
            assert "x-correlation-id" in answer.headers
            assert not [name for name in answer.headers if name.startswith("access-control-")], route
            assert "server" not in answer.headers


def test_over_tls_a_browser_is_told_to_stay_there(door: Door):
    for route in door.routes:
        plain = door.ask(route)
        behind = door.ask(route, headers={"X-Forwarded-Proto": "https"})

        assert "strict-transport-security" not in plain.headers
        assert behind.headers.get_list("strict-transport-security") == ["max-age=31536000; includeSubDomains"]


def test_unused_methods_are_refused_and_preflights_are_answered_like_them(door: Door):
    by_path: dict[str, set[str]] = {}
    for route in door.routes:
        by_path.setdefault(route.path, set()).add(route.method)
        if route.path.endswith("/.search"):  # what changes a person also answers where ".search" is taken for an id
            by_path[route.path].update({"PUT", "PATCH", "DELETE"})
    for route in {route.path: route for route in door.routes}.values():
        for method in UNUSED_METHODS:
            if method not in by_path[route.path]:
                answer = door.ask(route, method=method, headers=FOREIGN[3])
                assert answer.status_code in {404, 405}, (route, method)


def test_nothing_is_answered_to_nobody_that_is_not_open(door: Door):
    for route in door.routes:
        if route.headers:
            answer = door.ask(route, headers={"Authorization": ""})
            # As GeoReport has it: 403 without a key, which stands in the form, and 400 for what is no form.
            refusals = {403, 400} if route.path.startswith("/open311/") else {401, 303, 415, 413}
            assert answer.status_code in refusals, (route, answer.status_code)


def test_no_path_is_more_than_a_path(door: Door):
    for route in door.routes:
        if "{" in route.path:
            for value in PATHS:
                check(door.ask(route, value=value), route, value)


def test_what_is_for_operations_is_not_at_the_door_for_users(door: Door):
    for path in NOT_HERE:
        for headers in ({}, {"Authorization": "Bearer operations"}, {"Authorization": "Bearer security_administrator"}):
            assert door.client.get(path, headers=headers).status_code == 404, path


def test_no_broken_body_is_more_than_a_refusal(door: Door):
    for route in door.routes:
        if route.method in {"POST", "PUT", "PATCH"}:
            for body in BROKEN_BODIES:
                check(door.ask(route, content=body, headers=JSON), route, body)


def test_a_packed_or_foreign_body_is_refused(door: Door):
    for route in door.routes:
        if route.method in {"POST", "PUT"} and route.headers and "imports" not in route.path:
            packed = door.ask(route, content=b"\x1f\x8b", headers=JSON | {"content-encoding": "gzip"})
            other = door.ask(route, content=b"a: b", headers={"content-type": "application/yaml"})
            assert packed.status_code == other.status_code == 415, route


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where something can be put into a request of a route, and which of them no request goes far without."""

    route: Route
    names: tuple[str, ...]
    needed: frozenset[str]

    def meet(self, send: Callable[[Sequence[str]], Any], *, together: int = TOGETHER) -> Iterator[Any]:
        """Fill every place with the same; give each answer. Several places at once, and each by itself where need be.

        What a shape refuses of one place it refuses whatever the others hold, and so does it refuse what lacks another:
        by itself a place is filled only where that can lead any further.
        """
        for start in range(0, len(self.names), together):
            some = self.names[start : start + together]
            answer = send(some)
            yield answer
            refused = {part for fault in faults_of(answer) for part in fault["place"]}
            for name in some:
                if len(some) > 1 and name not in refused and not self.needed - {name}:
                    yield send([name])


def faults_of(answer: Any) -> list[dict[str, Any]]:
    if answer.status_code != 422 or answer.headers["content-type"] != "application/problem+json":
        return []
    faults: list[dict[str, Any]] = answer.json().get("faults", [])
    return faults


def operations(door: Door) -> Iterator[tuple[Route, dict[str, Any]]]:
    """By the description that the app gives of itself."""
    described = door.description
    for route in door.routes:
        yield route, described["paths"].get(route.path, {}).get(route.method.lower(), {})


def properties(door: Door) -> list[Places]:
    """Every property of every body."""
    schemas = door.description.get("components", {}).get("schemas", {})
    found = []
    for route, operation in operations(door):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            name = content["schema"].get("$ref", "").rpartition("/")[2]
            schema = schemas.get(name, content["schema"])
            shapes = [
                shape for shape in (schema, *schema.get("anyOf", []), *schema.get("oneOf", [])) if "properties" in shape
            ]
            names = dict.fromkeys(name for shape in shapes for name in shape["properties"])
            needed = [frozenset(shape.get("required", [])) for shape in shapes]
            found.append(
                Places(
                    route=route, names=tuple(names), needed=frozenset.intersection(*needed) if needed else frozenset()
                )
            )
    return found


def queries(door: Door) -> list[Places]:
    found = []
    for route, operation in operations(door):
        told = [parameter for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
        needed = frozenset(parameter["name"] for parameter in told if parameter.get("required"))
        found.append(Places(route=route, names=tuple(parameter["name"] for parameter in told), needed=needed))
    return found


def test_no_number_breaks_a_body(door: Door):
    for places in properties(door):
        for number in NUMBERS:

            def send(names: Sequence[str], route: Route = places.route, number: str = number) -> Any:
                body = ", ".join(f'"{name}": {number}' for name in names)
                return door.ask(route, content=f"{{{body}}}".encode(), headers=JSON)

            for answer in places.meet(send):
                check(answer, (places.route, places.names), number)


def test_no_time_and_no_text_breaks_a_body_or_comes_back(door: Door):
    for places in properties(door):
        for value in (*TIMES, *INSTANTS, *TEXTS):

            def send(names: Sequence[str], route: Route = places.route, value: object = value) -> Any:
                return door.ask(route, content=json.dumps(dict.fromkeys(names, value)).encode(), headers=JSON)

            for answer in places.meet(send):
                check(answer, (places.route, places.names), value)
                if isinstance(value, str) and len(value) > 20 and answer.status_code == 422:
                    assert value not in answer.text, places


def test_no_query_breaks_a_route(door: Door):
    for places in queries(door):
        for value in dict.fromkeys((*TIMES, *map(str, INSTANTS), *(text[:3_000] for text in TEXTS), *NUMBERS)):

            def send(names: Sequence[str], route: Route = places.route, value: str = value) -> Any:
                return door.ask(route, params=dict.fromkeys(names, value))

            # Of long ones an address holds no more than a few.
            for answer in places.meet(send, together=2 if len(value) > 1_000 else TOGETHER):
                check(answer, (places.route, places.names), value)
