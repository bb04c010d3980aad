"""The HTTP door over PostgreSQL: statuses, repeats, keys, hostile bodies, and requests that share a commit."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from services.intake.api.app import create_intake_app
from services.intake.settings import IntakeSettings
from shared.database import Pool, transaction
from shared.http import check_routes_are_guarded
from shared.identifiers import new_id
from tests.asking import client_at, started
from tests.fakes import one_of_each_role
from tests.integration.intake.commands import lately

pytestmark = pytest.mark.integration

CONTACT = {"staff_number": "S1", "kind": "visit", "occurred_at": lately()}
ISSUE = {"type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮"}

Call = tuple[str, str, Any]
Api = Callable[..., list[httpx2.Response]]


@pytest.fixture
def api(registered: Pool, tmp_path) -> Api:
    """Send calls of method, path and body (bytes as they are, else as JSON), one after another or all at once."""
    settings = IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=tmp_path,
    )
    app = create_intake_app(settings, registered, authenticator=one_of_each_role())
    check_routes_are_guarded(app)

    async def send(calls: list[tuple[str, str, bytes | None]], headers: dict[str, str]) -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://intake", headers=headers) as client,
        ):
            return await asyncio.gather(
                *(client.request(method, path, content=content) for method, path, content in calls)
            )

    def run(*calls: Call, role: str = "clerk", at_once: bool = False, **more: str) -> list[httpx2.Response]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        headers = {"authorization": f"Bearer {role}", "content-type": "application/json", **named}
        written = [
            (method, path, body if body is None or isinstance(body, bytes) else json.dumps(body).encode())
            for method, path, body in calls
        ]
        if at_once:
            return asyncio.run(send(written, headers))
        with started(app), client_at(app, headers=headers) as client:
            return [client.request(method, path, content=content) for method, path, content in written]

    return run


def statuses(responses: list[httpx2.Response]) -> list[int]:
    return [response.status_code for response in responses]


def test_a_contact_is_created_repeated_contradicted_and_read(api, events_of):
    contact = {**CONTACT, "id": str(new_id()), "note": "走访低保户"}

    responses = api(
        ("POST", "/v1/contacts", contact),
        ("POST", "/v1/contacts", contact),
        ("POST", "/v1/contacts", {**contact, "kind": "reception"}),
        ("GET", f"/v1/contacts/{contact['id']}", None),
        ("GET", f"/v1/contacts/{new_id()}", None),
    )

    assert statuses(responses) == [201, 200, 409, 200, 404]
    assert responses[0].headers["location"] == f"/v1/contacts/{contact['id']}"
    assert responses[3].json()["note"] == "走访低保户"
    assert events_of("contact") == [("contact.recorded", 1)]


def test_the_whole_life_of_an_issue_over_http(api, events_of):
    issue = {**ISSUE, "id": str(new_id())}
    path = f"/v1/issues/{issue['id']}"
    closure = {"outcome": "resolved", "reply": "已修好"}

    responses = api(
        ("POST", "/v1/issues", issue),
        ("POST", f"{path}/assignments", {"organisation_code": "town", "staff_number": "S1"}),
        ("POST", f"{path}/responses", {}),
        ("POST", f"{path}/closure", {"outcome": "resolved"}),
        ("POST", f"{path}/closure", closure),
        ("POST", f"{path}/closure", closure),
        ("POST", f"{path}/closure", {**closure, "outcome": "withdrawn"}),
        ("POST", f"/v1/issues/{new_id()}/closure", closure),
        ("POST", "/v1/ratings", {"issue_id": issue["id"], "level": 5, "method": "link"}),
        ("GET", path, None),
        role="machine_client",
    )

    assert statuses(responses) == [201, 200, 200, 422, 200, 200, 409, 404, 201, 200]
    assert responses[-1].json()["status"] == "closed"
    assert len(events_of(issue["id"])) == 4


def test_registers_over_http(api):
    post = {"organisation_code": "new", "post_kind": "township_head", "post_level": "141", "from_on": "2025-01-01"}
    duty = {
        "post_kind": "township_head",
        "contact_kind": "visit",
        "required_count": 4,
        "per": "month",
        "valid_from": "2025-01-01",
    }
    organisation = {"name": "新镇", "level": "61", "parent_code": "county"}

    responses = api(
        ("PUT", "/v1/organisations/new", organisation),
        ("PUT", "/v1/organisations/new", organisation),
        ("PUT", "/v1/organisations/lost", {**organisation, "parent_code": "nowhere"}),
        ("PUT", "/v1/cadres/S9", {"name": "𠮷田"}),
        ("POST", "/v1/cadres/S9/posts", post),
        ("POST", "/v1/cadres/S9/posts", post),
        ("POST", "/v1/duties", duty),
        ("GET", "/v1/organisations?limit=2", None),
        ("GET", "/v1/cadres/S9", None),
        ("GET", "/v1/cadres/nobody", None),
    )

    assert statuses(responses) == [201, 200, 422, 201, 201, 200, 201, 200, 200, 404]
    [page] = api(("GET", f"/v1/organisations?limit=2&cursor={responses[7].json()['next_cursor']}", None))
    assert [entry["code"] for entry in page.json()["items"]] == ["town"]
    [end] = api(("POST", f"/v1/posts/{responses[4].json()['id']}/end", {"until_on": "2025-12-31"}))
    assert end.status_code == 200
    assert responses[8].json()["posts"][0]["organisation_code"] == "new"


def test_a_code_of_any_script_is_entered_and_its_address_can_be_asked(api):
    made = api(
        ("PUT", "/v1/organisations/%E5%8E%BF-1", {"name": "县", "level": "61"}),
        ("PUT", "/v1/cadres/%E5%8F%B7%3F%251", {"name": "𠮷田"}),
    )
    addresses = [answer.headers["location"] for answer in made]
    found = api(*(("GET", address, None) for address in addresses))

    assert statuses(made) == [201, 201]
    assert addresses == ["/v1/organisations/%E5%8E%BF-1", "/v1/cadres/%E5%8F%B7%3F%251"]
    assert [found[0].json()["code"], found[1].json()["staff_number"]] == ["县-1", "号?%1"]


def test_roles_decide_who_may_write_and_read(api):
    call = ("POST", "/v1/contacts", CONTACT)
    rating = ("POST", "/v1/ratings", {"issue_id": str(new_id()), "level": 5, "method": "kiosk"})

    assert statuses(api(rating, role="clerk")) == [403]

    assert statuses(api(call, role="unit_head")) == [403]
    assert statuses(api(("GET", "/v1/cadres", None), role="department_officer")) == [200]
    assert statuses(api(("GET", "/v1/cadres", None), role="operations")) == [403]
    assert statuses(api(call, authorization="Bearer unknown-token-0123456789")) == [401]


def test_an_idempotency_key_stands_for_one_request(api, ask):
    call = ("POST", "/v1/contacts", CONTACT)

    first = api(call, call, idempotency_key="k-1")
    other = api(("POST", "/v1/contacts", {**CONTACT, "kind": "reception"}), idempotency_key="k-1")

    assert statuses(first) == [201, 200]
    assert first[0].json()["id"] == first[1].json()["id"]
    assert statuses(other) == [422]
    assert statuses(api(call, idempotency_key="k" * 256)) == [422]
    assert statuses(api(call, idempotency_key="k" * 255)) == [201]
    assert ask("SELECT count(*) FROM contact") == [(2,)]


def test_a_repeated_assignment_with_its_key_does_not_undo_a_later_one(api):
    issue = {**ISSUE, "id": str(new_id())}
    path = f"/v1/issues/{issue['id']}"
    first = ("POST", f"{path}/assignments", {"organisation_code": "town", "staff_number": "S1"})
    api(("POST", "/v1/issues", issue))

    api(first, idempotency_key="first")
    api(("POST", f"{path}/assignments", {"organisation_code": "town", "staff_number": "S2"}), idempotency_key="second")
    [late] = api(first, idempotency_key="first")

    assert late.status_code == 200
    assert api(("GET", path, None))[0].json()["staff_number"] == "S2"


def test_sixty_concurrent_copies_make_one_contact(api, ask, events_of):
    contact = {**CONTACT, "id": str(new_id())}

    responses = api(*[("POST", "/v1/contacts", contact)] * 60, at_once=True)

    assert sorted(statuses(responses)) == [200] * 59 + [201]
    assert ask("SELECT count(*) FROM contact") == [(1,)]
    assert events_of("contact") == [("contact.recorded", 1)]


def test_requests_that_share_a_commit_fare_each_on_its_own(api, ask):
    good = ("POST", "/v1/contacts", CONTACT)
    bad = ("POST", "/v1/contacts", {**CONTACT, "staff_number": "nobody"})

    responses = api(*[good, bad] * 20, at_once=True)

    assert statuses(responses) == [201, 422] * 20
    assert ask("SELECT count(*) FROM contact") == [(20,)]


def test_each_event_carries_the_correlation_id_of_its_own_request(api, ask):
    responses = api(*[("POST", "/v1/contacts", CONTACT)] * 10, at_once=True)

    sent = {(response.json()["id"], response.headers["x-correlation-id"]) for response in responses}
    rows = ask("SELECT aggregate_id::text, correlation_id FROM outbox WHERE aggregate = 'contact'")
    assert set(rows) == sent


MISFITS = [
    ("occurred_at", "2026-03-01T09:30:00"),
    ("occurred_at", 1772328600),
    ("occurred_at", "0000-01-01T00:00:00Z"),
    ("occurred_at", "0001-01-01T00:00:00+14:00"),
    ("occurred_at", "9999-12-31T23:59:59-12:00"),
    ("occurred_at", "1899-12-31T00:00:00Z"),
    ("occurred_at", "2026-03-01T24:00:00Z"),
    ("occurred_at", "infinity"),
    ("occurred_at", "2099-01-01T00:00:00Z"),
    ("people_count", "7"),
    ("people_count", 7.5),
    ("people_count", True),
    ("people_count", -1),
    ("people_count", 10**15),
    ("kind", "party"),
    ("note", "a\x00b"),
    ("note", "a\u202eb"),
    ("note", ""),
    ("note", "x" * 20_001),
    ("place_code", "\u0958" * 64),
    ("staff_number", "S1\n"),
    ("id", "not-a-uuid"),
    ("score", 100),
]


def test_what_does_not_fit_is_refused_without_an_echo(api, ask):
    responses = api(*[("POST", "/v1/contacts", {**CONTACT, field: value}) for field, value in MISFITS])

    answers = zip(MISFITS, responses, strict=True)
    accepted = [
        (misfit, response.status_code) for misfit, response in answers if response.status_code not in {400, 422}
    ]
    echoes = [
        value
        for (_, value), response in zip(MISFITS, responses, strict=True)
        if isinstance(value, str) and len(value) > 3 and value in response.text
    ]
    assert accepted == []
    assert echoes == []
    assert ask("SELECT count(*) FROM contact") == [(0,)]


HOSTILE_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"people_count": NaN}',
    b'{"people_count": 1e999}',
    b'{"people_count": -Infinity}',
    b'{"note": "\\ud800"}',
    b'{"note": "\\u0000"}',
    b'{"note": "\xff"}',
    b'{"kind": "visit", "kind": "reception"}',
    b"[" * 100 + b"]" * 100,
    '{"kind": "visit"}'.encode("utf-16"),
]


def test_hostile_bodies_are_client_errors_on_every_route(api):
    paths = [
        *("/v1/contacts", "/v1/issues", "/v1/ratings", "/v1/duties", "/v1/cadres/S1/posts"),
        *(f"/v1/issues/{new_id()}/{step}" for step in ("assignments", "responses", "closure")),
    ]
    calls = [("POST", path, body) for path in paths for body in HOSTILE_BODIES]

    responses = api(*calls, role="machine_client")

    wrong = [
        (call, status) for call, status in zip(calls, statuses(responses), strict=True) if status not in {400, 415, 422}
    ]
    assert wrong == []


def test_an_id_stands_for_one_thing_of_one_kind(api, events_of):
    name = str(new_id())

    responses = api(
        ("POST", "/v1/contacts", {**CONTACT, "id": name}),
        ("POST", "/v1/issues", {**ISSUE, "id": name}),
        ("GET", f"/v1/issues/{name}", None),
    )

    assert statuses(responses) == [201, 409, 404]
    assert responses[1].json()["title"] == "id-taken"
    assert events_of(name) == [("contact.recorded", 1)]


def test_offsets_that_postgresql_refuses_are_taken_exactly(api):
    responses = api(
        (
            "POST",
            "/v1/contacts",
            {**CONTACT, "id": (name := str(new_id())), "occurred_at": "2026-03-01T23:00:00+23:00"},
        ),
        ("GET", f"/v1/contacts/{name}", None),
        role="machine_client",  # which no days are counted for
    )

    assert statuses(responses) == [201, 200]
    assert responses[1].json()["occurred_at"] == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize("text", ["7", "1772323200", "1772323200.5", "-5", "1772323200000", "+2026-03-01T00:00:00Z", 8])
def test_a_time_is_written_out(api, text):
    duty = {"post_kind": "head", "contact_kind": "visit", "required_count": 1, "per": "month", "valid_from": text}

    responses = api(("POST", "/v1/contacts", {**CONTACT, "occurred_at": text}), ("POST", "/v1/duties", duty))

    assert statuses(responses) == [422, 422]


def test_a_rating_has_one_of_five_levels(api):
    rating = {"issue_id": str(new_id()), "method": "link"}

    responses = api(
        *[("POST", "/v1/ratings", {**rating, "level": level}) for level in (0, 6, 4.5, "5", True, None, -1)],
        role="machine_client",
    )

    assert statuses(responses) == [422] * 7


def test_hostile_paths_are_client_errors(api):
    ends = ("cadres/%00", "cadres/%ff", "contacts/%2e%2e", "cadres?cursor=x", "cadres?cursor=%00", "cadres?limit=0")

    responses = api(*[("GET", f"/v1/{end}", None) for end in ends])

    assert [status for status in statuses(responses) if status not in {400, 404, 422}] == []


def test_the_description_lists_every_route(api):
    [response] = api(("GET", "/v1/openapi.json", None))

    assert "/v1/issues/{issue_id}/closure" in response.json()["paths"]


def audited(pool: Pool) -> list[Any]:
    with transaction(pool) as connection:
        return connection.execute(
            "SELECT action, actor, role, object_type, decision FROM audit_record ORDER BY seq"
        ).fetchall()


def test_who_changes_a_register_is_kept_in_the_audit_and_a_repeat_is_no_change(api, registered):
    body = {"name": "新镇", "level": "62", "parent_code": "county"}
    duty = {"post_kind": "township_head", "contact_kind": "visit", "required_count": 2, "per": "month"}
    duty = {**duty, "valid_from": "2026-01-01"}

    responses = api(
        ("PUT", "/v1/organisations/new", body), ("PUT", "/v1/organisations/new", body), ("POST", "/v1/duties", duty)
    )

    assert statuses(responses) == [201, 200, 201]
    assert audited(registered) == [
        ("organisation.created", "the-clerk", "clerk", "organisation", "allowed"),
        ("duty.created", "the-clerk", "clerk", "duty", "allowed"),
    ]


def test_a_record_says_who_entered_it(api, registered):
    contact, issue = str(new_id()), str(new_id())

    api(("POST", "/v1/contacts", {**CONTACT, "id": contact}), ("POST", "/v1/issues", {**ISSUE, "id": issue}))

    with transaction(registered) as connection:
        found = connection.execute("SELECT recorded_by FROM contact UNION SELECT recorded_by FROM issue").fetchall()
    assert found == [(one_of_each_role().principals["clerk"].account_id,)]
    assert audited(registered) == []
