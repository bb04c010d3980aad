"""The HTTP door: lists and their pages, one score, the events behind it, and who may ask."""

import re
from datetime import datetime

import pytest

from services.assessment.api.app import create_api
from services.assessment.settings import AssessmentSettings
from shared.http import check_routes_are_guarded
from tests.asking import client_at
from tests.fakes import one_of_each_role
from tests.integration.assessment.conftest import ZONE, score_all, take
from tests.integration.assessment.story import Story, random_county

pytestmark = pytest.mark.integration


def app_over(pool):
    settings = AssessmentSettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
    )
    return create_api(settings, pool, authenticator=one_of_each_role())


def client_of(app, role):
    return client_at(app, headers={"Authorization": f"Bearer {role}"})


@pytest.fixture(scope="module")
def app(shared_pool):
    """Of a county that nobody changes."""
    take(shared_pool, random_county(11))
    score_all(shared_pool)
    return app_over(shared_pool)


@pytest.fixture
def officer(app):
    return client_of(app, "department_officer")


@pytest.fixture
def officer_of_nothing(pool):
    """Of a county in which nothing has happened yet."""
    return client_of(app_over(pool), "department_officer")


def test_every_route_says_whom_it_lets_in(app):
    check_routes_are_guarded(app)


LIVE = {"approver", "auditor", "department_officer"}
SCHEMES = LIVE | {"cadre", "machine_client", "unit_head"}


@pytest.mark.parametrize(
    ("path", "readers"),
    [
        ("/v1/periods", LIVE),
        ("/v1/scores?subject=cadre&period=2025", LIVE),
        ("/v1/scores/cadre/S001?period=2025", LIVE),
        ("/v1/scores/cadre/S001/indicators/response_rate/events?period=2025", LIVE),
        ("/v1/schemes", SCHEMES),
        ("/v1/schemes/basic/1", SCHEMES),
        ("/v1/published/periods", SCHEMES),
        ("/v1/published/scores/cadre?period=2025", SCHEMES - {"unit_head"}),
        ("/v1/published/scores/organisation?period=2025", SCHEMES - {"cadre"}),
    ],
)
def test_live_figures_are_for_the_department_and_its_auditors(app, path, readers):
    known = app.state.authenticator.principals
    statuses = {role: client_of(app, role).get(path).status_code for role in known}

    assert statuses == {role: 200 if role in readers else 403 for role in known}
    assert client_at(app).get(path).status_code == 401


