"""What requests leave in the audit, who may read it, and that there is no answer where it cannot be written."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from services.assessment.api.app import create_api as create_assessment
from services.assessment.settings import AssessmentSettings
from services.intake.api.app import create_intake_app
from services.intake.settings import IntakeSettings
from services.notify.api.app import create_notify_app as create_notify
from services.notify.settings import NotifySettings
from shared.audit.chain import Line, record
from shared.database import open_pool, transaction
from shared.http import check_routes_are_guarded, create_app
from tests.asking import asking
from tests.fakes import KnownPrincipals, one_of_each_role, person

pytestmark = pytest.mark.integration
URLS: Any = {
    "database_url": "postgresql://somebody:a-long-password-1234@localhost/x",
    "broker_url": "amqp://somebody:another-password-5678@localhost/x",
}
SERVICES: dict[str, Any] = {
    "intake": (create_intake_app, IntakeSettings),
    "assessment": (create_assessment, AssessmentSettings),
    "notify": (create_notify, NotifySettings),
}


class Service:
    """One service's door over a fresh database: as serve opens it, so without the reach of the system."""

    def __init__(self, database, name="intake", *, folder, **more):
        create, settings = SERVICES[name]
        if name == "intake":
            more["import_directory"] = folder
        self.database = database
        self.pool = open_pool(database.url, size=4, application="test")
        self.system = open_pool(database.url, size=2, application="test", system=True)
        self.principals = one_of_each_role()
        self.app = create(settings(mode="test", **URLS, **more), self.pool, authenticator=self.principals)

    def get(self, path, role, **more):
        return ask(self, "GET", path, role, **more)

    def records(self):
        with transaction(self.system) as connection:
            rows = connection.execute(
                "SELECT actor, role, action, object_id, decision, reason, details FROM audit_record ORDER BY seq"
            )
            return rows.fetchall()

    def close(self):
        self.pool.close()
        self.system.close()


@pytest.fixture
def serve(new_database, tmp_path):
    made = []

    def start(name="intake"):
        made.append(Service(new_database(name), name, folder=tmp_path))
        return made[-1]

    yield start
    for service in made:
        service.close()


def test_a_read_that_finds_nothing_is_recorded_like_one_that_is_refused(serve):
    service, issue = serve(), uuid4()

    assert service.get(f"/v1/issues/{issue}", "department_officer").status_code == 404

    details = {"route": "/v1/issues/{issue_id}", "method": "GET"}
    assert service.records() == [
        ("the-department_officer", "department_officer", "issue.read", str(issue), "denied", "not-found", details)
    ]


def test_a_refusal_is_recorded_with_who_and_what(serve):
    service = serve()

    assert service.get(f"/v1/issues/{uuid4()}", "auditor").status_code == 403

    ((actor, role, action, _, decision, reason, _),) = service.records()
    assert (actor, role, action, decision, reason) == ("the-auditor", "auditor", "issue.read", "denied", "forbidden")


def test_who_is_nobody_leaves_nothing_and_a_plain_read_neither(serve):
    service = serve()

    assert service.get(f"/v1/issues/{uuid4()}", "nobody").status_code == 401
    assert service.get("/v1/organisations", "clerk").status_code == 200

    assert service.records() == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_shows_its_audit_and_records_that_it_was_read(serve, service):
    service = serve(service)
    check_routes_are_guarded(service.app)
    record(service.system, Line(action="duty.put", object_type="duty", object_id="7"))

    answer = service.get("/v1/audit-records", "auditor", params={"object_type": "duty"})

    (item,) = answer.json()["items"]
    assert (item["seq"], item["action"], item["object_id"], item["actor"]) == (1, "duty.put", "7", "system")
    assert len(item["hash"]) == len(item["prev_hash"]) == 64
    assert service.records()[-1][2:] == (
        "audit.read",
        None,
        "allowed",
        None,
        {"route": "/v1/audit-records", "method": "GET", "query": {"object_type": "duty"}},
    )


