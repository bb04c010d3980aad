"""Whether suggestions are adopted: decided once, with a reason, by who may see them, and told without a word of it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.storage.erasures import Erasure, set_erased
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM
from tests.fakes import person
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration
DECISION = {"adoption": "not_adopted", "explanation": "用地已另有规划"}


@pytest.fixture
def door(registered, tmp_path):
    people = {
        "clerk": person("clerk", "county", name="clerk"),
        "head": person("unit_head", "county", name="head"),
        "elsewhere": person("clerk", "elsewhere", name="elsewhere"),
        "officer": person("department_officer", "county", name="officer"),
    }
    return Door(registered, people, tmp_path)


def receive(door, **changes):
    body = {
        "id": str(new_id()),
        "type": "suggestion",
        "category": "parks",
        "channel": "web",
        "title": "建议增设公园",
        "organisation_code": "county",
        "citizen": {"name": "张秀兰", "phone": "13812345678"},
        **changes,
    }
    assert door.post("clerk", "/v1/issues", body).status_code == 201
    return f"/v1/issues/{body['id']}/adoption"


def test_a_suggestion_is_decided_once_and_whoever_sees_it_reads_why(door, ask, events_of):
    path = receive(door)

    before = door.get("clerk", path)
    statuses = [
        door.ask("head", "PUT", path, body).status_code
        for body in (DECISION, DECISION, DECISION | {"adoption": "adopted"}, DECISION | {"explanation": "别的"})
    ]

    assert before.json()["title"] == "suggestion-not-decided"
    assert statuses == [200, 200, 409, 409]
    shown = door.get("officer", path).json()
    assert (shown["adoption"], shown["explanation"]) == ("not_adopted", "用地已另有规划")
    assert events_of("suggestion_decision") == [("suggestion.decided", 1)]
    assert "规划" not in str(ask("SELECT payload::text FROM outbox"))
    assert "规划".encode().hex() not in str(ask("SELECT row_to_json(d)::text FROM suggestion_decision AS d"))


@pytest.mark.parametrize("kind", ["help", "complaint", "thanks"])
def test_what_suggests_nothing_is_not_adopted(door, kind):
    answer = door.ask("head", "PUT", receive(door, type=kind), DECISION)

    assert (answer.status_code, answer.json()["title"]) == (409, "not-a-suggestion")


@pytest.mark.parametrize(
    "changes",
    [
        {"adoption": "maybe"},
        {"explanation": ""},
        {"explanation": None},
        {"explanation": "a\u202eb"},
        {"decided_at": "2020-01-01T00:00:00+08:00"},
        {"decided_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()},
        {"decided_by": str(new_id())},
    ],
)
def test_a_decision_that_cannot_be_is_refused(door, changes):
    path = receive(door)

    assert door.ask("head", "PUT", path, DECISION | changes).status_code == 422
    assert door.get("clerk", path).status_code == 404


def test_who_does_not_see_the_suggestion_does_not_decide(door):
    path = receive(door)

    for method, body in (("PUT", DECISION), ("GET", None)):
        beside = door.ask("elsewhere", method, path, body)
        nothing = door.ask("elsewhere", method, f"/v1/issues/{new_id()}/adoption", body)
        assert (beside.status_code, beside.content) == (404, nothing.content)
    assert door.ask("officer", "PUT", path, DECISION).status_code == 403


def test_the_words_go_with_the_citizen(door, ask, registered):
    path = receive(door)
    door.ask("head", "PUT", path, DECISION)
    [[ref]] = ask("SELECT ref FROM citizen")

    with transaction(registered, reach=SYSTEM) as connection:
        assert set_erased(connection, [Erasure(citizen_ref=ref, reason_code="asked")], at=datetime.now(UTC))

    shown = door.get("clerk", path).json()
    assert (shown["adoption"], shown["explanation"]) == ("not_adopted", None)
