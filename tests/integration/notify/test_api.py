"""The HTTP door: subscriptions, inbox, deliveries, and who may do what."""

import pytest
from fastapi import FastAPI
from httpx2 import Client

from services.notify.api.app import create_notify_app
from services.notify.settings import NotifySettings
from shared.http import check_routes_are_guarded
from tests.asking import client_at
from tests.fakes import one_of_each_role
from tests.integration.notify.conftest import make_news

pytestmark = pytest.mark.integration
WISH = {"recipient_name": "王建国", "email": "wang@example.org", "language": "zh", "channels": ["inbox", "email"]}


@pytest.fixture
def app(notify) -> FastAPI:
    settings = NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
    )
    return create_notify_app(settings, notify.pool, authenticator=one_of_each_role())


def client_of(app: FastAPI, role: str) -> Client:
    return client_at(app, headers={"Authorization": f"Bearer {role}"})


@pytest.fixture
def officer(app):
    return client_of(app, "department_officer")


def test_every_route_says_whom_it_lets_in(app):
    check_routes_are_guarded(app)


def test_a_subscription_put_twice_is_one(officer):
    first = officer.put("/v1/subscriptions/county", json=WISH)
    again = officer.put("/v1/subscriptions/county", json=WISH | {"language": "en"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["language"] == "en"
    assert [item["name"] for item in officer.get("/v1/subscriptions").json()["items"]] == ["county"]


@pytest.mark.parametrize(
    "fault",
    [
        {"email": "a@b\r\nBcc: c@d"},
        {"email": "a@b,c@d"},
        {"email": None},
        {"recipient_name": "王\r\nBcc: c@d"},
        {"recipient_name": "x" * 2_000},
        {"recipient_name": "=?utf-8?q?a=0D=0ABcc:_c@d?="},
        {"language": "fr"},
        {"channels": []},
        {"channels": ["sms"]},
        {"organisation_id": "not-a-uuid"},
        {"unknown": 1},
    ],
)
def test_what_could_break_a_mail_is_refused_and_not_echoed(officer, fault):
    answer = officer.put("/v1/subscriptions/county", json=WISH | fault)

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Bcc" not in answer.text


def test_a_name_that_is_no_name_is_refused(officer):
    assert officer.put("/v1/subscriptions/a%20b", json=WISH).status_code == 422


def test_reading_and_marking_the_inbox(notify, officer):
    officer.put("/v1/subscriptions/county", json=WISH)
    notify.hear(make_news())
    notify.compose()
    [message] = officer.get("/v1/inbox/county/messages", params={"unread": True}).json()["items"]
    path = f"/v1/inbox/county/messages/{message['id']}/read"

    first, again = officer.post(path), officer.post(path)

    assert message["subject"] == "【连心】评价得分摘要：新增 1 项，变动 0 项"
    assert first.json() == again.json()
    assert officer.get("/v1/inbox/county/messages", params={"unread": True}).json()["items"] == []
    assert officer.get("/v1/inbox/county/messages").json()["items"][0]["read_at"] == first.json()["read_at"]


def test_a_message_of_another_inbox_is_not_found(notify, officer):
    for name in ("one", "two"):
        officer.put(f"/v1/subscriptions/{name}", json=WISH)
    notify.hear(make_news())
    notify.compose()
    [message] = officer.get("/v1/inbox/one/messages").json()["items"]

    answer = officer.post(f"/v1/inbox/two/messages/{message['id']}/read")

    assert (answer.status_code, answer.json()["title"]) == (404, "unknown-message")
    assert officer.get("/v1/inbox/nobody/messages").status_code == 404


def test_pages_follow_one_another(notify, officer):
    for number in range(5):
        officer.put(f"/v1/subscriptions/s{number}", json=WISH)
    notify.hear(make_news())
    notify.compose()
    seen, cursor = [], None
    for _ in range(10):
        page = officer.get("/v1/deliveries", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 10
    assert seen == sorted(seen, reverse=True)


def test_deliveries_by_state_tell_the_reason_and_no_address(notify, officer, mail_server):
    officer.put("/v1/subscriptions/county", json=WISH)
    mail_server.refused_recipients = {"wang@example.org": "550 5.1.1 no such user wang@example.org"}
    notify.hear(make_news())
    notify.compose()
    notify.deliver()

    answer = officer.get("/v1/deliveries", params={"state": "failed"})

    [delivery] = answer.json()["items"]
    assert (delivery["channel"], delivery["attempts"], delivery["reason"]) == ("email", 1, "smtp 550 5.1.1")
    assert "wang@example.org" not in answer.text


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJ4Il0", "W251bGxd"])
def test_a_foreign_cursor_is_refused(officer, cursor):
    assert officer.get("/v1/deliveries", params={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize("name", ["%00", "county%00", "x" * 500, "%20"])
def test_an_inbox_that_cannot_be_a_name_is_refused(officer, name):
    inbox = officer.get(f"/v1/inbox/{name}/messages")
    read = officer.post(f"/v1/inbox/{name}/messages/00000000-0000-0000-0000-000000000000/read")

    expected = 400 if "%00" in name else 422
    assert (inbox.status_code, read.status_code) == (expected, expected)


def test_roles_are_kept_apart(app):
    machine, clerk, nobody = client_of(app, "machine_client"), client_of(app, "clerk"), client_at(app)

    assert machine.get("/v1/subscriptions").status_code == 200
    assert machine.put("/v1/subscriptions/county", json=WISH).status_code == 403
    assert client_of(app, "auditor").put("/v1/subscriptions/county", json=WISH).status_code == 403
    assert clerk.get("/v1/deliveries").status_code == 403
    assert nobody.get("/v1/deliveries").status_code == 401


@pytest.mark.parametrize("role", ["cadre", "unit_head", "machine_client"])
def test_nobody_whom_scores_are_published_for_gets_digests_of_live_ones(notify, officer, app, role):
    officer.put("/v1/subscriptions/county", json=WISH)
    notify.hear(make_news())
    notify.compose()
    client = client_of(app, role)

    assert officer.get("/v1/inbox/county/messages").json()["items"]
    assert client.get("/v1/inbox/county/messages").status_code == 403
    assert client.put("/v1/subscriptions/county", json=WISH).status_code == 403
    assert client.put("/v1/subscriptions/own", json=WISH).status_code == 403
