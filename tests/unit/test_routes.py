"""Every route of every service is an action of the policy, and every action of the policy is a route somewhere."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from fastapi import FastAPI

from services.assessment.api.app import create_api as create_assessment
from services.assessment.settings import AssessmentSettings
from services.assessment.web.site import add_site as add_assessment_site
from services.identity.api.app import create_api as create_identity
from services.identity.settings import IdentitySettings
from services.identity.web.pages import add_pages
from services.intake.api.app import create_intake_app
from services.intake.settings import IntakeSettings
from services.intake.web.pages import add_pages as add_intake_pages
from services.intake.web.site import FORM_PATHS, add_site
from services.notify.api.app import create_notify_app as create_notify
from services.notify.settings import NotifySettings
from shared.crypto import KeyRing
from shared.http import check_routes_are_guarded, list_actions, list_routes
from shared.keyfiles import KeyName, create_key
from shared.policy import POLICY
from shared.shortcut import find_short_ways
from tests.fakes import one_of_each_role

if TYPE_CHECKING:
    from shared.database import Pool

NOWHERE: dict[str, Any] = {"mode": "test", "database_url": "postgresql://somebody:a-long-password-1234@localhost/x"}
BROKER: dict[str, Any] = {"broker_url": "amqp://somebody:another-password-5678@localhost/x"}
AWAITED: tuple[str, ...] = ()  # actions whose routes are being written
NO_POOL = cast("Pool", None)  # making an app asks its database nothing


def make_apps(folder: Path) -> dict[str, FastAPI]:
    for purpose in ("second-factor", "token"):
        create_key(folder, KeyName(purpose=purpose, kid=1))
    known: dict[str, Any] = {"authenticator": one_of_each_role()}
    identity = create_identity(IdentitySettings(**NOWHERE), NO_POOL, keys=KeyRing(folder), **known)
    add_pages(identity)
    intake_settings = IntakeSettings(**NOWHERE, **BROKER)
    intake = create_intake_app(intake_settings, NO_POOL, form_paths=FORM_PATHS, **known)
    add_intake_pages(intake)
    add_site(intake, intake_settings)
    assessment_settings = AssessmentSettings(**NOWHERE, **BROKER)
    assessment = create_assessment(assessment_settings, NO_POOL, **known)
    add_assessment_site(assessment, assessment_settings)
    return {
        "assessment": assessment,
        "identity": identity,
        "intake": intake,
        "notify": create_notify(NotifySettings(**NOWHERE, **BROKER), NO_POOL, **known),
    }


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    return make_apps(tmp_path_factory.mktemp("keys"))


def test_every_route_is_one_action_of_the_policy(apps):
    for app in apps.values():
        check_routes_are_guarded(app)


def test_every_action_of_the_policy_is_a_route_somewhere(apps):
    served = {action for app in apps.values() for _, actions in list_actions(app) for action in actions}

    assert {action for action in POLICY if action not in served and not action.startswith(AWAITED)} == set()


def test_a_service_has_no_two_routes_for_one_method_and_path(apps):
    for app in apps.values():
        routes = Counter((method, route.path) for route, _ in list_actions(app) for method in route.methods or ())

        assert [route for route, count in routes.items() if count > 1] == []


def test_the_busiest_records_take_the_short_way(apps):
    ways = find_short_ways(list_routes(apps["intake"]))

    assert {("POST", "/v1/contacts"), ("POST", "/v1/issues"), ("POST", "/v1/ratings")} <= ways.keys()


def test_two_apps_share_every_route(apps, tmp_path):
    """To make one takes a millisecond, and a service has a hundred: docs/decisions/0140-every-route-is-made-once.md."""
    others = make_apps(tmp_path)

    for service, app in apps.items():
        made_anew = [
            one.path for one, other in zip(app.routes, others[service].routes, strict=True) if one is not other
        ]
        assert made_anew == [], service


def test_what_changes_something_is_never_asked_for_by_get(apps):
    reading = ("read", "describe", "give", "disclose")
    for app in apps.values():
        for route, [action] in list_actions(app):
            if "GET" in (route.methods or ()) and route.path.startswith("/v1/"):  # pages show the forms of changes
                assert action.rpartition(".")[2].partition("_")[0] in reading, f"{route.path}: {action}"
