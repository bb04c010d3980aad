"""Intake's doors with the pages, people who send links, review and call back; and a closed issue of the street."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from services.intake.api.app import create_intake_app
from services.intake.handlers import issues
from services.intake.handlers.rating_pages import stamp
from services.intake.handlers.rating_rules import load_rating_rules
from services.intake.settings import IntakeSettings
from services.intake.web.pages import add_pages
from shared.access.principal import Grant
from shared.database import transaction
from tests.asking import client_at, started
from tests.fakes import KnownPrincipals, machine, one_of_each_role, person
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW

PEOPLE = {
    **one_of_each_role().principals,
    "gateway": machine("links.issue", organisation_code="town", name="gateway"),
    "harbour-gateway": machine("links.issue", organisation_code="harbour", name="harbour-gateway"),
    "kiosk": machine("ratings.submit", "intake.read", "intake.write", organisation_code="town", name="kiosk"),
    "county-gateway": machine("links.issue", name="county-gateway"),
    "line-gateway": replace(  # reaches all of the county, and acts for the street where S1 serves
        machine("links.issue", name="line-gateway"),
        grants=tuple(Grant(role="machine_client", organisation_code=code) for code in ("county", "street")),
    ),
    "town-officer": person("department_officer", "town", name="town-officer"),
    "town-clerk": person("clerk", "town", name="town-clerk"),
    "first": person("cadre", staff_number="S1", name="first"),
    "county-officer": person("department_officer", "county", name="county-officer"),
    "county-approver": person("approver", "county", name="county-approver"),
    "street-officer": person("department_officer", "street", name="street-officer"),
    "county-officer-again": replace(
        person("department_officer", "county", name="county-officer-again"),
        person_id="county-officer",
    ),
    "harbour-officer": person("department_officer", "harbour", name="harbour-officer"),
    "county-kiosk": machine("ratings.submit", name="county-kiosk"),
    "registrar": person("clerk", name="registrar"),
    "town-head": person("unit_head", "town", name="town-head"),
}
RATING = "/v1/rating-links/rating"
networks: "count[int]" = count()


@pytest.fixture
def settings(tmp_path):
    return IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=tmp_path,
    )


@pytest.fixture
def rules(settings):
    return load_rating_rules(settings)


@pytest.fixture
def app(pool, settings, monkeypatch):
    for name, one in PEOPLE.items():
        if one.kind == "person":  # each gave the second factor just now, which does not last
            monkeypatch.setitem(PEOPLE, name, replace(one, stepped_up_at=datetime.now(UTC)))
    app = create_intake_app(settings, pool, authenticator=KnownPrincipals(PEOPLE))
    add_pages(app)
    return app


@pytest.fixture
def ask(app):
    """Send one request, from another network each time unless told."""

    def send(method, path, content, headers, address):
        with started(app), client_at(app, peer=(address, 4711), base_url="http://intake") as client:
            return client.request(method, path, content=content, headers=headers)

    def run(method, path, body=None, *, who=None, address=None, **headers):
        named = {"content-type": "application/json"} | {key.replace("_", "-"): text for key, text in headers.items()}
        if who is not None:
            named["authorization"] = f"Bearer {who}"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        number = next(networks)
        address = address or f"10.{number // 250}.{number % 250}.7"
        return send(method, path, content, named, address)

    return run


@pytest.fixture
def closed(pool, county):
    """A further issue of the street, closed."""
    assert county
    command = replace(
        an_issue(staff_number="S1", organisation_code="street"),
        outcome="resolved",
        reply="已修好",
        closed_at=NOW,
    )
    [outcome] = issues.receive_issues(pool, [command], now=NOW)
    assert outcome.status == "created", outcome
    return command.id


@pytest.fixture
def token(ask, closed):
    answer = ask("POST", f"/v1/issues/{closed}/rating-link", {}, who="gateway")
    assert answer.status_code == 201
    return answer.json()["token"]


@pytest.fixture
def rows(pool):
    def run(query, *parameters):
        with transaction(pool) as connection:
            cursor = connection.execute(query, list(parameters))
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def recorded(rows, closed):
    """What stands of the closed issue's ratings."""
    return lambda: rows("SELECT level, solved FROM rating WHERE issue_id = %s", closed)


def opened(*, seconds_ago=30):
    """What a page that was opened so long ago proves."""
    return stamp("rating-page", datetime.now(UTC) - timedelta(seconds=seconds_ago))


@pytest.fixture
def rate(ask):
    """Rate by a link as a program of the citizen's does."""

    def run(token, level=5, *, address=None, seconds_ago=30, **answers):
        body = {"token": token, "page": opened(seconds_ago=seconds_ago), "level": level, **answers}
        return ask("POST", RATING, body, address=address)

    return run


@pytest.fixture
def quarter(pool, county):
    """Of the first quarter: 130 closed issues of the street, 3 of the town, and one each of other times and places."""
    assert county
    places = [("street", 130), ("town", 3), ("harbour", 1)]
    made = [
        replace(
            an_issue(organisation_code=code),
            outcome="resolved",
            reply="好",
            closed_at=NOW,
            received_at=NOW - timedelta(1),
        )
        for code, number in places
        for _ in range(number)
    ]
    made.append(replace(made[0], id=an_issue().id, closed_at=datetime(2026, 4, 1, tzinfo=UTC)))
    issues.receive_issues(pool, made, now=datetime(2026, 5, 1, tzinfo=UTC))
    return made


@pytest.fixture
def entered(rows):
    """Whose account entered an issue, and whose handled it."""

    def run(issue_id, by, *, handled_by):
        rows("UPDATE issue SET recorded_by = %s WHERE id = %s", by, issue_id)
        rows(
            "INSERT INTO issue_step (issue_id, sequence, kind, happened_at, recorded_at, actor_id, actor_person)"
            " VALUES (%s, 90, 'replied', now(), now(), %s, 'somebody')",
            issue_id,
            handled_by,
        )

    return run
