"""Messages that no consumer can digest, sown on purpose, and a look at what was set aside."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import pika

from shared.broker.seals import SEAL_HEADER, Seals
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
    intake = _Sower(url=url, user=suite.names.runtime("intake"), seals=suite.seals("intake"))
    dead = [intake.sow(body) for body in bodies.values()]
    healthy = _envelope(
        "cn.lianxin.issue.responded.v1", {"issue_id": str(uuid.uuid4()), "responded_at": MOMENT.isoformat()}
    )
    dead.append(_Sower(url=suite.deploy_broker_url, user=None, seals=suite.seals("intake")).sow(healthy))
    dead.append(_Sower(url=url, user=suite.names.runtime("intake"), seals=None).sow(healthy))
    dead.append(_Sower(url=url, user=suite.names.runtime("intake"), seals=suite.seals("assessment")).sow(healthy))
    unknown = _envelope("cn.lianxin.contact.recorded.v9", {"new": 1})
    return Sown(dead=dead, parked=[intake.sow(unknown)])


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sower:
    """Publishes as one account, with the seals of one service or with none."""

    url: str
    user: str | None
    seals: Seals | None

    def sow(self, body: bytes) -> str:
        message_id = str(uuid.uuid4())
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=2,
            message_id=message_id,
            type="poison",
            user_id=self.user,
            correlation_id="poison",
        )
        if self.seals is not None:
            seal = self.seals.seal(message_id=message_id, message_type="poison", content_type=CONTENT_TYPE, body=body)
            properties.headers = {SEAL_HEADER: seal}
        connection = connect(self.url, name="harness")
        try:
            channel = connection.channel()
            channel.confirm_delivery()
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
