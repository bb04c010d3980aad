"""A gateway that is away for a day, an endpoint that hangs, and what people do about what was given up."""

import time
from datetime import timedelta

import pytest
from httpx2 import Client

from services.notify.api.app import create_notify_app
from services.notify.channels.groups import GroupChannel, WeCom
from services.notify.channels.robots import Robot
from services.notify.channels.sms import SmsChannel
from services.notify.handlers.deliveries import count_open_circuits, measure_channels
from services.notify.handlers.delivering import Chances, DeliveryRules
from services.notify.handlers.dispatching import Dispatcher
from services.notify.settings import NotifySettings
from shared.gateways.described import Gateway
from shared.gateways.files import load_file
from tests.asking import client_at
from tests.fakes import one_of_each_role
from tests.harness.waiting import wait_for
from tests.integration.notify.conftest import Notify
from tests.integration.notify.gateways import GatewayServer, says, serving

pytestmark = pytest.mark.integration

PHONE = "13800000001"


def sms_through(server: GatewayServer, tmp_path, *, per_minute: int = 60) -> SmsChannel:
    file = tmp_path / "sms.toml"
    file.write_text(
        f'url = "{server.url}/"\nper_minute = {per_minute}\ntimeout_seconds = 2\n'
        'fields = { m = "{phone}", c = "{text}", id = "{reference}" }\n'
    )
    return SmsChannel(load_file(Gateway, file))


def robots(server: GatewayServer, tmp_path, *names: str) -> dict[str, Robot]:
    key = tmp_path / "key"
    key.write_text("a-key-of-a-robot-0001")
    return {
        name: Robot(name=name, channel="wecom", organisation_code="town", key_file=key, url=f"{server.url}/{name}")
        for name in names
    }


def minutes(notify: Notify, count: int, *, step: timedelta = timedelta(minutes=1)) -> None:
    for _ in range(count):
        notify.deliver()
        notify.wait(step)


def test_a_gateway_that_is_away_for_a_day_loses_nothing_and_is_not_overrun(notify, tmp_path):
    """Nothing lost, nothing stale sent, no stampede, all there within half an hour of the return."""
    notify.rules = DeliveryRules(attempts_max=200)
    server = GatewayServer()
    with serving(server):
        notify.more_channels["sms"] = sms_through(server, tmp_path)
    stale = [notify.owe("sms", PHONE, text="今天有接访", valid_for=timedelta(hours=12)) for _ in range(5)]
    lasting = [notify.owe("sms", PHONE) for _ in range(100)]

    minutes(notify, 24 * 12, step=timedelta(minutes=5))
    begun = notify.ask("SELECT count(*) FROM delivery_attempt")[0][0]
    with serving(server):
        per_minute = []
        for _ in range(30):
            before = len(server.asked)
            for _ in range(6):
                minutes(notify, 1, step=timedelta(seconds=10))
            per_minute.append(len(server.asked) - before)

    assert {notify.state_of(delivery)[0] for delivery in lasting} == {"sent"}
    assert {notify.state_of(delivery)[0] for delivery in stale} == {"expired"}
    told = [asked.json["id"] for asked in server.asked]
    assert sorted(told) == sorted(str(delivery) for delivery in lasting)
    assert not {"今天有接访"} & {asked.json["c"] for asked in server.asked}
    assert max(per_minute) <= 80  # the pace of the gateway, and one burst
    assert begun <= 24 * 12 + 5  # while it is away somebody tries it now and then, and not everything each time


def test_an_endpoint_that_hangs_holds_nobody_else(notify, tmp_path):
    server = GatewayServer(script=["hangs"], answer=lambda _: says({"errcode": 0}))
    with serving(server):
        own = robots(server, tmp_path, "slow", "swift")
        notify.more_channels |= {"wecom": GroupChannel("wecom", WeCom(), own), "sms": sms_through(server, tmp_path)}
        slow = notify.owe("wecom", "slow")
        dispatcher = Dispatcher(
            notify.pool, notify.channels, notify.rules, Chances(clock=lambda: notify.now, draw=lambda: 1.0)
        )
        [hanging] = dispatcher.sweep()
        assert server.hanging.wait(10)
        swift, phone = notify.owe("wecom", "swift"), notify.owe("sms", PHONE)

        for work in dispatcher.sweep():
            work.result(timeout=10)
        while_slow = hanging.done(), notify.state_of(slow)[0]
        server.released.set()
        dispatcher.close()

    assert while_slow == (False, "claimed")
    assert (notify.state_of(swift)[0], notify.state_of(phone)[0]) == ("sent", "sent")
    assert notify.state_of(slow)[:2] == ("due", 1)


def test_a_message_that_hangs_holds_up_its_own_hand_alone(notify, tmp_path):
    server = GatewayServer(script=["hangs"])
    with serving(server):
        notify.more_channels["sms"] = sms_through(server, tmp_path, per_minute=6_000)
        owed = [notify.owe("sms", PHONE) for _ in range(12)]
        dispatcher = Dispatcher(
            notify.pool, notify.channels, notify.rules, Chances(clock=lambda: notify.now, draw=lambda: 1.0)
        )
        [hanging] = dispatcher.sweep()
        assert server.hanging.wait(10)

        dispatcher.sweep()
        # All but the share of the hand that hangs.
        wait_for(lambda: [notify.state_of(delivery)[0] for delivery in owed].count("sent") == 8, "two hands' shares")
        is_hanging = not hanging.done()
        server.released.set()
        hanging.result(timeout=20)
        dispatcher.close()

    assert is_hanging


