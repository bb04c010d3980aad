"""Messages that no consumer can digest, sown on purpose, and a look at what was set aside."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import pika

from shared.broker.topology import connect
from shared.contracts.envelope import CONTENT_TYPE, encode
from tests.harness.suite import Suite

MOMENT = datetime(2025, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sown:
    """Message ids by where they must end."""

    dead: list[str]
    parked: list[str]


def sow_poison(suite: Suite) -> Sown:
    """Publish as intake itself would, so that only the content is wrong; and once as somebody else."""
    url = suite.urls["LIANXIN_INTAKE_BROKER_URL"]
    bodies = {
        "malformed": b'{"specversion": "1.0", "id":',
        "not-text": b"\xff\xfe\x00",
        "no-envelope": b"[]",
        "deep": b"[" * 20_000 + b"]" * 20_000,
        "wrong-schema": _envelope("cn.lianxin.contact.recorded.v1", {"contact_id": "7"}),
        "naive-time": _envelope(
            "cn.lianxin.issue.responded.v1", {"issue_id": str(uuid.uuid4()), "responded_at": "2025-03-01"}
        ),
    }
    user = suite.names.runtime("intake")
    dead = [_publish(url, user, body) for body in bodies.values()]
    healthy = _envelope(
        "cn.lianxin.issue.responded.v1", {"issue_id": str(uuid.uuid4()), "responded_at": MOMENT.isoformat()}
    )
    dead.append(_publish(suite.deploy_broker_url, None, healthy))
    unknown = _envelope("cn.lianxin.contact.recorded.v9", {"new": 1})
    return Sown(dead=dead, parked=[_publish(url, user, unknown)])


def list_set_aside(suite: Suite, queue: str) -> list[str]:
    """The message ids in a dead-letter or parking queue, which stay there."""
    connection = connect(suite.deploy_broker_url, name="harness")
    try:
        channel = connection.channel()
        found: list[str] = []
        while True:
            method, properties, _ = channel.basic_get(queue)
            if method is None or properties is None:
                return found
            found.append(str(properties.message_id))
    finally:
        connection.close()  # unacknowledged, so that everything goes back


def _publish(url: str, user: str | None, body: bytes) -> str:
    message_id = str(uuid.uuid4())
    connection = connect(url, name="harness")
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE, delivery_mode=2, message_id=message_id, user_id=user, correlation_id="poison"
        )
        channel.basic_publish("evt.intake", "intake.poison.v1", body, properties, mandatory=True)
    finally:
        connection.close()
    return message_id


def _envelope(event_type: str, data: dict[str, object]) -> bytes:
    return encode(
        event_id=uuid.uuid4(),
        event_type=event_type,
        source="/lianxin/intake",
        subject="poison",
        sequence=1,
        recorded_at=MOMENT,
        correlation_id="poison",
        data=data,
    )
