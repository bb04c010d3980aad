"""SMS and group robots against HTTP servers that answer as those do: codes in a 200, lost replies, drips, redirects."""

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest

from services.notify.channels.groups import DingTalk, GroupChannel, WeCom
from services.notify.channels.robots import Robot
from services.notify.channels.sms import SmsChannel
from services.notify.handlers.delivering import DeliveryRules
from shared.gateways.described import Gateway
from shared.gateways.files import load_file
from tests.integration.notify.gateways import Asked, GatewayServer, Reply, says, serving

pytestmark = pytest.mark.integration

PHONE = "13800000001"
KEY, SECRET = "a-key-of-a-robot-0001", "SEC-of-a-robot-00000001"
CLOCK = 1_743_469_200.5
GATEWAY = """
url = "{url}/send"
header_file = "{header}"
[fields]
mobile = "{{phone}}"
content = "{{text}}"
options = {{ sequence = "{{reference}}" }}
[answer]
code = "/code"
accepted = ["0"]
refused = ["15"]
reference = "/id"
"""


@pytest.fixture
def server():
    with serving(GatewayServer()) as running:
        yield running


@pytest.fixture
def sms(notify, server, tmp_path):
    header, file = tmp_path / "header", tmp_path / "sms.toml"
    header.write_text("Authorization: Bearer the-token-of-the-gateway\n")
    file.write_text(GATEWAY.format(url=server.url, header=header))
    notify.more_channels["sms"] = SmsChannel(load_file(Gateway, file))
    return notify


def robot(server: GatewayServer, tmp_path, channel: str) -> Robot:
    key, secret = tmp_path / "key", tmp_path / "secret"
    key.write_text(KEY)
    secret.write_text(SECRET)
    return Robot(
        name="town",
        channel=channel,
        organisation_code="town",
        key_file=key,
        secret_file=secret if channel == "dingtalk" else None,
        url=f"{server.url}/robot",
    )


@pytest.fixture
def wecom(notify, server, tmp_path):
    server.answer = lambda _: says({"errcode": 0, "errmsg": "ok"})
    channel = GroupChannel("wecom", WeCom(), {"town": robot(server, tmp_path, "wecom")})
    notify.more_channels["wecom"] = channel
    return notify


@pytest.fixture
def dingtalk(notify, server, tmp_path):
    def answer(asked: Asked) -> Reply:
        """As the platform checks it: the signature is over the time and the secret, with the secret."""
        signed = f"{asked.query['timestamp']}\n{SECRET}".encode()
        right = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        is_right = asked.query["sign"] == right and asked.query["access_token"] == KEY
        return says({"errcode": 0, "errmsg": "ok"} if is_right else {"errcode": 310000, "errmsg": "sign not match"})

    server.answer = answer
    own = {"town": robot(server, tmp_path, "dingtalk")}
    notify.more_channels["dingtalk"] = GroupChannel("dingtalk", DingTalk(), own, clock=lambda: CLOCK)
    return notify


def test_a_message_goes_out_as_the_gateway_wants_it(sms, server):
    delivery = sms.owe("sms", PHONE, text='办理"路灯"：{phone} {reference}')

    sms.deliver()

    [asked] = server.asked
    assert asked.json == {
        "mobile": PHONE,
        "content": '办理"路灯"：{phone} {reference}',
        "options": {"sequence": str(delivery)},
    }
    assert asked.headers["authorization"] == "Bearer the-token-of-the-gateway"
    assert sms.state_of(delivery) == ("sent", 1, None)


