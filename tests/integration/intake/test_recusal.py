"""Complaints about an official: the official, that official's line and their helpers find nothing, everywhere alike."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid5

import pytest

from services.intake.domain.commands.issue_steps import AssignIssue
from services.intake.domain.commands.registers import EndPost, RegisterOrganisation
from services.intake.handlers import issues, posts, registers
from services.intake.handlers.issue_steps.batch import take_steps
from shared.access.principal import Grant
from shared.database import transaction
from shared.identifiers import new_id
from shared.policy import decide
from shared.reach import acting
from tests.fakes import machine, person
from tests.integration.intake.commands import a_post, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration

COMPLAINT = {"type": "complaint", "category": "conduct", "channel": "phone", "title": "作风问题"}


@pytest.fixture
def town(registered):
    """S1 heads the town; S2 serves in its office below. The department lies beside it, and knows nobody of both."""
    registers.register_organisations(
        registered,
        [
            RegisterOrganisation(id=new_id(), correlation_id="t", code=code, name=code, level="61", parent_code=up)
            for code, up in (("office", "town"), ("department", "county"), ("village", "county"))
        ],
        now=NOW,
    )
    own, below = a_post(), a_post(staff_number="S2", organisation_code="office", post_kind="clerk")
    assert {outcome.status for outcome in posts.record_posts(registered, [own, below], now=NOW)} == {"created"}
    return registered, own


PEOPLE = {
    "county_clerk": person("clerk", "county", name="county_clerk"),
    "county_officer": person("department_officer", "county", name="county_officer"),
    "everywhere": person("department_officer", name="everywhere"),
    "subject": person("cadre", "town", name="subject", staff_number="S1"),
    "subject_as_officer": person("department_officer", "county", name="second", staff_number="S1"),
    "subject_everywhere": person("department_officer", name="third", staff_number="S1"),
    "town_clerk": person("clerk", "town", name="town_clerk"),
    "office_clerk": person("clerk", "office", name="office_clerk"),
    "assistant_everywhere": person("approver", name="assistant", staff_number="S2"),
    "town_machine": machine(organisation_code="town"),
}
IN_LINE = [
    "subject",
    "subject_as_officer",
    "subject_everywhere",
    "town_clerk",
    "office_clerk",
    "assistant_everywhere",
    "town_machine",
]
OTHER_GRANT = replace(
    PEOPLE["county_officer"],
    name="two-hats",
    grants=(
        Grant(role="department_officer", organisation_code="county"),
        Grant(role="cadre", organisation_code="office"),
    ),
)


@pytest.fixture
def door(town, tmp_path):
    return Door(town[0], {**PEOPLE, "two_hats": OTHER_GRANT}, tmp_path)


@pytest.fixture
def complaint(door):
    body = {**COMPLAINT, "id": str(new_id()), "subject_staff_number": "S1", "organisation_code": "department"}
    assert door.post("county_clerk", "/v1/issues", body).status_code == 201
    return body["id"]


def test_those_above_and_beside_handle_it(door, complaint):
    for who in ("county_clerk", "county_officer", "everywhere"):
        assert door.get(who, f"/v1/issues/{complaint}").json()["subject_staff_number"] == "S1"
    assert door.post("county_clerk", f"/v1/issues/{complaint}/responses").status_code == 200


@pytest.mark.parametrize("who", [*IN_LINE, "two_hats"])
def test_the_line_finds_what_it_finds_where_there_is_nothing(door, complaint, who):
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/assignments", {"organisation_code": "town"}),
        ("POST", "/responses", {}),
        ("POST", "/closure", {"outcome": "resolved", "reply": "无"}),
        ("POST", "/citizen/reveal", {"reason_code": "call_back", "reason": "核实情况"}),
    ):
        there = door.ask(who, method, f"/v1/issues/{complaint}{path}", body)
        nowhere = door.ask(who, method, f"/v1/issues/{new_id()}{path}", body)
        assert there.status_code == nowhere.status_code != 200, path
        assert there.status_code in {403, 404}
        assert there.content == nowhere.content


@pytest.mark.parametrize("who", [*IN_LINE, "two_hats"])
@pytest.mark.usefixtures("complaint")
def test_the_line_sees_no_row_below_every_statement_either(town, who):
    principal = {**PEOPLE, "two_hats": OTHER_GRANT}[who]
    reach = decide(principal, "issue.read", now=NOW)

    with acting(reach), transaction(town[0], reach=reach) as connection:
        assert connection.execute("SELECT count(*) FROM issue").fetchone() == (0,)
        assert connection.execute("UPDATE issue SET flags = '{}'").rowcount == 0


def test_the_official_who_moved_to_the_department_yesterday_finds_nothing(town, door, complaint):
    pool, own = town
    posts.end_posts(pool, [EndPost(id=own.id, correlation_id="t", until_on=date(2026, 3, 1))], now=NOW)
    moved = a_post(organisation_code="department", post_kind="officer", from_on=date(2026, 3, 2))
    posts.record_posts(pool, [moved], now=NOW)

    assert door.get("subject_as_officer", f"/v1/issues/{complaint}").status_code == 404
    # The new unit counts as the official's line as well, and so does the old one.
    door.people.principals["colleague"] = person("clerk", "department", name="colleague")
    assert door.get("colleague", f"/v1/issues/{complaint}").status_code == 404
    assert door.get("town_clerk", f"/v1/issues/{complaint}").status_code == 404


@pytest.mark.parametrize(("days_before", "status"), [(365, 404), (366, 200)])
def test_a_post_counts_for_a_year(town, door, days_before, status):
    pool, own = town
    received = NOW
    ended = (received + timedelta(hours=8)).date() - timedelta(days=days_before)
    posts.end_posts(pool, [EndPost(id=own.id, correlation_id="t", until_on=max(ended, date(2025, 1, 1)))], now=NOW)
    command = an_issue(type="complaint", subject_staff_number="S1", received_at=received, organisation_code="county")
    issues.receive_issues(pool, [command], now=NOW)
    door.people.principals["town_and_county"] = replace(
        person("clerk", "county", name="both"),
        grants=(Grant(role="clerk", organisation_code="county"), Grant(role="cadre", organisation_code="town")),
    )

    assert door.get("town_and_county", f"/v1/issues/{command.id}").status_code == status


def test_a_clerk_of_the_line_may_enter_a_complaint_and_does_not_see_it_again(door):
    body = {**COMPLAINT, "id": str(new_id()), "subject_staff_number": "S1", "organisation_code": "village"}
    door.people.principals["two_towns"] = replace(
        person("clerk", "village", name="two-towns"),
        grants=(Grant(role="clerk", organisation_code="village"), Grant(role="clerk", organisation_code="town")),
    )

    assert door.post("two_towns", "/v1/issues", body).status_code == 201
    assert door.get("two_towns", f"/v1/issues/{body['id']}").status_code == 404
    assert door.get("county_clerk", f"/v1/issues/{body['id']}").status_code == 200


@pytest.mark.parametrize(
    "target",
    [{"organisation_code": "town"}, {"organisation_code": "office"}, {"staff_number": "S1"}, {"staff_number": "S2"}],
)
def test_a_complaint_is_not_passed_to_its_subject_or_unit(door, town, complaint, target):
    pool, _ = town
    assignment = {"organisation_code": "department", **target}

    at_once = (
        door.post("everywhere_clerk", "/v1/issues", {**COMPLAINT, "subject_staff_number": "S1", **assignment})
        if (door.people.principals.setdefault("everywhere_clerk", person("clerk", name="everywhere_clerk")))
        else None
    )
    later = door.post("everywhere_clerk", f"/v1/issues/{complaint}/assignments", assignment)
    by_worker = take_steps(
        pool, [AssignIssue(id=uuid5(new_id(), "x"), correlation_id="t", organisation_code="town")], now=NOW
    )

    assert at_once is not None
    assert [(answer.status_code, answer.json()["title"]) for answer in (at_once, later)] == [
        (422, "handled-by-subject")
    ] * 2
    assert by_worker[0].code == "issue-not-found"


def test_an_unknown_subject_is_refused_like_any_unknown_name(door):
    answer = door.post("county_clerk", "/v1/issues", {**COMPLAINT, "subject_staff_number": "S404"})

    assert (answer.status_code, answer.json()["title"]) == (422, "unknown-subject")


def test_ratings_of_a_complaint_are_refused_to_the_line(door, complaint):
    body = {"issue_id": complaint, "level": 1, "method": "callback"}

    there, nowhere = (
        door.post("town_machine", "/v1/ratings", body),
        door.post("town_machine", "/v1/ratings", {**body, "issue_id": str(new_id())}),
    )

    assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content)
    assert there.status_code == 422


def test_whom_a_hidden_complaint_names_is_known_elsewhere(town, tmp_path):
    helper = person("clerk", "county", name="helper", staff_number="S1")
    door = Door(town[0], {"county_clerk": PEOPLE["county_clerk"], "helper": helper}, tmp_path)
    citizen = {"name": "金丝雀", "phone": "13812345678"}
    help_wanted = {**COMPLAINT, "type": "help", "organisation_code": "department", "citizen": citizen}
    own = door.post("helper", "/v1/issues", help_wanted).json()["id"]
    complaint = {**COMPLAINT, "subject_staff_number": "S1", "organisation_code": "department"}
    told = {**complaint, "citizen": {**citizen, "address": "幸福路1号"}}
    assert door.post("county_clerk", "/v1/issues", told).status_code == 201

    reveal = f"/v1/issues/{own}/citizen/reveal"
    shown = {
        who: door.post(who, reveal, {"reason_code": "call_back", "reason": "回访"}).json()
        for who in ("helper", "county_clerk")
    }

    assert (shown["helper"]["address"], shown["helper"]["withheld"]) == (None, True)
    assert (shown["county_clerk"]["address"], shown["county_clerk"]["withheld"]) == ("幸福路1号", False)
