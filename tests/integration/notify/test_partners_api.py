"""The doors for partners: agreements, endpoints, what went to them, the feed, and the ledger."""

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jsonschema
import orjson
import pytest
from fastapi.testclient import TestClient
from standardwebhooks.webhooks import Webhook

from services.notify.api.app import create_notify_app
from services.notify.settings import NotifySettings
from shared.crypto import KeyRing
from shared.database import transaction
from tests.fakes import KnownPrincipals, machine, person
from tests.integration.notify.conftest import Notify
from tests.integration.notify.receiving import Receiver, make_partners, received_issue, reply, signed_issue

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC)
TERMS = {
    "number": "2026-17",
    "partner": "市12345平台",
    "client_id": "hub",
    "content": "facts",
    "valid_from": (NOW - timedelta(days=1)).isoformat(),
    "valid_until": (NOW + timedelta(days=90)).isoformat(),
}


@pytest.fixture
def clients(notify: Notify, keys_folder):
    """By name: whoever asks."""
    known = KnownPrincipals(
        {
            "officer": person("department_officer", name="officer", stepped_up_at=datetime.now(UTC)),
            "approver": person("approver", name="approver", stepped_up_at=datetime.now(UTC)),
            "both": person("approver", name="officer", stepped_up_at=datetime.now(UTC)),
            "tired": person("department_officer", name="tired"),
            "auditor": person("auditor", name="auditor"),
            "hub": machine(name="hub"),
            "reader": machine("events.read", name="hub"),
            "other": machine(name="other"),
        }
    )
    settings = NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
        webhook_networks=("127.0.0.0/8",),
        webhook_plain_loopback=True,
    )
    app = create_notify_app(settings, notify.pool, authenticator=known, keys=KeyRing(keys_folder / "notify"))
    with TestClient(app) as _:  # on a loop of its own: some tests ask while one of theirs runs
        yield lambda who: TestClient(app, headers={"Authorization": f"Bearer {who}"})


def agree(clients, **more) -> str:
    made = clients("officer").post("/v1/agreements", json={**TERMS, **more})
    assert made.status_code == 201, made.text
    assert clients("approver").post(f"/v1/agreements/{made.json()['id']}/approve").status_code == 200
    return str(made.json()["id"])


def connect(clients, agreement_id, url="http://127.0.0.1:9/hook", **more):
    made = clients("hub").post("/v1/webhook-endpoints", json={"agreement_id": agreement_id, "url": url, **more})
    assert made.status_code == 201, made.text
    approved = clients("approver").post(f"/v1/webhook-endpoints/{made.json()['id']}/approve")
    assert approved.json()["state"] == "unverified"
    return made.json()


def test_an_endpoint_that_is_proposed_again_is_no_second_one(clients):
    wish = {"agreement_id": agree(clients), "url": "http://127.0.0.1:9/hook"}

    first, again = (clients("hub").post("/v1/webhook-endpoints", json=wish) for _ in range(2))
    narrower = clients("hub").post("/v1/webhook-endpoints", json=wish | {"event_types": ["cn.lianxin.issue.closed.v1"]})

    assert (first.status_code, again.status_code, narrower.status_code) == (201, 409, 201)
    assert again.json()["title"] == "already-proposed"
    assert clients("approver").post(f"/v1/webhook-endpoints/{first.json()['id']}/approve").status_code == 200
    assert clients("hub").post("/v1/webhook-endpoints", json=wish).status_code == 201


