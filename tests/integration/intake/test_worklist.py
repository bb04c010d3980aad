"""The worklist: what it shows to whom, filtered and page by page, each filter on its index."""

import re
from datetime import timedelta

import pytest
from psycopg import sql

from services.intake.domain.commands.issue_steps import CloseIssue, EscalateIssue, SetUrgency
from services.intake.handlers import issues
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.handlers.worklist import confine
from services.intake.storage.worklist import Wanted, compose, parameters_of
from shared.database import transaction
from shared.reach import Reach
from tests.fakes import person
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration


@pytest.fixture
def door(pool, county, tmp_path):  # noqa: ARG001 - what the county holds is what is listed
    people = {
        "desk": person("clerk", "county", name="desk"),
        "street": person("clerk", "street", name="street"),
        "harbour": person("clerk", "harbour", name="harbour"),
        "cadre": person("cadre", "street", name="cadre", staff_number="S1"),
        "auditor": person("auditor", name="auditor"),
    }
    return Door(pool, people, tmp_path)


def ids(door, who, query=""):
    answer = door.get(who, f"/v1/issues{query}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def told(commands):
    return [str(command.id) for command in commands]


def test_everybody_sees_the_issues_within_reach_and_no_others(door, county):
    street, harbour = told(county["issues"])

    assert set(ids(door, "desk")) == {street, harbour}
    assert ids(door, "street") == ids(door, "cadre") == [street]
    assert ids(door, "harbour") == [harbour]
    assert ids(door, "street", "?organisation_code=harbour") == []
    assert ids(door, "street", "?staff_number=S2") == []
    assert door.get("auditor", "/v1/issues").status_code == 403


def test_who_is_complained_of_and_that_line_never_see_it(door, pool):
    accusation = an_issue(organisation_code="county", subject_staff_number="S1", title="反映干部")
    issues.receive_issues(pool, [accusation], now=NOW)

    for who in ("street", "cadre"):
        assert str(accusation.id) not in ids(door, who)
        assert str(accusation.id) not in ids(door, who, "?problem=false&is_open=true")
        assert door.get(who, f"/v1/issues/{accusation.id}/steps").status_code == 404
    assert str(accusation.id) in ids(door, "desk")


def test_each_filter_keeps_what_it_names(door, pool, county):
    late = an_issue(
        organisation_code="street", category="water", type="complaint", received_at=NOW - timedelta(days=9),
        due_at=NOW - timedelta(days=2), title="水管",
    )  # fmt: skip
    issues.receive_issues(pool, [late], now=NOW - timedelta(days=9))
    first, second = (command.id for command in county["issues"])
    take_steps(
        pool,
        [
            SetUrgency(id=late.id, correlation_id="t", urgency="critical", reason_code="danger"),
            EscalateIssue(id=late.id, correlation_id="t", level=2, reason_code="overdue"),
            CloseIssue(id=second, correlation_id="t", outcome="resolved", reply="已修好"),
        ],
        now=NOW + timedelta(hours=1),
    )

    expected = {
        "?status=assigned": [late.id, first],
        "?status=closed": [second],
        "?is_open=false": [second],
        "?organisation_code=town": [late.id, first],
        "?staff_number=S2": [second],
        "?category=water": [late.id],
        "?type=complaint": [late.id],
        "?urgency=critical": [late.id],
        "?overdue=true": [late.id],
        "?overdue=false": [first, second],
        "?problem=true": [],
        "?updated_since=2026-03-02T02:30:00Z": [late.id, second],
        "?category=water&urgency=normal": [],
    }
    assert {query: set(ids(door, "desk", query)) for query in expected} == {
        query: set(map(str, wanted)) for query, wanted in expected.items()
    }
    shown = door.get("desk", "/v1/issues?category=water").json()["items"][0]
    assert (shown["title"], shown["organisation_code"], shown["escalation_level"]) == ("水管", "street", 2)


def test_pages_show_each_issue_once_in_a_stable_order_and_belong_to_their_reader(door, pool):
    many = [an_issue(organisation_code="street", received_at=NOW - timedelta(hours=place // 3)) for place in range(10)]
    issues.receive_issues(pool, many, now=NOW)

    seen, cursor = [], ""
    while True:
        page = door.get("desk", f"/v1/issues?limit=4{cursor}").json()
        seen += [(item["received_at"], item["id"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert len(seen) == len(set(seen)) == 12
    assert seen == sorted(seen)
    assert set(told(many)) < {issue_id for _, issue_id in seen}
    stolen = door.get("street", f"/v1/issues?limit=4{cursor}")
    assert (stolen.status_code, stolen.json()["title"]) == (422, "bad-cursor")
    other = door.get("desk", f"/v1/issues?updated_since=2026-01-01T00:00:00Z{cursor}")
    assert (other.status_code, other.json()["title"]) == (422, "bad-cursor")


@pytest.mark.parametrize(
    ("reach", "within"),
    [
        (Reach(kind="scoped", organisation_codes=("street", "harbour")), ["street", "harbour"]),
        (Reach(kind="scoped", organisation_codes=("street",), staff_number="S1"), None),
        (Reach(kind="everywhere"), None),
    ],
)
def test_units_that_a_reach_is_made_of_are_a_condition_beside_the_policy(reach, within):
    """A policy is asked of each issue there is, in the order of the list; a condition finds those of the units."""
    asked = confine(Wanted(now=NOW, limit=10), reach)

    assert asked.within == within
    assert ("issue.owner_organisation_id IN" in compose(asked).as_string()) is (within is not None)


@pytest.mark.parametrize(
    "query",
    [
        "status=done", "is_open=perhaps", "urgency=1", "type=x", "limit=0", "limit=501", "limit=x", "cursor=x",
        "updated_since=yesterday", "updated_since=2026-03-01T10:00:00", "statuses=closed", "category=" + "x" * 65,
        "organisation_code=%00", "order=title;drop", "overdue=",
    ],
)  # fmt: skip
def test_a_filter_that_does_not_fit_is_refused_and_not_ignored(door, query):
    assert door.get("desk", f"/v1/issues?{query}").status_code in {400, 422}


@pytest.mark.usefixtures("county")
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "issue_received"),
        ({"status": "signed"}, "issue_open_status"),
        ({"staff_number": "S1"}, "issue_cadre"),
        ({"category": "roads", "is_open": True}, "issue_open_category|issue_category"),  # so few rows cost the same
        ({"category": "roads"}, "issue_category"),
        ({"type": "complaint", "is_open": True}, "issue_open_type|issue_type"),
        ({"type": "complaint"}, "issue_type"),
        ({"urgency": "critical", "is_open": True}, "issue_open_urgent|issue_urgent"),
        ({"urgency": "critical"}, "issue_urgent"),
        ({"problem": True}, "issue_problem"),
        ({"updated_since": NOW}, "issue_updated"),
    ],
)
def test_a_filter_has_an_index_in_the_order_of_the_list(pool, wanted, index):
    """On a table this small any plan is fast: what is asked is whether the index fits the question at all."""
    asked = Wanted(**wanted, now=NOW, limit=10)

    with transaction(pool) as connection:
        for method in ("seqscan", "sort", "bitmapscan"):
            connection.execute(f"SET LOCAL enable_{method} = off")
        plan = connection.execute(sql.SQL("EXPLAIN ") + compose(asked), parameters_of(asked)).fetchall()

    assert re.search(f" using ({index}) ", str(plan))
