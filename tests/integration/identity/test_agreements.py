"""What nobody does alone to an account that decides: a role, a password, a second factor, another person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.identity.api.app import create_api
from services.identity.domain.accounts import RoleGrant
from services.identity.handlers.agreements import AGREED_FOR, agree_as_installation
from services.identity.handlers.desk import system
from services.identity.storage import accounts
from services.identity.storage.two_persons import note_second_person
from shared.identifiers import new_id
from shared.proposals import OPEN_FOR
from tests.asking import asking
from tests.fakes import KnownPrincipals, person

pytestmark = pytest.mark.integration


def fresh(*roles, name):
    return person(*roles, name=name, stepped_up_at=datetime.now(UTC))


@pytest.fixture
def people():
    known = {
        "keeper": fresh("security_administrator", name="keeper"),
        "keeper2": fresh("security_administrator", name="keeper2"),
        "approver": fresh("approver", name="approver"),
        "stale": person("security_administrator", name="stale"),
        "officer": fresh("department_officer", name="officer"),
    }
    known["keeper-again"] = replace(fresh("approver", name="keeper-again"), person_id=known["keeper"].person_id)
    return KnownPrincipals(known)


@pytest.fixture
def ask(settings, pool, keys, people):
    app = create_api(settings, pool, authenticator=people, keys=keys)

    def run(who, method, path, body=None, **headers):
        with asking(app) as client:
            return client.request(method, path, json=body, headers={"Authorization": f"Bearer {who}"} | headers)

    return run


@pytest.fixture
def begun(pool):
    """There is somebody who could agree."""
    with system(pool) as connection:
        note_second_person(connection, at=datetime.now(UTC))


@pytest.fixture
def approver(add_account, pool, begun):  # noqa: ARG001 - after it nobody acts alone
    account = add_account("an.ning")
    hold(pool, account, "approver")
    return account


def hold(pool, account, role):
    grant = RoleGrant(
        id=new_id(),
        account_id=account.id,
        person_id=account.person_id,
        role=role,
        organisation_code=None,
        granted_at=datetime.now(UTC),
        granted_by="test",
    )
    with system(pool) as connection:
        assert accounts.insert_grant(connection, grant)


def agree(ask, answer, who="approver"):
    assert answer.status_code == 202, answer.text
    decided = ask(who, "POST", f"/v1/account-proposals/{answer.json()['id']}/approve")
    assert decided.status_code == 200, decided.text


ALONE = [
    ("POST", "/password", None),
    ("DELETE", "/second-factor", None),
    ("POST", "/enable", None),
    ("PUT", "", {"display_name": "安宁", "person_id": "somebody-else"}),
    ("PUT", "", {"display_name": "安宁", "person_id": "", "staff_number": "S9"}),
    ("POST", "/roles", {"role": "security_administrator"}),
    ("POST", "/roles", {"role": "approver", "organisation_code": "330102"}),
    ("POST", "/roles", {"role": "department_officer", "organisation_code": "330102"}),
    ("POST", "/roles", {"role": "auditor"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ALONE, ids=[f"{one[0]} {one[1]} {one[2]}" for one in ALONE])
def test_nobody_does_that_alone_to_an_account_that_decides(ask, approver, method, path, body):
    if body is not None and body.get("person_id") == "":
        body = {**body, "person_id": approver.person_id}
    url = f"/v1/accounts/{approver.id}"
    before = ask("keeper", "GET", url).json()

    waiting, again = (ask("keeper", method, url + path, body) for _ in range(2))

    assert (waiting.status_code, waiting.json()["state"]) == (202, "open")
    assert again.json()["id"] == waiting.json()["id"]  # asking twice asks once
    assert ask("keeper", "GET", url).json() == before
    assert "one_time_password" not in waiting.text
    agree(ask, waiting)
    assert ask("keeper", method, url + path, body).status_code in {200, 201}
    third = ask("keeper", method, url + path, body)
    if path in {"/password", "/second-factor", "/enable"}:  # agreed to once, done once
        assert third.status_code == 202
        assert third.json()["id"] != waiting.json()["id"]


def test_what_was_agreed_to_is_not_done_to_another_version_than_was_read(ask, approver):
    url = f"/v1/accounts/{approver.id}"
    moved = {"display_name": "安宁", "person_id": "somebody-else"}
    read = {"If-Match": ask("keeper", "GET", url).headers["etag"]}

    agree(ask, ask("keeper", "PUT", url, moved, **read))
    named = {"display_name": "安 宁", "person_id": approver.person_id}
    assert ask("keeper2", "PUT", url, named).status_code == 200

    assert ask("keeper", "PUT", url, moved, **read).status_code == 412
    assert ask("keeper", "PUT", url, moved | {"person_id": "another"}, **read).status_code == 412  # nor asked for
    assert ask("keeper", "PUT", url, moved).status_code == 200  # the agreement stands


def test_who_agrees_is_another_person_who_may_and_it_is_in_the_audit(ask, approver, pool):
    url = f"/v1/accounts/{approver.id}/password"
    waiting = ask("keeper", "POST", url)
    path = f"/v1/account-proposals/{waiting.json()['id']}"

    assert ask("keeper", "POST", f"{path}/approve").json()["title"] == "own-proposal"
    assert ask("keeper-again", "POST", f"{path}/approve").json()["title"] == "own-proposal"
    assert ask("officer", "POST", f"{path}/approve").status_code == 403
    assert ask("keeper2", "POST", f"{path}/approve").status_code == 200
    assert ask("keeper2", "POST", url).status_code == 202  # the agreement is for whoever asked
    assert ask("keeper", "POST", url).json()["one_time_password"]
    assert ask("approver", "POST", f"{path}/refuse", {"reason": "zu spät"}).json()["title"] == "already-decided"
    with system(pool) as connection:
        rows = connection.execute(
            "SELECT action, actor FROM audit_record WHERE decision = 'allowed' AND action ~ '^[ap][ac]' ORDER BY seq"
        ).fetchall()
    assert [row for row in rows if row[0] != "account.read_proposals"] == [
        ("account.propose", "keeper"),
        ("account.agree", "keeper2"),
        ("account.propose", "keeper2"),
        ("password.reset", "keeper"),
    ]


def test_nobody_agrees_to_what_is_done_to_their_own_account(ask, approver, people):
    people.principals["herself"] = replace(fresh("approver", name="herself"), person_id=approver.person_id)
    waiting = ask("keeper", "POST", f"/v1/accounts/{approver.id}/password")

    answer = ask("herself", "POST", f"/v1/account-proposals/{waiting.json()['id']}/approve")

    assert (answer.status_code, answer.json()["title"]) == (409, "own-account")
    assert ask("keeper", "GET", "/v1/account-proposals?state=open").json()["items"][0]["id"] == waiting.json()["id"]


def test_what_was_refused_or_agreed_to_long_ago_is_not_done(ask, approver, pool):
    url = f"/v1/accounts/{approver.id}/password"
    first = ask("keeper", "POST", url)
    ask("approver", "POST", f"/v1/account-proposals/{first.json()['id']}/refuse", {"reason": "不同意"})
    second = ask("keeper", "POST", url)
    assert second.status_code == 202
    agree(ask, second)
    with system(pool) as connection:
        connection.execute(
            "UPDATE proposal SET decided_at = %s WHERE status = 'approved'",
            [datetime.now(UTC) - AGREED_FOR - timedelta(seconds=5)],
        )

    assert ask("keeper", "POST", url).status_code == 202


def test_what_nobody_decided_for_a_month_is_not_agreed_to(ask, approver, pool):
    url = f"/v1/accounts/{approver.id}/password"
    waiting = ask("keeper", "POST", url).json()
    with system(pool) as connection:
        connection.execute("UPDATE proposal SET proposed_at = proposed_at - %s", [OPEN_FOR])

    answer = ask("approver", "POST", f"/v1/account-proposals/{waiting['id']}/approve")

    assert (answer.status_code, answer.json()["title"]) == (409, "proposal-expired")
    assert ask("keeper", "GET", "/v1/account-proposals?state=open").json()["items"] == []
    assert [one["id"] for one in ask("keeper", "GET", "/v1/account-proposals?state=expired").json()["items"]] == [
        waiting["id"]
    ]
    assert ask("keeper", "POST", url).json()["id"] != waiting["id"]  # it is asked for anew


def test_another_person_takes_a_fresh_second_factor(ask, add_account, begun):  # noqa: ARG001 - there is a second person
    account = add_account("wang.wei")
    moved = {"display_name": "王伟", "person_id": "somebody-else"}

    answer = ask("stale", "PUT", f"/v1/accounts/{account.id}", moved)

    assert (answer.status_code, answer.json()["title"]) == (403, "step-up-needed")
    renamed = {"display_name": "王小伟", "person_id": account.person_id}
    assert ask("stale", "PUT", f"/v1/accounts/{account.id}", renamed).status_code == 200


def test_an_account_that_decides_nothing_needs_nobody_else(ask, add_account, begun):  # noqa: ARG001 - same
    url = f"/v1/accounts/{add_account('wang.wei').id}"

    assert ask("keeper", "POST", f"{url}/roles", {"role": "clerk", "organisation_code": "330102"}).status_code == 201
    assert ask("keeper", "POST", f"{url}/password").status_code == 200


def test_an_installation_begins_with_one_and_never_returns_to_one(ask, add_account):
    """By taking every role away again nobody becomes the only one, who could make a second person of themselves."""
    first, second = add_account("an.ning"), add_account("wang.wei")

    assert ask("keeper", "POST", f"/v1/accounts/{second.id}/roles", {"role": "auditor"}).status_code == 201
    given = ask("keeper", "POST", f"/v1/accounts/{first.id}/roles", {"role": "approver"})
    assert given.status_code == 201
    again = ask("keeper", "POST", f"/v1/accounts/{first.id}/roles", {"role": "approver"})
    assert again.status_code == 200  # it is held already: there is nothing to agree to
    ask("keeper", "POST", f"/v1/accounts/{first.id}/disable")
    assert ask("keeper", "DELETE", f"/v1/accounts/{first.id}/roles/{given.json()['id']}").status_code == 200

    assert ask("keeper", "POST", f"/v1/accounts/{second.id}/roles", {"role": "approver"}).status_code == 202


def test_who_has_the_machine_can_be_the_second_person(ask, desk, approver):
    url = f"/v1/accounts/{approver.id}/password"
    waiting = ask("keeper", "POST", url)

    agree_as_installation(desk, UUID(waiting.json()["id"]), now=datetime.now(UTC))

    assert ask("keeper", "POST", url).json()["one_time_password"]
    (shown, *_) = ask("keeper", "GET", "/v1/account-proposals").json()["items"]
    assert (shown["decided_by"], shown["state"]) == ("installation", "approved")
    assert shown["done_at"] is not None


def test_agreeing_to_a_client_is_not_agreeing_to_an_account(ask, approver):
    waiting = ask("keeper", "POST", f"/v1/accounts/{approver.id}/password").json()

    assert ask("approver", "POST", f"/v1/client-proposals/{waiting['id']}/approve").status_code == 404
    assert ask("approver", "GET", "/v1/client-proposals").json()["items"] == []