def test_two_workers_never_have_more_under_way_than_the_channel_allows(notify, tmp_path):
    server = GatewayServer(answer=lambda _: says({"errcode": 0}))
    with serving(server):
        notify.more_channels["wecom"] = GroupChannel("wecom", WeCom(), robots(server, tmp_path, "town"))
        for _ in range(12):
            notify.owe("wecom", "town")
        dispatchers = [
            Dispatcher(notify.pool, notify.channels, notify.rules, Chances(clock=lambda: notify.now, draw=lambda: 1.0))
            for _ in range(2)
        ]
        for work in [work for dispatcher in dispatchers for work in dispatcher.sweep()]:
            work.result(timeout=20)
        for dispatcher in dispatchers:
            dispatcher.close()

    assert len(server.asked) == 5  # the burst of its pace, whoever of both took it


def test_what_waits_for_the_pace_of_its_gateway_waits_for_no_sweep(notify, tmp_path):
    server = GatewayServer()
    with serving(server):
        notify.more_channels["sms"] = sms_through(server, tmp_path, per_minute=6_000)
        for _ in range(60):
            notify.owe("sms", PHONE)
        begun = time.monotonic()
        dispatcher = Dispatcher(
            notify.pool,
            notify.channels,
            notify.rules,
            Chances(clock=lambda: notify.now + timedelta(seconds=time.monotonic() - begun), draw=lambda: 1.0),
        )
        for work in dispatcher.sweep():
            work.result(timeout=60)
        dispatcher.close()

    assert len(server.asked) == 60  # three bursts


def test_a_circuit_opens_and_is_seen_and_closes(notify, tmp_path):
    server = GatewayServer(answer=lambda _: says({}, status=503))
    with serving(server):
        notify.more_channels["sms"] = sms_through(server, tmp_path, per_minute=6_000)
        for _ in range(30):
            notify.owe("sms", PHONE)
        for _ in range(20):
            notify.deliver()
        asked_when_open, open_circuits = len(server.asked), count_open_circuits(notify.pool, now=notify.now)
        waiting = measure_channels(notify.pool)["sms"][0]
        server.answer = lambda _: says({})
        notify.wait(timedelta(minutes=1))
        batches = []
        for _ in range(10):  # a share of four at most
            batches.append(notify.deliver())
            notify.wait(timedelta(seconds=1))

    assert (asked_when_open, open_circuits, waiting) == (5, {"sms": 1}, 30)
    assert batches[:2] == [1, 2]
    assert count_open_circuits(notify.pool, now=notify.now) == {"sms": 0}
    assert {row[0] for row in notify.ask("SELECT status FROM delivery")} == {"sent"}


def client_of(notify: Notify, who: str = "department_officer") -> Client:
    settings = NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
    )
    app = create_notify_app(settings, notify.pool, authenticator=one_of_each_role())
    return client_at(app, headers={"Authorization": f"Bearer {who}"})


def test_what_failed_is_seen_with_its_attempts_and_sent_again_by_hand(notify, tmp_path):
    server = GatewayServer(script=[says({}, status=400)])
    with serving(server):
        notify.more_channels["sms"] = sms_through(server, tmp_path)
        delivery = notify.owe("sms", PHONE)
        notify.deliver()
        officer = client_of(notify)
        [listed] = officer.get("/v1/deliveries?state=failed").json()["items"]
        shown = officer.get(f"/v1/deliveries/{delivery}").json()

        replayed = officer.post(f"/v1/deliveries/{delivery}/replay")
        again = officer.post(f"/v1/deliveries/{delivery}/replay")
        notify.wait(timedelta(days=3000))
        notify.ask("UPDATE delivery SET valid_until = '2100-01-01' RETURNING id")
        notify.deliver()

    assert listed["id"] == str(delivery)
    assert (shown["subject"], shown["text"]) == ("【连心】提醒", "您有一件诉求即将到期。")
    assert [(tried["outcome"], tried["reason"]) for tried in shown["tries"]] == [("failed", "http 400")]
    assert (replayed.status_code, replayed.json()["state"]) == (202, "due")
    assert (again.status_code, again.json()["title"]) == (409, "not-replayable")
    assert [asked.json["id"] for asked in server.asked] == [str(delivery)] * 2
    assert notify.state_of(delivery) == ("sent", 2, None)
    assert notify.ask("SELECT actor, object_id FROM audit_record WHERE action = 'delivery.replay'") == [
        ("the-department_officer", str(delivery))
    ]


def test_a_delivery_that_is_not_there_cannot_be_replayed(notify):
    answer = client_of(notify).post("/v1/deliveries/00000000-0000-0000-0000-000000000001/replay")

    assert (answer.status_code, answer.json()["title"]) == (404, "unknown-delivery")
