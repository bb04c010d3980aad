"""What the door says of things out of reach: nothing that it would not say of things that are not there."""

import json
from datetime import UTC, date, datetime

import pytest

from services.intake.api.app import create_intake_app
from services.intake.handlers import posts
from services.intake.settings import IntakeSettings
from shared.identifiers import new_id
from tests.asking import asking
from tests.fakes import KnownPrincipals, machine, one_of_each_role, person
from tests.integration.intake.commands import a_post, lately

pytestmark = pytest.mark.integration

CONTACT = {"staff_number": "S1", "kind": "visit", "occurred_at": lately()}
ISSUE = {"type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮"}
PEOPLE = {
    **one_of_each_role().principals,
    "town-clerk": person("clerk", "town", name="town-clerk"),
    "other-town-clerk": person("clerk", "town", name="other-town-clerk"),
    "harbour-clerk": person("clerk", "harbour", name="harbour-clerk"),
    "town-officer": person("department_officer", "town", name="town-officer"),
    "first": person("cadre", staff_number="S1", name="first"),
    "second": person("cadre", staff_number="S2", name="second"),
    "town-kiosk": machine("ratings.submit", organisation_code="town", name="town-kiosk"),
}


@pytest.fixture
def ask(pool, county, tmp_path):
    """Send one request of somebody's, or several."""
    assert county
    settings = IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=tmp_path,
    )
    app = create_intake_app(settings, pool, authenticator=KnownPrincipals(PEOPLE))

    with asking(app) as client:

        def send(who, method, path, body):
            content = None if body is None else json.dumps(body).encode()
            headers = {"Authorization": f"Bearer {who}", "Content-Type": "application/json"}
            return client.request(method, path, content=content, headers=headers)

        yield lambda *calls: [send(*call) for call in calls]


def bytes_of(answer):
    return answer.status_code, answer.content


def test_a_record_of_another_organisation_answers_as_none_does(ask, county):
    paths = [
        *((f"/v1/contacts/{county['contacts'][1].id}", f"/v1/contacts/{new_id()}"),),
        *((f"/v1/issues/{county['issues'][1].id}", f"/v1/issues/{new_id()}"),),
        *(("/v1/organisations/harbour", "/v1/organisations/nowhere"),),
        *(("/v1/cadres/S2", "/v1/cadres/S9"),),
    ]
    for who in ("town-clerk", "town-officer", "first"):
        for strange, absent in paths:
            found, missed = ask((who, "GET", strange, None), (who, "GET", absent, None))

            assert found.status_code == 404
            assert bytes_of(found) == bytes_of(missed)


def test_a_step_on_an_issue_of_another_organisation_answers_as_on_none(ask, county):
    strange, absent = county["issues"][1].id, new_id()
    steps = {
        "assignments": {"organisation_code": "town"},
        "responses": {},
        "closure": {"outcome": "resolved", "reply": "好"},
    }
    for step, body in steps.items():
        found, missed = ask(
            ("town-clerk", "POST", f"/v1/issues/{strange}/{step}", body),
            ("town-clerk", "POST", f"/v1/issues/{absent}/{step}", body),
        )

        assert found.status_code == 404
        assert bytes_of(found) == bytes_of(missed)


def test_naming_what_is_out_of_reach_answers_as_naming_what_is_not_there(ask, county):
    in_town = {**ISSUE, "organisation_code": "town"}
    pairs = [
        ("/v1/contacts", {**CONTACT, "staff_number": "S2"}, {**CONTACT, "staff_number": "S9"}),
        ("/v1/contacts", {**CONTACT, "organisation_code": "harbour"}, {**CONTACT, "organisation_code": "nowhere"}),
        ("/v1/issues", {**ISSUE, "organisation_code": "harbour"}, {**ISSUE, "organisation_code": "nowhere"}),
        ("/v1/issues", {**in_town, "staff_number": "S2"}, {**in_town, "staff_number": "S9"}),
        (
            "/v1/issues",
            {**in_town, "contact_id": str(county["contacts"][1].id)},
            {**in_town, "contact_id": str(new_id())},
        ),
    ]
    for path, strange, absent in pairs:
        found, missed = ask(("town-clerk", "POST", path, strange), ("town-clerk", "POST", path, absent))

        assert found.status_code == 422
        assert bytes_of(found) == bytes_of(missed)
    rating = {"level": 5, "method": "kiosk"}
    found, missed = ask(
        ("town-kiosk", "POST", "/v1/ratings", {**rating, "contact_id": str(county["contacts"][1].id)}),
        ("town-kiosk", "POST", "/v1/ratings", {**rating, "contact_id": str(new_id())}),
    )
    assert (found.status_code, found.content) == (422, missed.content)


