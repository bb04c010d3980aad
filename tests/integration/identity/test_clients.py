"""Registering machine clients takes two persons; running them takes one, and everything is written into the audit."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.identity.api.app import create_api
from shared.database import transaction
from shared.reach import SYSTEM
from tests.asking import client_at
from tests.fakes import KnownPrincipals, one_of_each_role, person
from tests.integration.identity.machines import OwnKey, basic, wish

pytestmark = pytest.mark.integration
WISH = {
    "client_id": "hotline",
    "name": "12345 热线",
    "purpose": "Sends work orders of the hotline",
    "scopes": ["intake.write"],
    "organisation_codes": ["320102"],
    "allowed_networks": ["127.0.0.0/8"],
    "requests_per_minute": 120,
    "valid_days": 30,
}
ROLES = [*one_of_each_role().principals]


@pytest.fixture
def app(settings, pool, keys):
    now = datetime.now(UTC)
    known = {name: replace(one, stepped_up_at=now) for name, one in one_of_each_role().principals.items()}
    # The officer's second account, which holds the second person's role.
    known["officer-as-approver"] = replace(
        person("approver", name="officer-as-approver", stepped_up_at=now),
        person_id=known["department_officer"].person_id,
    )
    known["approver-long-ago"] = person("approver")
    known["officer-of-one-office"] = person("department_officer", "320102", stepped_up_at=now)
    return create_api(settings, pool, authenticator=KnownPrincipals(known), keys=keys)


@pytest.fixture
def as_(app):
    return lambda who: client_at(app, headers={"Authorization": f"Bearer {who}"}, peer=("127.0.0.1", 50_000))


def propose(as_, **more):
    return as_("department_officer").post("/v1/client-proposals", json=WISH | more)


def register(as_, **more):
    proposal = propose(as_, **more).json()["id"]
    return as_("approver").post(f"/v1/client-proposals/{proposal}/approve")


def audited(pool):
    with transaction(pool, reach=SYSTEM) as connection:
        return [
            row[0]
            for row in connection.execute("SELECT action FROM audit_record WHERE action LIKE 'client.%' ORDER BY seq")
        ]


def test_two_persons_register_a_client_which_then_gets_tokens(as_, app, pool):
    assert register(as_).json()["state"] == "approved"
    made = as_("department_officer").post("/v1/clients/hotline/secrets", json={})

    assert made.status_code == 201
    secret = made.json()["secret"]
    answer = client_at(app, peer=("127.0.0.1", 1)).post(
        "/v1/oauth2/token", data=wish(), headers=basic("hotline", secret)
    )
    assert answer.json()["scope"] == "intake.write"
    shown = as_("auditor").get("/v1/clients/hotline")
    assert secret not in shown.text
    assert [one["kind"] for one in shown.json()["credentials"]] == ["secret"]
    assert audited(pool) == ["client.propose", "client.approve", "client.add_secret"]


def test_before_the_decision_there_is_no_client(as_):
    propose(as_)

    assert as_("auditor").get("/v1/clients").json()["items"] == []
    assert as_("department_officer").post("/v1/clients/hotline/secrets", json={}).status_code == 404


def test_nobody_approves_what_the_same_person_proposed(as_):
    proposal = propose(as_).json()["id"]

    for decision, body in (("approve", None), ("refuse", {"reason": "no"})):
        answer = as_("officer-as-approver").post(f"/v1/client-proposals/{proposal}/{decision}", json=body)
        assert (answer.status_code, answer.json()["title"]) == (409, "own-proposal")
    assert as_("approver").post(f"/v1/client-proposals/{proposal}/approve").status_code == 200


def test_a_decision_is_final(as_):
    proposal = propose(as_).json()["id"]
    refused = as_("approver").post(f"/v1/client-proposals/{proposal}/refuse", json={"reason": "too many scopes"})

    assert refused.json()["state"] == "refused"
    assert as_("approver").post(f"/v1/client-proposals/{proposal}/approve").status_code == 409
    assert as_("auditor").get("/v1/clients").json()["items"] == []
    assert [one["reason"] for one in as_("auditor").get("/v1/client-proposals").json()["items"]] == ["too many scopes"]


def test_approving_needs_a_fresh_second_factor(as_):
    proposal = propose(as_).json()["id"]

    answer = as_("approver-long-ago").post(f"/v1/client-proposals/{proposal}/approve")

    assert (answer.status_code, answer.json()["title"]) == (403, "step-up-needed")


def test_a_change_is_a_new_registration_by_two_persons_and_keeps_the_secrets(as_, app):
    register(as_)
    secret = as_("department_officer").post("/v1/clients/hotline/secrets", json={}).json()["secret"]
    register(as_, scopes=["intake.read"], organisation_codes=[])

    shown = as_("auditor").get("/v1/clients/hotline").json()
    assert (shown["scopes"], shown["organisation_codes"]) == (["intake.read"], [])
    token = client_at(app, peer=("127.0.0.1", 1)).post(
        "/v1/oauth2/token", data=wish(), headers=basic("hotline", secret)
    )
    assert token.json()["scope"] == "intake.read"


@pytest.mark.parametrize("who", ["approver", "department_officer", "security_administrator"])
def test_disabling_takes_one_person_and_enabling_two(as_, who):
    register(as_)

    assert as_(who).post("/v1/clients/hotline/disable").json()["status"] == "disabled"

    assert as_("department_officer").post("/v1/clients/hotline/secrets", json={}).status_code == 409
    register(as_)
    assert as_("auditor").get("/v1/clients/hotline").json()["status"] == "active"


def test_a_public_key_is_registered_and_revoked(as_):
    register(as_)
    officer = as_("department_officer")
    made = officer.post("/v1/clients/hotline/keys", json={"jwk": OwnKey().public_jwk()})

    assert (made.status_code, made.json()["kid"]) == (201, "key-1")
    path = f"/v1/clients/hotline/credentials/{made.json()['id']}"
    assert [officer.delete(path).status_code for _ in range(2)] == [204, 404]
    weak = officer.post(
        "/v1/clients/hotline/keys", json={"jwk": {"kty": "oct", "k": "AAAA", "kid": "a", "alg": "HS256"}}
    )
    assert weak.status_code == 422


IMPOSSIBLE: list[dict[str, Any]] = [
    {"client_id": "Hotline"},
    {"client_id": "a" * 65},
    {"client_id": "hot line"},
    {"client_id": "-hotline-"},
    {"scopes": []},
    {"scopes": ["everything"]},
    {"scopes": ["intake.write", "intake.write"]},
    {"allowed_networks": ["10.1.2.3/16"]},
    {"allowed_networks": ["0.0.0.0/0"]},
    {"allowed_networks": ["::/0"]},
    {"allowed_networks": ["localhost"]},
    {"requests_per_minute": 0},
    {"requests_per_minute": True},
    {"valid_days": 2_000},
    {"purpose": ""},
    {"status": "active"},
    {"role": "auditor"},
]


def test_what_cannot_be_given_is_not_proposed(as_):
    for fault in IMPOSSIBLE:
        assert propose(as_, **fault).status_code == 422, fault
        assert as_("auditor").get("/v1/client-proposals").json()["items"] == []


@pytest.mark.parametrize("who", ROLES)
def test_each_role_does_what_it_may(as_, who):
    proposal = propose(as_).json()["id"]
    as_one = as_(who)

    statuses = {
        "read": as_one.get("/v1/clients").status_code,
        "proposals": as_one.get("/v1/client-proposals").status_code,
        "propose": as_one.post("/v1/client-proposals", json=WISH).status_code,
        "approve": as_one.post(f"/v1/client-proposals/{proposal}/approve").status_code,
        "equip": as_one.post("/v1/clients/hotline/secrets", json={}).status_code,
        "disable": as_one.post("/v1/clients/nobody/disable").status_code,
    }

    allowed = {name for name, status in statuses.items() if status not in {401, 403}}
    assert allowed == {
        "approver": {"read", "proposals", "approve", "disable"},
        "auditor": {"read", "proposals"},
        "department_officer": {"read", "proposals", "propose", "equip", "disable"},
        "security_administrator": {"read", "proposals", "disable"},
    }.get(who, set())


def test_an_officer_of_one_office_registers_nothing(as_):
    assert as_("officer-of-one-office").post("/v1/client-proposals", json=WISH).status_code == 403


def test_lists_go_on_where_they_ended(as_):
    for name in ("aaa", "bbb", "ccc"):
        register(as_, client_id=name)
    auditor = as_("auditor")

    first = auditor.get("/v1/clients?limit=2").json()
    second = auditor.get(f"/v1/clients?limit=2&cursor={first['next_cursor']}").json()
    proposals = auditor.get("/v1/client-proposals?limit=2&state=approved").json()
    rest = auditor.get(f"/v1/client-proposals?limit=2&state=approved&cursor={proposals['next_cursor']}").json()

    assert [one["client_id"] for one in [*first["items"], *second["items"]]] == ["aaa", "bbb", "ccc"]
    assert len(proposals["items"]) + len(rest["items"]) == 3
    assert auditor.get("/v1/client-proposals?cursor=nonsense").status_code == 422