@pytest.mark.parametrize("sort", ["-composite", "composite", "code"])
def test_the_pages_hold_every_score_once(officer, sort):
    asked = {"subject": "cadre", "period": "2025", "sort": sort}
    whole = officer.get("/v1/scores", params=asked | {"limit": 200}).json()
    codes, cursor = [], None

    while True:
        page = officer.get("/v1/scores", params=asked | {"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        codes += [item["subject"]["code"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert whole["next_cursor"] is None
    assert codes == [item["subject"]["code"] for item in whole["items"]]
    assert len(codes) == 6


def test_numbers_are_texts_with_fixed_places(officer):
    found = officer.get("/v1/scores/organisation/C?period=2025").json()

    assert re.fullmatch(r"\d+\.\d{2}", found["composite"])
    assert all(re.fullmatch(r"[01]\.\d{4}", row["value"]) for row in found["indicators"])
    assert found["scheme"] == {"name": "basic", "version": 1}
    assert datetime.fromisoformat(found["as_of"]).tzinfo is not None


def test_the_closures_are_shown_apart(officer_of_nothing, pool):
    story = Story()
    queue = story.organisation("Q1")
    at = datetime(2025, 3, 10, tzinfo=ZONE)
    for day in (11, 12, 20):
        issue_id = story.issue(queue, None, at, due_at=at.replace(day=15))
        story.close(issue_id, at.replace(day=day))
    story.issue(queue, None, at, due_at=at.replace(day=15))
    take(pool, story.take())
    score_all(pool)

    found = officer_of_nothing.get("/v1/scores/organisation/Q1?period=2025-03").json()

    on_time = next(row for row in found["indicators"] if row["key"] == "on_time_closure_rate")
    assert on_time["components"] == {"closed_on_time": 2, "closed_late": 1, "open_overdue": 1, "closed": 3}
    assert (on_time["numerator"], on_time["denominator"], on_time["value"]) == (2, 4, "0.5000")


def test_events_page_by_page(officer):
    path = "/v1/scores/organisation/C/indicators/satisfaction_rate/events"
    whole = officer.get(path, params={"period": "2025", "limit": 200}).json()
    items, cursor = [], None

    while True:
        page = officer.get(path, params={"period": "2025", "limit": 7} | ({"cursor": cursor} if cursor else {})).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert items == whole["items"]
    assert len(items) > 7
    assert all(item["events"][0]["type"] == "cn.lianxin.rating.submitted.v1" for item in items)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/scores?subject=cadre&period=2025-13", 422),
        ("/v1/scores?subject=cadre&period=last+year", 422),
        ("/v1/scores?subject=cadre&period=2025%00", 400),
        ("/v1/scores?subject=village&period=2025", 422),
        ("/v1/scores?subject=cadre", 422),
        ("/v1/scores?subject=cadre&period=2025&sort=name", 422),
        ("/v1/scores?subject=cadre&period=2025&limit=0", 422),
        ("/v1/scores?subject=cadre&period=2025&limit=100000", 422),
        ("/v1/scores?subject=cadre&period=2025&cursor=%25", 422),
        ("/v1/scores?subject=cadre&period=2025&cursor=WyJjb2RlIixudWxsLCJTMDAxIl0", 422),  # of the list by code
        ("/v1/scores?subject=cadre&period=2025&cursor=WyItY29tcG9zaXRlIiwiTmFOIiwiUzAwMSJd", 422),  # NaN in it
        ("/v1/scores?subject=cadre&period=2025&cursor=WyItY29tcG9zaXRlIiwiMWUtOTk5OTk5IiwiUzAwMSJd", 422),  # 1e-999999
        ("/v1/scores?subject=cadre&period=2025&organisation=nowhere", 404),
        ("/v1/fair-scores?organisation=nowhere", 404),
        ("/v1/fair-scores?period=2025-01", 404),
        ("/v1/fair-corrections?period=2025-01", 404),
        ("/v1/scores?subject=cadre&period=2025&organisation=%00", 400),
        ("/v1/scores?subject=cadre&period=2025&peer_group=nobody", 200),
        ("/v1/scores/cadre/nobody?period=2025", 404),
        ("/v1/scores/cadre/S001%00?period=2025", 400),
        ("/v1/scores/cadre/S001?period=1999", 200),
        ("/v1/scores/cadre/S001/indicators/smiles/events?period=2025", 404),
        ("/v1/scores/cadre/S001/indicators/response_rate/events?period=2025&cursor=WzEsMl0", 422),
        ("/v1/scores?subject=cadre&period=2025H3", 422),
        ("/v1/published/scores/cadre?period=2025-13", 422),
        ("/v1/published/scores/cadre?period=2025Q5", 422),
        ("/v1/published/scores/cadre?period=2025%00", 400),
        ("/v1/published/scores/cadre", 422),
        ("/v1/published/scores/cadre?period=2025&limit=0", 422),
        ("/v1/published/scores/cadre?period=2025&limit=100000", 422),
        ("/v1/published/scores/cadre?period=2025&cursor=%25", 422),
        ("/v1/published/scores/organisation?period=2025&cursor=WyJDIiwieCJd", 422),  # another reader's mark
        ("/v1/published/scores/organisation?period=2025", 200),  # nothing is closed, so there is nothing
        ("/v1/published/scores/cadre/S001?period=2025", 404),
        ("/v1/published/scores/cadre/S001%00?period=2025", 400),
        ("/v1/published/scores/cadre/' OR true --?period=2025", 422),
        ("/v1/published/scores/village/S001?period=2025", 404),
        ("/v1/published/scores/village?period=2025", 404),
        ("/v1/schemes/basic/2", 404),
        ("/v1/schemes/basic/0", 422),
        ("/v1/schemes/basic/one", 422),
    ],
)
def test_nonsense_gets_a_problem_and_never_a_failure(officer, path, status):
    answer = officer.get(path)

    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


def test_nobody_without_evidence_is_given_a_number(officer_of_nothing, pool):
    story = Story()
    story.cadre("S009")
    take(pool, story.take())

    found = officer_of_nothing.get("/v1/scores/cadre/S009?period=2025").json()

    assert (found["composite"], found["withheld"]) == (None, "not_enough_evidence")


def test_the_scheme_can_be_read_word_for_word(officer):
    found = officer.get("/v1/schemes/basic/1").json()

    assert found["definition"]["indicators"]["resolution_rate"]["definition"]["name"]["zh"] == "解决率"
    assert len(found["content_hash"]) == 64


def test_the_periods_there_are(officer):
    periods = [item["period"] for item in officer.get("/v1/periods").json()["items"]]

    assert {"2025", "2025Q1", "2025-03"} <= set(periods)
    assert len(periods) == len(set(periods))