def told(clients, who="hub", **query):
    answer = clients(who).get("/v1/events", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_agreement_takes_two_persons(clients):
    made = clients("officer").post("/v1/agreements", json=TERMS).json()
    path = f"/v1/agreements/{made['id']}"

    assert made["status"] == "proposed"
    own = clients("both").post(f"{path}/approve")
    assert (own.status_code, own.json()["title"]) == (409, "own-proposal")
    assert clients("hub").get("/v1/events").status_code == 403
    assert clients("approver").post(f"{path}/approve").json()["status"] == "agreed"
    again = clients("approver").post(f"{path}/refuse", json={"reason": "晚了"})
    assert (again.status_code, again.json()["title"]) == (409, "already-decided")
    taken = clients("officer").post("/v1/agreements", json=TERMS)
    assert (taken.status_code, taken.json()["title"]) == (409, "agreement-number-taken")


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_types": ["cn.lianxin.rating.submitted.v1"]},
        {"event_types": ["cn.lianxin.score.computed.v1"]},
        {"event_types": ["no.such.type"]},
        {"valid_until": TERMS["valid_from"]},
        {"valid_until": (NOW + timedelta(days=4_000)).isoformat()},
        {"valid_from": (NOW - timedelta(days=9)).isoformat(), "valid_until": (NOW - timedelta(days=8)).isoformat()},
        {"organisation_id": str(UUID(int=4711))},
        {"client_id": "Not A Client"},
        {"content": "everything"},
        {"number": "two\nlines"},
        {"status": "agreed"},
        {"valid_from": "2026-01-01"},
        {"valid_from": "0001-01-01T00:00:00Z"},
        {"valid_from": "9999-12-30T00:00:00Z", "valid_until": "9999-12-31T00:00:00Z"},
        {"valid_until": "9999-12-31T23:59:59+00:00"},
    ],
)
def test_what_no_agreement_can_give_is_refused(clients, wrong):
    assert clients("officer").post("/v1/agreements", json={**TERMS, **wrong}).status_code == 422


def test_a_machine_sees_its_own_agreements_and_endpoints_and_no_others(clients):
    own, foreign = agree(clients), agree(clients, number="2026-18", client_id="other")
    mine = connect(clients, own)

    assert [item["number"] for item in clients("hub").get("/v1/agreements").json()["items"]] == ["2026-17"]
    strange = clients("hub").get(f"/v1/agreements/{foreign}")
    absent = clients("hub").get(f"/v1/agreements/{UUID(int=1)}")
    assert (strange.status_code, strange.content) == (404, absent.content)
    refused = clients("hub").post(
        "/v1/webhook-endpoints", json={"agreement_id": foreign, "url": "https://hub.example.cn/"}
    )
    assert refused.status_code == 404
    assert clients("other").get(f"/v1/webhook-endpoints/{mine['id']}").status_code == 404
    assert clients("other").get("/v1/webhook-endpoints").json()["items"] == []


def test_an_endpoint_takes_two_persons_and_shows_a_secret_once(clients, notify):
    made = connect(clients, agree(clients), signs_with="v1")
    shown = clients("hub").get(f"/v1/webhook-endpoints/{made['id']}")

    secret = made["key"]["key"]
    assert secret.startswith("whsec_")
    assert secret not in shown.text
    [key] = shown.json()["keys"]
    assert (key["kind"], key["public_key"]) == ("v1", None)
    material = base64.b64decode(secret.removeprefix("whsec_"))
    [(sealed,)] = notify.ask("SELECT sealed FROM webhook_key")
    assert material not in bytes(sealed)
    assert not [row for row in notify.ask("SELECT details::text FROM audit_record") if secret[6:20] in str(row[0])]


def test_rotating_needs_the_second_factor_of_a_person_and_gives_a_new_key(clients):
    made = connect(clients, agree(clients))
    path = f"/v1/webhook-endpoints/{made['id']}/keys"

    assert clients("tired").post(path, json={"kind": "v1a"}).status_code == 403
    rotated = clients("hub").post(path, json={"kind": "v1a", "overlap_hours": 1})
    assert rotated.status_code == 201
    assert rotated.json()["key"].startswith("whpk_")
    assert clients("officer").post(path, json={"kind": "v1"}).json()["key"].startswith("whsec_")
    keys = clients("hub").get(f"/v1/webhook-endpoints/{made['id']}").json()["keys"]
    assert [(key["kind"], key["retires_at"] is None) for key in keys] == [("v1", True), ("v1a", True), ("v1a", False)]
    assert clients("hub").post(path, json={"kind": "v1"}).status_code == 201
    full = clients("hub").post(path, json={"kind": "v1"})
    assert (full.status_code, full.json()["title"]) == (409, "too-many-keys")


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example.cn/hook",
        "https://partner.example.cn:8443/hook",
        "https://user@partner.example.cn/hook",
        "https://good.example.cn\\@evil.example.cn/",
        "file:///etc/passwd",
        "https://partner.example.cn/#x",
    ],
)
def test_a_url_that_is_never_called_is_refused_without_being_repeated(clients, url):
    refused = clients("officer").post("/v1/webhook-endpoints", json={"agreement_id": agree(clients), "url": url})

    assert (refused.status_code, refused.json()["title"]) == (422, "unsafe-destination")
    assert url not in refused.text


