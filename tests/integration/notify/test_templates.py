"""Wordings of one's own: tried out, written by one person, put into force by another, and never changed."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest

from services.notify.api.app import create_notify_app
from services.notify.handlers.templates import load_wordings
from services.notify.settings import NotifySettings
from shared.access.principal import Grant, Principal
from shared.database import transaction
from shared.reach import SYSTEM
from tests.asking import client_at
from tests.fakes import KnownPrincipals
from tests.integration.notify.test_notices import inbox, near, told  # noqa: F401

pytestmark = pytest.mark.integration

WORDING = {"subject": "时限提示", "text": "{{ clock }}：{{ due }}前办理 {{ issue }}"}
PATH = "/v1/templates/deadline_near/zh"


def person(name: str, role: str, *, person_id: str, account: int) -> Principal:
    return Principal(
        account_id=UUID(int=account),
        name=name,
        person_id=person_id,
        grants=(Grant(role=role),),  # type: ignore[arg-type] # one of the roles
        stepped_up_at=datetime.now(UTC),
    )


@pytest.fixture
def client(notify):
    settings = NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
    )
    known = KnownPrincipals(
        {
            "author": person("author", "department_officer", person_id="p1", account=1),
            "approver": person("approver", "approver", person_id="p2", account=2),
            "author-as-approver": person("author-as-approver", "approver", person_id="p1", account=3),
            "clerk": person("clerk", "clerk", person_id="p4", account=4),
        }
    )
    app = create_notify_app(settings, notify.pool, authenticator=known)
    return lambda who: client_at(app, headers={"Authorization": f"Bearer {who}"})


def test_a_wording_is_told_by_once_another_person_has_put_it_into_force(told, client):  # noqa: F811 - the fixture
    written = client("author").post(PATH, json=WORDING)
    before = load_wordings(told.pool, zone=ZoneInfo("Asia/Shanghai"), desk_url=None)
    in_force = client("approver").post(f"{PATH}/1/activate")
    after = load_wordings(told.pool, zone=ZoneInfo("Asia/Shanghai"), desk_url=None)
    told.learn((near(), 3))
    told.tell(after)

    assert (written.status_code, written.json()["version"]) == (201, 1)
    assert in_force.json()["is_active"]
    facts = {"issue": "x", "clock": "close", "due": "2025-04-01T00:00:00+00:00"}
    assert before.fill("deadline_near", "zh", facts)[0] != "时限提示"
    assert inbox(told)[0].startswith("办结：2025-04-02 10:00前办理")
    assert told.ask(
        "SELECT action, details->>'version' FROM audit_record WHERE action LIKE 'template%' ORDER BY seq"
    ) == [
        ("template.write", "1"),
        ("template.activate", "1"),
    ]


def test_nobody_puts_an_own_wording_into_force_under_whichever_account(client):
    client("author").post(PATH, json=WORDING)

    refused = client("author-as-approver").post(f"{PATH}/1/activate")

    assert (refused.status_code, refused.json()["title"]) == (409, "own-template")


def test_versions_follow_one_another_and_one_is_in_force(notify, client):
    for text in ("一 {{ issue }}", "二 {{ issue }}"):
        client("author").post(PATH, json=WORDING | {"text": text})
    for version in (1, 2, 2, 1):
        assert client("approver").post(f"{PATH}/{version}/activate").status_code == 200

    listed = client("author").get("/v1/templates/deadline_near").json()["items"]
    in_chinese = [(item["version"], item["is_active"]) for item in listed if item["language"] == "zh"]
    assert in_chinese == [(0, False), (1, True), (2, False)]
    assert client("approver").post(f"{PATH}/0/activate").status_code == 200
    assert notify.ask("SELECT count(*) FROM template WHERE is_active") == [(0,)]


def test_a_wording_is_never_changed(notify, client):
    client("author").post(PATH, json=WORDING)

    with pytest.raises(psycopg.IntegrityError), transaction(notify.pool, reach=SYSTEM) as connection:
        connection.execute("UPDATE template SET text = 'x'")


def test_a_preview_shows_an_example_and_keeps_nothing(notify, client):
    shown = client("author").post(f"{PATH}/preview", json=WORDING)

    assert shown.json()["subject"] == "【连心】时限提示"
    assert shown.json()["text"].startswith("办结：2025-04-01 17:30前办理 01890a5d")
    assert notify.ask("SELECT count(*) FROM template") == [(0,)]


@pytest.mark.parametrize("place", ["", "/preview"])
@pytest.mark.parametrize("text", ["{{ citizen }}", "{{ issue.__class__ }}", "{% for x in issue %}{% endfor %}"])
def test_what_a_template_may_not_be_is_refused_at_the_door(client, place, text):
    refused = client("author").post(f"{PATH}{place}", json=WORDING | {"text": text})

    assert (refused.status_code, refused.json()["title"]) == (422, "bad-template")


def test_what_is_not_there_is_not_found(client):
    assert client("approver").post(f"{PATH}/7/activate").status_code == 404
    assert client("approver").post("/v1/templates/nothing/zh/0/activate").status_code == 404
    assert client("author").get("/v1/templates/nothing").status_code == 404
    assert client("author").post("/v1/templates/nothing/zh", json=WORDING).status_code == 422


def test_who_may_not_may_not(client):
    assert client("clerk").post(PATH, json=WORDING).status_code == 403
    assert client("author").post(f"{PATH}/0/activate").status_code == 403


def test_a_wording_that_is_sent_again_makes_no_second_version(client):
    first, again = (client("author").post(PATH, json=WORDING) for _ in range(2))
    other = client("author").post(PATH, json=WORDING | {"subject": "时限"})
    back = client("author").post(PATH, json=WORDING)

    assert [answer.status_code for answer in (first, again, other, back)] == [201, 200, 201, 201]
    assert again.json() == first.json()
    assert [answer.json()["version"] for answer in (first, other, back)] == [1, 2, 3]
