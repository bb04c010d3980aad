"""Assessment's world: a scored and published year of one cadre in each place; and a probe for each route."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from services.assessment.api.app import create_api
from services.assessment.handlers.closings import ClosingRule, close_months
from services.assessment.handlers.corrections import record_corrections
from services.assessment.handlers.fair import look, read_fair_settings, read_settings_text
from services.assessment.handlers.fair_closings import FairClosing, close_fair
from services.assessment.handlers.fair_corrections import correct_fair
from services.assessment.handlers.place_scores import score_places
from services.assessment.handlers.schemes import load_schemes
from services.assessment.settings import AssessmentSettings
from services.assessment.storage.signals import put_signals
from shared.access.principal import Authenticator
from shared.database import Pool, transaction
from tests.integration.assessment.conftest import HOME, NOW, ZONE, score_all, take
from tests.integration.assessment.story import Story
from tests.integration.assessment.test_place_scores import adopt
from tests.matrix.expectations import Place
from tests.matrix.places import CADRES, CODES, ORGANISATIONS, REAL, TREE, staff_number
from tests.matrix.probes import Probe, Shot, everywhere
from tests.matrix.retention import RETENTION
from tests.matrix.run import Route

RULE = ClosingRule(raters_needed=10, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
CLOSING = FairClosing(settings=read_fair_settings(), settings_text=read_settings_text(), region_level="50", zone=ZONE)
OCTOBER = {"period": "2025-10"}
THEN = OCTOBER | {"on": "2025-12-31"}
SIGNALS = {place: uuid5(NAMESPACE_URL, f"signal/{place}") for place in CODES}


class AssessmentWorld:
    def __init__(self, pool: Pool, authenticator: Authenticator) -> None:
        settings = AssessmentSettings(
            mode="test",
            database_url="postgresql://somebody:a-long-password-1234@localhost/x",
            broker_url="amqp://somebody:another-password-5678@localhost/x",
        )
        self._pool = pool
        self.app = create_api(settings, pool, authenticator=authenticator)

    def fill(self) -> None:
        load_schemes(self._pool, (HOME / "schemes").glob("*.toml"), indicators_file=HOME / "indicators.toml", now=NOW)
        story = Story()
        units: dict[str, UUID] = {}
        cadres: list[UUID] = []
        for code, parent in TREE:
            units[code] = story.organisation(code, units[parent] if parent else None)
        for place in REAL:
            cadre = story.cadre(staff_number(place))
            cadres.append(cadre)
            story.post(cadre, units[CODES[place]])
            story.contact(cadre, datetime(2025, 10, 3, 2, tzinfo=UTC))
            for _ in range(4):
                issue = story.issue(
                    units[CODES[place]],
                    cadre,
                    datetime(2025, 10, 4, 2, tzinfo=UTC),
                    due_at=datetime(2025, 10, 20, tzinfo=UTC),
                )
                story.close(issue, datetime(2025, 10, 8, 2, tzinfo=UTC))
        story.duty()
        take(self._pool, story.take())
        score_all(self._pool)
        close_months(self._pool, rule=RULE, now=datetime(2025, 10, 25, tzinfo=UTC))  # the first call starts the clock
        for kind in ("cadre", "organisation"):
            adopt(self._pool, f"for-{kind}s", f'subjects = "{kind}"\nfrom = 2025-01-01')
        close_months(self._pool, rule=RULE, now=NOW)
        score_places(self._pool, now=NOW)
        close_fair(self._pool, CLOSING, now=NOW)
        for cadre in cadres:  # told late
            story.contact(cadre, datetime(2025, 10, 5, 2, tzinfo=UTC))
        take(self._pool, story.take())
        score_all(self._pool)
        record_corrections(self._pool, zone=ZONE, now=NOW)
        correct_fair(self._pool, region_level="50", zone=ZONE, now=NOW)
        look(self._pool, read_fair_settings(), region_level="50", zone=ZONE, now=NOW)
        self._doubt(dict(zip(REAL, cadres, strict=True)), units)

    def _doubt(self, cadres: Mapping[Place, UUID], units: Mapping[str, UUID]) -> None:
        """One signal about each cadre, as a look would note it."""
        rows = [
            {
                "signal_id": SIGNALS[place],
                "cadre_id": cadre,
                "staff_number": staff_number(place),
                "organisation_id": units[CODES[place]],
                "check_name": "empty_replies",
                "starts_on": "2025-01-01",
                "ends_on": "2025-12-31",
                "odds": 0,
                "evidence": {"answered": 4, "empty": 3, "share": 75},
                "record_ids": [],
                "found_at": NOW,
            }
            for place, cadre in cadres.items()
        ]
        with transaction(self._pool) as connection:
            put_signals(connection, rows)

    def probes(self) -> dict[Route, Probe]:
        return {
            ("GET", "/v1/openapi.json"): Probe(action="describe the interface", aim=everywhere(Shot())),
            **RETENTION,
            ("GET", "/v1/audit-records"): Probe(action="read the audit", aim=everywhere(Shot())),
            ("GET", "/v1/periods"): Probe(action="read the periods", aim=everywhere(Shot())),
            ("GET", "/v1/scores"): Probe(
                action="list scores", aim=everywhere(Shot(query={"subject": "cadre"} | OCTOBER)), lists=CADRES
            ),
            ("GET", "/v1/scores/{kind}/{code}"): Probe(action="read a score", aim=lambda place: _of_cadre(place)),
            ("GET", "/v1/scores/{kind}/{code}/indicators/{indicator}/events"): Probe(
                action="read a score", aim=lambda place: _of_cadre(place, indicator="resolution_rate")
            ),
            ("GET", "/v1/fair-scores"): Probe(action="list scores", aim=everywhere(Shot()), lists=CADRES),
            ("GET", "/v1/fair-scores/{staff_number}/explanation"): Probe(
                action="read a score",
                aim=lambda place: Shot(path={"staff_number": staff_number(place)}) if place in CODES else None,
            ),
            ("GET", "/v1/fair-scores/{staff_number}/change"): Probe(
                action="read a score",
                aim=lambda place: (
                    Shot(path={"staff_number": staff_number(place)}, query={"since": "2025-10"})
                    if place in CODES
                    else None
                ),
            ),
            ("GET", "/v1/fair-scores/{staff_number}"): Probe(action="read a score", aim=lambda place: _of_fair(place)),
            ("GET", "/v1/fair-scores/{staff_number}/as-of"): Probe(
                action="read a score", aim=lambda place: _of_fair(place, query=OCTOBER | {"on": "2199-01-01"})
            ),
            ("GET", "/v1/fair-comparisons"): Probe(
                action="read a score",
                aim=lambda place: Shot(query={"cadres": staff_number(place)}) if place in CODES else None,
            ),
            ("GET", "/v1/fair-scores/{staff_number}/history"): Probe(
                action="read a score", aim=lambda place: _of_fair(place)
            ),
            ("GET", "/v1/fair-scores/export"): Probe(action="export scores", aim=everywhere(Shot(query=OCTOBER))),
            ("GET", "/v1/fair-organisations/{code}"): Probe(
                action="read a score",
                aim=lambda place: Shot(path={"code": CODES[place]}, query=OCTOBER) if place in CODES else None,
            ),
            ("GET", "/v1/fair-corrections"): Probe(
                action="list scores", aim=everywhere(Shot(query=OCTOBER)), lists=CADRES
            ),
            ("GET", "/v1/fair-periods/{period}/replay"): Probe(
                action="replay a period", aim=everywhere(Shot(path={"period": "2025-10"}))
            ),
            ("GET", "/v1/fair-periods/{period}/package"): Probe(
                action="replay a period", aim=everywhere(Shot(path={"period": "2025-10"}))
            ),
            ("GET", "/v1/signals"): Probe(action="list signals", aim=everywhere(Shot()), lists=CADRES),
            ("GET", "/v1/signal-counts"): Probe(action="list signals", aim=everywhere(Shot())),
            ("GET", "/v1/signals/{signal_id}"): Probe(action="read a signal", aim=lambda place: _of_signal(place)),
            ("GET", "/v1/signals/{signal_id}/records"): Probe(
                action="read a signal", aim=lambda place: _of_signal(place)
            ),
            ("POST", "/v1/signals/{signal_id}/decision"): Probe(
                action="decide on a signal",
                aim=lambda place: _of_signal(place, body={"verdict": "cleared", "grounds": "local_custom"}),
                fine=frozenset({200, 409}),  # somebody else was first
            ),
            ("GET", "/v1/schemes"): Probe(action="read the schemes", aim=everywhere(Shot())),
            ("GET", "/v1/schemes/{name}/{version}"): Probe(
                action="read the schemes", aim=everywhere(Shot(path={"name": "basic", "version": 1}))
            ),
            ("GET", "/v1/closed-periods"): Probe(action="read the schemes", aim=everywhere(Shot())),
            ("GET", "/v1/custom-periods"): Probe(action="read the schemes", aim=everywhere(Shot())),
            ("PUT", "/v1/custom-periods/{period}"): Probe(
                action="ask for a period", aim=everywhere(Shot(path={"period": "2025-03-05..2025-05-20"}))
            ),
            ("GET", "/v1/closed-periods/{period}/replay"): Probe(
                action="replay a period", aim=everywhere(Shot(path={"period": "2025-10"}))
            ),
            ("GET", "/v1/closed-periods/{period}/package"): Probe(
                action="replay a period", aim=everywhere(Shot(path={"period": "2025-10"}))
            ),
            ("GET", "/v1/place-periods/{period}/replay"): Probe(
                action="replay a period", aim=everywhere(Shot(path={"period": "2025-10"}))
            ),
            ("GET", "/v1/place-periods/{period}/package"): Probe(
                action="replay a period", aim=everywhere(Shot(path={"period": "2025-10"}))
            ),
            ("GET", "/v1/published/scores/cadre/{code}/package"): Probe(
                action="read a published cadre",
                aim=lambda place: Shot(path={"code": staff_number(place)}, query=OCTOBER) if place in CODES else None,
            ),
            ("GET", "/v1/published/scores/organisation/{code}/package"): Probe(
                action="read a published unit",
                aim=lambda place: Shot(path={"code": CODES[place]}, query=OCTOBER) if place in CODES else None,
            ),
            **RULE_SCHEMES,
            ("GET", "/v1/published/place-scores/cadre"): Probe(
                action="list published cadres", aim=everywhere(Shot(query=OCTOBER)), lists=CADRES
            ),
            ("GET", "/v1/published/place-scores/cadre/{code}"): Probe(
                action="read a published cadre",
                aim=lambda place: Shot(path={"code": staff_number(place)}, query=OCTOBER) if place in CODES else None,
            ),
            ("GET", "/v1/published/place-scores/organisation"): Probe(
                action="list published units", aim=everywhere(Shot(query=OCTOBER)), lists=ORGANISATIONS
            ),
            ("GET", "/v1/published/place-scores/organisation/{code}"): Probe(
                action="read a published unit",
                aim=lambda place: Shot(path={"code": CODES[place]}, query=OCTOBER) if place in CODES else None,
            ),
            ("GET", "/v1/published/corrections/cadre"): Probe(
                action="list published cadres", aim=everywhere(Shot()), lists=CADRES
            ),
            ("GET", "/v1/published/corrections/organisation"): Probe(
                action="list published units", aim=everywhere(Shot()), lists=ORGANISATIONS
            ),
            ("GET", "/v1/scores/export"): Probe(
                action="export scores", aim=everywhere(Shot(query={"subject": "cadre"} | OCTOBER))
            ),
            ("GET", "/v1/scores/{kind}/{code}/history"): Probe(
                action="read a score",
                aim=lambda place: Shot(path={"kind": "cadre", "code": staff_number(place)}) if place in CODES else None,
            ),
            ("GET", "/v1/comparisons"): Probe(
                action="read a score",
                aim=lambda place: Shot(query=OCTOBER | {"cadres": staff_number(place)}) if place in CODES else None,
            ),
            ("GET", "/v1/spreads/{code}"): Probe(
                action="read a score",
                aim=lambda place: Shot(path={"code": CODES[place]}, query=OCTOBER) if place in CODES else None,
            ),
            ("GET", "/v1/published/scores/cadre/{code}/as-of"): Probe(
                action="read a published cadre",
                aim=lambda place: Shot(path={"code": staff_number(place)}, query=THEN) if place in CODES else None,
            ),
            ("GET", "/v1/published/scores/organisation/{code}/as-of"): Probe(
                action="read a published unit",
                aim=lambda place: Shot(path={"code": CODES[place]}, query=THEN) if place in CODES else None,
            ),
            ("GET", "/v1/indicators"): Probe(action="read the schemes", aim=everywhere(Shot())),
            ("GET", "/v1/figures/{kind}/{code}"): Probe(action="read a score", aim=lambda place: _of_cadre(place)),
            ("GET", "/v1/published/periods"): Probe(action="read the schemes", aim=everywhere(Shot())),
            ("GET", "/v1/published/scores/cadre"): Probe(
                action="list published cadres", aim=everywhere(Shot(query=OCTOBER)), lists=CADRES
            ),
            ("GET", "/v1/published/scores/cadre/{code}"): Probe(
                action="read a published cadre",
                aim=lambda place: Shot(path={"code": staff_number(place)}, query=OCTOBER) if place in CODES else None,
            ),
            ("GET", "/v1/published/scores/organisation"): Probe(
                action="list published units", aim=everywhere(Shot(query=OCTOBER)), lists=ORGANISATIONS
            ),
            ("GET", "/v1/published/scores/organisation/{code}"): Probe(
                action="read a published unit",
                aim=lambda place: Shot(path={"code": CODES[place]}, query=OCTOBER) if place in CODES else None,
            ),
        }


def _probe(action: str, body: object = None, on: str | None = None, **path: object) -> Probe:
    shot = Shot(path=path, query={"on": on} if on else {}, body=body)
    return Probe(action=action, aim=everywhere(shot), fine=frozenset({200, 201, 404, 422}))


RULE_SCHEMES: dict[Route, Probe] = {
    ("GET", "/v1/rule-schemes"): _probe("read the schemes"),
    ("GET", "/v1/rule-schemes/in-force"): _probe("read the schemes", on="2025-01-01"),
    ("GET", "/v1/rule-schemes/{name}/{version}"): _probe("read the schemes", name="nobody", version=1),
    ("GET", "/v1/scheme-presets"): _probe("read the schemes"),
    ("POST", "/v1/scheme-checks"): _probe("propose a scheme", {"document": "format = 1"}),
    ("POST", "/v1/scheme-proposals"): _probe("propose a scheme", {"document": "format = 1"}),
    ("POST", "/v1/rule-schemes/{name}/{version}/end"): _probe(
        "propose a scheme", {"until": "2025-01-01"}, name="nobody", version=1
    ),
    ("GET", "/v1/indicator-health"): _probe("watch the indicators"),
    ("POST", "/v1/simulations"): _probe(
        "try a scheme", {"subject": "cadre", "period": "2025-10", "candidate": "format = 1"}
    ),
    ("GET", "/v1/scheme-proposals"): _probe("read proposals of schemes"),
    ("POST", "/v1/scheme-proposals/{proposal_id}/approve"): _probe("decide on a scheme", proposal_id=uuid4()),
    ("POST", "/v1/scheme-proposals/{proposal_id}/refuse"): _probe(
        "decide on a scheme", {"reason": "unclear"}, proposal_id=uuid4()
    ),
}


def _of_signal(place: Place, body: object = None) -> Shot | None:
    return Shot(path={"signal_id": SIGNALS[place]}, body=body) if place in SIGNALS else None


def _of_fair(place: Place, query: dict[str, str] | None = None) -> Shot | None:
    return Shot(path={"staff_number": staff_number(place)}, query=query or {}) if place in CODES else None


def _of_cadre(place: Place, **more: object) -> Shot | None:
    if place not in CODES:
        return None
    return Shot(path={"kind": "cadre", "code": staff_number(place), **more}, query=OCTOBER)