def test_a_filter_is_changed_for_one_version_only(clients):
    made = connect(clients, agree(clients))
    path = f"/v1/webhook-endpoints/{made['id']}"
    tag = clients("hub").get(path).headers["etag"]
    types = {"event_types": ["cn.lianxin.issue.closed.v1"]}

    changed = clients("hub").patch(path, json=types, headers={"If-Match": tag})
    assert changed.json()["event_types"] == types["event_types"]
    stale = clients("officer").patch(path, json={}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["title"]) == (412, "outdated")
    assert clients("hub").get(path, headers={"If-None-Match": tag}).status_code == 200
    beyond = clients("hub").patch(path, json={"event_types": ["cn.lianxin.rating.submitted.v1"]})
    assert beyond.status_code == 422


def test_an_endpoint_is_paused_resumed_and_removed(clients, notify):
    made = connect(clients, agree(clients))
    path = f"/v1/webhook-endpoints/{made['id']}"
    early = clients("hub").post(f"{path}/pause")
    assert (early.status_code, early.json()["title"]) == (409, "endpoint-step-not-possible")
    notify_now(notify, "UPDATE webhook_endpoint SET status = 'active'")

    assert [clients("hub").post(f"{path}/pause").json()["state"] for _ in range(2)] == ["paused", "paused"]
    assert clients("officer").post(f"{path}/resume").json()["state"] == "active"
    assert [clients("hub").delete(path).json()["state"] for _ in range(2)] == ["removed", "removed"]
    assert clients("hub").post(f"{path}/resume").status_code == 409


def notify_now(notify, statement):
    with transaction(notify.pool) as connection:
        connection.execute(statement.encode())


def test_the_whole_way_over_the_doors(clients, notify, keys_folder):
    """Agreed, connected, verified, delivered, tested, replayed; the reference verifier accepts every one of them."""
    partners = make_partners(notify.pool, keys_folder)
    partners.now = datetime.now(UTC)

    async def story():
        receiver = await Receiver().start()
        made = connect(clients, agree(clients), receiver.url, signs_with="v1")
        path = f"/v1/webhook-endpoints/{made['id']}"
        await partners.push()
        notify.learn((received_issue(1), 1), (signed_issue(1), 2))
        for _ in range(2):
            await partners.push()
        ordered = clients("hub").post(f"{path}/tests").json()
        partners.now += timedelta(minutes=1)  # the door ordered it by its own clock, so it is due now at the latest
        await partners.push()
        again = clients("hub").post(f"{path}/replays", json={"from_position": 1})
        partners.now += timedelta(minutes=1)
        for _ in range(2):
            await partners.push()
        await receiver.stop()
        return receiver, made, ordered, again.json()

    receiver, made, ordered, again = asyncio.run(story())

    assert again == {"count": 2, "last_position": 2}
    kinds = [post.event["type"].split(".")[-2] for post in receiver.posts]
    assert kinds == ["received", "signed", "tested", "received", "signed"]
    ids = [post.headers["webhook-id"] for post in receiver.posts]
    assert ids[:2] == ids[3:]
    for post in receiver.posts:
        Webhook(made["key"]["key"]).verify(post.body.decode(), post.headers)
    path = f"/v1/webhook-endpoints/{made['id']}/deliveries"
    listed = clients("hub").get(path, params={"limit": 3}).json()
    assert [item["kind"] for item in listed["items"]] == ["replay", "replay", "test"]
    rest = clients("hub").get(path, params={"cursor": listed["next_cursor"]}).json()
    assert [item["kind"] for item in rest["items"]] == ["event", "event"]
    one = clients("hub").get(f"{path}/{ordered['delivery_id']}").json()
    assert one["delivery"]["status"] == "delivered"
    assert [attempt["http_status"] for attempt in one["attempts"]] == [204]
    ledger = clients("auditor").get("/v1/disclosures").json()["items"]
    assert [(item["agreement_number"], item["subject"]) for item in ledger] == [
        ("2026-17", f"issue/{UUID(int=1)}"),
        ("2026-17", f"issue/{UUID(int=1)}"),
    ]


