"""A phone that was offline sends all that it has: each record for itself, and as often as it likes."""

import json

import pytest

from shared.access.principal import Principal
from shared.edge import LARGEST_BODY_BYTES
from shared.identifiers import new_id
from tests.fakes import machine, person
from tests.integration.intake.commands import lately
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration
BATCH = "/v1/contacts/batch"
PEOPLE: dict[str, Principal] = {
    "clerk": person("clerk", "street"),
    "cadre": person("cadre", staff_number="S1"),
    "machine": machine(),
}


@pytest.fixture
def door(pool, county, tmp_path):
    assert county
    return Door(pool, PEOPLE, tmp_path)


def a_visit(**changes: object) -> dict[str, object]:
    return {"id": str(new_id()), "staff_number": "S1", "kind": "visit", "occurred_at": lately(), **changes}


def an_issue(contact_id: object, **changes: object) -> dict[str, object]:
    told = {"type": "help", "category": "roads", "channel": "contact", "title": "路灯不亮", "contact_id": contact_id}
    return {"id": str(new_id()), **told, **changes}


def told(lines):
    return [(line["status"], line.get("code", "")) for line in lines]


def test_all_that_is_good_is_kept_and_the_rest_is_said_line_by_line(door, ask):
    visit, taken = a_visit(), a_visit()
    batch = {
        "contacts": [
            visit,
            a_visit(staff_number="S2"),
            a_visit(kind="dance"),
            taken,
            {**taken, "kind": "reception"},
            {name: value for name, value in a_visit().items() if name != "id"},
            a_visit(occurred_at="2020-01-01T00:00:00Z"),
            {"id": 7},
            {},
        ],
        "issues": [an_issue(visit["id"]), an_issue(str(new_id())), an_issue(visit["id"], type="gift")],
    }

    first = door.post("clerk", BATCH, batch).json()
    second = door.post("clerk", BATCH, batch).json()

    assert told(first["contacts"]) == [
        ("created", ""),
        ("refused", "unknown-cadre"),
        ("refused", "invalid-body"),
        ("created", ""),
        ("refused", "other-content"),
        ("refused", "id-missing"),
        ("refused", "too-long-ago"),
        ("refused", "invalid-body"),
        ("refused", "invalid-body"),
    ]
    assert told(first["issues"]) == [("created", ""), ("refused", "unknown-contact"), ("refused", "invalid-body")]
    assert first["contacts"][0]["id"] == visit["id"]
    assert [line["status"] for line in second["contacts"] if line["status"] != "refused"] == ["unchanged"] * 2
    assert second["issues"][0]["status"] == "unchanged"
    assert ask("SELECT count(*) FROM contact WHERE staff_number_of(cadre_id) = 'S1'") == [(3,)]  # one stood before
    assert ask("SELECT count(*) FROM issue WHERE contact_id = %s", visit["id"]) == [(1,)]


def test_a_batch_shares_its_commits(door, ask):
    batch = {"contacts": [a_visit(note="走访记录" * 20) for _ in range(200)]}

    lines = door.post("clerk", BATCH, batch).json()["contacts"]

    assert told(lines) == [("created", "")] * 200
    commits = ask("SELECT count(DISTINCT xmin::text) FROM contact WHERE recorded_by IS NOT NULL")[0][0]
    assert commits <= 10


def test_an_issue_in_a_batch_needs_the_right_to_receive_one(door):
    visit = a_visit()

    answer = door.post("cadre", BATCH, {"contacts": [visit], "issues": [an_issue(visit["id"])]}).json()

    assert told(answer["contacts"]) == [("created", "")]
    assert told(answer["issues"]) == [("refused", "forbidden")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"contacts": [{}] * 201}, 422),
        ({"issues": [{}] * 201}, 422),
        ({"contacts": {}}, 422),
        ({"contacts": [7]}, 422),
        ({"records": []}, 422),
        ([], 422),
        ({"contacts": [{"note": "长" * (LARGEST_BODY_BYTES // 6)}]}, 413),
        ({}, 200),
    ],
)
def test_what_is_no_batch_is_refused_whole(door, body, status):
    assert len(json.dumps({"contacts": [{"note": "长" * (LARGEST_BODY_BYTES // 6)}]})) > LARGEST_BODY_BYTES
    assert door.post("clerk", BATCH, body).status_code == status


def test_no_line_repeats_what_was_sent(door):
    secret = "秘密13800001111"
    batch = {"contacts": [{"id": secret * 9, secret: secret, "note": secret}, a_visit(staff_number=secret)]}

    assert secret not in door.post("clerk", BATCH, batch).text
