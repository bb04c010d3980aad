"""What nobody but its handlers attests to: how it is known, that it is drawn more often, and what that says of all."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.handlers import ratings
from shared.identifiers import new_id
from tests.fakes import person
from tests.integration.intake.commands import a_rating
from tests.integration.intake.conftest import NOW
from tests.integration.intake.ratings.conftest import PEOPLE
from tests.integration.intake.ratings.samples import members_of

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def desks(monkeypatch):
    monkeypatch.setitem(PEOPLE, "county-desk", person("clerk", "county", name="county-desk"))
    monkeypatch.setitem(PEOPLE, "street-clerk", person("clerk", "street", name="street-clerk"))


@pytest.fixture
def happen(ask, rows, pool, rules):
    """What may have become of an issue that one of its unit entered."""

    def rate(issue_id, state):
        rating = a_rating(issue_id=issue_id, level=5, method="link", rated_at=NOW)
        ratings.submit_ratings(pool, [rating], rules=rules, now=datetime(2026, 3, 20, tzinfo=UTC))
        rows("UPDATE rating SET state = %s WHERE issue_id = %s", state, issue_id)

    def call(issue_id, result):
        ask("POST", f"/v1/issues/{issue_id}/callback-attempts", {"result": result}, who="county-desk")

    turns = {
        "nothing": lambda _: None,
        "entered by a desk that handles nothing there": lambda issue_id: rows(
            "UPDATE issue SET recorded_by = gen_random_uuid() WHERE id = %s", issue_id
        ),
        "entered by nobody's account": lambda issue_id: rows(
            "UPDATE issue SET recorded_by = NULL WHERE id = %s", issue_id
        ),
        "taken over": lambda issue_id: rows("UPDATE issue SET source = 'hotline' WHERE id = %s", issue_id),
        "opened again": lambda issue_id: rows("UPDATE issue SET reopened_at = received_at WHERE id = %s", issue_id),
        "rated": lambda issue_id: rate(issue_id, "counted"),
        "rated oddly": lambda issue_id: rate(issue_id, "quarantined"),
        "called in vain": lambda issue_id: call(issue_id, "not_reached"),
        "called": lambda issue_id: call(issue_id, "reached_declined"),
    }
    return lambda turn, issue_id: turns[turn](issue_id)


@pytest.mark.parametrize(
    ("turn", "is_self_attested"),
    [
        ("nothing", True),
        ("entered by a desk that handles nothing there", False),
        ("entered by nobody's account", False),
        ("taken over", False),
        ("opened again", False),
        ("rated", False),
        ("rated oddly", True),
        ("called in vain", True),
        ("called", False),
    ],
)
def test_what_nobody_but_its_handlers_attests_to(ask, quarter, entered, happen, turn, is_self_attested):
    issue, other, hand = quarter[0].id, quarter[1].id, new_id()
    entered(other, hand, handled_by=hand)
    entered(issue, hand, handled_by=new_id())  # a colleague closed it: they may enter one another's
    happen(turn, issue)

    drawn = ask(
        "POST", "/v1/rating-samples", {"organisation_code": "town", "period": "2026Q1"}, who="county-officer"
    ).json()

    found = {one["issue_id"]: one["is_self_attested"] for one in members_of(ask, drawn)}
    assert (found[str(issue)], found[str(other)], sum(found.values())) == (is_self_attested, True, 1 + is_self_attested)


def test_an_issue_that_a_clerk_enters_and_closes_alone_is_self_attested(ask, county, rows):
    assert county
    now = datetime.now(UTC)
    issue = str(new_id())
    body = {
        "id": issue,
        "type": "help",
        "category": "roads",
        "channel": "phone",  # whatever is said of how it came
        "title": "路灯不亮",
        "organisation_code": "street",
        "received_at": (now - timedelta(days=2)).isoformat(),
    }
    ending = {"outcome": "resolved", "reply": "已修好，路灯亮了"}
    for path, sent, status in (("/v1/issues", body, 201), (f"/v1/issues/{issue}/closure", ending, 200)):
        answer = ask("POST", path, sent, who="street-clerk")
        assert answer.status_code == status, answer.text
    rows("UPDATE issue SET closed_at = %s WHERE id = %s", NOW, issue)

    drawn = ask(
        "POST", "/v1/rating-samples", {"organisation_code": "town", "period": "2026Q1"}, who="county-officer"
    ).json()

    found = {one["issue_id"]: one for one in members_of(ask, drawn)}
    assert (found[issue]["is_self_attested"], found[issue]["is_targeted"]) == (True, True)


def test_what_is_drawn_twice_is_called_once_and_counts_for_the_random_part(ask, quarter, entered, rows):
    hand = new_id()
    for one in quarter[:130]:
        entered(one.id, hand, handled_by=hand)
    ask("POST", "/v1/rating-samples", {"organisation_code": "town", "period": "2026Q1"}, who="county-officer")

    both = rows(
        """
        SELECT is_drawn, is_targeted, origin, count(*)
          FROM rating_sample_member
          JOIN callback_task USING (issue_id)
         GROUP BY 1, 2, 3
        """
    )

    assert {origin for is_drawn, _, origin, _ in both if is_drawn} == {"sample"}
    assert {origin for is_drawn, _, origin, _ in both if not is_drawn} == {"targeted"}
    assert rows("SELECT count(*) = count(DISTINCT issue_id) FROM callback_task") == [(True,)]
    assert rows("SELECT count(*) FROM rating_sample_member WHERE is_targeted") == [(13,)]


def test_what_came_of_it_is_told_by_parts_and_for_all(ask, quarter, entered):
    hand = new_id()
    for one in quarter[:20]:
        entered(one.id, hand, handled_by=hand)
    sample = ask(
        "POST", "/v1/rating-samples", {"organisation_code": "town", "period": "2026Q1"}, who="county-officer"
    ).json()
    path = f"/v1/rating-samples/{sample['id']}/findings"
    before = ask("GET", path, who="county-officer").json()
    tasks = {
        one["issue_id"]: one["origin"] for one in ask("GET", "/v1/callback-tasks", who="county-desk").json()["items"]
    }
    for issue_id, origin in tasks.items():
        body = {"result": "reached_rated", "level": 4} if origin == "sample" else {"result": "reached_no_such_matter"}
        assert ask("POST", f"/v1/issues/{issue_id}/callback-attempts", body, who="county-desk").status_code == 201

    found = ask("GET", path, who="auditor").json()

    assert (before["is_over"], before["random"]["waiting"], before["satisfied_share"]) == (False, 3, None)
    assert found["is_over"]
    assert found["random"] == {
        "drawn": 3, "waiting": 0, "rated": 3, "satisfied": 3, "denied": 0, "unreachable": 0,
    }  # fmt: skip
    assert found["satisfied_share"] == "1.0000"
    denied = sum(origin == "targeted" for origin in tasks.values())
    assert (found["targeted"]["drawn"], found["targeted"]["denied"]) == (2, denied)
    # Each denied one stands for about ten, each of the others for some forty of its unit: far fewer than were denied.
    assert float(found["denied_share"]) < denied / len(tasks)
    for who, status in (("town-officer", 404), ("street-officer", 404), ("harbour-officer", 404), ("first", 403)):
        assert ask("GET", path, who=who).status_code == status
