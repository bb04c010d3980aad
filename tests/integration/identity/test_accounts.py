"""Accounts and roles through the doors of a real service: cookies, step-up, nobody's own account, and at once."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from httpx2 import Client

from services.identity.api.app import create_api
from services.identity.domain.accounts import HasAdministrator
from services.identity.handlers import sign_ins
from services.identity.handlers.administration import make_first_administrator
from services.identity.handlers.desk import system
from services.identity.handlers.keeping import demand_second_factors, remove_what_is_over
from services.identity.web.pages import FORM_PATHS, add_pages
from shared.access.authenticator import SessionsAndTokens
from shared.access.store import IdentityStore
from shared.database import transaction
from shared.http import check_routes_are_guarded
from shared.reach import Reach
from tests.asking import client_at
from tests.integration.identity.conftest import NOW, PASSWORD

pytestmark = pytest.mark.integration
ASKED = {"X-Lianxin-Request": "1"}
NEW_PASSWORD = "maple-harbour-cloud-7"


class Believing:
    """How time passes for what the service has read of sessions and believes for a while."""

    def __init__(self):
        self._ahead = 0.0

    def __call__(self):
        return time.monotonic() + self._ahead

    def pass_seconds(self, seconds):
        self._ahead += seconds


@pytest.fixture
def believing():
    return Believing()


@pytest.fixture
def service(settings, pool, reader_pool, desk, believing):
    authenticator = SessionsAndTokens(IdentityStore(reader_pool, clock=believing), audience="urn:lianxin:identity")
    app = create_api(settings, pool, authenticator=authenticator, form_paths=FORM_PATHS)
    app.state.desk = desk
    add_pages(app)
    return app


@pytest.fixture
def visit(service):
    """A browser of its own, over TLS, so that it keeps what is only for TLS."""

    def open_browser(**more: Any) -> Client:
        return client_at(service, base_url="https://lianxin.example", **more)

    return open_browser


def sign_in(browser, name, password=PASSWORD):
    answer = browser.post("/v1/sign-in", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    return browser


@pytest.fixture
def grant(desk):
    def give(account, role, organisation_code=None):
        with system(desk.pool) as connection:
            connection.execute(
                """
                INSERT INTO role_grant (id, account_id, person_id, role, organisation_code, granted_at, granted_by)
                VALUES (%s, %s, %s, %s, %s, %s, 'test')
                """,
                [uuid4(), account.id, account.person_id, role, organisation_code, NOW],
            )

    return give


@pytest.fixture
def administrator(visit, add_account, grant):
    grant(add_account("anquan"), "security_administrator")
    browser = sign_in(visit(headers=ASKED), "anquan")
    assert browser.post("/v1/step-up", json={"password": PASSWORD}).status_code == 200
    return browser


def test_every_route_says_which_action_it_is(service):
    check_routes_are_guarded(service)


def test_the_session_cookie_is_for_this_host_for_tls_and_for_no_script(visit, add_account):
    add_account()

    answer = visit().post("/v1/sign-in", json={"name": "li.na", "password": PASSWORD})

    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-lianxin=")]
    assert {part.strip() for part in cookie.split(";")[1:]} == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}


def test_without_a_session_nothing_is_told(visit):
    for path in ("/v1/me", "/v1/accounts", f"/v1/accounts/{uuid4()}"):
        assert visit().get(path).status_code == 401


def test_a_change_needs_the_header_that_a_foreign_page_cannot_send(visit, add_account):
    add_account()
    browser = sign_in(visit(), "li.na")

    assert browser.post("/v1/sign-out").json()["title"] == "cross-site"
    assert browser.post("/v1/sign-out", headers=ASKED).status_code == 200
    assert browser.get("/v1/me").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://lianxin.example.evil.example"},
        {"Origin": "https://evil.example#lianxin.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_other_site_signs_a_browser_in(visit, add_account, headers):
    add_account()

    answer = visit().post("/v1/sign-in", json={"name": "li.na", "password": PASSWORD}, headers=headers)

    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_unknown_and_wrong_give_the_same_bytes(visit, add_account):
    add_account()
    answers = [
        visit().post("/v1/sign-in", json={"name": name, "password": "not-the-password"}) for name in ("li.na", "nobody")
    ]

    assert answers[0].status_code == answers[1].status_code == 401
    assert answers[0].content == answers[1].content


def test_too_many_attempts_are_told_when_to_come_again(visit, add_account):
    add_account()
    for _ in range(5):
        visit().post("/v1/sign-in", json={"name": "li.na", "password": "not-the-password"})

    answer = visit().post("/v1/sign-in", json={"name": "li.na", "password": PASSWORD})

    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x.y", "display_name": "X", "role": "auditor"},
        {"name": "x.y", "display_name": "X", "is_admin": True},
        {"name": "x.y", "display_name": "X", "id": str(uuid4())},
        {"name": "x.y", "display_name": "X", "status": "active"},
        {"name": "Ｘ.y", "display_name": "X"},
        {"name": "x y", "display_name": "X"},
        {"name": "x", "display_name": "X"},
        {"name": "x.y", "display_name": ""},
    ],
)
def test_an_account_is_what_is_asked_for_and_nothing_more(administrator, body):
    assert administrator.post("/v1/accounts", json=body).status_code == 422


def test_a_new_account_has_a_one_time_password_no_role_and_no_default(administrator, visit):
    made = administrator.post("/v1/accounts", json={"name": "Wang.Wei", "display_name": "王伟"}).json()

    browser = visit(headers=ASKED)
    body = {"name": "wang.wei", "password": made["one_time_password"]}
    assert browser.post("/v1/sign-in", json=body).json()["status"] == "new-password-needed"
    assert browser.get("/v1/me").status_code == 401
    assert browser.post("/v1/sign-in/new-password", json={"new_password": NEW_PASSWORD}).status_code == 200
    assert browser.get("/v1/me").json()["roles"] == []
    assert browser.get("/v1/accounts").status_code == 403
    assert visit().post("/v1/sign-in", json=body).status_code == 401


def test_roles_need_a_fresh_proof(visit, add_account, grant):
    other = add_account("wang.wei")
    grant(add_account("anquan"), "security_administrator")
    browser = sign_in(visit(headers=ASKED), "anquan")
    body = {"role": "clerk", "organisation_code": "330102"}

    assert browser.post(f"/v1/accounts/{other.id}/roles", json=body).json()["title"] == "step-up-needed"
    browser.post("/v1/step-up", json={"password": PASSWORD})
    assert browser.post(f"/v1/accounts/{other.id}/roles", json=body).status_code == 201
    assert browser.post(f"/v1/accounts/{other.id}/roles", json=body).status_code == 200


def test_a_role_that_is_taken_away_is_gone_within_two_seconds(administrator, visit, add_account, grant, believing):
    auditor = add_account("shenji")
    grant(auditor, "auditor")
    browser = sign_in(visit(), "shenji")
    assert browser.get("/v1/accounts").status_code == 200
    (held,) = administrator.get(f"/v1/accounts/{auditor.id}").json()["roles"]

    assert administrator.delete(f"/v1/accounts/{auditor.id}/roles/{held['id']}").status_code == 200

    believing.pass_seconds(2.01)
    assert browser.get("/v1/accounts").status_code == 403


def test_a_role_that_needs_a_second_factor_ends_what_a_password_alone_opened(
    visit, add_account, grant, believing, pool
):
    """Whichever came first: the session, the role or the setting."""
    account = add_account("wang.wei")
    browser = sign_in(visit(), "wang.wei")
    demand_second_factors(pool, ["approver", "auditor"])
    assert browser.get("/v1/me").status_code == 200

    grant(account, "approver")

    believing.pass_seconds(2.01)
    assert browser.get("/v1/me").status_code == 401
    demand_second_factors(pool, ["auditor"])
    believing.pass_seconds(2.01)
    assert browser.get("/v1/me").status_code == 200
    demand_second_factors(pool, ["approver"])
    believing.pass_seconds(2.01)
    assert browser.get("/v1/me").status_code == 401


def test_a_disabled_account_is_nobody_within_two_seconds_and_cannot_come_back(
    administrator, visit, add_account, believing
):
    account = add_account("wang.wei")
    browser = sign_in(visit(), "wang.wei")
    assert browser.get("/v1/me").status_code == 200

    assert administrator.post(f"/v1/accounts/{account.id}/disable").json()["status"] == "disabled"

    assert browser.get("/v1/me").status_code == 401
    assert visit().post("/v1/sign-in", json={"name": "wang.wei", "password": PASSWORD}).status_code == 401
    administrator.post(f"/v1/accounts/{account.id}/enable")
    believing.pass_seconds(2.01)
    assert browser.get("/v1/me").status_code == 401
    assert visit().post("/v1/sign-in", json={"name": "wang.wei", "password": PASSWORD}).status_code == 200


def test_a_session_that_was_good_once_is_told_to_the_audit_once(administrator, visit, add_account, pool):
    """Not every time it is tried, and nothing of one that never was: the sender hears the same of both."""
    account = add_account("wang.wei")
    browser, stranger = sign_in(visit(), "wang.wei"), visit(cookies={"__Host-lianxin": "s" * 43})
    administrator.post(f"/v1/accounts/{account.id}/disable")

    heard = [one.get("/v1/me") for one in (browser, stranger) for _ in range(5)]

    assert {(answer.status_code, answer.text) for answer in heard} == {(401, heard[0].text)}
    with system(pool) as connection:
        lines = connection.execute(
            "SELECT actor, object_type, reason, details FROM audit_record WHERE action = 'authentication.refused'"
        ).fetchall()
    told = {"asked": "own.read", "passed_over": 0}
    assert lines == [("wang.wei", "session", "account-disabled", told)]


def test_a_page_tells_the_audit_of_a_session_that_was_good_once(administrator, visit, add_account, pool):
    """As the routes for programs do; the browser is sent to sign in either way."""
    account = add_account("wang.wei")
    browser, stranger = sign_in(visit(), "wang.wei"), visit(cookies={"__Host-lianxin": "s" * 43})
    administrator.post(f"/v1/accounts/{account.id}/disable")

    heard = [one.get("/account") for one in (browser, stranger) for _ in range(3)]

    assert {(answer.status_code, answer.headers["location"]) for answer in heard} == {(303, "./sign-in")}
    with system(pool) as connection:
        lines = connection.execute(
            "SELECT actor, object_type, reason, details FROM audit_record WHERE action = 'authentication.refused'"
        ).fetchall()
    assert lines == [("wang.wei", "session", "account-disabled", {"asked": "own.read", "passed_over": 0})]


def test_nobody_administers_the_accounts_of_the_person_they_are(administrator, add_account):
    me = administrator.get("/v1/me").json()
    second = add_account("anquan2", person_id=me["id"])
    person = {"display_name": "x", "person_id": "p"}

    for account_id in (me["id"], second.id):
        for method, path, body in [
            ("POST", "/disable", None),
            ("POST", "/enable", None),
            ("POST", "/password", None),
            ("DELETE", "/second-factor", None),
            ("POST", "/roles", {"role": "approver"}),
            ("DELETE", f"/roles/{uuid4()}", None),
            ("PUT", "", person),
        ]:
            answer = administrator.request(method, f"/v1/accounts/{account_id}{path}", json=body)
            assert (answer.status_code, answer.json()["title"]) == (409, "own-account"), (method, path)


def test_no_other_account_is_made_ones_own(administrator, add_account):
    me = administrator.get(f"/v1/accounts/{administrator.get('/v1/me').json()['id']}").json()
    other = add_account("wang.wei")
    person = {"display_name": "x", "person_id": me["person_id"]}

    assert administrator.put(f"/v1/accounts/{other.id}", json=person).json()["title"] == "own-account"


def test_accounts_of_one_staff_number_are_one_persons(administrator, add_account):
    def make(name, **more):
        return administrator.post("/v1/accounts", json={"name": name, "display_name": "周宁", **more})

    first, second = make("zhou.ning", staff_number="S7").json(), make("zhou.ning.2", staff_number="S7").json()
    other = add_account("he.ping")

    assert first["person_id"] == second["person_id"] == first["id"]
    assert make("zhou.ning.3", staff_number="S7", person_id="somebody-else").status_code == 409
    moved = {"display_name": "何平", "person_id": other.person_id, "staff_number": "S7"}
    assert administrator.put(f"/v1/accounts/{other.id}", json=moved).status_code == 409
    moved["person_id"] = first["person_id"]
    assert administrator.put(f"/v1/accounts/{other.id}", json=moved).status_code == 200


def test_an_account_is_changed_in_the_version_that_was_read(administrator, add_account):
    path = f"/v1/accounts/{add_account('he.ping').id}"
    person = {"display_name": "何平", "person_id": "p-1"}
    read = administrator.get(path)

    def put(if_match):
        answer = administrator.put(path, json=person, headers={"If-Match": if_match})
        return answer.status_code, answer.json().get("title")

    assert administrator.post(f"{path}/roles", json={"role": "clerk"}).status_code == 201  # moves no version
    assert put(read.headers["etag"]) == (200, None)
    assert put(read.headers["etag"]) == (412, "outdated")
    assert put(f'"{administrator.get(path).json()["version"]}"') == (200, None)
    assert administrator.post(f"{path}/disable").status_code == 200
    assert put('"3"') == (412, "outdated")
    assert put("*") == (200, None)


def test_one_person_never_holds_two_of_the_separated_roles(administrator, add_account):
    first = add_account("shenji")
    second = add_account("yunwei", person_id=first.person_id)
    roles = f"/v1/accounts/{first.id}/roles"

    assert administrator.post(roles, json={"role": "auditor"}).status_code == 201
    assert administrator.post(roles, json={"role": "operations"}).json()["title"] == "incompatible-roles"
    other = administrator.post(f"/v1/accounts/{second.id}/roles", json={"role": "operations"})
    assert other.json()["title"] == "incompatible-roles"


def test_becoming_the_same_person_does_not_join_separated_roles(administrator, add_account):
    first, second = add_account("shenji"), add_account("yunwei")
    administrator.post(f"/v1/accounts/{first.id}/roles", json={"role": "auditor"})
    administrator.post(f"/v1/accounts/{second.id}/roles", json={"role": "operations"})

    person = {"display_name": "x", "person_id": first.person_id}
    assert administrator.put(f"/v1/accounts/{second.id}", json=person).json()["title"] == "incompatible-roles"


def test_a_separated_role_is_not_granted_for_an_organisation(administrator, add_account):
    body = {"role": "auditor", "organisation_code": "330102"}

    answer = administrator.post(f"/v1/accounts/{add_account().id}/roles", json=body)

    assert (answer.status_code, answer.json()["title"]) == (422, "role-without-organisation")


def test_machine_client_is_no_role_of_a_person(administrator, add_account):
    answer = administrator.post(f"/v1/accounts/{add_account().id}/roles", json={"role": "machine_client"})

    assert answer.status_code == 422


def test_an_unknown_account_is_not_found(administrator):
    assert administrator.get(f"/v1/accounts/{uuid4()}").status_code == 404
    assert administrator.post(f"/v1/accounts/{uuid4()}/disable").status_code == 404


def test_an_auditor_reads_and_changes_nothing(visit, add_account, grant):
    other = add_account("wang.wei")
    grant(add_account("shenji"), "auditor")
    browser = sign_in(visit(headers=ASKED), "shenji")

    assert browser.get(f"/v1/accounts/{other.id}").status_code == 200
    assert browser.post("/v1/accounts", json={"name": "x.y", "display_name": "x"}).status_code == 403
    assert browser.post(f"/v1/accounts/{other.id}/disable").status_code == 403


def test_a_reset_password_ends_what_was_open(administrator, visit, add_account):
    account = add_account("wang.wei")
    browser = sign_in(visit(), "wang.wei")

    one_time = administrator.post(f"/v1/accounts/{account.id}/password").json()["one_time_password"]

    assert browser.get("/v1/me").status_code == 401
    answer = visit().post("/v1/sign-in", json={"name": "wang.wei", "password": one_time})
    assert answer.json()["status"] == "new-password-needed"


def test_pages_of_accounts_follow_one_another(administrator, add_account):
    for number in range(5):
        add_account(f"user{number}")
    names, cursor = [], None

    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = administrator.get("/v1/accounts", params=query).json()
        names += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert names == ["anquan", "user0", "user1", "user2", "user3", "user4"]


def test_what_administrators_do_stands_in_the_audit_without_any_secret(administrator, desk, add_account):
    account = add_account("wang.wei")
    administrator.post(f"/v1/accounts/{account.id}/roles", json={"role": "approver", "organisation_code": "3301"})
    one_time = administrator.post(f"/v1/accounts/{account.id}/password").json()["one_time_password"]

    with system(desk.pool) as connection:
        rows = connection.execute("SELECT audit_record::text FROM audit_record ORDER BY seq").fetchall()

    told = "\n".join(str(row[0]) for row in rows)
    for action in ("session.opened", "step_up.given", "grant.given", "password.reset"):
        assert action in told
    for secret in (PASSWORD, one_time, "argon2id"):
        assert secret not in told


def test_the_first_administrator_is_made_once(desk):
    one_time = make_first_administrator(desk, "anquan", now=NOW)

    assert len(one_time.replace("-", "")) == 20
    with pytest.raises(HasAdministrator):
        make_first_administrator(desk, "another", now=NOW)


def test_an_administrators_own_reach_sees_no_proofs(desk):
    make_first_administrator(desk, "anquan", now=NOW)

    with transaction(desk.pool, reach=Reach(kind="everywhere")) as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM password").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO familiar_device SELECT sha256(name::bytea), id, now() FROM account")


def test_without_a_reach_no_row_is_there(desk):
    make_first_administrator(desk, "anquan", now=NOW)

    with transaction(desk.pool) as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (0,)


def test_what_is_over_is_removed_and_nothing_else(desk, add_account, caller, pool):
    add_account()
    sign_ins.sign_in(desk, "li.na", PASSWORD, caller=caller)
    later = NOW + timedelta(days=180)
    sign_ins.sign_in(desk, "li.na", PASSWORD, caller=replace(caller, at=later))

    remove_what_is_over(pool, now=later)

    with system(pool) as connection:
        assert connection.execute("SELECT count(*) FROM familiar_device").fetchone() == (1,)


@pytest.mark.parametrize("name", ["admin", "administrator", "root", "guest", "test", "lianxin", "postgres"])
def test_a_fresh_installation_knows_no_default_account(visit, desk, name):
    make_first_administrator(desk, "anquan", now=NOW)
    body = {"name": name, "password": f"{name}123"}

    assert visit().post("/v1/sign-in", json=body).status_code == 401