@pytest.mark.parametrize(
    "body", [{}, {"from_position": 0}, {"limit": 5}, {"from_at": "yesterday"}, {"from_position": "1"}]
)
def test_a_replay_says_what_of(clients, body):
    made = connect(clients, agree(clients))

    assert clients("hub").post(f"/v1/webhook-endpoints/{made['id']}/replays", json=body).status_code == 422


def test_only_what_failed_is_sent_again_where_that_is_asked(clients, notify, keys_folder):
    partners = make_partners(notify.pool, keys_folder)
    partners.now = datetime.now(UTC)

    async def story():
        receiver = await Receiver().start()
        made = connect(clients, agree(clients), receiver.url)
        await partners.push()
        notify.learn(received_issue(1), received_issue(2))
        await partners.push()
        notify_now(notify, "UPDATE webhook_delivery SET status = 'failed' WHERE position = 2")
        again = clients("hub").post(
            f"/v1/webhook-endpoints/{made['id']}/replays", json={"from_position": 1, "only_failed": True}
        )
        await receiver.stop()
        return again.json()

    assert asyncio.run(story()) == {"count": 1, "last_position": 2}


def test_the_feed_tells_the_same_events_in_order_and_once(clients, notify):
    agree(clients)
    notify.learn(*((received_issue(number), 1) for number in range(1, 6)))

    first = told(clients, limit=3)
    second = told(clients, limit=3, cursor=first["next_cursor"])
    third = told(clients, cursor=second["next_cursor"])
    notify.learn((signed_issue(3), 2))
    fourth = told(clients, cursor=third["next_cursor"])

    assert [(len(page["items"]), page["is_complete"]) for page in (first, second, third, fourth)] == [
        (3, False),
        (2, True),
        (0, True),
        (1, True),
    ]
    ids = [item["id"] for page in (first, second, fourth) for item in page["items"]]
    assert len(set(ids)) == 6
    assert all("citizen_ref" not in item["data"] for item in first["items"])
    assert notify.ask("SELECT count(*), min(via), min(recipient) FROM disclosure") == [(6, "feed", "hub")]
    told(clients)
    assert notify.ask("SELECT count(*) FROM disclosure") == [(6,)]


def test_the_feed_passes_over_what_is_not_for_others(clients, notify):
    agree(clients, event_types=["cn.lianxin.issue.received.v1", "cn.lianxin.issue.signed.v1"])
    notify.learn(
        (received_issue(1, issue_type="complaint"), 1),
        (signed_issue(1), 2),
        (received_issue(2), 1),
        (signed_issue(2), 2),
    )

    assert [item["subject"] for item in told(clients)["items"]] == [f"issue/{UUID(int=2)}"] * 2
    signed = told(clients, type="cn.lianxin.issue.signed.v1")["items"]
    assert [item["type"] for item in signed] == ["cn.lianxin.issue.signed.v1"]
    beyond = clients("hub").get("/v1/events", params={"type": "cn.lianxin.issue.closed.v1"})
    assert (beyond.status_code, beyond.json()["title"]) == (422, "unsound-agreement")


def test_a_cursor_is_of_one_reader_and_is_not_made_up(clients):
    agree(clients)
    agree(clients, number="2026-18", client_id="other")
    cursor = told(clients)["next_cursor"]

    for who, text in (("other", cursor), ("hub", cursor[:-2]), ("hub", "AAAA"), ("hub", cursor + "A")):
        refused = clients(who).get("/v1/events", params={"cursor": text})
        assert (refused.status_code, refused.json()["title"]) == (422, "bad-cursor")


def test_of_several_agreements_the_reader_names_one(clients):
    agree(clients)
    agree(clients, number="2026-18")

    several = clients("hub").get("/v1/events")
    assert (several.status_code, several.json()["title"]) == (409, "several-agreements")
    assert told(clients, agreement="2026-18")["items"] == []
    assert clients("hub").get("/v1/events", params={"agreement": "2026-19"}).status_code == 403


