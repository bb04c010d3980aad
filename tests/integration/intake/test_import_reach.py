"""An import acts for whoever asked for it: what that account may not see or touch, its file does not touch either."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from httpx2 import Response

from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.handlers import imports, issues, posts, registers
from services.intake.handlers.import_runs import ImportSettings
from shared.access.principal import Principal
from shared.database import Pool, transaction
from shared.identifiers import new_id
from shared.policy import decide
from tests.fakes import machine, person
from tests.integration.intake.commands import a_post, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration

COLUMNS = (
    "source_number,type,category,channel,urgency,title,description,received_at,respond_by,due_at,organisation_code,"
    "staff_number,responded_at,closed_at,outcome,reply,contact_source_number,subject_staff_number,citizen_name,"
    "citizen_phone"
)
PEOPLE: dict[str, Principal] = {
    "everywhere": person("clerk", name="everywhere"),
    "subject": person("clerk", name="subject", staff_number="S1"),
    "town_clerk": person("clerk", "town", name="town_clerk"),
    "village_machine": machine(organisation_code="village"),
    "officer": person("department_officer", name="officer"),
}
Bring = Callable[..., dict[str, Any]]


def row(number: str, *, unit: str = "village", subject: str = "", closed: bool = False) -> str:
    end = "2026-02-20T09:00:00+08:00,resolved,已处理" if closed else ",,"
    return f"{number},complaint,作风,phone,,题目,,2026-02-10T09:00:00+08:00,,,{unit},,,{end},,{subject},,"


@pytest.fixture
def door(registered: Pool, tmp_path) -> Door:
    """S1 heads the town. The village lies beside it."""
    village = RegisterOrganisation(
        id=new_id(), correlation_id="t", code="village", name="村", level="71", parent_code="county"
    )
    registers.register_organisations(registered, [village], now=NOW)
    posts.record_posts(registered, [a_post()], now=NOW)
    return Door(registered, PEOPLE, tmp_path / "spool")


@pytest.fixture
def upload(door: Door) -> Callable[..., Response]:
    def send(who: str, *rows: str, profile: str = "lianxin-issues") -> Response:
        body = "\n".join([COLUMNS, *rows, ""])
        return door.upload(who, f"/v1/imports?profile={profile}", body.encode())

    return send


@pytest.fixture
def bring(door: Door, upload, registered: Pool, tmp_path) -> Bring:
    """Upload a file, let the worker import it, and return how it went, with its findings."""

    def run(who: str, *rows: str) -> dict[str, Any]:
        location = upload(who, *rows).headers["location"]
        settings = ImportSettings(directory=tmp_path / "spool", most_bytes=1 << 20)
        imports.run_import(registered, UUID(location.rpartition("/")[2]), settings)
        told: dict[str, Any] = door.get(who, location).json()
        found = door.get(who, location + "/findings").json()["items"]
        return {**told, "found": [(item["line"], item["code"]) for item in found]}

    return run


def test_the_subject_of_a_complaint_cannot_bring_it_up_to_date_by_a_file(bring: Bring, ask):
    bring("everywhere", row("A1", subject="S1"), row("A2"))

    tried = bring("subject", row("A1", subject="S1", closed=True), row("A2", closed=True))

    assert (tried["state"], tried["changed"], tried["errors"]) == ("done", 1, 1)
    assert tried["found"] == [(2, "number-taken")]
    assert ask("SELECT source_number, status FROM issue ORDER BY 1") == [("A1", "assigned"), ("A2", "closed")]


def test_leaving_the_subject_out_or_naming_another_makes_no_difference(bring: Bring, ask):
    bring("everywhere", row("A1", subject="S1"))

    for attempt in (row("A1", closed=True), row("A1", subject="S2", closed=True)):
        assert bring("subject", attempt)["found"] == [(2, "number-taken")]
    assert ask("SELECT status FROM issue") == [("assigned",)]


def test_others_who_reach_it_still_may(bring: Bring, ask):
    bring("everywhere", row("A1", subject="S1"))

    assert bring("everywhere", row("A1", subject="S1", closed=True))["changed"] == 1
    assert ask("SELECT status FROM issue") == [("closed",)]


def test_rows_out_of_reach_are_findings_and_the_others_go_in(bring: Bring, ask):
    bring("everywhere", row("A9", unit="village"))

    done = bring("town_clerk", row("A1", unit="town"), row("A2", unit="village"), row("A9", unit="town", closed=True))
    by_machine = bring("village_machine", row("A3"), row("A4", unit="town"), row("A9", closed=True))

    assert (done["created"], done["found"]) == (1, [(3, "unknown-organisation"), (4, "number-taken")])
    assert (by_machine["created"], by_machine["changed"], by_machine["found"]) == (1, 1, [(3, "unknown-organisation")])
    assert ask("SELECT source_number, status FROM issue ORDER BY 1") == [
        ("A1", "assigned"),
        ("A3", "assigned"),
        ("A9", "closed"),
    ]


def test_what_an_import_entered_is_known_to_be_the_accounts(bring: Bring, ask):
    bring("town_clerk", row("A1", unit="town"))

    assert ask("SELECT recorded_by FROM issue") == [(PEOPLE["town_clerk"].account_id,)]


def test_a_role_in_one_organisation_sees_the_own_runs_alone(door: Door, upload):
    own = upload("town_clerk", row("A1", unit="town")).headers["location"]
    others = upload("everywhere", row("A2")).headers["location"]

    assert door.get("town_clerk", own).status_code == 200
    for path in (others, f"{others}/findings"):
        assert door.get("town_clerk", path).status_code == 404
        assert door.get("officer", path).status_code == 200


@pytest.mark.parametrize("profile", ["lianxin-cadres", "lianxin-duties", "lianxin-ratings", "boston311"])
def test_registers_and_ratings_take_a_role_that_holds_everywhere(upload, profile: str):
    assert upload("town_clerk", row("A1"), profile=profile).status_code == 403
    assert upload("village_machine", row("A1"), profile=profile).status_code == 403
    assert upload("everywhere", row("A1"), profile=profile).status_code == 202


def test_a_run_of_an_older_release_says_for_whom_it_acts_nowhere_and_does_nothing(upload, registered: Pool, tmp_path):
    location = upload("everywhere", row("A1")).headers["location"]
    with transaction(registered) as connection:
        connection.execute("UPDATE import_run SET reach = NULL")
    run_id = UUID(location.rpartition("/")[2])

    state = imports.run_import(registered, run_id, ImportSettings(directory=tmp_path / "spool", most_bytes=1 << 20))

    assert (state, imports.get_import(registered, run_id).reason_code) == ("failed", "nobodys")


@pytest.mark.usefixtures("door")
def test_a_repeat_of_a_number_out_of_reach_is_told_at_the_door_as_well(registered: Pool):
    complaint = an_issue(source="hotline", source_number="A1", organisation_code="village", staff_number=None)
    issues.receive_issues(registered, [complaint], now=NOW)

    again = an_issue(source="hotline", source_number="A1", organisation_code="town", staff_number=None)
    as_clerk = replace(again, reach=decide(PEOPLE["town_clerk"], "issue.receive", now=NOW))

    outcome = issues.receive_issues(registered, [as_clerk], now=NOW)[0]

    assert (outcome.status, outcome.code) == ("conflict", "number-taken")
