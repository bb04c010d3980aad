"""One's own inbox and settings over HTTP: nobody else's, in order, and as it fills."""

import socket
import threading
from datetime import timedelta
from uuid import UUID

import httpx
import orjson
import pytest
import uvicorn

from services.notify.api.app import create_notify_app
from services.notify.settings import NotifySettings
from shared.access.principal import Grant, Principal
from shared.wire import BoundedProtocol
from tests.asking import client_at
from tests.fakes import KnownPrincipals
from tests.integration.notify.test_events import STREET
from tests.integration.notify.test_notices import CLERK, MORNING, People, inbox, missed, near, told  # noqa: F401

pytestmark = pytest.mark.integration


def principal(name: str, *, account: int, staff_number: str | None = None, role: str = "cadre", code: str = "street"):
    grant = Grant(role=role, organisation_code=code)  # type: ignore[arg-type] # one of the roles
    return Principal(
        account_id=UUID(int=account), name=name, person_id=name, grants=(grant,), staff_number=staff_number
    )


WHO = KnownPrincipals(
    {
        "wang": principal("wang", account=901, staff_number="C100"),
        "wang-too": principal("wang-too", account=902, staff_number="C100", role="clerk"),
        "li": principal("li", account=903, staff_number="C101"),
        "clerk": principal("clerk", account=CLERK.int, role="clerk"),
        "head": principal("head", account=904, role="unit_head"),
        "elsewhere": principal("elsewhere", account=905, role="department_officer", code="harbour"),
    }
)


def settings(*, stream_seconds: float) -> NotifySettings:
    return NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
        stream_seconds=stream_seconds,
        stream_poll_seconds=0.05,
    )


@pytest.fixture
def client(told):  # noqa: F811 - the fixture of that name
    app = create_notify_app(settings(stream_seconds=0.6), told.pool, authenticator=WHO)
    return lambda who: client_at(app, headers={"Authorization": f"Bearer {who}"})


def numbers(answer):
    return [item["number"] for item in answer.json()["items"]]


def test_whoever_is_told_finds_it_and_nobody_else_does(told, client):  # noqa: F811 - same
    told.learn((near(), 3))
    told.tell()

    [message] = client("wang").get("/v1/own/messages").json()["items"]

    assert message["text"] == inbox(told)[0]
    assert (message["number"], message["read_at"]) == (1, None)
    assert numbers(client("wang-too").get("/v1/own/messages")) == [1]
    for who in ("li", "clerk", "elsewhere"):
        assert numbers(client(who).get("/v1/own/messages")) == []
        refused = client(who).post(f"/v1/own/messages/{message['id']}/read")
        assert (refused.status_code, refused.json()["title"]) == (404, "unknown-message")


def test_messages_are_read_one_by_one_or_all_at_once(told, client):  # noqa: F811 - same
    for turn in (1, 2, 3):
        told.learn((near(turn=turn), 2 + turn))
        told.tell()
    wang = client("wang")
    first_page = wang.get("/v1/own/messages?limit=2")
    second_page = wang.get(f"/v1/own/messages?limit=2&cursor={first_page.json()['next_cursor']}")
    newest = first_page.json()["items"][0]["id"]

    read_at = [wang.post(f"/v1/own/messages/{newest}/read").json()["read_at"] for _ in range(2)]
    left = numbers(wang.get("/v1/own/messages?unread=true"))
    through = wang.post("/v1/own/messages/read", json={"through": 1}).json()

    assert (numbers(first_page), numbers(second_page)) == ([3, 2], [1])
    assert read_at[0] == read_at[1]
    assert (left, through) == ([2, 1], {"read": 1})
    assert numbers(wang.get("/v1/own/messages?unread=true")) == [2]


def events_of(answer):
    return [
        dict(line.split(": ", 1) for line in part.splitlines() if not line.startswith(":"))
        for part in answer.text.split("\n\n")
        if part.startswith("id: ")
    ]


def test_a_stream_goes_on_behind_what_was_seen(told, client):  # noqa: F811 - same
    for turn in (1, 2, 3):
        told.learn((near(turn=turn), 2 + turn))
        told.tell()

    answer = client("wang").get("/v1/own/stream", headers={"Last-Event-ID": "1"})
    from_now_on = client("wang").get("/v1/own/stream")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [event["id"] for event in events_of(answer)] == ["2", "3"]
    assert orjson.loads(events_of(answer)[0]["data"])["number"] == 2
    assert events_of(from_now_on) == []


def test_a_stream_tells_nobody_what_is_anothers(told, client):  # noqa: F811 - same
    told.learn((near(), 3))
    told.tell()

    assert events_of(client("li").get("/v1/own/stream", headers={"Last-Event-ID": "0"})) == []
    assert client("li").get("/v1/own/stream", headers={"Last-Event-ID": "x"}).status_code == 422