def test_an_ended_agreement_ends_the_feed_at_once(clients):
    agreement_id = agree(clients)
    cursor = told(clients)["next_cursor"]

    ended = clients("officer").post(f"/v1/agreements/{agreement_id}/end", json={"reason": "协议终止"})
    assert ended.json()["status"] == "ended"
    assert clients("hub").get("/v1/events", params={"cursor": cursor}).status_code == 403


def test_the_feed_needs_the_scope_of_the_feed(clients):
    agree(clients)

    assert told(clients, "reader")["items"] == []
    assert clients("reader").get("/v1/webhook-endpoints").status_code == 403
    assert clients("officer").get("/v1/events").status_code == 403


def test_waiting_ends_with_the_first_event(clients, notify):
    """Whoever waits is told as soon as there is something, and no later than they wanted."""
    agree(clients)
    begun = time.monotonic()
    assert told(clients, wait=1)["items"] == []
    waited = time.monotonic() - begun
    notify.learn(received_issue(1))

    assert waited >= 0.9
    assert len(told(clients, wait=15)["items"]) == 1
    assert clients("hub").get("/v1/events", params={"wait": 16}).status_code == 422


def test_the_ledger_is_searched_and_taken_out(clients, notify):
    agreement_id = agree(clients)
    notify.learn(received_issue(1), received_issue(2))
    told(clients)

    def search(**query):
        return clients("auditor").get("/v1/disclosures", params=query).json()["items"]

    assert len(search(agreement_id=agreement_id)) == 2
    assert len(search(subject=f"issue/{UUID(int=2)}")) == 1
    assert search(until_at=(NOW - timedelta(days=1)).isoformat()) == []
    assert clients("tired").get("/v1/disclosure-file").status_code == 403
    file = clients("officer").get("/v1/disclosure-file")
    lines = [orjson.loads(line) for line in file.content.splitlines()]
    assert [line["recipient"] for line in lines] == ["hub", "hub"]
    assert file.headers["content-type"] == "application/x-ndjson"


def test_who_read_the_ledger_is_in_the_audit(clients, notify):
    clients("auditor").get("/v1/disclosures")

    assert notify.ask("SELECT actor FROM audit_record WHERE action = 'disclosure.read'") == [("auditor",)]


def test_the_document_describes_what_receivers_are_sent(clients):
    document = clients("officer").get("/v1/openapi.json").json()

    received = document["webhooks"]["cn.lianxin.issue.received.v1"]["post"]
    assert "application/cloudevents+json" in received["requestBody"]["content"]
    assert not [name for name in document["webhooks"] if "rating" in name or "score" in name]
    assert "citizen_ref" not in document["components"]["schemas"]["IssueReceived"]["properties"]


def test_a_delivery_that_was_sent_fits_the_document(clients, notify, keys_folder):
    partners = make_partners(notify.pool, keys_folder)
    partners.now = datetime.now(UTC)

    async def story():
        receiver = await Receiver(always=lambda _: reply(200, "WebHook-Allowed-Origin: *")).start()
        connect(clients, agree(clients), receiver.url)
        await partners.push()
        notify.learn((received_issue(1), 1), (signed_issue(1), 2))
        for _ in range(2):
            await partners.push()
        await receiver.stop()
        return receiver

    document = clients("officer").get("/v1/openapi.json").json()
    for post in asyncio.run(story()).posts:
        content = document["webhooks"][post.event["type"]]["post"]["requestBody"]["content"]
        schema = {**content["application/cloudevents+json"]["schema"], "components": document["components"]}
        jsonschema.validate(post.event, schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1900-01-01T00:00:00Z"])
def test_instants_far_away_find_nothing_and_break_nothing(clients, notify, instant):
    made = connect(clients, agree(clients))
    notify_now(notify, "UPDATE webhook_endpoint SET status = 'active'")

    replayed = clients("hub").post(f"/v1/webhook-endpoints/{made['id']}/replays", json={"from_at": instant})
    assert replayed.status_code in {202, 422}
    searched = clients("auditor").get("/v1/disclosures", params={"from_at": instant, "until_at": instant})
    assert searched.status_code in {200, 422}