def test_an_issue_from_when_its_cadre_served_elsewhere_is_out_of_reach_and_hinders_nobody(ask, pool, county):
    assert county
    served = a_post(
        staff_number="S1", organisation_code="harbour", from_on=date(2020, 1, 1), until_on=date(2020, 12, 31)
    )
    posts.record_posts(pool, [served], now=datetime.now(UTC))
    of_then = {**ISSUE, "staff_number": "S1", "received_at": "2020-06-01T10:00:00+08:00"}
    of_now = {**ISSUE, "organisation_code": "town"}

    answers = ask(
        *(("town-clerk", "POST", "/v1/issues", body) for body in (of_then, of_now)),
        ("clerk", "POST", "/v1/issues", of_then),
    )

    assert [answer.status_code for answer in answers] == [422, 201, 201]
    assert answers[0].json()["title"] == "out-of-reach"


def test_lists_hold_what_is_within_reach_and_no_more(ask):
    mine, all_cadres, organisations = ask(
        ("town-clerk", "GET", "/v1/cadres", None),
        ("clerk", "GET", "/v1/cadres", None),
        ("town-clerk", "GET", "/v1/organisations", None),
    )

    assert [entry["staff_number"] for entry in mine.json()["items"]] == ["S1"]
    assert len(all_cadres.json()["items"]) == 3
    assert [entry["code"] for entry in organisations.json()["items"]] == ["county", "street", "town"]


def test_a_cursor_is_no_use_to_anybody_else(ask):
    [page] = ask(("town-clerk", "GET", "/v1/organisations?limit=1", None))
    cursor = page.json()["next_cursor"]

    own, colleague, other = ask(
        ("town-clerk", "GET", f"/v1/organisations?limit=1&cursor={cursor}", None),
        ("other-town-clerk", "GET", f"/v1/organisations?limit=1&cursor={cursor}", None),
        ("harbour-clerk", "GET", f"/v1/organisations?limit=1&cursor={cursor}", None),
    )

    assert [entry["code"] for entry in own.json()["items"]] == ["street"]
    assert (colleague.status_code, colleague.json()["title"]) == (422, "bad-cursor")
    assert (other.status_code, other.content) == (422, colleague.content)


def test_requests_of_many_callers_at_once_are_each_judged_by_their_own_reach(ask):
    calls = [
        (who, "POST", "/v1/contacts", {**CONTACT, "staff_number": number, "id": str(new_id())})
        for _ in range(10)
        for who in ("town-clerk", "harbour-clerk", "first", "second", "clerk")
        for number in ("S1", "S2")
    ]

    answers = ask(*calls)

    own = {"town-clerk": ["S1"], "harbour-clerk": ["S2"], "first": ["S1"], "second": ["S2"], "clerk": ["S1", "S2"]}
    for (who, _, _, body), answer in zip(calls, answers, strict=True):
        assert answer.status_code == (201 if body["staff_number"] in own[who] else 422), (who, answer.content)


@pytest.mark.parametrize(
    "field",
    [
        *("role", "is_admin", "score", "counted", "created_at", "recorded_at", "quarantined", "decided_by"),
        *("org_id", "organisation_id", "owner_organisation_id", "cadre_id", "source", "reach", "account_id", "flags"),
    ],
)
def test_no_body_says_what_only_the_server_knows(ask, field):
    bodies = {"/v1/contacts": CONTACT, "/v1/issues": {**ISSUE, "organisation_code": "town"}}
    for path, body in bodies.items():
        [answer] = ask(("town-clerk", "POST", path, {**body, field: "x"}))

        assert answer.status_code == 422
        assert [fault["kind"] for fault in answer.json()["faults"]] == ["extra_forbidden"]


def test_what_is_of_no_organisation_takes_a_grant_that_holds_everywhere(ask):
    post = {"organisation_code": "town", "post_kind": "head", "post_level": "141", "from_on": "2025-01-01"}
    calls = [
        ("PUT", "/v1/organisations/own", {"name": "自立", "level": "61"}),
        ("PUT", "/v1/cadres/S8", {"name": "自己"}),
        ("POST", "/v1/cadres/S1/posts", post),
        ("POST", "/v1/imports?profile=lianxin-duties", None),
    ]

    answers = ask(*(("town-clerk", *call) for call in calls))

    assert [answer.status_code for answer in answers] == [403] * len(calls)
