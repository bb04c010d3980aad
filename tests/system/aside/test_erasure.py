"""A citizen is erased by two persons: nobody can read any more who it was, and not a byte of any score has changed."""

import json
import uuid
from typing import Any

import pytest
from psycopg import sql

from demo.credentials import Person
from tests.harness.quiescence import wait_until_quiet
from tests.harness.suite import Suite
from tests.harness.waiting import wait_for

UNIT, CADRE = "erasure-unit", "erasure-cadre"
NAME, PHONE, TITLE = "司马忘川", "13877001122", "忘川桥下积水"
DERIVED = ("score", "tally", "organisation_tally", "rating_fact", "issue_fact", "event")


@pytest.fixture(scope="module")
def issue_id(suite: Suite) -> str:
    """An issue of a citizen, closed, rated and scored."""
    machine = suite.client("intake", "machine_client")
    assert machine.put(f"/v1/organisations/{UNIT}", {"name": "清溪镇", "level": "61"}).is_success
    assert machine.put(f"/v1/cadres/{CADRE}", {"name": "王强"}).is_success
    post = {"organisation_code": UNIT, "post_kind": "township_head", "post_level": "141", "from_on": "2025-01-01"}
    assert machine.post(f"/v1/cadres/{CADRE}/posts", post).is_success
    issue = {
        "id": str(uuid.uuid4()),
        "type": "help",
        "category": "roads",
        "channel": "phone",
        "title": TITLE,
        "received_at": "2025-03-05T09:00:00+08:00",
        "due_at": "2025-03-20T09:00:00+08:00",
        "organisation_code": UNIT,
        "staff_number": CADRE,
        "citizen": {"name": NAME, "phone": PHONE},
    }
    closure = {"outcome": "resolved", "reply": "已经疏通。", "closed_at": "2025-03-08T09:00:00+08:00"}
    rating = {
        "issue_id": issue["id"],
        "level": 4,
        "solved": True,
        "method": "kiosk",
        "rated_at": "2025-03-09T09:00:00+08:00",
    }
    for path, body in (("/v1/issues", issue), (f"/v1/issues/{issue['id']}/closure", closure), ("/v1/ratings", rating)):
        answer = machine.post(path, body)
        assert answer.is_success, answer.body
    wait_until_quiet(suite)
    return str(issue["id"])


def read_issue(suite: Suite, issue_id: str) -> dict[str, Any]:
    document: dict[str, Any] = suite.client("intake", "department_officer").get(f"/v1/issues/{issue_id}").document
    return document


def read_scores(suite: Suite) -> list[bytes]:
    officer = suite.client("assessment", "department_officer")
    return [
        officer.get(f"/v1/scores/{kind}/{code}?period={period}").body
        for kind, code in (("cadre", CADRE), ("organisation", UNIT))
        for period in ("2025-03", "2025Q1", "2025")
    ]


def read_tables(suite: Suite) -> dict[str, list[str]]:
    def read(table: str) -> sql.Composed:
        return sql.SQL("SELECT {}::text FROM {} ORDER BY 1").format(sql.Identifier(table), sql.Identifier(table))

    with suite.database("assessment") as assessment:
        return {table: [str(row[0]) for row in assessment.execute(read(table))] for table in DERIVED}


def act_with_proof(suite: Suite, role: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """As a person who has just shown again who it is."""
    credential = suite.credential("intake", role)
    assert isinstance(credential, Person)
    credential.step_up()
    answer = suite.client("intake", role).post(path, body)
    assert answer.is_success, answer.body
    document: dict[str, Any] = answer.document
    return document


def test_erasure_leaves_every_score_as_it_was_to_the_byte(suite: Suite, issue_id: str) -> None:
    scores, tables = read_scores(suite), read_tables(suite)
    assert all(tables.values())
    assert TITLE in json.dumps(read_issue(suite, issue_id), ensure_ascii=False)
    why = {"reason_code": "own_request", "reason": "本人要求删除"}
    shown = act_with_proof(suite, "department_officer", f"/v1/issues/{issue_id}/citizen/reveal", why)
    assert (shown["name"], shown["phone"]) == (NAME, PHONE)

    proposal = act_with_proof(
        suite,
        "department_officer",
        "/v1/citizen-proposals",
        {"kind": "erase", "citizen_ref": shown["citizen_ref"], **why},
    )
    act_with_proof(suite, "approver", f"/v1/citizen-proposals/{proposal['id']}/decision", {"decision": "approve"})
    wait_for(lambda: TITLE not in json.dumps(read_issue(suite, issue_id), ensure_ascii=False), "the erasure")
    wait_until_quiet(suite)

    after = json.dumps(read_issue(suite, issue_id), ensure_ascii=False)
    assert [word for word in (NAME, NAME[0], PHONE[-4:], TITLE) if word in after] == []
    assert read_scores(suite) == scores
    later = read_tables(suite)
    log_before, log_after = tables.pop("event"), later.pop("event")
    assert later == tables
    assert set(log_before) <= set(log_after)  # which goes on: that there was an erasure is an event, too
    assert any("cn.lianxin.citizen.erased.v1" in line for line in set(log_after) - set(log_before))
