"""Row-level security of notify: an officer of one organisation follows it and what is below, and sees nothing else."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.notify.api.app import create_notify_app
from services.notify.settings import NotifySettings
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import Reach
from tests.asking import client_at
from tests.fakes import KnownPrincipals, one_of_each_role, person
from tests.integration.notify.conftest import make_news

pytestmark = pytest.mark.integration

COUNTY, TOWN, STREET, HARBOUR = 1, 2, 3, 4
PATHS = {COUNTY: (COUNTY,), TOWN: (COUNTY, TOWN), STREET: (COUNTY, TOWN, STREET), HARBOUR: (COUNTY, HARBOUR)}
NAMES = {COUNTY: "county", TOWN: "town", STREET: "street", HARBOUR: "harbour"}
TABLES = (
    *("subscription", "digest", "message", "delivery", "score_news", "told_score", "inbox", "news_position"),
    *("event", "event_position", "cadre", "post", "issue", "place"),
    *("delivery_attempt", "delivery_receipt", "circuit", "recipient", "preference", "reader", "notice", "template"),
)
PEOPLE = {
    **one_of_each_role().principals,
    "town": person("department_officer", "town", name="town"),
    "harbour": person("department_officer", "harbour", name="harbour"),
}
WISH = {"recipient_name": "王建国", "language": "zh", "channels": ["inbox"]}


@pytest.fixture
def told(notify):
    """News of four organisations have come, each has a subscriber, and the digests are out."""
    notify.hear(
        *(
            replace(
                make_news(number, path=path),
                score_id=UUID(int=2_000 + number),
                subject_kind="organisation",
                subject_code=NAMES[number],
            )
            for number, path in PATHS.items()
        )
    )
    for number, name in NAMES.items():
        notify.subscribe(name, organisation_id=UUID(int=number))
    notify.subscribe("everything")
    assert notify.compose() == 5
    return notify


@pytest.fixture
def client(told):
    settings = NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
    )
    app = create_notify_app(settings, told.pool, authenticator=KnownPrincipals(PEOPLE))
    return lambda who: client_at(app, headers={"Authorization": f"Bearer {who}"})


def test_an_officer_sees_the_subscriptions_of_the_own_organisations(client):
    def names(who):
        return [item["name"] for item in client(who).get("/v1/subscriptions").json()["items"]]

    assert names("town") == ["street", "town"]
    assert names("harbour") == ["harbour"]
    assert names("department_officer") == ["county", "everything", "harbour", "street", "town"]


def test_what_a_subscription_was_told_is_seen_with_the_subscription(client):
    deliveries = client("town").get("/v1/deliveries").json()["items"]

    assert {item["subscription"] for item in deliveries} == {"street", "town"}
    assert client("town").get("/v1/inbox/street/messages").status_code == 200
    strange, absent = (client("town").get(f"/v1/inbox/{name}/messages") for name in ("harbour", "nobody"))
    assert (strange.status_code, strange.content) == (404, absent.content)
    [message] = client("harbour").get("/v1/inbox/harbour/messages").json()["items"]
    read = client("town").post(f"/v1/inbox/harbour/messages/{message['id']}/read")
    assert (read.status_code, read.content) == (404, absent.content)


def test_only_what_is_within_reach_can_be_followed(client):
    officer = client("town")

    assert (
        officer.put("/v1/subscriptions/new", json=WISH | {"organisation_id": str(UUID(int=STREET))}).status_code == 201
    )
    refusals = [
        officer.put("/v1/subscriptions/new", json=WISH | {"organisation_id": organisation_id})
        for organisation_id in (None, str(UUID(int=HARBOUR)), str(UUID(int=COUNTY)), str(new_id()))
    ]
    assert {(answer.status_code, answer.content) for answer in refusals} == {(422, refusals[0].content)}
    taken = officer.put("/v1/subscriptions/harbour", json=WISH | {"organisation_id": str(UUID(int=TOWN))})
    assert (taken.status_code, taken.json()["title"]) == (409, "name-taken")


@pytest.mark.parametrize("table", TABLES)
def test_nobody_in_particular_sees_nothing(told, table):
    for reach in (Reach(kind="scoped"), Reach(kind="scoped", organisation_codes=("nowhere",))):
        with transaction(told.pool, reach=reach) as connection:
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == []  # noqa: S608


def test_a_moved_organisation_is_within_reach_where_it_stands_now(told, client):
    moved = replace(
        make_news(STREET, path=(COUNTY, HARBOUR, STREET), sequence=2),
        score_id=UUID(int=2_000 + STREET),
        subject_kind="organisation",
        subject_code="street",
    )

    told.hear(moved)

    listed = client("harbour").get("/v1/subscriptions").json()["items"]
    assert [item["name"] for item in listed] == ["harbour", "street"]
