"""Exports beyond the bounds of one person: asked for, agreed to by another, fetched once; and refusals on record."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.handlers import exports, posts
from services.intake.handlers.export_proposals import FETCHED_WITHIN
from shared.database import transaction
from tests.fakes import machine, person
from tests.integration.intake.commands import a_post
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

WISH = {"register_name": "cadres", "organisation_code": "county", "purpose": "年度核对 13812345678"}


@pytest.fixture
def door(registered, tmp_path, monkeypatch):
    posts.record_posts(registered, [a_post(), a_post(staff_number="S2")], now=NOW)
    monkeypatch.setattr(exports, "MOST_PERSONAL_ROWS", 1)
    fresh = datetime.now(UTC)
    return Door(
        registered,
        {
            "officer": person("department_officer", "county", name="officer", stepped_up_at=fresh),
            "officer_as_approver": replace(
                person("approver", "county", name="officer2", stepped_up_at=fresh), person_id="officer"
            ),
            "other_officer": person("department_officer", "county", name="officer3", stepped_up_at=fresh),
            "approver": person("approver", "county", name="approver", stepped_up_at=fresh),
            "approver_of_the_town": person("approver", "town", name="approver2", stepped_up_at=fresh),
            "approver_not_stepped_up": person("approver", "county", name="approver3"),
            "auditor": person("auditor", name="auditor"),
            "machine": machine(name="machine"),
        },
        tmp_path,
    )


def ask_for(door, who="officer", **changes):
    return door.post(who, "/v1/export-proposals", WISH | changes)


def decide(door, asked, who="approver", decision="approve"):
    return door.post(who, f"/v1/export-proposals/{asked.json()['id']}/decision", {"decision": decision})


def fetch(door, asked, who="officer"):
    return door.post(who, f"/v1/export-proposals/{asked.json()['id']}/result")


def audit(ask):
    return ask(
        "SELECT action, actor, decision, reason FROM audit_record WHERE action ~ '^register' "
        "AND object_type ~ 'export' ORDER BY seq"
    )


def test_what_is_too_much_for_one_person_leaves_once_when_another_has_agreed(door, ask):
    assert door.get("officer", "/v1/registers/cadres/export").json()["title"] == "too-many-rows"
    asked = ask_for(door)

    assert (asked.status_code, asked.json()["rows"], asked.json()["state"]) == (201, 2, "open")
    assert fetch(door, asked).json()["title"] == "not-to-be-fetched"
    assert decide(door, asked).json()["state"] == "approved"
    given = fetch(door, asked)
    assert (given.status_code, given.text.count("\n")) == (200, 3)
    again = fetch(door, asked)
    assert (again.status_code, again.json()["title"]) == (409, "not-to-be-fetched")
    assert audit(ask) == [
        ("register.disclose", "officer", "denied", "too-many-rows"),
        ("register.propose_export", "officer", "allowed", None),
        ("register.approve_export", "approver", "allowed", None),
        ("register.disclose", "officer", "allowed", None),
    ]
    [(told,)] = ask(
        "SELECT details FROM audit_record WHERE action = 'register.disclose' AND decision = 'allowed' LIMIT 1"
    )
    assert (told["rows"], told["proposal"]) == (2, asked.json()["id"])


def test_an_export_that_was_agreed_to_is_not_of_the_days_sum(door, monkeypatch):
    monkeypatch.setattr(exports, "MOST_PERSONAL_ROWS", 2)
    monkeypatch.setattr(exports, "MOST_PERSONAL_ROWS_A_DAY", 2)
    assert door.get("officer", "/v1/registers/cadres/export").status_code == 200
    assert door.get("officer", "/v1/registers/cadres/export").status_code == 429
    asked = ask_for(door)
    decide(door, asked)

    assert fetch(door, asked).status_code == 200


def test_a_refusal_for_the_days_sum_is_on_record(door, monkeypatch, ask):
    monkeypatch.setattr(exports, "MOST_PERSONAL_ROWS", 2)
    monkeypatch.setattr(exports, "MOST_PERSONAL_ROWS_A_DAY", 2)

    for _ in range(2):
        door.get("officer", "/v1/registers/cadres/export")

    assert [line[2:] for line in audit(ask)] == [("allowed", None), ("denied", "too-many-rows-today")]


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        ("officer", 403, "forbidden"),
        ("officer_as_approver", 409, "own-proposal"),
        ("approver_not_stepped_up", 403, "step-up-needed"),
        ("approver_of_the_town", 404, "unknown-proposal"),
        ("machine", 403, "forbidden"),
    ],
)
def test_nobody_else_can_agree(door, who, status, code):
    answer = decide(door, ask_for(door), who)

    assert (answer.status_code, answer.json()["title"]) == (status, code)


def test_only_whoever_asked_fetches_it(door):
    asked = ask_for(door)
    decide(door, asked)

    assert fetch(door, asked, "other_officer").status_code == 404
    assert fetch(door, asked, "approver").status_code == 403
    assert fetch(door, asked).status_code == 200


def test_an_agreement_is_good_for_some_days(door, registered):
    asked = ask_for(door)
    decide(door, asked)
    with transaction(registered) as connection:
        connection.execute("UPDATE proposal SET decided_at = decided_at - %s", [FETCHED_WITHIN + timedelta(seconds=5)])

    assert fetch(door, asked).json()["title"] == "not-to-be-fetched"


def test_what_has_grown_beyond_what_was_agreed_to_does_not_leave(door, registered):
    asked = ask_for(door)
    decide(door, asked)
    for number in range(2):
        posts.record_posts(registered, [a_post(post_kind=f"kind-{number}")], now=NOW)

    answer = fetch(door, asked)

    assert (answer.status_code, answer.json()["title"]) == (422, "too-many-rows")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"register_name": "organisations"}, 422, "no-proposal-needed"),
        ({"register_name": "nothing"}, 404, "unknown-register"),
        ({"organisation_code": None}, 422, "organisation-missing"),
        ({"organisation_code": "elsewhere"}, 422, "unknown-organisation"),
        ({"purpose": ""}, 422, "invalid-body"),
        ({"format": "pdf"}, 422, "invalid-body"),
        ({"state": "approved"}, 422, "invalid-body"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(door, changes, status, code):
    answer = ask_for(door, **changes)

    assert (answer.status_code, answer.json()["title"]) == (status, code)


def test_what_it_is_for_is_readable_for_who_decides_and_nowhere_else(door, ask):
    asked = ask_for(door)

    assert door.get("approver", f"/v1/export-proposals/{asked.json()['id']}").json()["purpose"] == WISH["purpose"]
    [shown] = door.get("auditor", "/v1/export-proposals?state=open").json()["items"]
    assert shown["purpose"] == WISH["purpose"]
    assert ask("SELECT 1 FROM proposal WHERE document::text ~ '13812345678'") == []
    assert ask("SELECT 1 FROM audit_record WHERE details::text ~ '13812345678'") == []
