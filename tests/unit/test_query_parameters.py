"""A parameter that a route does not have, or takes once and was sent twice, is refused and named, in every service."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from fastapi import FastAPI, Request
from httpx2 import Client

from services.intake.api.issues import ListQuery
from shared.http import list_routes
from shared.queries import list_parameters, list_refused
from tests.asking import client_at
from tests.fakes import KnownPrincipals, one_of_each_role
from tests.unit.test_routes import make_apps

# Outside standards say that what is unknown is ignored; gateways add what they like to the address that they report to.
ANY_QUERY = re.compile(r"/scim/v2/|/open311/|/v1/oauth2/|/\.well-known/|.*receipts")
SERVICES = ("assessment", "identity", "intake", "notify")


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    apps = make_apps(tmp_path_factory.mktemp("keys"))
    now = datetime.now(UTC)
    people = {name: replace(one, stepped_up_at=now) for name, one in one_of_each_role().principals.items()}
    for app in apps.values():
        app.state.authenticator = KnownPrincipals(people)
        app.state.throttle = None  # it would count in the database
    return apps


def operations(app: FastAPI) -> Iterator[tuple[str, str, list[str]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation["x-roles"]


def ask(client: Client, method: str, path: str, query: str, *, who: str | None = None):
    filled = re.sub(r"\{[^}]+\}", str(UUID(int=7)), path)
    headers = {"Authorization": f"Bearer {who}"} if who else {}
    return client.request(method, f"{filled}?{query}", headers=headers)


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_parameter_is_refused_by_its_name(apps, service):
    app = apps[service]
    client = client_at(app)

    strict = [one for one in operations(app) if not ANY_QUERY.match(one[1])]

    assert strict
    for method, path, roles in strict:
        answer = ask(client, method, path, "perod=2025&%E8%AF%81=1&a%20b=1", who=(roles or ["clerk"])[0])
        assert answer.status_code == 422, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title"] == "invalid-body"
        assert answer.json()["faults"] == [
            {"kind": "extra_forbidden", "place": ["query", name]} for name in ("perod", "?", "?")
        ], (method, path)
        assert "422" in app.openapi()["paths"][path][method.lower()]["responses"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_parameter_that_is_taken_once_is_refused_when_it_is_sent_twice(apps, service):
    app = apps[service]
    client = client_at(app)
    asked = 0

    for method, path, roles in operations(app):
        described = app.openapi()["paths"][path][method.lower()].get("parameters", [])
        once = [one["name"] for one in described if one["in"] == "query" and not takes_list(one["schema"])]
        if not once or ANY_QUERY.match(path):
            continue
        query = "&".join(f"{name}=2025&{name}={value}" for name in once for value in ("2024", "2025"))
        answer = ask(client, method, path, query, who=(roles or ["clerk"])[0])
        assert answer.status_code == 422, (method, path, answer.text)
        assert answer.json()["title"] == "invalid-body"
        assert answer.json()["faults"] == [{"kind": "repeated", "place": ["query", name]} for name in once][:20]
        asked += 1

    assert asked


def takes_list(schema) -> bool:
    return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))


def test_a_parameter_that_is_a_list_may_be_sent_twice(apps):
    (route,) = (one for one in list_routes(apps["notify"]) if one.path == "/v1/events" and "GET" in (one.methods or ()))
    scope = {"type": "http", "route": route, "query_string": b"type=a&type=b&limit=1&limit=1&perod=1&perod=2"}

    assert list_refused(Request(scope)) == [
        ("repeated", "limit"),
        ("extra_forbidden", "perod"),
        ("extra_forbidden", "perod"),
    ]


def test_what_a_route_reads_is_worked_out_once(apps):
    (route,) = (one for one in list_routes(apps["intake"]) if one.path == "/v1/issues" and "GET" in (one.methods or ()))

    assert list_parameters(route) is list_parameters(route)


def test_a_page_takes_what_it_is_sent(apps):
    (route,) = (
        one for one in list_routes(apps["assessment"]) if one.path == "/simulation" and "GET" in (one.methods or ())
    )
    scope = {"type": "http", "route": route, "query_string": b"period=2025&period=2024&from=mail"}

    assert list_refused(Request(scope)) == []


@pytest.mark.parametrize("service", SERVICES)
def test_who_may_not_ask_is_told_that_and_nothing_of_parameters(apps, service):
    app = apps[service]
    client = client_at(app)

    closed = [(method, path) for method, path, roles in operations(app) if roles and not ANY_QUERY.match(path)]

    assert {ask(client, method, path, "perod=2025").status_code for method, path in closed} == {401}


@pytest.mark.parametrize("service", SERVICES)
def test_every_documented_parameter_is_known(apps, service):
    app = apps[service]
    for route in list_routes(app):
        if not route.include_in_schema or ANY_QUERY.match(route.path):
            continue
        for method in route.methods or ():
            operation = app.openapi()["paths"][route.path_format][method.lower()]
            named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            assert named == set(list_parameters(route)), route.path


def test_of_a_model_each_field_is_a_parameter(apps):
    (route,) = (one for one in list_routes(apps["intake"]) if one.path == "/v1/issues" and "GET" in (one.methods or ()))

    assert set(ListQuery.model_fields) <= set(list_parameters(route))


def test_what_an_outside_standard_describes_passes_over_what_it_does_not_know(apps):
    lenient = {path for app in apps.values() for _, path, _ in operations(app) if ANY_QUERY.match(path)}

    assert {"/v1/oauth2/token", "/scim/v2/Users", "/open311/v2/requests.json"} <= lenient
    metadata = client_at(apps["identity"]).get("/.well-known/oauth-authorization-server?perod=2025")
    assert metadata.status_code == 200
