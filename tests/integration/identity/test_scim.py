"""What a staff system may do over SCIM, what it may not, and what comes of it for the people concerned."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Client
from scim2_models import SCIMException

from services.identity.api.app import create_api
from services.identity.handlers.desk import Caller, digest_of, system
from services.identity.handlers.sign_ins import sign_in
from services.identity.roster.models import RosterUser
from services.identity.roster.searching import condition_of, read_search
from services.identity.roster.shaping import show_user
from services.identity.storage import roster_users
from shared.access.principal import Grant
from shared.access.store import IdentityStore
from shared.database import transaction
from shared.reach import SYSTEM
from tests.asking import asked_here
from tests.fakes import KnownPrincipals, machine, person
from tests.integration.identity.conftest import PASSWORD

pytestmark = pytest.mark.integration
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
GRANTING = "urn:lianxin:params:scim:schemas:extension:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PROTECTED = ["approver", "auditor", "department_officer", "operations", "security_administrator"]


@pytest.fixture
def app(settings, pool, keys):
    known = {
        "roster": machine("scim", name="roster"),
        "one-office": replace(machine("scim"), grants=(Grant(role="machine_client", organisation_code="320102"),)),
        "other-scopes": machine("intake.read", "scores.read"),
        "administrator": person("security_administrator"),
    }
    return create_api(settings, pool, authenticator=KnownPrincipals(known), keys=keys)


@pytest.fixture
def roster(app):
    return Roster(app, "roster")


class Roster(Client):
    def __init__(self, app, who):
        headers = {"Authorization": f"Bearer {who}", "Content-Type": "application/scim+json"}
        super().__init__(transport=asked_here(app), base_url="http://testserver/scim/v2", headers=headers)

    def add(self, name="li.na", **more):
        return self.post("Users", json={"schemas": [USER], "userName": name, **more})

    def add_group(self, *members, role=None, organisation=None, name="办公室"):
        granting = {"role": role, "organisationCode": organisation}
        body = {"schemas": [GROUP, GRANTING], "displayName": name, "members": [{"value": one} for one in members]}
        return self.post("Groups", json={**body, GRANTING: {key: value for key, value in granting.items() if value}})

    def change(self, path, *operations, **headers):
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self.patch(path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def grants(pool, account_id):
    with transaction(pool, reach=SYSTEM) as connection:
        rows = connection.execute(
            "SELECT role, organisation_code, granted_by FROM role_grant WHERE account_id = %s ORDER BY role, 2",
            [account_id],
        )
        return [tuple(row) for row in rows]


def grant(pool, account_id, role, by="administrator"):
    with transaction(pool, reach=SYSTEM) as connection:
        connection.execute(
            """
            INSERT INTO role_grant (id, account_id, person_id, role, granted_at, granted_by)
            SELECT %s, id, person_id, %s, now(), %s FROM account WHERE id = %s
            """,
            [uuid4(), role, by, account_id],
        )


def ask(pool, query, *parameters):
    with transaction(pool, reach=SYSTEM) as connection:
        return connection.execute(query, list(parameters)).fetchall()


def test_a_user_is_an_account_linked_to_the_cadre_of_its_staff_number(roster, pool):
    made = roster.add(
        "Li.Na", displayName="李娜", externalId="hr-7", title="科员", **{ENTERPRISE: {"employeeNumber": "S7"}}
    )

    assert made.status_code == 201
    assert made.headers["content-type"] == "application/scim+json"
    assert made.headers["location"] == made.json()["meta"]["location"]
    assert made.json()["userName"] == "li.na"
    rows = ask(pool, "SELECT name, display_name, staff_number, status FROM account")
    assert rows == [("li.na", "李娜", "S7", "active")]


def test_accounts_of_one_staff_number_belong_to_one_person(roster, add_account, pool):
    other = add_account("wang", staff_number="S7")

    made = roster.add(**{ENTERPRISE: {"employeeNumber": "S7"}}).json()["id"]
    later = roster.add("second").json()["id"]
    roster.change(f"Users/{later}", {"op": "add", "path": f"{ENTERPRISE}:employeeNumber", "value": "S7"})

    persons = dict(ask(pool, "SELECT id::text, person_id FROM account"))
    assert persons[made] == persons[later] == persons[str(other.id)]


def test_a_name_is_given_once(roster, add_account):
    add_account("wang")

    for name in ("wang", "WANG", " wang "):
        answer = roster.add(name)
        assert (answer.status_code, answer.json().get("scimType")) == (409, "uniqueness")
    other = roster.add("zhang").json()["id"]
    answer = roster.change(f"Users/{other}", {"op": "replace", "path": "userName", "value": "wang"})
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")


def test_what_the_roster_does_not_keep_it_neither_sees_nor_changes(roster, add_account):
    account = add_account("wang")

    assert roster.get("Users").json()["totalResults"] == 0
    assert roster.get(f"Users/{account.id}").status_code == 404
    assert roster.delete(f"Users/{account.id}").status_code == 404
    assert roster.change(f"Users/{account.id}", {"op": "replace", "path": "active", "value": False}).status_code == 404
    assert roster.add_group(str(account.id), role="clerk", organisation="320102").status_code == 400


def test_deactivating_ends_every_session_and_the_next_one_is_new(roster, desk, add_account, pool, reader_pool):
    account = add_account("wang")
    ask_insert = (
        "INSERT INTO roster_user (account_id, attributes, created_at, changed_at) VALUES (%s, '{}', now(), now())"
    )
    with transaction(pool, reach=SYSTEM) as connection:
        connection.execute(ask_insert, [account.id])
    token = sign_in(desk, "wang", PASSWORD, caller=Caller(network="n", at=datetime.now(UTC))).session_token or ""
    store = IdentityStore(reader_pool)
    assert store.get_session(digest_of(token), now=datetime.now(UTC)) is not None

    for value in (False, True):
        changed = roster.change(f"Users/{account.id}", {"op": "replace", "path": "active", "value": value})
        assert (changed.status_code, changed.json()["active"]) == (200, value)
        assert IdentityStore(reader_pool).get_session(digest_of(token), now=datetime.now(UTC)) is None
    assert ask(pool, "SELECT end_reason FROM session") == [("disabled",)]


def test_a_deleted_user_is_gone_its_account_disabled_and_its_name_free(roster, pool):
    first = roster.add().json()["id"]
    group = roster.add_group(first, role="clerk", organisation="320102").json()["id"]

    assert roster.delete(f"Users/{first}").status_code == 204

    assert roster.get(f"Users/{first}").status_code == 404
    assert grants(pool, first) == []
    assert roster.get(f"Groups/{group}").json().get("members") is None
    assert ask(pool, "SELECT status, name FROM account") == [("disabled", f"deleted.{first}")]
    assert roster.add().status_code == 201


def test_membership_gives_a_role_in_an_organisation_and_takes_it(roster, pool):
    one, other = (roster.add(name).json()["id"] for name in ("one", "other"))
    group = roster.add_group(one, role="clerk", organisation="320102").json()["id"]
    assert grants(pool, one) == [("clerk", "320102", "roster:scim")]

    add = {"op": "add", "path": "members", "value": [{"value": other}]}
    remove = {"op": "remove", "path": f'members[value eq "{one}"]'}
    assert roster.change(f"Groups/{group}", add).status_code == 200
    assert roster.change(f"Groups/{group}", remove).status_code == 200
    assert (grants(pool, one), grants(pool, other)) == ([], [("clerk", "320102", "roster:scim")])
    assert [one["display"] for one in roster.get(f"Users/{other}").json()["groups"]] == ["办公室"]

    roster.change(f"Groups/{group}", {"op": "replace", "path": f"{GRANTING}:organisationCode", "value": "320104"})
    assert grants(pool, other) == [("clerk", "320104", "roster:scim")]
    roster.change(f"Groups/{group}", {"op": "remove", "path": f"{GRANTING}:organisationCode"})
    assert grants(pool, other) == []
    roster.change(f"Groups/{group}", {"op": "replace", "path": f"{GRANTING}:role", "value": "cadre"})
    assert grants(pool, other) == [("cadre", None, "roster:scim")]
    assert roster.delete(f"Groups/{group}").status_code == 204
    assert grants(pool, other) == []


def test_what_an_administrator_granted_outlives_the_group(roster, pool):
    one = roster.add().json()["id"]
    with transaction(pool, reach=SYSTEM) as connection:
        connection.execute(
            """
            INSERT INTO role_grant (id, account_id, person_id, role, organisation_code, granted_at, granted_by)
            VALUES (%s, %s, %s, 'clerk', '320102', now(), 'administrator')
            """,
            [uuid4(), one, one],
        )

    group = roster.add_group(one, role="clerk", organisation="320102").json()["id"]
    roster.delete(f"Groups/{group}")

    assert grants(pool, one) == [("clerk", "320102", "administrator")]


def test_two_groups_give_a_role_once_and_until_the_last_of_them_goes(roster, pool):
    one = roster.add().json()["id"]
    groups = [roster.add_group(one, role="clerk", organisation="320102").json()["id"] for _ in range(2)]

    assert len(grants(pool, one)) == 1
    roster.delete(f"Groups/{groups[0]}")
    assert len(grants(pool, one)) == 1
    roster.delete(f"Groups/{groups[1]}")
    assert grants(pool, one) == []


@pytest.mark.parametrize("member", [{}, {"value": ""}, {"value": "not-an-id"}, {"display": "li.na"}])
def test_a_member_is_named_by_its_value(roster, pool, member):
    path = f"Groups/{roster.add_group().json()['id']}"
    body = {"schemas": [GROUP], "displayName": "Clerks", "members": [member]}

    answers = [
        roster.post("Groups", json=body),
        roster.put(path, json=body),
        roster.put(path, json=body, headers={"If-Match": 'W/"77"'}),
    ]

    assert [answer.status_code for answer in answers] == [400] * 3
    assert ask(pool, "SELECT count(*) FROM roster_group") == [(1,)]


@pytest.mark.parametrize("role", PROTECTED)
def test_no_group_gives_a_role_that_takes_more_than_a_roster(roster, pool, role):
    one = roster.add().json()["id"]
    plain = roster.add_group(one, role="clerk", organisation="320102").json()["id"]

    answers = [
        roster.add_group(one, role=role, organisation="320102"),
        roster.change(f"Groups/{plain}", {"op": "replace", "path": f"{GRANTING}:role", "value": role}),
        roster.put(
            f"Groups/{plain}",
            json={"schemas": [GROUP, GRANTING], "displayName": "x", GRANTING: {"role": role, "organisationCode": "1"}},
        ),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert all("security administrator" in answer.json()["detail"] for answer in answers)
    assert grants(pool, one) == [("clerk", "320102", "roster:scim")]


UNKNOWN_ROLES = ["everything", "clerk ", "CLERK", "machine_client", "'; DROP TABLE account; --"]


def test_an_unknown_role_is_refused(roster):
    for role in UNKNOWN_ROLES:
        answer = roster.add_group(role=role, organisation="320102")

        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")


@pytest.mark.parametrize("role", PROTECTED)
def test_the_roster_keeps_its_hands_off_whoever_holds_such_a_role(roster, pool, role):
    one = roster.add().json()["id"]
    group = roster.add_group(role="clerk", organisation="320102").json()["id"]
    grant(pool, one, role)

    answers = [
        roster.change(f"Users/{one}", {"op": "replace", "path": "active", "value": False}),
        roster.change(f"Users/{one}", {"op": "replace", "path": "userName", "value": "taken-over"}),
        roster.put(f"Users/{one}", json={"schemas": [USER], "userName": "taken-over"}),
        roster.delete(f"Users/{one}"),
        roster.change(f"Groups/{group}", {"op": "add", "path": "members", "value": [{"value": one}]}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert ask(pool, "SELECT name, status FROM account") == [("li.na", "active")]


def test_no_account_joins_the_person_of_such_a_role(roster, add_account, pool):
    auditor = add_account("auditor", staff_number="S1")
    grant(pool, auditor.id, "auditor")
    other = roster.add("other").json()["id"]

    made = roster.add("shadow", **{ENTERPRISE: {"employeeNumber": "S1"}})
    moved = roster.change(f"Users/{other}", {"op": "add", "path": f"{ENTERPRISE}:employeeNumber", "value": "S1"})

    assert (made.status_code, moved.status_code) == (403, 403)
    assert ask(pool, "SELECT name FROM account ORDER BY name") == [("auditor",), ("other",)]


def test_what_an_administrator_disabled_only_an_administrator_enables(roster, pool):
    one = roster.add(active=True).json()["id"]
    with transaction(pool, reach=SYSTEM) as connection:
        connection.execute("UPDATE account SET status = 'disabled'")

    assert roster.get(f"Users/{one}").json()["active"] is False
    assert roster.change(f"Users/{one}", {"op": "replace", "path": "active", "value": True}).status_code == 403
    assert roster.put(f"Users/{one}", json={"schemas": [USER], "userName": "li.na"}).status_code == 403
    assert ask(pool, "SELECT status FROM account") == [("disabled",)]


@pytest.mark.parametrize(
    "more",
    [
        {"roles": [{"value": "auditor"}], "entitlements": [{"value": "everything"}]},
        {"groups": [{"value": "11111111-1111-1111-1111-111111111111"}]},
        {"id": "11111111-1111-1111-1111-111111111111", "meta": {"created": "1999-01-01T00:00:00Z"}},
        {"password": "tangerine-window-42", "is_admin": True, "person_id": "somebody", "status": "disabled"},
    ],
)
def test_what_is_not_the_rosters_is_passed_over(roster, pool, more):
    made = roster.add(**more)

    assert made.status_code == 201
    assert made.json()["id"] != "11111111-1111-1111-1111-111111111111"
    assert made.json()["meta"]["created"] > "2020"
    assert set(made.json()) == {"schemas", "id", "meta", "userName"}
    assert ask(pool, "SELECT count(*) FROM password") == [(0,)]
    assert grants(pool, made.json()["id"]) == []


MISFITS: list[dict[str, Any]] = [
    {"userName": ""},
    {"userName": "a b"},
    {"userName": "x" * 65},
    {"userName": None},
    {"userName": 7},
    {"displayName": "x" * 501},
    {"displayName": "evil\u202etxt"},
    {"displayName": "a\x07b"},
    {"emails": [{"value": "not an address"}]},
    {"emails": "somebody@example.org"},
    {"active": "maybe"},
    {ENTERPRISE: {"employeeNumber": "S 1"}},
    {ENTERPRISE: {"employeeNumber": "x" * 65}},
    {"name": {"formatted": ["a"]}},
    {"schemas": []},
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]},
]


def test_what_does_not_fit_is_refused_in_the_words_of_scim(roster, pool):
    for fault in MISFITS:
        answer = roster.add(**fault)

        assert answer.status_code == 400, fault
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert ask(pool, "SELECT count(*) FROM account") == [(0,)]


FILTERS = [
    ('userName eq "B.two"', ["b.two"]),
    ('externalId eq "x2"', ["b.two"]),
    ('externalId eq "X2"', []),
    ('displayName co "三"', ["c.three"]),
    ('not (userName sw "a")', ["b.two", "c.three"]),
    ("active eq false", ["c.three"]),
    ('title pr and (userName eq "a.one" or userName eq "c.three")', ["a.one"]),
    (f'{ENTERPRISE}:employeeNumber eq "S1"', ["a.one"]),
    ('emails[type eq "work" and value co "example.org"]', ["b.two"]),
    ('meta.created gt "2020-01-01T00:00:00Z"', ["a.one", "b.two", "c.three"]),
    ("userName eq \"x' OR '1'='1\"", []),
    ('id eq "not-an-id"', []),
]


def test_filters_find_what_they_say(roster):
    roster.add("a.one", title="科员", **{ENTERPRISE: {"employeeNumber": "S1"}})
    roster.add("b.two", externalId="x2", emails=[{"type": "work", "value": "b@example.org"}])
    roster.add("c.three", displayName="张三", active=False)

    for query, names in FILTERS:
        by_query = roster.get("Users", params={"filter": query, "sortBy": "userName"})
        by_body = roster.post(
            "Users/.search",
            json={
                "filter": query,
                "sortBy": "userName",
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            },
        )

        for answer in (by_query, by_body):
            assert [one["userName"] for one in answer.json().get("Resources", [])] == names, query
            assert answer.json()["totalResults"] == len(names)


MORE_FILTERS = [
    'userName co "_"', 'userName sw "%"', 'displayName ew "三"', 'displayName eq "张三" or userName eq "a.one"',
    'emails.value co "EXAMPLE"', 'emails[value sw "b@"]', 'emails[value ew "\\""]', 'phoneNumbers.value co "138"',
    'name.familyName eq "李" and active eq true', 'not (active eq true)', 'meta.lastModified lt "2020-01-01T00:00:00Z"',
    'meta.lastModified ge "yesterday"', 'externalId sw "X"', 'title eq "科员" or not (title pr)',
    f'{ENTERPRISE}:department co "街道"', 'userName eq "\\u212a"', "active eq true",
]  # fmt: skip


def test_what_the_database_leaves_out_matches_nothing(roster, pool):
    """A filter finds the same whether the database narrows the search before or gives everybody."""
    first = {"userName": "a.one", "title": "科员", "name": {"familyName": "李"}, ENTERPRISE: {"employeeNumber": "S1"}}
    assert roster.post("Users", json={"schemas": [USER, ENTERPRISE], **first}).status_code == 201
    roster.add("b.two", externalId="x2", emails=[{"type": "work", "value": "b@example.org"}])
    roster.add("c.three", displayName="张三", active=False, phoneNumbers=[{"value": "13812345678"}])
    roster.add("k.four", **{ENTERPRISE: {"department": "城关街道"}})
    narrowing = 0
    for query in (*(one for one, _ in FILTERS), *MORE_FILTERS):
        try:
            request = read_search(RosterUser, {"filter": query})
        except SCIMException:
            continue
        assert request.filter is not None
        condition, match = condition_of(request), request.filter.match
        with system(pool) as connection:
            everybody, narrowed = (
                [show_user(row, "") for row in roster_users.list_users(connection, one, offset=0, limit=100)]
                for one in (None, condition)
            )

        assert [one.id for one in narrowed if match(one)] == [one.id for one in everybody if match(one)], query
        narrowing += len(narrowed) < len(everybody)
    assert narrowing > 15


def test_a_roster_of_more_than_ten_thousand_is_searched_by_what_narrows_it(roster, pool):
    with system(pool) as connection:
        connection.execute(
            """
              WITH made AS (
                   INSERT INTO account (id, name, display_name, person_id, status, created_at, changed_at)
                   SELECT gen_random_uuid(), 'user' || number, '用户', number, 'active', '2026-01-01', '2026-01-01'
                     FROM generate_series(1, 10050) AS number
                RETURNING id, name)
            INSERT INTO roster_user (account_id, attributes, created_at, changed_at)
            SELECT id, jsonb_build_object('displayName', name),
                   '2026-01-01', CASE WHEN name LIKE '%77' THEN '2026-02-01' ELSE '2026-01-01' END::timestamptz
              FROM made
            """
        )

    def find(query):
        return roster.get("Users", params={"filter": query, "count": 5}).json()

    assert find('meta.lastModified gt "2026-01-15T00:00:00Z"')["totalResults"] == 100
    assert find('displayName ew "9977" or userName eq "user5"')["totalResults"] == 2
    assert find("title pr")["scimType"] == "tooMany"


def test_a_nul_in_a_filter_finds_nothing_and_breaks_nothing(roster):
    answer = roster.get("Users", params={"filter": 'userName eq "a\\u0000"'})

    assert (answer.status_code, answer.json().get("totalResults")) == (200, 0)


HOSTILE = [
    "'",
    '"',
    "1=1",
    "userName eq 'x'",
    'userName eq "x',
    'userName eq "x"; DROP TABLE account; --',
    'userName eq "x" UNION SELECT 1',
    "userName eq pg_sleep(5)",
    'password eq "x"',
    'nothing.like.it eq "x"',
    'userName xx "x"',
    "userName eq 1",
    "active gt true",
    "(" * 500 + "title pr" + ")" * 500,
    "not (" * 60 + "title pr" + ")" * 60,
    'userName eq "' + "x" * 100_000 + '"',
    "a" * 100_000,
    "(" * 50_000,
    'emails[type eq "a"' * 50,
    "\x00",
    "userName pr and",
]


def test_a_hostile_filter_is_refused_at_once(roster):
    roster.add()

    for query in HOSTILE:
        by_body = roster.post("Users/.search", json={"filter": query})

        assert by_body.status_code == 400, query[:100]
        if len(query) < 2_000 and "\x00" not in query:
            answer = roster.get("Users", params={"filter": query})
            assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")


SENSELESS = [
    {"startIndex": "one"},
    {"count": "1e999"},
    {"count": [1]},
    {"sortBy": "nothing"},
    {"sortBy": "userName; DROP TABLE account"},
    {"sortOrder": "sideways"},
    {"attributes": ["userName"], "excludedAttributes": ["title"]},
    {"attributes": "userName[" * 100},
]


def test_a_search_that_makes_no_sense_is_refused(roster):
    for search in SENSELESS:
        assert roster.post("Users/.search", json=search).status_code == 400


def test_pages_are_cut_from_one_order(roster):
    for number in range(7):
        roster.add(f"user-{number}")

    def page(**search):
        answer = roster.get("Users", params=search).json()
        return [one["userName"][-1] for one in answer.get("Resources", [])], answer["totalResults"]

    assert page(startIndex=1, count=3) == (["0", "1", "2"], 7)
    assert page(startIndex=7, count=3) == (["6"], 7)
    assert page(startIndex=-5, count=2) == (["0", "1"], 7)
    assert page(startIndex=99) == ([], 7)
    assert page(startIndex=10**30) == ([], 7)
    assert page(count=0) == ([], 7)
    assert page(sortBy="userName", sortOrder="descending", count=2) == (["6", "5"], 7)
    assert page(filter="userName pr", startIndex=2, count=2) == (["1", "2"], 7)


def test_a_version_guards_against_changes_that_were_not_seen(roster):
    made = roster.add()
    path, first = f"Users/{made.json()['id']}", made.headers["etag"]
    rename = {"op": "replace", "path": "displayName", "value": "李娜"}

    assert roster.get(path, headers={"If-None-Match": first}).status_code == 304
    changed = roster.change(path, rename, If_Match=first)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first
    assert roster.change(path, rename, If_Match=first).status_code == 412
    assert roster.delete(path, headers={"If-Match": first}).status_code == 412
    assert roster.delete(path, headers={"If-Match": changed.headers["etag"]}).status_code == 204


def test_a_version_that_the_sender_has_spares_a_reading_and_no_change(roster):
    made = roster.add().json()
    path, held = f"Users/{made['id']}", {"If-None-Match": made["meta"]["version"]}

    changed = roster.put(path, json={"schemas": [USER], "userName": "li.na", "title": "科员"}, headers=held)

    assert changed.status_code == 200
    assert changed.json()["title"] == "科员"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("Users", "GET, POST"), ("ServiceProviderConfig", "GET"), ("Schemas/x", "GET")],
)
def test_a_method_that_a_path_does_not_have_is_told_which_it_has(roster, path, allowed):
    answer = roster.put(path, json={})

    assert (answer.status_code, answer.headers.get("allow")) == (405, allowed)
    assert answer.headers["content-type"] == "application/scim+json"
    assert roster.put("nothing/like/it", json={}).status_code == 404


@pytest.mark.parametrize(
    ("who", "status"), [("one-office", 403), ("other-scopes", 403), ("administrator", 403), ("nobody", 401)]
)
def test_only_a_machine_that_may_keep_all_of_a_roster_gets_in(app, who, status):
    other = Roster(app, who)

    answers = [other.get("Users"), other.add(), other.get("ServiceProviderConfig"), other.get("nothing/like/it")]

    assert [answer.status_code for answer in answers] == [status] * 4
    assert answers[0].json()["status"] == str(status)


def test_other_systems_spelling_is_understood(roster, pool):
    one = roster.add().json()["id"]
    group = roster.add_group(role="clerk", organisation="320102").json()["id"]

    added = roster.change(f"Groups/{group}", {"op": "Add", "path": "members", "value": [{"value": one}]})
    removed = roster.change(f"Groups/{group}", {"op": "Remove", "path": "members", "value": [{"value": one}]})
    off = roster.change(f"Users/{one}", {"op": "Replace", "value": {"active": False}})

    assert [answer.status_code for answer in (added, removed, off)] == [200] * 3
    assert grants(pool, one) == []
    assert off.json()["active"] is False


def test_every_change_is_in_the_audit(roster, pool):
    one = roster.add().json()["id"]
    group = roster.add_group(one, role="clerk", organisation="320102").json()["id"]
    roster.delete(f"Groups/{group}")
    roster.delete(f"Users/{one}")

    rows = ask(pool, "SELECT action, actor FROM audit_record WHERE action LIKE 'roster.%%' ORDER BY seq")
    assert rows == [
        ("roster.create_user", "roster"),
        ("roster.create_group", "roster"),
        ("roster.delete_group", "roster"),
        ("roster.delete_user", "roster"),
    ]
