"""A small demo county in the suite, so that what is asked about is there and answers are more than refusals."""

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.county import Years, build_years, write_files
from demo.credentials import Person
from demo.loader import Doors, Loader, LoadFailed, open_door
from demo.present import Hands, Present
from demo.workdays import ZONE
from tests.harness.suite import ADMINISTRATOR, Suite

SCALE = 0.01  # of the county: three dozen cadres, and issues by the hundred
SECONDS = 900.0  # on a machine that does much else besides


def make_years() -> Years:
    return build_years(today=datetime.now(ZONE).date(), scale=SCALE)


def find_busiest(years: Years) -> str:
    """The staff number of the cadre with the most contacts."""
    [(staff_number, _)] = Counter(contact.staff_number for contact in years.contacts).most_common(1)
    return staff_number


def fill(suite: Suite, years: Years) -> None:
    """Raises LoadFailed, Unwilling."""
    urls = {service: f"http://127.0.0.1:{suite.ports[f'{service}-api']}" for service in ("intake", "assessment")}
    machine = suite.credential("intake", "machine_client")
    officer, approver = (suite.credential("", role) for role in ("department_officer", "approver"))
    assert isinstance(approver, Person)
    doors = Doors(intake_url=urls["intake"], importer=machine, assessment_url=urls["assessment"], officer=officer)
    loader = Loader(doors, tell=lambda _: None, time_limit_seconds=SECONDS)
    with tempfile.TemporaryDirectory(prefix="lianxin-county-") as folder:
        write_files(years, Path(folder))
        loader.load(Path(folder))
    loader.wait_for_scores(set(years.roster.cadres), period=str(years.timeline.last_year))
    head = next(post for post in years.roster.posts if post.kind == "township_head" and post.until_on is None)
    intake, asked_by_officer, asked_by_approver = (
        open_door(urls["intake"], who).request for who in (machine, officer, approver)
    )
    hands = Hands(
        officer=asked_by_officer,
        approver=asked_by_approver,
        importer=intake,
        app=intake,
        step_up=approver.step_up,
    )
    now = datetime.now(UTC)
    Present(hands, now=now, township=head.organisation.code, staff_number=head.staff_number).enter()
    _agree_with_a_partner(suite, now)
    _open_spare_accounts(suite)
    _provision(suite)


def _agree_with_a_partner(suite: Suite, now: datetime) -> None:
    """Somebody is told of scores, and the machine client may read the feed and has an endpoint that waits."""
    wish: dict[str, Any] = {"recipient_name": "王建国", "email": "wang@example.org"}
    terms: dict[str, Any] = {
        "number": "conformance",
        "partner": "A partner",
        "client_id": "machine",
        "valid_from": (now - timedelta(days=1)).isoformat(),
        "valid_until": (now + timedelta(days=1)).isoformat(),
    }
    officer, approver, machine = (
        suite.client("notify", role) for role in ("department_officer", "approver", "machine_client")
    )
    agreement = officer.post("/v1/agreements", terms).document["id"]
    endpoint = {"agreement_id": agreement, "url": "https://hooks.example.org/lianxin"}
    for answer in (
        officer.put("/v1/subscriptions/county", wish),
        approver.post(f"/v1/agreements/{agreement}/approve", {}),
        machine.post("/v1/webhook-endpoints", endpoint),
    ):
        if not answer.is_success:
            raise LoadFailed(f"notify answered {answer.status}: {answer.body[:300]!r}")


def _open_spare_accounts(suite: Suite) -> None:
    """Accounts of nobody, with which anything may be done."""
    administrator = suite.client("identity", ADMINISTRATOR)
    for number in range(4):
        body = {"name": f"spare-{number}", "display_name": "李娜", "staff_number": f"SPARE{number}"}
        answer = administrator.post("/v1/accounts", body)
        if not answer.is_success:
            raise LoadFailed(f"identity answered {answer.status}: {answer.body[:300]!r}")


def _provision(suite: Suite) -> None:
    """A person and a group that another system keeps here by SCIM."""
    machine = suite.client("identity", "machine_client")
    person = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "provisioned",
        "displayName": "赵敏",
    }
    made = machine.post("/scim/v2/Users", person)
    members = [{"value": made.document["id"]}] if made.is_success else []
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Clerks", "members": members}
    for answer in (made, machine.post("/scim/v2/Groups", group)):
        if not answer.is_success:
            raise LoadFailed(f"identity answered {answer.status}: {answer.body[:300]!r}")
