"""The pages of call-backs and reviews, as a browser uses them: who has work there, and what comes of a form."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.intake.domain.citizens import Citizen
from services.intake.handlers import contacts, issues, ratings, reviews
from services.intake.handlers.rating_rules import load_rating_rules
from services.intake.settings import IntakeSettings
from services.intake.web.texts.languages import TEXTS
from shared.database import transaction
from tests.fakes import person
from tests.integration.intake.browsers import open_site, opened
from tests.integration.intake.commands import a_contact, a_rating, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.forms import filled_in

pytestmark = pytest.mark.integration
PEOPLE = {
    "county-desk": person("clerk", "county", name="county-desk"),
    "street-clerk": person("clerk", "street", name="street-clerk"),
    "officer": person("department_officer", "county", name="officer"),
    "other-officer": person("department_officer", "county", name="other-officer"),
    "approver": person("approver", "county", name="approver"),
    "unit_head": person("unit_head", "county", name="unit_head"),
}
CITIZEN = Citizen(name="张秀兰", phone="15499990001")
NOBODY = "01a22440-0000-7000-8000-000000000000"
NOTE = "走访困难家庭三户，了解生活情况，群众反映灌溉渠淤堵、村口路灯不亮，已记录并转有关单位办理。"


@pytest.fixture
def visit(pool, county, tmp_path):
    assert county
    people = {name: replace(one, stepped_up_at=datetime.now(UTC)) for name, one in PEOPLE.items()}
    with opened(open_site(pool, tmp_path, people)) as browser:
        yield browser


@pytest.fixture
def rows(pool):
    def read(query, *parameters):
        with transaction(pool) as connection:
            return connection.execute(query, list(parameters)).fetchall()

    return read


@pytest.fixture
def closed(pool, county):
    assert county
    command = replace(
        an_issue(staff_number="S1", organisation_code="street", citizen=CITIZEN),
        outcome="resolved",
        reply="已修好",
        closed_at=NOW,
    )
    [outcome] = issues.receive_issues(pool, [command], now=NOW)
    assert outcome.status == "created", outcome
    return command.id


def call(browser, issue_id, **said):
    page = browser.get(f"/desk/calls/issues/{issue_id}")
    assert page.status_code == 200, page.text
    return browser.post("/desk/calls/result", data=filled_in(page.text, "calls/result") | said)


def test_what_a_citizen_said_on_the_telephone_is_a_rating(visit, rows, closed):
    answer = call(visit("county-desk"), closed, result="reached_rated", level="4", solved="yes", speed="2")

    assert (answer.status_code, answer.headers["location"]) == (303, "../../desk/calls?done=created")
    assert rows("SELECT level, solved, speed, attitude, method FROM rating WHERE issue_id = %s", closed) == [
        (4, True, 2, None, "callback")
    ]


def test_a_call_form_that_is_sent_twice_is_one_call(visit, rows, closed):
    desk = visit("county-desk")
    form = filled_in(desk.get(f"/desk/calls/issues/{closed}").text, "calls/result") | {"result": "not_reached"}

    answers = [desk.post("/desk/calls/result", data=form).headers["location"] for _ in range(2)]

    assert answers == ["../../desk/calls?done=created", "../../desk/calls?done=unchanged"]
    assert rows("SELECT result FROM callback_attempt") == [("not_reached",)]


def test_whoever_handled_it_is_told_that_another_person_calls(visit, rows, closed):
    answer = call(visit("street-clerk"), closed, result="reached_rated", level="5", comment="很好")

    assert answer.status_code == 403
    assert TEXTS["zh"]["errors"]["own-work"] in answer.text
    assert "很好" in answer.text
    assert rows("SELECT count(*) FROM rating WHERE issue_id = %s", closed) == [(0,)]


def test_answers_without_a_level_are_no_rating(visit, rows, closed):
    answer = call(visit("county-desk"), closed, result="reached_rated", comment="很好")

    assert answer.status_code == 422
    assert filled_in(answer.text, "calls/result")["comment"] == "很好"
    assert rows("SELECT count(*) FROM callback_attempt") == [(0,)]


def test_that_there_was_no_such_matter_is_a_result_of_its_own(visit, rows, closed):
    desk = visit("county-desk")
    offered = desk.get(f"/desk/calls/issues/{closed}").text

    answer = call(desk, closed, result="reached_no_such_matter", level="5")

    assert TEXTS["zh"]["call_results"]["reached_no_such_matter"] in offered
    assert TEXTS["zh"]["denial_help"] in offered
    assert answer.status_code == 303
    assert rows("SELECT result, rating_id FROM callback_attempt") == [("reached_no_such_matter", None)]
    assert rows("SELECT denial FROM callback_denial WHERE issue_id = %s", closed) == [("no_such_matter",)]
    again = call(desk, closed, result="reached_rated", level="5")
    assert (again.status_code, TEXTS["zh"]["errors"]["own-denial"] in again.text) == (409, True)


def test_a_number_is_shown_on_request_and_each_time_on_record(visit, rows, closed):
    desk = visit("county-desk")
    page = desk.get(f"/desk/calls/issues/{closed}").text
    assert CITIZEN.phone not in page

    late = desk.post("/desk/calls/citizen", data=filled_in(page, "calls/citizen"))
    officer = visit("officer")
    form = filled_in(officer.get(f"/desk/calls/issues/{closed}").text, "calls/citizen")
    shown = officer.post("/desk/calls/citizen", data=form)

    assert (late.status_code, TEXTS["zh"]["errors"]["reveal-window-closed"] in late.text) == (403, True)
    assert shown.status_code == 200
    assert CITIZEN.phone in shown.text
    assert filled_in(shown.text, "calls/result")["id"] == form["id"]
    assert rows("SELECT reason_code FROM reveal WHERE issue_id = %s", closed) == [("call_back",)]


@pytest.mark.parametrize("path", ["/desk/calls/issues/none", f"/desk/calls/issues/{NOBODY}", "/desk/calls/x/y"])
def test_there_is_no_call_about_what_is_not_there(visit, path):
    assert visit("county-desk").get(path).status_code == 404


def test_a_contact_that_looks_odd_is_decided_on_by_an_officer(visit, registered, rows):
    for _ in range(2):
        [outcome] = contacts.record_contacts(registered, [a_contact(note=NOTE, citizen=CITIZEN)], now=NOW)
        assert outcome.status == "created", outcome
    while reviews.examine_contacts(registered, now=NOW, limit=10):
        pass
    officer = visit("officer")
    page = officer.get("/desk/reviews").text
    form = filled_in(page, "reviews/decision") | {"decision": "does_not_count", "reason_code": "split_up"}

    answer = officer.post("/desk/reviews/decision", data=form)

    assert (answer.status_code, answer.headers["location"]) == (303, "../../desk/reviews?done=changed")
    assert rows("SELECT counts FROM contact WHERE id = %s", form["id"]) == [(False,)]
    assert TEXTS["zh"]["no_reviews"] in officer.get("/desk/reviews").text


def test_a_rating_that_is_to_be_taken_out_is_decided_on_by_another_person(visit, pool, closed, rows):
    rating_id = ask_for_removal(visit("other-officer"), pool, closed)
    officer = visit("officer")
    asker = visit("other-officer")
    form = filled_in(asker.get("/desk/rating-cases").text, "rating-cases/decision") | {"reason": "与事项无关"}
    assert asker.post("/desk/rating-cases/decision", data=form).status_code == 409
    form = filled_in(officer.get("/desk/rating-cases").text, "rating-cases/decision") | {
        "decision": "remove",
        "reason_code": "malicious_review",
    }

    wordless = officer.post("/desk/rating-cases/decision", data=form)
    answer = officer.post("/desk/rating-cases/decision", data=form | {"reason": "已核实与事项无关"})

    assert wordless.status_code == 422
    assert answer.status_code == 303
    assert rows("SELECT state FROM rating WHERE id = %s", rating_id) == [("removed",)]


def ask_for_removal(browser, pool, issue_id):
    command = a_rating(issue_id=issue_id, method="callback", level=1)
    rules = load_rating_rules(
        IntakeSettings(
            mode="test",
            database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
            broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        )
    )
    [outcome] = ratings.submit_ratings(pool, [command], rules=rules, now=NOW)
    assert outcome.status == "created", outcome
    body = {"kind": "removal", "reason_code": "malicious_review", "reason": "与事项无关"}
    answer = browser.post(f"/v1/ratings/{command.id}/cases", json=body, headers={"X-Lianxin-Request": "1"})
    assert answer.status_code == 201, answer.text
    return command.id


def test_everybody_is_led_only_where_they_have_work(visit):
    clerk, officer = (visit(who).get("/desk").text for who in ("county-desk", "officer"))

    assert 'href="../desk/reviews"' not in clerk.replace("./desk", "../desk")
    assert "desk/calls" in clerk
    assert "desk/contacts/new" in clerk
    assert "desk/reviews" in officer
    assert "desk/rating-cases" in officer
    assert "desk/contacts/new" not in visit("approver").get("/desk").text
    refused = visit("county-desk").get("/desk/reviews")
    assert refused.status_code == 403
    assert 'href="../desk/reviews"' not in refused.text
    assert 'href="../desk/calls"' in refused.text
    assert visit("unit_head").get("/desk/calls").status_code == 403
