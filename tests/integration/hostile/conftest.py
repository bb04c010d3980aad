"""Every route of every service on a real database, asked by somebody who may."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Client

from services.assessment.api.app import create_api as create_assessment
from services.assessment.settings import AssessmentSettings
from services.assessment.web.site import add_site as add_assessment_site
from services.identity.api.app import create_api as create_identity
from services.identity.settings import IdentitySettings
from services.identity.web.pages import FORM_PATHS, add_pages
from services.intake.__main__ import open_vault
from services.intake.api.app import create_intake_app
from services.intake.handlers import bookings, filings, opinions, rating_links
from services.intake.settings import IntakeSettings
from services.intake.web.pages import add_pages as add_intake_pages
from services.intake.web.site import FORM_PATHS as SITE_FORM_PATHS
from services.intake.web.site import add_site
from services.notify.api.app import create_notify_app as create_notify
from services.notify.settings import NotifySettings
from shared.crypto import KeyRing
from shared.database import Pool, open_pool
from shared.http import list_actions
from shared.policy import POLICY
from tests.asking import asking
from tests.fakes import KnownPrincipals, one_of_each_role

SERVICES = ("identity", "intake", "assessment", "notify")
BROKER = "amqp://somebody:another-password-5678@localhost/x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    service: str
    method: str
    path: str
    action: str
    headers: dict[str, str]

    def filled(self, value: str) -> str:
        return re.sub(r"\{[^}]+\}", lambda _: value, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One service's app, its routes and a client that gets answers instead of exceptions."""

    service: str
    app: FastAPI
    client: Client
    routes: list[Route]

    def ask(self, route: Route, *, value: str = "0199aaaa-0000-7000-8000-000000000001", **more: Any) -> Any:
        headers = route.headers | more.pop("headers", {})
        method = more.pop("method", route.method)
        return self.client.request(method, more.pop("path", route.filled(value)), headers=headers, **more)

    @property
    def description(self) -> dict[str, Any]:
        return self.app.openapi()


def known_to_all() -> KnownPrincipals:
    """One of each role, who has just given the second factor again."""
    now = datetime.now(UTC)
    known = one_of_each_role().principals
    return KnownPrincipals({name: replace(principal, stepped_up_at=now) for name, principal in known.items()})


def _make_app(service: str, pool: Pool, url: str, keys: Any) -> FastAPI:
    common: dict[str, Any] = {
        "mode": "test", "database_url": url, "keys_directory": keys / service, "reads_per_minute": 10_000_000,
    }  # fmt: skip
    known = known_to_all()
    if service == "identity":
        app = create_identity(
            IdentitySettings(**common), pool, authenticator=known, keys=KeyRing(keys / service), form_paths=FORM_PATHS
        )
        add_pages(app)
        return app
    if service == "intake":
        settings = IntakeSettings(**common, broker_url=BROKER)
        open_vault(settings)
        app = create_intake_app(settings, pool, authenticator=known, form_paths=SITE_FORM_PATHS)
        add_intake_pages(app)
        add_site(app, settings)
        return app
    if service == "assessment":
        assessment_settings = AssessmentSettings(**common, broker_url=BROKER)
        app = create_assessment(assessment_settings, pool, authenticator=known)
        add_assessment_site(app, assessment_settings)
        return app
    brief: dict[str, Any] = {"stream_seconds": 0.2, "stream_poll_seconds": 0.05}
    return create_notify(NotifySettings(**common, **brief, broker_url=BROKER), pool, authenticator=known)


def _routes_of(service: str, app: FastAPI) -> list[Route]:
    routes = []
    for route, actions in list_actions(app):
        rule = POLICY[actions[0]]
        name = next((role for role in ("security_administrator", *rule.roles) if role in rule.roles or rule.is_own), "")
        headers = {"Authorization": f"Bearer {name}"} if name else {}
        routes += [
            Route(service=service, method=method, path=route.path_format, action=actions[0], headers=headers)
            for method in sorted(route.methods or ())
        ]
    return routes


@pytest.fixture(scope="session")
def descriptions() -> dict[str, dict[str, Any]]:
    """What each service's app says of itself, by the first one: it takes longer to say than to be made."""
    return {}


@pytest.fixture(autouse=True)
def unhurried(monkeypatch) -> None:
    """What strangers may ask of a network in a minute or an hour is soon spent: all that follows were only refused."""
    for module, name in (
        (bookings, "TRIES_AN_HOUR"),
        (filings, "READS_A_MINUTE"),
        (opinions, "OPINIONS_AN_HOUR"),
        (rating_links, "TRIES_A_MINUTE"),
    ):
        monkeypatch.setattr(module, name, 10_000_000)


@pytest.fixture(params=SERVICES)
def door(request, new_database, keys_folder, descriptions) -> Iterator[Door]:
    service = request.param
    url = new_database(service).url
    pool = open_pool(url, size=4, application="test", statement_timeout_seconds=30)
    app = _make_app(service, pool, url, keys_folder)
    app.openapi_schema = descriptions.get(service)
    descriptions[service] = app.openapi()
    with asking(app) as client:
        yield Door(service=service, app=app, client=client, routes=_routes_of(service, app))
    pool.close()
