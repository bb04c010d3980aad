"""The part of notify's world that other systems see: agreements and endpoints of the unit of each place."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.notify.domain.agreements import Agreement, Terms
from services.notify.domain.audiences import TEST_TYPE
from services.notify.domain.destinations import EgressRules
from services.notify.domain.endpoints import Endpoint, EndpointWish
from services.notify.handlers import agreements, endpoints
from services.notify.handlers.endpoints import EndpointDesk
from services.notify.handlers.webhook_deliveries import order_test
from shared.crypto import CryptoProvider
from shared.database import Pool, transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting
from tests.fakes import machine, person
from tests.matrix.expectations import Place
from tests.matrix.probes import Probe, Shot, everywhere
from tests.matrix.run import Route

PROPOSER, DECIDER = person("department_officer", name="proposer"), person("approver", name="decider")
CLIENT = machine(name="machine_client").person_id.removeprefix("client:")
LISTED = frozenset({200, 201, 202, 204, 409})  # a step that cannot be taken now was let in all the same
URL = "https://partner.example.cn/hook"


class PartnersWorld:
    """`units` are the organisations by place; those of the place `own` are the machine client's as well."""

    def __init__(self, pool: Pool, keys: CryptoProvider, units: Mapping[Place, UUID]) -> None:
        self._pool = pool
        self._desk = EndpointDesk(pool=pool, crypto=keys, rules=EgressRules())
        self._units = units
        self._agreements: dict[tuple[str, Place], UUID] = {}
        self._endpoints: dict[tuple[str, Place], UUID] = {}
        self._deliveries: dict[Place, int] = {}

    def fill(self) -> None:
        with acting(SYSTEM):
            for place in self._units:
                for use in ("standing", "ending", "proposed"):
                    client_id = CLIENT if place == "own" and use == "standing" else None
                    agreement = self._agree(f"{use}-{place}", place, client_id, is_agreed=use != "proposed")
                    self._agreements[use, place] = agreement.id
                for use in ("standing", "removing", "proposed"):
                    endpoint = self._connect(self._agreements["standing", place], is_agreed=use != "proposed")
                    self._endpoints[use, place] = endpoint.id
                self._deliveries[place] = order_test(
                    self._pool,
                    self._endpoints["standing", place],
                    TEST_TYPE,
                    event_id=new_id(),
                    now=datetime.now(UTC),
                )

    def probes(self) -> dict[Route, Probe]:
        numbers = {place: f'"standing-{place}"' for place in self._units}
        standing = {place: f'"{self._endpoints["standing", place]}"' for place in self._units}
        v1 = "/v1/agreements"
        hooks = "/v1/webhook-endpoints"
        one = f"{hooks}/{{endpoint_id}}"
        return {
            ("POST", v1): Probe(action="propose an agreement", aim=self._propose, absent=422),
            ("GET", v1): Probe(action="read agreements", aim=everywhere(Shot(query={"limit": 200})), lists=numbers),
            ("GET", f"{v1}/{{agreement_id}}"): Probe(action="read agreements", aim=self._agreement("standing")),
            ("POST", f"{v1}/{{agreement_id}}/approve"): self._deciding("agreement", None),
            ("POST", f"{v1}/{{agreement_id}}/refuse"): self._deciding("agreement", {"reason": "不同意"}),
            ("POST", f"{v1}/{{agreement_id}}/end"): Probe(
                action="end an agreement", aim=self._agreement("ending", body={"reason": "到期"})
            ),
            ("POST", hooks): Probe(action="propose an endpoint", aim=self._propose_endpoint, fine=LISTED),
            ("GET", hooks): Probe(
                action="look at endpoints", aim=everywhere(Shot(query={"limit": 200})), lists=standing
            ),
            ("GET", one): Probe(action="look at endpoints", aim=self._endpoint("standing")),
            ("PATCH", one): Probe(action="change endpoints", aim=self._endpoint("standing", body={})),
            ("DELETE", one): Probe(action="change endpoints", aim=self._endpoint("removing")),
            ("POST", f"{one}/approve"): self._deciding("endpoint", None),
            ("POST", f"{one}/refuse"): self._deciding("endpoint", {"reason": "不同意"}),
            **{
                ("POST", f"{one}/{step}"): Probe(action="change endpoints", aim=self._endpoint("standing"), fine=LISTED)
                for step in ("verify", "pause", "resume")
            },
            ("POST", f"{one}/keys"): Probe(
                action="change endpoints", aim=self._endpoint("standing", body={"kind": "v1", "overlap_hours": 0})
            ),
            ("POST", f"{one}/tests"): Probe(action="change endpoints", aim=self._endpoint("standing")),
            ("POST", f"{one}/replays"): Probe(
                action="change endpoints", aim=self._endpoint("standing", body={"from_position": 1}), fine=LISTED
            ),
            ("GET", f"{one}/deliveries"): Probe(action="look at endpoints", aim=self._endpoint("standing")),
            ("GET", f"{one}/deliveries/{{delivery_id}}"): Probe(action="look at endpoints", aim=self._delivery),
            ("GET", "/v1/events"): Probe(action="follow events", aim=everywhere(Shot())),
            ("GET", "/v1/disclosures"): Probe(
                action="read the ledger",
                aim=everywhere(Shot()),
                lists={place: f'"to-{place}"' for place in self._units},
            ),
            ("GET", "/v1/disclosure-file"): Probe(
                action="take the ledger out",
                aim=everywhere(Shot()),
                lists={place: f'"to-{place}"' for place in self._units},
            ),
        }

    def tell(self) -> None:
        """Something in the ledger of each place."""
        with acting(SYSTEM), transaction(self._pool) as connection:
            for place in self._units:
                connection.execute(
                    """
                    INSERT INTO disclosure (agreement_id, via, recipient, event_id, at, event_type, subject,
                                            organisation_ids, content)
                    VALUES (%s, 'feed', %s, %s, now(), 'cn.lianxin.issue.received.v1', 'issue/x', '{}', 'ids')
                    """,
                    [self._agreements["standing", place], f"to-{place}", uuid4()],
                )

    def _agree(self, number: str, place: Place, client_id: str | None, *, is_agreed: bool) -> Agreement:
        now = datetime.now(UTC)
        terms = Terms(
            number=number,
            partner="市12345平台",
            client_id=client_id,
            event_types=(),
            organisation_id=self._units[place],
            content="ids",
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=30),
        )
        made = agreements.propose_agreement(self._pool, terms, by=PROPOSER, new_id=new_id(), now=now)
        if not is_agreed:
            return made
        return agreements.decide_agreement(self._pool, made.id, "agreed", by=DECIDER, now=now)

    def _connect(self, agreement_id: UUID, *, is_agreed: bool) -> Endpoint:
        now = datetime.now(UTC)
        wish = EndpointWish(url=URL, signs_with="v1a")
        made, _ = endpoints.propose_endpoint(self._desk, agreement_id, wish, by=PROPOSER, new_id=new_id, now=now)
        if not is_agreed:
            return made
        return endpoints.decide_endpoint(self._pool, made.id, "approve", by=DECIDER, now=now)

    def _propose(self, place: Place) -> Shot | None:
        if place not in self._units and place != "unknown":
            return None
        now = datetime.now(UTC)
        return Shot(
            body={
                "number": f"new-{uuid4()}",
                "partner": "市12345平台",
                "organisation_id": str(self._units.get(place, uuid4())),
                "valid_from": now.isoformat(),
                "valid_until": (now + timedelta(days=9)).isoformat(),
            }
        )

    def _propose_endpoint(self, place: Place) -> Shot | None:
        if place not in self._units and place != "unknown":
            return None
        agreement_id = self._agreements.get(("standing", place), uuid4())
        return Shot(body={"agreement_id": str(agreement_id), "url": f"{URL}/{uuid4()}"})

    def _agreement(self, use: str, *, body: Any = None) -> Callable[[Place], Shot | None]:
        return lambda place: self._aim(self._agreements, "agreement_id", use, place, body)

    def _endpoint(self, use: str, *, body: Any = None) -> Callable[[Place], Shot | None]:
        return lambda place: self._aim(self._endpoints, "endpoint_id", use, place, body)

    def _delivery(self, place: Place) -> Shot | None:
        shot = self._aim(self._endpoints, "endpoint_id", "standing", place, None)
        return shot and Shot(path={**shot.path, "delivery_id": self._deliveries.get(place, 1)})

    def _aim(
        self, known: Mapping[tuple[str, Place], UUID], name: str, use: str, place: Place, body: Any
    ) -> Shot | None:
        if place not in self._units and place != "unknown":
            return None
        return Shot(path={name: known.get((use, place), uuid4())}, body=body)

    def _deciding(self, kind: str, body: Any) -> Probe:
        aim = self._agreement("proposed", body=body) if kind == "agreement" else self._endpoint("proposed", body=body)
        return Probe(action="decide what partners get", aim=aim, fine=LISTED)
