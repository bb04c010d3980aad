"""Two persons over the rules of the clocks: one asks, another one agrees, and only then does anything change."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.handlers.clocks.rules import OtherVersion, decide, list_clock_rules, propose
from shared.database import transaction
from shared.proposals import OPEN_FOR, AlreadyDecided, Decision, Proposal
from tests.fakes import machine, person
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

RULE = {"clock": "close", "limit": "5 working_days", "valid_from": "2025-01-01"}
PATH = "/v1/clock-rules/close"
AGREE = {"decision": "approve"}


@pytest.fixture
def door(registered, tmp_path):
    fresh = datetime.now(UTC)
    return Door(
        registered,
        {
            "officer": person("department_officer", name="officer"),
            "county_officer": person("department_officer", "county", name="county_officer"),
            "approver": person("approver", name="approver", stepped_up_at=fresh),
            "approver_not_stepped_up": person("approver", name="approver2"),
            "officer_as_approver": replace(
                person("approver", name="approver3", stepped_up_at=fresh), person_id="officer"
            ),
            "auditor": person("auditor", name="auditor"),
            "machine": machine(name="machine"),
        },
        tmp_path,
    )


def ask_for(door, limit="5 working_days", code="close", **headers):
    return door.ask("officer", "PUT", f"/v1/clock-rules/{code}", RULE | {"limit": limit}, **headers)


def decide_on(door, answer, who="approver", body=AGREE):
    return door.post(who, f"/v1/clock-rule-proposals/{answer.json()['id']}/decision", body)


def standing(pool):
    return [
        (rule.code, rule.version, rule.document["limit"]) for rule in list_clock_rules(pool, after=("", 0), limit=9)
    ]


def lines(pool):
    with transaction(pool) as connection:
        return connection.execute(
            "SELECT action, actor, reason FROM audit_record WHERE action ~ '^clock_rule' AND decision = 'allowed' "
            "ORDER BY seq"
        ).fetchall()


def test_a_rule_is_in_force_once_another_person_has_agreed_and_not_before(door, registered):
    waiting, again = ask_for(door), ask_for(door)

    assert (waiting.status_code, waiting.json()["state"]) == (202, "open")
    assert again.json()["id"] == waiting.json()["id"]  # asked twice, asked once
    assert door.get("auditor", waiting.headers["location"]).json() == waiting.json()
    assert standing(registered) == []
    agreed = decide_on(door, waiting)
    assert (agreed.status_code, agreed.json()["state"], agreed.json()["decided_by"]) == (200, "approved", "approver")
    assert standing(registered) == [("close", 1, "5 working_days")]
    assert ask_for(door).status_code == 200  # it stands: there is nothing to agree to
    assert ask_for(door, "6 working_days").json()["rules"][0]["base_version"] == 1
    assert lines(registered) == [
        ("clock_rule.propose", "officer", None),
        ("clock_rule.approve", "approver", None),
        ("clock_rule.propose", "officer", None),
    ]


def test_a_rule_is_told_of_when_it_stands_and_not_when_it_is_asked_for(door, registered):
    waiting = ask_for(door)
    with transaction(registered) as connection:
        told = "SELECT payload ->> 'code', payload ->> 'version' FROM outbox WHERE aggregate = 'clock_rule'"
        assert connection.execute(told).fetchall() == []
    decide_on(door, waiting)
    with transaction(registered) as connection:
        assert connection.execute(told).fetchall() == [("close", "1")]


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        ("officer", 403, "forbidden"),
        ("officer_as_approver", 409, "own-proposal"),
        ("approver_not_stepped_up", 403, "step-up-needed"),
        ("auditor", 403, "forbidden"),
        ("machine", 403, "forbidden"),
    ],
)
def test_nobody_else_can_agree(door, registered, who, status, code):
    answer = decide_on(door, ask_for(door), who)

    assert (answer.status_code, answer.json()["title"]) == (status, code)
    assert standing(registered) == []


@pytest.mark.parametrize("who", ["approver", "county_officer", "machine"])
def test_nobody_else_can_ask(door, who):
    assert door.ask(who, "PUT", PATH, RULE).status_code == 403


def test_what_was_refused_is_not_in_force_and_can_be_asked_for_again(door, registered):
    waiting = ask_for(door)

    refused = decide_on(door, waiting, body={"decision": "refuse", "reason_code": "too_short"})

    assert (refused.json()["state"], refused.json()["reason_code"]) == ("refused", "too_short")
    late = decide_on(door, waiting)
    assert (late.status_code, late.json()["title"]) == (409, "already-decided")
    assert standing(registered) == []
    assert lines(registered)[-1] == ("clock_rule.refuse", "approver", "too_short")
    assert ask_for(door).json()["id"] != waiting.json()["id"]


def test_what_was_looked_at_while_another_version_stood_is_not_put_over_it(door, registered):
    first, second = ask_for(door), ask_for(door, "9 working_days")
    decide_on(door, first)

    answer = decide_on(door, second)

    assert (answer.status_code, answer.json()["title"]) == (409, "other-version")
    assert standing(registered) == [("close", 1, "5 working_days")]
    assert [one["id"] for one in door.get("auditor", "/v1/clock-rule-proposals?state=open").json()["items"]] == [
        second.json()["id"]
    ]


def test_what_nobody_decided_for_a_month_has_expired(door, registered):
    waiting = ask_for(door)
    with transaction(registered) as connection:
        connection.execute("UPDATE proposal SET proposed_at = proposed_at - %s", [OPEN_FOR])

    answer = decide_on(door, waiting)

    assert (answer.status_code, answer.json()["title"]) == (409, "proposal-expired")
    assert door.get("officer", waiting.headers["location"]).json()["state"] == "expired"
    assert standing(registered) == []


def test_a_bad_rule_is_refused_when_it_is_asked_for(door):
    answer = door.ask("officer", "PUT", PATH, RULE | {"valid_until": "2024-12-31"})

    assert (answer.status_code, answer.json()["title"]) == (422, "bad-clock-rule")
    assert door.get("officer", "/v1/clock-rule-proposals").json()["items"] == []


def test_proposals_are_listed_page_by_page(door):
    ids = [ask_for(door, code=f"rule-{number}").json()["id"] for number in range(3)]

    first = door.get("approver", "/v1/clock-rule-proposals?limit=2").json()
    second = door.get("approver", f"/v1/clock-rule-proposals?limit=2&cursor={first['next_cursor']}").json()

    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None


def test_of_many_who_agree_at_once_one_does(registered):
    asked = propose(registered, "close", {"close": RULE}, by=person("department_officer"), now=NOW)
    assert isinstance(asked, Proposal)

    def agree(number):
        by = person("approver", name=f"approver-{number}")
        try:
            return decide(registered, asked.id, Decision(status="approved", by=by, at=NOW + timedelta(hours=1))).status
        except AlreadyDecided:
            return "too late"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(agree, range(4))) == ["approved", "too late", "too late", "too late"]
    assert standing(registered) == [("close", 1, "5 working_days")]


def test_of_two_rules_for_the_same_version_that_are_agreed_to_at_once_one_stands(registered):
    by = person("department_officer")
    asked = [
        propose(registered, "close", {"close": RULE | {"limit": f"{days} working_days"}}, by=by, now=NOW)
        for days in (3, 4)
    ]

    def agree(one):
        try:
            return decide(registered, one.id, Decision(status="approved", by=person("approver"), at=NOW)).status
        except OtherVersion:
            return "too late"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(agree, asked)) == ["approved", "too late"]
    assert len(standing(registered)) == 1


def test_the_next_version_is_asked_for_by_who_has_read_the_one_that_stands(door, registered):
    assert ask_for(door, if_match='"1"').status_code == 412  # there is none yet
    decide_on(door, ask_for(door))

    assert ask_for(door, "6 working_days", if_match='"2"').json()["title"] == "outdated"
    waiting = ask_for(door, "6 working_days", if_match='"1"')
    assert waiting.status_code == 202
    decide_on(door, waiting)
    assert ask_for(door, "7 working_days", if_match='"1"').status_code == 412
    assert standing(registered) == [("close", 1, "5 working_days"), ("close", 2, "6 working_days")]