def test_each_sees_of_the_audit_what_the_role_is_for(serve):
    service = serve()
    record(service.system, Line(action="score.read"), Line(action="session.opened"), Line(action="grant.given"))
    cadre = service.principals.principals["cadre"]
    record(service.system, Line(action="score.read", actor=cadre.name, account_id=cadre.account_id, role="cadre"))

    def seen(role):
        return [item["action"] for item in reversed(service.get("/v1/audit-records", role).json()["items"])]

    assert seen("cadre") == ["score.read"]
    assert seen("security_administrator") == ["session.opened", "grant.given", "audit.read"]
    assert seen("auditor") == ["score.read", "session.opened", "grant.given", "score.read", "audit.read", "audit.read"]
    for role in ("clerk", "department_officer", "unit_head", "approver", "operations", "machine_client"):
        assert service.get("/v1/audit-records", role).status_code == 403


def test_who_sees_the_own_records_alone_is_not_told_their_places_in_the_chain(serve):
    service = serve()
    cadre = service.principals.principals["cadre"]
    record(service.system, Line(action="score.read", actor=cadre.name, account_id=cadre.account_id, role="cadre"))

    def keys(role):
        items = service.get("/v1/audit-records", role, params={"action": "score.read"}).json()["items"]
        return {"seq", "hash", "prev_hash"} & items[0].keys()

    assert keys("auditor") == {"seq", "hash", "prev_hash"}
    assert keys("cadre") == set()


def test_the_audit_is_filtered_and_read_page_by_page(serve):
    service = serve()
    record(service.system, *(Line(action=f"a.{number % 2}", object_id=str(number)) for number in range(10)))
    wanted = {"action": "a.1", "limit": 2}

    pages, cursor = [], None
    while True:
        page = service.get(
            "/v1/audit-records", "auditor", params=wanted | ({"cursor": cursor} if cursor else {})
        ).json()
        pages.append([item["object_id"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert pages == [["9", "7"], ["5", "3"], ["1"]]
    at = service.get("/v1/audit-records", "auditor", params={"object_id": "4"}).json()["items"][0]["at"]
    later = service.get("/v1/audit-records", "auditor", params={"from": at, "action": "a.0"}).json()["items"]
    earlier = service.get("/v1/audit-records", "auditor", params={"until": at, "action": "a.0"}).json()["items"]
    assert [item["object_id"] for item in later] == ["8", "6", "4"]
    assert [item["object_id"] for item in earlier] == ["2", "0"]


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "!"},
        {"cursor": "WyItMSJd"},
        {"from": "2026-01-01T00:00:00"},
        {"from": "yesterday"},
        {"until": "9999-12-31T23:59:59Z"},
        {"decision": "perhaps"},
        {"limit": "0"},
        {"limit": "201"},
        {"account_id": "' OR 1=1 --"},
        {"actor": "x" * 300},
    ],
)
def test_a_filter_that_is_none_is_refused(serve, query):
    assert serve().get("/v1/audit-records", "auditor", params=query).status_code == 422


@pytest.mark.parametrize("text", ["' OR '1'='1", "%", "a; DROP TABLE audit_record", "\\"])
def test_filters_are_taken_literally(serve, text):
    service = serve()
    record(service.system, Line(action="x", object_id="1"))

    assert service.get("/v1/audit-records", "auditor", params={"object_id": text}).json()["items"] == []


def test_a_name_or_number_in_a_query_is_refused_and_not_remembered(serve):
    service = serve()

    refused = service.get("/v1/audit-records", "auditor", params={"phone": "13800138000", "action": "x"})
    service.get("/v1/audit-records", "auditor", params={"action": "x"})

    assert refused.status_code == 422
    assert refused.json()["faults"] == [{"kind": "extra_forbidden", "place": ["query", "phone"]}]
    assert service.records()[-1][6]["query"] == {"action": "x"}
    assert "13800138000" not in refused.text + str(service.records())


def test_what_cannot_be_recorded_is_neither_answered_nor_refused(serve):
    service = serve()
    record(service.system, Line(action="secret.thing", object_id="4711"))
    with psycopg.connect(service.database.owner_url, autocommit=True) as owner:
        owner.execute(
            """
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON audit_record FOR EACH ROW EXECUTE FUNCTION full_disk();
            """
        )

    read = service.get("/v1/audit-records", "auditor")
    refused = service.get("/v1/audit-records", "clerk")

    for answer in (read, refused):
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:lianxin:problem:audit-unavailable"
        assert answer.headers["cache-control"] == "no-store"
        assert "4711" not in answer.text


