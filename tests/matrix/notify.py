"""Notify's world: a subscription to the unit of each place, with a message in its inbox; and a probe for each route."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

from services.notify.api.app import create_notify_app
from services.notify.domain.subscriptions import Wish
from services.notify.handlers.subscriptions import put_subscription
from services.notify.settings import NotifySettings
from shared.access.principal import Authenticator
from shared.crypto import CryptoProvider
from shared.database import Pool, transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting
from tests.matrix.expectations import Place
from tests.matrix.partners import PartnersWorld
from tests.matrix.places import TREE
from tests.matrix.probes import Probe, Shot, everywhere
from tests.matrix.retention import RETENTION
from tests.matrix.run import Route

UNITS: Mapping[Place, str] = {
    "own": "330100101",
    "below": "330100101201",
    "beside": "330100102",
    "above": "330100",
    "elsewhere": "440100101",
}


def _own(path: Mapping[str, object] | None = None, body: object = None, *, fine: int = 200) -> Probe:
    shot = Shot(path=path or {}, body=body)
    return Probe(action="keep one's own account", aim=everywhere(shot), fine=frozenset({fine}))


OWN: Mapping[Route, Probe] = {
    ("GET", "/v1/own/settings"): _own(),
    ("PUT", "/v1/own/settings"): _own(body={}),
    ("GET", "/v1/own/messages"): _own(),
    ("POST", "/v1/own/messages/{message_id}/read"): _own({"message_id": uuid4()}, fine=404),  # nobody has it
    ("POST", "/v1/own/messages/read"): _own(body={"through": 1}),
    ("GET", "/v1/own/stream"): _own(),
}


def _unit_of(place: Place, body: object = None) -> Shot | None:
    if place not in UNITS and place != "unknown":
        return None
    return Shot(path={"code": UNITS.get(place, "999999")}, body=body)


TOPIC: Mapping[str, object] = {"topic": "escalated", "language": "zh", "version": 0}
WORDING = {"subject": "提级", "text": "{{ issue }}"}


class NotifyWorld:
    def __init__(self, pool: Pool, authenticator: Authenticator, keys: CryptoProvider) -> None:
        settings = NotifySettings(
            mode="test",
            database_url="postgresql://somebody:a-long-password-1234@localhost/x",
            broker_url="amqp://somebody:another-password-5678@localhost/x",
            smtp_url="smtp://127.0.0.1:25",
            stream_seconds=0.1,
            stream_poll_seconds=0.05,
        )
        self._pool = pool
        self._ids = {code: new_id() for code, _ in TREE}
        self._messages: Mapping[Place, UUID] = {place: new_id() for place in UNITS}
        self._deliveries: Mapping[Place, UUID] = {place: new_id() for place in UNITS}
        self.app = create_notify_app(settings, pool, authenticator=authenticator, keys=keys)
        self._partners = PartnersWorld(pool, keys, {place: self._ids[code] for place, code in UNITS.items()})

    def fill(self) -> None:
        with acting(SYSTEM), transaction(self._pool) as connection:
            paths: dict[str, list[object]] = {}
            for code, parent in TREE:
                paths[code] = [*(paths[parent] if parent else []), self._ids[code]]
                connection.execute(
                    "INSERT INTO organisation (id, code, path, change) VALUES (%s, %s, %s, 1)",
                    [self._ids[code], code, paths[code]],
                )
        with acting(SYSTEM):
            for place, code in UNITS.items():
                wish = Wish(
                    name=f"to-{place}",
                    recipient_name="组织部",
                    email=None,
                    organisation_id=self._ids[code],
                    language="zh",
                    channels=("inbox",),
                )
                subscription, _ = put_subscription(self._pool, wish, expected=None, new_id=new_id())
                self._put_message(subscription.id, self._messages[place], self._deliveries[place])
        self._partners.fill()
        self._partners.tell()

    def _put_message(self, subscription_id: UUID, message_id: UUID, delivery_id: UUID) -> None:
        digest_id = new_id()
        with transaction(self._pool) as connection:
            connection.execute(
                """
                INSERT INTO digest (id, subscription_id, composed_at, seen_through, score_count, language, subject,
                                    text_body, html_body, correlation_id)
                VALUES (%s, %s, %s, 1, 1, 'zh', '得分', '得分', '得分', 'a-test')
                """,
                [digest_id, subscription_id, datetime.now(UTC)],
            )
            connection.execute(
                "INSERT INTO message (id, subscription_id, digest_id) VALUES (%s, %s, %s)",
                [message_id, subscription_id, digest_id],
            )
            connection.execute(
                """
                INSERT INTO delivery (id, digest_id, channel, endpoint, recipient_name, address, message_id, status,
                                      next_attempt_at, valid_until, created_at, settled_at)
                VALUES (%s, %s, 'email', 'email', '组织部', 'a@example.org', %s, 'failed', now(), now(), now(), now())
                """,
                [delivery_id, digest_id, f"<{delivery_id}@example.org>"],
            )

    def probes(self) -> dict[Route, Probe]:
        shown: Mapping[Place, str] = {place: f'"to-{place}"' for place in UNITS}
        return {
            ("GET", "/v1/openapi.json"): Probe(action="describe the interface", aim=everywhere(Shot())),
            **RETENTION,
            **self._partners.probes(),
            ("GET", "/v1/audit-records"): Probe(action="read the audit", aim=everywhere(Shot())),
            ("PUT", "/v1/subscriptions/{name}"): Probe(action="put a subscription", aim=self._subscribe, absent=422),
            ("GET", "/v1/subscriptions"): Probe(action="list subscriptions", aim=everywhere(Shot()), lists=shown),
            ("GET", "/v1/inbox/{subscription}/messages"): Probe(
                action="read messages", aim=lambda place: self._inbox(place)
            ),
            ("POST", "/v1/inbox/{subscription}/messages/{message_id}/read"): Probe(
                action="mark a message as read", aim=self._message
            ),
            **OWN,
            ("GET", "/v1/templates"): Probe(action="read wordings", aim=everywhere(Shot())),
            ("GET", "/v1/templates/{topic}"): Probe(action="read wordings", aim=everywhere(Shot(path=TOPIC))),
            ("POST", "/v1/templates/{topic}/{language}/preview"): Probe(
                action="try a wording", aim=everywhere(Shot(path=TOPIC, body=WORDING))
            ),
            ("POST", "/v1/templates/{topic}/{language}"): Probe(
                action="write a wording", aim=everywhere(Shot(path=TOPIC, body=WORDING))
            ),
            ("POST", "/v1/templates/{topic}/{language}/{version}/activate"): Probe(
                action="put a wording into force", aim=everywhere(Shot(path=TOPIC))
            ),
            ("GET", "/v1/rules"): Probe(action="describe the interface", aim=everywhere(Shot())),
            ("GET", "/v1/organisations/{code}/preferences"): Probe(action="read a unit's preferences", aim=_unit_of),
            ("PUT", "/v1/organisations/{code}/preferences"): Probe(
                action="set a unit's preferences", aim=lambda place: _unit_of(place, body={"rules": {}})
            ),
            ("GET", "/v1/deliveries"): Probe(action="look at deliveries", aim=everywhere(Shot())),
            ("POST", "/v1/receipts/sms"): Probe(
                action="look at what is public",  # who proves to be the gateway has no role
                aim=everywhere(Shot(body={})),
                fine=frozenset({404}),
                is_open=True,
            ),
            ("GET", "/v1/deliveries/{delivery_id}"): Probe(action="inspect a delivery", aim=self._delivery),
            ("POST", "/v1/deliveries/{delivery_id}/replay"): Probe(action="send a delivery again", aim=self._delivery),
        }

    def _delivery(self, place: Place) -> Shot | None:
        if place not in UNITS and place != "unknown":
            return None
        return Shot(path={"delivery_id": self._deliveries.get(place, uuid4())})

    def _subscribe(self, place: Place) -> Shot | None:
        if place not in UNITS and place != "unknown":
            return None
        unit = self._ids[UNITS[place]] if place in UNITS else uuid4()
        return Shot(path={"name": f"wish-{place}"}, body={"recipient_name": "组织部", "organisation_id": str(unit)})

    def _inbox(self, place: Place) -> Shot | None:
        return Shot(path={"subscription": f"to-{place}"}) if place in UNITS or place == "unknown" else None

    def _message(self, place: Place) -> Shot | None:
        found = self._inbox(place)
        if found is None:
            return None
        return Shot(path={**found.path, "message_id": self._messages.get(place, uuid4())})
