"""What a gateway tells afterwards: proved, in any order, more than once, and before its own answer was heard."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from services.notify.api.app import create_notify_app
from services.notify.channels.sms import SmsChannel
from services.notify.settings import NotifySettings
from shared.gateways.described import Gateway
from shared.gateways.files import load_file
from tests.asking import client_at
from tests.fakes import one_of_each_role
from tests.integration.notify.gateways import GatewayServer, says, serving

pytestmark = pytest.mark.integration

REPORTED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # a gateway's clock is about ours
SECRET = b"a-secret-shared-with-the-gateway"
FILE = """
url = "{url}/send"
fields = {{ m = "{{phone}}", c = "{{text}}", id = "{{reference}}" }}
answer = {{ reference = "/id" }}
[receipt]
secret_file = "{secret}"
items = "/reports"
reference = "/sid"
state = "/status"
delivered = ["DELIVRD"]
undelivered = ["UNDELIV", "EXPIRED"]
at = "/time"
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    return tmp_path / "sms.toml"


@pytest.fixture
def told(notify, file):
    """A delivery that the gateway took, and called 4711."""
    with serving(GatewayServer(answer=lambda _: says({"id": 4711}))) as server:
        file.write_text(FILE.format(url=server.url, secret=file.parent / "secret"))
        notify.more_channels["sms"] = SmsChannel(load_file(Gateway, file))
        notify.delivery = notify.owe("sms", "13800000001")
        notify.deliver()
    return notify


@pytest.fixture
def post(told, file):
    settings = NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
        sms_gateway=file,
    )
    client = client_at(create_notify_app(settings, told.pool, authenticator=one_of_each_role()))

    def send(*reports, secret=SECRET, body=None):
        content = orjson.dumps({"reports": reports}) if body is None else body
        signature = hmac.new(secret, content, hashlib.sha256).hexdigest()
        headers = {"X-Signature": f"sha256={signature}", "Content-Type": "application/json"}
        return client.post("/v1/receipts/sms", content=content, headers=headers)

    return send


def report(reference: object, status: str = "DELIVRD", *, minutes: int = 0) -> dict[str, object]:
    return {"sid": str(reference), "status": status, "time": (REPORTED + timedelta(minutes=minutes)).isoformat()}


def receipt(notify):
    return notify.ask("SELECT status, receipt, receipt_at FROM delivery")[0]


def test_a_receipt_is_known_by_our_reference_or_by_the_gateways(told, post):
    first = post(report(told.delivery))
    second = post(report(4711, minutes=1))

    assert (first.json(), second.json()) == ({"taken": 1}, {"taken": 1})
    assert receipt(told) == ("sent", "delivered", REPORTED + timedelta(minutes=1))


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "the other way round"])
def test_what_was_reported_last_holds_however_it_comes(told, post, turn):
    for told_now in [report(4711), report(4711, "UNDELIV", minutes=5)][::turn]:
        post(told_now)

    assert receipt(told) == ("sent", "undelivered", REPORTED + timedelta(minutes=5))


def test_of_two_of_one_instant_the_bad_news_holds(told, post):
    post(report(4711, "EXPIRED"), report(4711))

    assert receipt(told)[1] == "undelivered"


def test_a_repeat_changes_nothing(told, post):
    assert [post(report(4711)).json()["taken"] for _ in range(3)] == [1, 0, 0]
    assert told.ask("SELECT count(*) FROM delivery_receipt") == [(1,)]


def test_a_receipt_may_come_before_the_gateways_own_answer(told, post):
    told.ask("UPDATE delivery SET status = 'due', settled_at = NULL, reference = NULL RETURNING id")

    post(report(told.delivery))

    assert receipt(told)[:2] == ("sent", "delivered")


def test_what_was_not_delivered_can_be_sent_again(told, post):
    post(report(4711, "UNDELIV"))
    app_officer = client_at(
        create_notify_app(
            NotifySettings(
                mode="test",
                database_url="postgresql://somebody:a-long-password-1234@localhost/x",
                broker_url="amqp://somebody:another-password-5678@localhost/x",
            ),
            told.pool,
            authenticator=one_of_each_role(),
        ),
        headers={"Authorization": "Bearer department_officer"},
    )

    assert app_officer.post(f"/v1/deliveries/{told.delivery}/replay").json()["state"] == "due"


def test_an_unproved_receipt_is_refused(told, post):
    for answer in (post(report(4711), secret=b"another secret"), post(body=b"{}", secret=b"")):
        assert answer.status_code == 401
    assert receipt(told)[1] is None


@pytest.mark.parametrize(
    "reports", [[], ["x"], [{"sid": 1}], [{"status": "DELIVRD"}], [{"sid": "a\0b", "status": "DELIVRD"}]]
)
def test_what_is_no_receipt_is_refused(told, post, reports):
    assert post(*reports).status_code in {400, 422}
    assert receipt(told)[1] is None


def test_a_receipt_of_nothing_is_unknown_and_one_that_says_nothing_is_no_fault(post):
    assert post(report(UUID(int=1))).status_code == 404
    assert post(report(4711, "ENROUTE")).json() == {"taken": 0}


def test_an_absurd_time_is_the_time_of_hearing(told, post):
    post({"sid": "4711", "status": "DELIVRD", "time": "9999-01-01T00:00:00Z"})

    assert receipt(told)[2] > REPORTED
    assert receipt(told)[2].year < 9999


def test_without_a_gateway_there_are_no_receipts(notify):
    settings = NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
    )
    client = client_at(create_notify_app(settings, notify.pool, authenticator=one_of_each_role()))

    assert client.post("/v1/receipts/sms", json={}).status_code == 404