def test_a_form_is_written_as_a_form(notify, server, tmp_path):
    file = tmp_path / "sms.toml"
    file.write_text(f'url = "{server.url}/"\nencoding = "form"\nfields = {{ m = "{{phone}}", c = "{{text}}" }}\n')
    notify.more_channels["sms"] = SmsChannel(load_file(Gateway, file))
    delivery = notify.owe("sms", PHONE, text="a&b=c")

    notify.deliver()

    assert server.asked[0].body == b"m=13800000001&c=a%26b%3Dc"
    assert notify.state_of(delivery) == ("sent", 1, None)


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (says({"code": "0", "id": 7}), ("sent", 1, None)),
        (says({"code": 15}), ("failed", 1, "gateway 15")),
        (says({"code": 99}), ("due", 1, "gateway 99")),
        (says([]), ("due", 1, "gateway without a code")),
        ((200, {}, b"\xff not json"), ("due", 1, "gateway without a code")),
        (says({}, status=400), ("failed", 1, "http 400")),
        (says({}, status=401), ("due", 1, "http 401")),
        (says({}, status=503), ("due", 1, "http 503")),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), ("due", 1, "http 302")),
        ((200, {}, b"x" * 70_000), ("due", 1, "connection: the answer is too long")),
        ("lost", ("due", 1, "connection: RemoteProtocolError")),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_kind_of_answer_is_understood(sms, server, reply, state):
    server.script = [reply]
    delivery = sms.owe("sms", PHONE)

    sms.deliver()

    assert sms.state_of(delivery) == state
    assert len(server.asked) == 1


def test_a_repeat_after_a_lost_reply_has_the_same_reference(sms, server):
    server.script = ["lost"]
    delivery = sms.owe("sms", PHONE)

    sms.deliver()
    sms.wait(timedelta(minutes=1))
    sms.deliver()

    assert [asked.json["options"]["sequence"] for asked in server.asked] == [str(delivery)] * 2
    assert sms.ask("SELECT number, outcome, reason FROM delivery_attempt ORDER BY number") == [
        (1, "retry", "connection: RemoteProtocolError"),
        (2, "sent", None),
    ]


def test_a_gateway_that_only_drips_is_cut_off(sms, server):
    server.script = ["drips"]
    delivery = sms.owe("sms", PHONE)
    sms.rules = DeliveryRules(attempts_max=5, batch_seconds=0.4)

    sms.deliver()

    assert sms.state_of(delivery)[:2] == ("due", 1)
    assert "connection: " in str(sms.state_of(delivery)[2])


def test_retry_after_is_honoured(sms, server):
    server.script = [says({}, status=429, **{"Retry-After": "600"})]
    sms.owe("sms", PHONE)

    sms.deliver()

    assert sms.ask("SELECT next_attempt_at FROM delivery WHERE channel = 'sms'") == [(sms.now + timedelta(minutes=10),)]


def test_a_wecom_group_gets_plain_text_in_markdown(wecom, server):
    delivery = wecom.owe("wecom", "town", text="见 [链接](http://x) <@all> *急*" + "长" * 3_000)

    wecom.deliver()

    [asked] = server.asked
    content = asked.json["markdown"]["content"]
    assert (asked.json["msgtype"], asked.query) == ("markdown", {"key": KEY})
    assert content.startswith("**【连心】提醒**\n见 ［链接］（http://x） ＜＠all＞ ＊急＊")
    assert 4_090 < len(content.encode()) <= 4_096
    assert wecom.state_of(delivery) == ("sent", 1, None)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (45009, ("due", 1, "errcode 45009")),
        (93000, ("due", 1, "errcode 93000")),
        (40058, ("failed", 1, "errcode 40058")),
        ("?", ("failed", 1, "errcode ?")),
    ],
)
def test_what_went_wrong_is_read_out_of_a_200(wecom, server, code, state):
    server.script = [says({"errcode": code, "errmsg": "x"})]
    delivery = wecom.owe("wecom", "town")

    wecom.deliver()

    assert wecom.state_of(delivery) == state


def test_dingtalk_accepts_the_signature(dingtalk, server):
    delivery = dingtalk.owe("dingtalk", "town")

    dingtalk.deliver()

    assert dingtalk.state_of(delivery) == ("sent", 1, None)
    assert server.asked[0].query["timestamp"] == "1743469200500"
    assert server.asked[0].json["markdown"]["title"] == "【连心】提醒"


def test_a_group_is_told_twenty_things_a_minute_at_most(wecom, server):
    for _ in range(50):
        wecom.owe("wecom", "town")
    told = []
    for _ in range(60):
        wecom.deliver()
        told.append(len(server.asked))
        wecom.wait(timedelta(seconds=2))

    assert 20 <= told[29] <= 25
    assert told[59] - told[29] <= 20


def test_a_robot_that_is_gone_ends_its_deliveries(wecom):
    delivery = wecom.owe("wecom", "village")

    wecom.deliver()

    assert wecom.state_of(delivery) == ("failed", 1, "no such robot")