def test_a_stream_tells_of_what_comes_while_it_is_open(told):  # noqa: F811 - same
    """Over the server that the service has, and the connection that a browser would keep."""
    app = create_notify_app(settings(stream_seconds=60), told.pool, authenticator=WHO)
    with socket.create_server(("127.0.0.1", 0)) as door:
        config = uvicorn.Config(app, http=BoundedProtocol, loop="uvloop", ws="none", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            url = f"http://127.0.0.1:{door.getsockname()[1]}/v1/own/stream"
            with httpx.stream("GET", url, headers={"Authorization": "Bearer wang"}, timeout=30) as answer:
                lines = answer.iter_lines()
                opened = next(lines)
                told.learn((near(), 3))
                told.tell()
                heard = next(line for line in lines if line.startswith("id: "))
        finally:
            server.should_exit = server.force_exit = True
            thread.join(20)

    assert (opened, heard) == ("retry: 3000", "id: 1")


def test_settings_are_kept_and_obeyed(told, client):  # noqa: F811 - same
    wanted = {
        "language": "en",
        "email": "wang@example.org",
        "mobile": "13800000001",
        "channels": ["inbox", "email"],
        "quiet_from": "22:00",
        "quiet_until": "06:00",
        "digest_at": "09:15",
        "daily_cap": 5,
        "rules": {"deadline-near": "digest"},
    }
    assert client("wang").put("/v1/own/settings", json=wanted).status_code == 200
    told.learn((near(), 3))
    told.tell()
    at_once = inbox(told)
    told.wait(timedelta(hours=23, minutes=15))
    told.tell()

    shown = client("wang").get("/v1/own/settings").json()
    assert (shown["rules"], shown["quiet_until"], shown["daily_cap"]) == ({"deadline-near": "digest"}, "06:00", 5)
    assert client("wang").put("/v1/own/settings", json=shown).json() == shown
    assert at_once == []
    assert inbox(told)[0].startswith("The deadline of issue")
    assert told.emails() == [("due", 0, None)]
    assert client("li").get("/v1/own/settings").json()["email"] is None
    [details] = told.ask("SELECT details FROM audit_record WHERE action = 'own.change'")
    assert details == ({"changed": ["channels", "email", "mobile"]},)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"email": "a@b\r\nBcc: c@d"}, "unsafe-address"),
        ({"email": "a@b,c@d"}, "unsafe-address"),
        ({"mobile": "00861380000"}, "unsafe-number"),
        ({"mobile": "1380000000１"}, "unsafe-number"),
        ({"channels": ["email"]}, "missing-address"),
        ({"channels": ["sms"]}, "missing-address"),
        ({"channels": ["wecom"]}, "invalid-body"),
        ({"quiet_from": "24:00"}, "invalid-body"),
        ({"rules": {"nothing": "off"}}, "unknown-rule"),
        ({"rules": {"deadline-near": "never"}}, "invalid-body"),
        ({"daily_cap": 0}, "invalid-body"),
        ({"staff_number": "C101"}, "invalid-body"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(client, wanted, code):
    answer = client("wang").put("/v1/own/settings", json=wanted)

    assert (answer.status_code, answer.json()["title"]) == (422, code)
    assert client("wang").get("/v1/own/settings").json()["channels"] == ["inbox"]


def test_a_head_speaks_for_the_own_unit_alone(told, client):  # noqa: F811 - same
    stated = client("head").put("/v1/organisations/street/preferences", json={"rules": {"deadline-near-unit": "off"}})
    told.learn((near(), 3), (missed(), 4))
    told.note()

    assert stated.json() == {"organisation_code": "street", "rules": {"deadline-near-unit": "off"}}
    assert client("head").get("/v1/organisations/street/preferences").json() == stated.json()
    assert told.ask("SELECT rule FROM notice WHERE rule LIKE '%unit'") == [("deadline-missed-unit",)]
    for who, code in (("head", "town"), ("elsewhere", "street"), ("head", "nowhere")):
        refused = client(who).put(f"/v1/organisations/{code}/preferences", json={"rules": {}})
        assert (refused.status_code, refused.json()["title"]) == (404, "unknown-organisation")
    assert told.ask(f"SELECT mode FROM preference WHERE organisation_id = '{STREET}'") == [("off",)]  # noqa: S608


def test_everybody_may_read_by_what_rules_they_are_told(client):
    rules = {rule["code"]: rule for rule in client("wang").get("/v1/rules").json()["items"]}

    assert rules["escalated"]["is_compulsory"]
    assert not rules["deadline-near"]["is_compulsory"]


def test_a_clerk_is_found_by_the_account(told, client):  # noqa: F811 - same
    told.learn((missed(), 3))
    told.tell()

    assert numbers(client("clerk").get("/v1/own/messages")) == [1]
    assert told.now == MORNING
    assert isinstance(told.directory, People)
