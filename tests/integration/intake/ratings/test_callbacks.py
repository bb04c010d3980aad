"""Calls back by somebody who has no part in what was handled; counters; who was invited and how many of them rated."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.handlers import contacts, issues, rating_invitations
from shared.identifiers import new_id
from tests.fakes import person
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.ratings.conftest import PEOPLE

pytestmark = pytest.mark.integration
RATED = {"result": "reached_rated", "level": 4, "solved": True, "speed": 2}
CALLERS = {
    "county-desk": person("clerk", "county", name="county-desk"),
    "street-clerk": person("clerk", "street", name="street-clerk"),
    "county-desk-and-street": replace(person("clerk", "county", name="county-desk-and-street"), staff_number="S1"),
    "recorder": person("clerk", "county", name="recorder"),
    "recorder-again": replace(person("clerk", "county", name="recorder-again"), person_id="recorder"),
    "county-wide-cadre": replace(person("clerk", name="county-wide-cadre"), staff_number="S1"),
}


@pytest.fixture(autouse=True)
def callers(monkeypatch):
    for name, principal in CALLERS.items():
        monkeypatch.setitem(PEOPLE, name, principal)


@pytest.fixture
def call(ask, closed):
    def run(who, body, *, path=None):
        return ask("POST", path or f"/v1/issues/{closed}/callback-attempts", body, who=who)

    return run


def events(rows, kind):
    return [payload for (payload,) in rows("SELECT payload FROM outbox WHERE event_type = %s ORDER BY id", kind)]


def test_a_call_back_is_a_rating_of_its_own_method(call, rows, closed):
    answer = call("county-desk", {**RATED, "comment": "后来又坏了"})

    assert answer.status_code == 201
    assert rows("SELECT level, solved, speed, method, state FROM rating WHERE issue_id = %s", closed) == [
        (4, True, 2, "callback", "counted")
    ]
    assert rows("SELECT result, rating_id::text FROM callback_attempt") == [
        ("reached_rated", answer.json()["rating_id"])
    ]
    [invited] = events(rows, "cn.lianxin.rating_invitation.made.v1")
    assert (invited["issue_id"], invited["method"]) == (str(closed), "callback")
    assert set(invited) == {"invitation_id", "issue_id", "method", "invited_at"}
    assert call("county-desk", RATED).json()["title"] == "already-rated"


@pytest.mark.parametrize("who", ["street-clerk", "county-desk-and-street", "county-wide-cadre", "street-officer"])
def test_whoever_handles_it_or_stands_in_that_line_calls_nobody(call, rows, closed, who):
    for body in (RATED, {"result": "not_reached"}):
        answer = call(who, body)
        assert (answer.status_code, answer.json()["title"]) == (403, "own-work")
    assert rows("SELECT count(*) FROM callback_attempt") == [(0,)]
    assert rows("SELECT count(*) FROM rating WHERE issue_id = %s", closed) == [(0,)]


@pytest.mark.parametrize("who", ["first", "town-head", "auditor", "county-approver", "kiosk", "gateway"])
def test_others_never_call(call, who):
    assert call(who, RATED).status_code == 403


def test_whoever_recorded_the_contact_does_not_call_about_it_under_any_account(ask, county, rows):
    assert county
    contact = str(new_id())
    body = {
        "id": contact,
        "staff_number": "S1",
        "kind": "visit",
        "occurred_at": datetime.now(UTC).isoformat(),
        "note": "走访",
    }
    assert ask("POST", "/v1/contacts", body, who="recorder").status_code == 201
    path = f"/v1/contacts/{contact}/callback-attempts"

    refused = [ask("POST", path, RATED, who=who) for who in ("recorder", "recorder-again")]
    taken = ask("POST", path, RATED, who="county-desk")

    assert [(one.status_code, one.json()["title"]) for one in refused] == [(403, "own-work")] * 2
    assert taken.status_code == 201
    assert rows("SELECT method FROM rating WHERE contact_id = %s", contact) == [("callback",)]


def test_who_assists_or_took_a_step_does_not_call(call, rows, closed):
    rows(
        "UPDATE issue SET assisting = ARRAY[(SELECT id FROM organisation WHERE code = 'county')] WHERE id = %s", closed
    )
    assert call("county-desk", {"result": "not_reached"}).status_code == 403
    rows("UPDATE issue SET assisting = '{}' WHERE id = %s", closed)
    rows(
        """
        INSERT INTO issue_step (issue_id, sequence, kind, happened_at, recorded_at, actor_id, actor_person)
        VALUES (%s, 90, 'replied', now(), now(), gen_random_uuid(), 'county-desk')
        """,
        closed,
    )
    assert call("county-desk", {"result": "not_reached"}).status_code == 403
    assert call("recorder", {"result": "not_reached"}).status_code == 201


def test_an_attempt_is_kept_once_and_a_vain_one_gives_no_rating(call, rows):
    attempt = str(new_id())
    first, repeat = (call("county-desk", {"id": attempt, "result": "not_reached"}) for _ in range(2))
    other = call("county-desk", {"id": attempt, "result": "wrong_number"})
    declined = call("county-desk", {"result": "reached_declined"})

    assert (first.status_code, repeat.status_code, other.status_code) == (201, 200, 409)
    assert repeat.json()["status"] == "unchanged"
    assert declined.json()["rating_id"] is None
    assert rows("SELECT result FROM callback_attempt ORDER BY recorded_at") == [("not_reached",), ("reached_declined",)]
    assert rows("SELECT count(*) FROM audit_record WHERE action = 'callback.record'") == [(2,)]
    assert rows("SELECT state, method FROM rating_invitation") == [("made", "callback")]  # asked, and declined


@pytest.mark.parametrize(
    "body",
    [
        {"result": "reached_rated"},
        {"result": "not_reached", "level": 5},
        {"result": "reached_declined", "comment": "不错"},
        {"result": "busy"},
        {**RATED, "level": 6},
        {**RATED, "level": "5"},
        {**RATED, "level": True},
        {**RATED, "method": "link"},
        {**RATED, "state": "counted"},
        {**RATED, "attempted_at": "1999-01-01T00:00:00Z"},
        {**RATED, "attempted_at": "2199-01-01T00:00:00Z"},
    ],
)
def test_a_call_that_says_something_else_is_none(call, rows, body):
    assert call("county-desk", body).status_code == 422
    assert rows("SELECT count(*) FROM callback_attempt") == [(0,)]


def test_nobody_calls_about_what_is_open_out_of_reach_or_of_a_restricted_citizen(call, county, rows, closed):
    opened = call("county-desk", RATED, path=f"/v1/issues/{county['issues'][0].id}/callback-attempts")
    beside = call("harbour-officer", RATED)
    nothing = call("harbour-officer", RATED, path=f"/v1/issues/{new_id()}/callback-attempts")
    ref = new_id()
    rows(
        "INSERT INTO citizen (ref, state, recorded_at, restricted_at, review_on)"
        " VALUES (%s, 'restricted', now(), now(), '2030-01-01')",
        ref,
    )
    rows("UPDATE issue SET citizen_ref = %s WHERE id = %s", ref, closed)

    assert (opened.status_code, opened.json()["title"]) == (409, "issue-not-closed")
    assert beside.status_code == nothing.status_code == call("county-desk", RATED).status_code == 404
    assert beside.content == nothing.content


def a_now_closed(pool, **changes):
    command = replace(
        an_issue(staff_number="S1", organisation_code="street"),
        outcome="resolved",
        reply="已办",
        closed_at=changes.pop("closed_at", datetime.now(UTC)),
        received_at=NOW,
        **changes,
    )
    [outcome] = issues.receive_issues(pool, [command], now=datetime.now(UTC))
    assert outcome.status == "created", outcome
    return command.id


def test_a_counter_rates_what_was_just_handled_once_and_is_known_by_a_pseudonym(ask, rate, pool, county, closed, rows):
    assert county
    issue = a_now_closed(pool)
    body = {"issue_id": str(issue), "device": "服务大厅3号"}

    opened = ask("POST", "/v1/kiosk-sessions", body, who="kiosk")
    again = ask("POST", "/v1/kiosk-sessions", body, who="kiosk")
    token = again.json()["token"]

    assert opened.status_code == again.status_code == 201
    assert datetime.fromisoformat(again.json()["expires_at"]) - datetime.now(UTC) < timedelta(minutes=11)
    assert rate(opened.json()["token"]).status_code == 404  # replaced by the second session
    assert rate(token, 5).status_code == 201
    assert rate(token, 1).status_code == 404  # whoever comes next at the counter amends nothing
    assert rows("SELECT level, method FROM rating WHERE issue_id = %s", issue) == [(5, "kiosk")]
    traces = rows("SELECT network IS NULL, length(device) FROM rating_trace")
    assert traces == [(True, 38)]
    told = str(rows("SELECT array_agg(row_to_json(t)::text) FROM outbox AS t")) + str(
        rows("SELECT array_agg(row_to_json(t)::text) FROM citizen_link AS t")
    )
    assert "服务大厅" not in told
    assert ask("POST", "/v1/kiosk-sessions", body, who="kiosk").json()["title"] == "already-rated"
    old = ask("POST", "/v1/kiosk-sessions", {"issue_id": str(closed), "device": "x"}, who="kiosk")
    assert (old.status_code, old.json()["title"]) == (409, "not-just-handled")


def test_a_counter_rates_a_contact_and_is_for_machines_alone(ask, pool, county):
    assert county
    contact = a_contact(note="接访", kind="reception", occurred_at=datetime.now(UTC) - timedelta(minutes=5))
    contacts.record_contacts(pool, [contact], now=datetime.now(UTC))
    body = {"contact_id": str(contact.id), "device": "x"}

    assert ask("POST", "/v1/kiosk-sessions", body, who="kiosk").status_code == 201
    for who in ("town-clerk", "first", "county-officer", "gateway"):
        assert ask("POST", "/v1/kiosk-sessions", body, who=who).status_code == 403
    both = {**body, "issue_id": body["contact_id"]}
    assert ask("POST", "/v1/kiosk-sessions", both, who="kiosk").status_code == 422
    assert ask("POST", "/v1/kiosk-sessions", {"device": "x"}, who="kiosk").status_code == 422


def test_three_days_after_closing_whoever_was_not_asked_stands_in_a_list(ask, pool, county, rules, rows, closed):
    assert county
    now = datetime.now(UTC)
    citizen = new_id()
    rows("INSERT INTO citizen (ref, state, recorded_at) VALUES (%s, 'active', now())", citizen)
    waiting, rated, fresh = (a_now_closed(pool, closed_at=now - timedelta(days=days)) for days in (4, 5, 1))
    rows("UPDATE issue SET citizen_ref = %s WHERE id = ANY(%s)", citizen, [waiting, rated, fresh, closed])
    ask("POST", f"/v1/issues/{rated}/callback-attempts", RATED, who="county-desk")

    found = [rating_invitations.sweep_invitations(pool, rules, now=now) for _ in range(2)]

    def listed(who):
        answer = ask("GET", "/v1/rating-invitations", who=who)
        return (
            [item["issue_id"] for item in answer.json()["items"]] if answer.status_code == 200 else answer.status_code
        )

    assert found == [1, 0]  # not the rated, not yesterday's, not one of long ago, and none twice
    assert listed("county-desk") == listed("county-gateway") == listed("gateway") == [str(waiting)]
    assert listed("street-clerk") == listed("county-desk-and-street") == []
    assert listed("first") == listed("town-head") == 403
    assert ask("POST", f"/v1/issues/{waiting}/rating-link", {}, who="gateway").status_code == 201
    assert listed("county-desk") == []
    assert rows("SELECT state, method FROM rating_invitation WHERE issue_id = %s", waiting) == [("made", "link")]
    [told] = [one for one in events(rows, "cn.lianxin.rating_invitation.made.v1") if one["issue_id"] == str(waiting)]
    assert told["method"] == "link"


def test_participation_is_rated_of_invited_for_those_above_the_unit(ask, rate, pool, county):
    assert county
    asked = [a_now_closed(pool) for _ in range(4)]
    tokens = [ask("POST", f"/v1/issues/{one}/rating-link", {}, who="gateway").json()["token"] for one in asked]
    ask("POST", f"/v1/issues/{asked[0]}/rating-link", {}, who="gateway")  # asked twice is asked once
    for token in tokens[1:3]:
        rate(token)
    ask("POST", f"/v1/issues/{asked[3]}/callback-attempts", {"result": "reached_declined"}, who="county-desk")
    period = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m")
    path = f"/v1/rating-participation?organisation_code=town&period={period}"

    found = ask("GET", path, who="county-officer").json()

    assert (found["invited"], found["rated"], found["rate"]) == (4, 2, "0.5000")
    assert found["methods"] == {
        "callback": {"invited": 1, "rated": 0, "rate": "0.0000"},
        "link": {"invited": 4, "rated": 2, "rate": "0.5000"},
    }
    assert ask("GET", path, who="auditor").json() == found
    assert ask("GET", path, who="town-officer").status_code == 404  # the own unit's
    for who in ("town-clerk", "town-head", "first", "kiosk"):
        assert ask("GET", path, who=who).status_code == 403
    for bad in ("2026-13", "2026Q5", "x", "2026-03-01"):
        answer = ask("GET", f"/v1/rating-participation?organisation_code=town&period={bad}", who="county-officer")
        assert answer.status_code == 422
