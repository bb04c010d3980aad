"""Requests with a key that are carried out at once: done once, answered alike, and nothing of a refusal stays."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from services.intake.domain.citizens import describe_citizen
from services.intake.domain.commands.base import IdempotencyKey
from services.intake.handlers import erasures, issues
from services.intake.handlers import keys as handler
from shared.identifiers import new_id
from tests.fakes import machine, person
from tests.integration.intake.commands import an_issue
from tests.integration.intake.door import Door

WHY = {"reason_code": "call_back", "reason": "回访核实"}


@pytest.fixture
def door(registered, tmp_path):
    fresh = datetime.now(UTC)
    return Door(
        registered,
        {
            "clerk": person("clerk", "county", name="clerk"),
            "officer": person("department_officer", "county", name="officer", stepped_up_at=fresh),
            "other_officer": person("department_officer", "county", name="officer2", stepped_up_at=fresh),
            "approver": person("approver", "county", name="approver", stepped_up_at=fresh),
            "machine": machine(organisation_code="county", name="machine"),
        },
        tmp_path,
    )


@pytest.fixture
def case(registered):
    """A closed case of a citizen of today, so that it can be rated and the citizen erased."""
    given = describe_citizen(name="金丝雀", phone="13812345678", today=date(2026, 3, 2))
    now = datetime.now(UTC)
    command = an_issue(
        citizen=given,
        organisation_code="county",
        received_at=now - timedelta(hours=2),
        closed_at=now,
        outcome="resolved",
        reply="已换",
    )
    assert issues.receive_issues(registered, [command], now=now)[0].status == "created"
    return command.id


def ref_of(ask, case):
    return ask("SELECT citizen_ref FROM issue WHERE id = %s", case)[0][0]


def test_a_proposal_that_is_sent_again_is_the_same_one(door, ask, case):
    body = {"kind": "erase", "citizen_ref": str(ref_of(ask, case)), "reason_code": "own_request", "reason": "本人申请"}

    first, again = (door.post("officer", "/v1/citizen-proposals", body, idempotency_key="k1") for _ in range(2))
    without = door.post("officer", "/v1/citizen-proposals", body)

    assert (again.status_code, again.content, again.headers["location"]) == (
        first.status_code,
        first.content,
        first.headers["location"],
    )
    assert first.status_code == 201
    assert without.status_code == 409  # that it was asked for is told to whoever asks anew
    assert ask("SELECT count(*) FROM citizen_proposal") == [(1,)]
    assert ask("SELECT count(*) FROM audit_record WHERE action = 'citizen.propose'") == [(1,)]


def test_a_decision_that_is_sent_again_is_answered_as_the_first_time(door, ask, case):
    body = {"kind": "erase", "citizen_ref": str(ref_of(ask, case)), "reason_code": "own_request", "reason": "本人申请"}
    path = door.post("officer", "/v1/citizen-proposals", body).headers["location"] + "/decision"

    first, again = (door.post("approver", path, {"decision": "approve"}, idempotency_key="k1") for _ in range(2))

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.status_code == 200
    assert door.post("approver", path, {"decision": "approve"}, idempotency_key="k2").status_code == 409


def test_a_link_that_is_asked_for_again_is_the_same_link(door, ask, case):
    path = f"/v1/issues/{case}/rating-link"

    first, again = (door.post("machine", path, idempotency_key="k1") for _ in range(2))
    other = door.post("machine", path)

    assert (first.status_code, first.json()) == (201, again.json())
    assert other.json()["token"] != first.json()["token"]
    [(answer,)] = ask("SELECT answer FROM idempotency_key")
    assert first.json()["token"].encode() not in bytes(answer)


def test_a_reveal_that_is_sent_again_shows_again_and_counts_once(door, ask, case):
    path = f"/v1/issues/{case}/citizen/reveal"

    first, again = (door.post("officer", path, WHY, idempotency_key="k1") for _ in range(2))

    assert (first.status_code, first.json()["name"]) == (200, "金丝雀")
    assert again.json() == first.json()
    assert ask("SELECT count(*) FROM reveal") == [(1,)]
    assert ask("SELECT answer FROM idempotency_key") == [(None,)]  # nobody's name is kept for an answer


def test_whoever_was_erased_is_not_shown_to_a_repeat(door, registered, ask, case):
    path = f"/v1/issues/{case}/citizen/reveal"
    assert door.post("officer", path, WHY, idempotency_key="k1").status_code == 200
    body = {"kind": "erase", "citizen_ref": str(ref_of(ask, case)), "reason_code": "own_request", "reason": "本人申请"}
    proposed = door.post("officer", "/v1/citizen-proposals", body)
    door.post("approver", f"{proposed.headers['location']}/decision", {"decision": "approve"})
    assert erasures.carry_out_approved(registered, now=datetime.now(UTC)) == 1

    assert door.post("officer", path, WHY, idempotency_key="k1").status_code == 404


def test_a_repeat_may_no_longer_be_allowed(door, case):
    path = f"/v1/issues/{case}/citizen/reveal"
    assert door.post("officer", path, WHY, idempotency_key="k1").status_code == 200
    door.people.principals["officer"] = person("department_officer", "elsewhere", name="officer")

    assert door.post("officer", path, WHY, idempotency_key="k1").status_code == 404


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        ("officer", "/v1/issues/{other}/citizen/reveal", WHY),
        ("officer", "/v1/issues/{case}/citizen/reveal", WHY | {"reason": "另一个理由"}),
        ("officer", "/v1/rating-samples", {"organisation_code": "county", "period": "2025"}),
    ],
)
def test_a_key_stands_for_one_request(door, case, who, path, body):
    assert door.post("officer", f"/v1/issues/{case}/citizen/reveal", WHY, idempotency_key="k1").status_code == 200

    answer = door.post(who, path.format(case=case, other=new_id()), body, idempotency_key="k1")

    assert (answer.status_code, answer.json()["title"]) == (422, "key-reused")


def test_a_key_is_its_senders_own(door, ask, case):
    path = f"/v1/issues/{case}/citizen/reveal"

    for who in ("officer", "other_officer"):
        assert door.post(who, path, WHY, idempotency_key="k1").status_code == 200

    assert ask("SELECT count(*) FROM reveal") == [(2,)]


def test_a_refusal_leaves_no_key_behind(door, ask, case):
    path = f"/v1/issues/{new_id()}/citizen/reveal"

    assert door.post("officer", path, WHY, idempotency_key="k1").status_code == 404

    assert ask("SELECT count(*) FROM idempotency_key") == [(0,)]
    assert door.post("officer", f"/v1/issues/{case}/citizen/reveal", WHY, idempotency_key="k1").status_code == 200


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "ключ", "a b", "a\tb"])
def test_what_is_no_key_is_refused(door, case, key):
    answer = door.post("officer", f"/v1/issues/{case}/citizen/reveal", WHY, idempotency_key=key.encode())

    assert (answer.status_code, answer.json()["title"]) == (422, "bad-idempotency-key")


def test_an_open311_update_that_is_sent_again_is_told_once(door, ask):
    api_key = door.post("machine", "/v1/open311/keys", idempotency_key="k1").json()["api_key"]
    assert door.post("machine", "/v1/open311/keys", idempotency_key="k1").json()["api_key"] == api_key
    form = {"content_type": "application/x-www-form-urlencoded"}

    def send(path, text, key):
        return door.ask("nobody", "POST", f"/open311/v2/{path}", text.encode(), idempotency_key=key, **form).json()

    filed = f"api_key={api_key}&service_code=street_lights&lat=31.2&long=121.5"
    requests = [send("requests.json", filed, "k2")[0]["service_request_id"] for _ in range(2)]
    told = f"api_key={api_key}&service_request_id={requests[0]}&status=open&description=x"
    updates = [send("servicerequestupdates.json", told, "k3")[0]["update_id"] for _ in range(2)]

    assert len(set(requests)) == len(set(updates)) == 1
    assert ask("SELECT count(*) FROM filing_update") == [(1,)]


def test_of_two_at_once_the_second_waits_and_gets_the_same(registered, ask):
    key = IdempotencyKey(caller=str(new_id()), key="k1", fingerprint=b"x" * 16)
    is_at_work, may_end = threading.Event(), threading.Event()
    done = []

    def do(pool):
        done.append(pool)
        is_at_work.set()
        assert may_end.wait(30)
        return "the answer"

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(handler.run_once, registered, key, do, now=datetime.now(UTC))
        assert is_at_work.wait(30)
        second = threads.submit(handler.run_once, registered, key, do, now=datetime.now(UTC))
        while not ask("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"):
            time.sleep(0.02)
        may_end.set()

        assert (first.result(30), second.result(30)) == ("the answer", "the answer")
    assert len(done) == 1
    assert ask("SELECT count(*) FROM idempotency_key") == [(1,)]