def test_a_door_without_an_audit_does_not_open():
    settings = NotifySettings(mode="test", **URLS)
    app = create_app("none", settings, authenticator=KnownPrincipals({}))
    service_with_audit = create_notify(settings, None, authenticator=KnownPrincipals({}))  # type: ignore[arg-type] # unused
    check_routes_are_guarded(service_with_audit)
    del service_with_audit.state._state["trail"]

    check_routes_are_guarded(app)
    with pytest.raises(RuntimeError, match="must be recorded"):
        check_routes_are_guarded(service_with_audit)


def stepped_up(role, name):
    return person(role, name=name, stepped_up_at=datetime.now(UTC))


@pytest.fixture
def changed(new_database, tmp_path):
    """A service whose installation keeps idempotency keys for a day, and two persons who may agree to that."""
    schedule = tmp_path / "retention.toml"
    schedule.write_text('[keep]\nidempotency_keys = "24 hours"\n')
    service = Service(new_database("intake"), folder=tmp_path, retention_schedule=schedule)
    known = service.principals.principals
    known |= {"first": stepped_up("approver", "first"), "second": stepped_up("department_officer", "second")}
    known["second-account"] = replace(stepped_up("approver", "another-account"), person_id="first")
    yield service
    service.close()


def ask(service, method, path, role, **more):
    headers = {"Authorization": f"Bearer {role}"} | more.pop("headers", {})
    with asking(service.app) as client:
        return client.request(method, path, headers=headers, **more)


def test_a_changed_period_is_agreed_to_by_two_persons_and_one_person_is_one(changed):
    path, body = "/v1/retention/idempotency_keys/approval", {"keep": "24 hours"}

    def in_force():
        items = ask(changed, "GET", "/v1/retention", "auditor").json()["items"]
        return next(item for item in items if item["kind"] == "idempotency_keys")["is_in_force"]

    counts = [ask(changed, "PUT", path, name, json=body).json()["approvals"] for name in ("first", "second-account")]
    assert (counts, in_force()) == ([1, 1], False)
    assert ask(changed, "PUT", path, "second", json=body).json()["approvals"] == 2
    assert in_force()

    for name, status in (("clerk", 403), ("auditor", 403), ("approver", 403)):  # the last has not stepped up
        assert ask(changed, "PUT", path, name, json=body).status_code == status
    assert ask(changed, "PUT", path, "first", json={"keep": "72 hours"}).status_code == 409
    assert ask(changed, "PUT", "/v1/retention/scores/approval", "first", json=body).status_code == 404
    assert (
        ask(changed, "PUT", "/v1/retention/sent_events/approval", "first", json={"keep": "35 days"}).status_code == 409
    )


def test_what_nothing_would_keep_is_not_held(changed):
    answer = ask(changed, "PUT", "/v1/legal-holds/score/4711", "first", json={"reason": "a court asks for it"})

    assert (answer.status_code, answer.json()["title"]) == (422, "unknown-object-type")
    assert answer.json()["detail"].endswith(
        ": audit_file, citizen, consultation, contact, import, issue, rating, reception_day"
    )
    assert ask(changed, "GET", "/v1/legal-holds", "auditor").json()["items"] == []


def test_holds_are_set_listed_and_released_by_who_may(changed):
    path, body = "/v1/legal-holds/issue/4711", {"reason": "a court asks for it"}

    assert ask(changed, "PUT", path, "second", json=body).status_code == 201
    assert ask(changed, "PUT", path, "first", json=body).status_code == 200
    (held,) = ask(changed, "GET", "/v1/legal-holds", "auditor").json()["items"]
    assert (held["object_type"], held["object_id"], held["set_by"]) == ("issue", "4711", "second")
    assert ask(changed, "DELETE", path, "second").status_code == 403
    assert ask(changed, "DELETE", path, "first").status_code == 200
    assert ask(changed, "DELETE", path, "first").status_code == 404
    assert [row[2] for row in changed.records() if row[4] == "allowed"] == ["hold.set", "hold.released"]
