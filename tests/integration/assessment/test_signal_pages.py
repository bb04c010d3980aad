"""The page of signals: who sees what waits for a look, and deciding it there as over the API."""

import html
import re
from urllib.parse import urlencode

import pytest

from services.assessment.handlers.signals import GROUNDS
from services.assessment.web.texts import TEXTS
from shared.pages import encode_cursor
from shared.policy import decide
from shared.reach import acting
from tests.fakes import person
from tests.integration.assessment.conftest import NOW
from tests.integration.assessment.test_fair import OFFICERS, _look, fill_town
from tests.integration.assessment.test_pages import open_site

pytestmark = pytest.mark.integration
PEOPLE = OFFICERS.principals | {"S0": person("cadre", name="S0", staff_number="S0")}


def open_town(pool):
    fill_town(pool)
    _look(pool)
    return open_site(pool, PEOPLE)


@pytest.fixture(scope="module")
def visit(shared_pool):
    """Nobody decides anything there."""
    return open_town(shared_pool)


@pytest.fixture
def visit_own(pool):
    return open_town(pool)


def read_form(browser):
    page = browser.get("/signals").text
    return {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[0] for name in ("form_token", "id")}


def open_signals(browser):
    return browser.get("/v1/signals", headers={"X-Lianxin-Request": "1"}).json()["items"]


def test_what_waits_is_told_in_words_and_only_who_may_decide_finds_the_form(visit):
    officer, auditor = visit("officer"), visit("auditor")
    (signal,) = open_signals(officer)

    page, read_only = (html.unescape(browser.get("/signals").text) for browser in (officer, auditor))

    assert signal["says"]["zh"] in page
    assert signal["says"]["zh"] in read_only
    assert f">干部{signal['staff_number']} {signal['staff_number']}</a>" in page
    assert f"<dd>{signal['organisation_name']}</dd>" in page
    assert signal["organisation_name"] is not None
    assert TEXTS["zh"]["checks"][signal["check_name"]] in page
    assert all(names["zh"] in page for names in GROUNDS.values())
    assert "signals/decision" in page
    assert "signals/decision" not in read_only
    assert signal["says"]["en"] in html.unescape(officer.get("/signals?language=en").text)
    assert TEXTS["zh"]["no_signals"] in officer.get("/signals?state=cleared&language=zh").text


def test_a_score_leads_to_what_waits_about_its_cadre(visit):
    officer = visit("officer")
    (signal,) = open_signals(officer)

    page = html.unescape(officer.get(f"/fair/{signal['staff_number']}").text)

    (link,) = re.findall(r'href="[./]*(signals[?][^"]*)"', page)
    assert signal["says"]["zh"] in html.unescape(officer.get(f"/{link}").text)
    assert "signals?" not in officer.get("/fair/S1").text


SIGNAL_ID = "01890000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "place",
    [
        ("2025-03-04T15:59:00+00:00", "x"),
        ("2025-03-04T15:59:00+00:00", None),
        ("soon", SIGNAL_ID),
        ("2025-02-30T15:59:00+00:00", SIGNAL_ID),
        ("2025-03-04", SIGNAL_ID),
        ("2025-03-04T15:59:00", SIGNAL_ID),
        (None, None),
        (SIGNAL_ID,),
    ],
)
def test_a_cursor_of_ours_with_no_place_in_this_list_is_refused(visit, place):
    officer = visit("officer")
    with acting(decide(PEOPLE["officer"], "signal.read", now=NOW)):
        query = urlencode({"cursor": encode_cursor(list(place))})

    answer = officer.get(f"/v1/signals?{query}", headers={"X-Lianxin-Request": "1"})
    page = officer.get(f"/signals?{query}&language=zh")

    assert (answer.status_code, answer.json()["title"]) == (422, "bad-cursor")
    assert page.status_code == 422
    assert TEXTS["zh"]["errors"]["bad-cursor"] in page.text


def test_its_records_are_told_in_words_with_what_happened(visit):
    officer = visit("officer")
    (signal,) = open_signals(officer)
    link = f"signals/{signal['signal_id']}"
    assert link in officer.get("/signals").text

    page = html.unescape(officer.get(f"/{link}").text)

    assert signal["says"]["zh"] in page
    assert all(record in page for record in signal["record_ids"])
    assert page.count(TEXTS["zh"]["steps"]["issue.closed"]) >= len(signal["record_ids"])
    assert 'name="verdict"' in page
    assert TEXTS["en"]["facts"]["issue"] in officer.get(f"/{link}?language=en").text
    assert officer.get(f"/{link}?cursor=x").status_code == 422


@pytest.mark.parametrize(
    ("who", "status"), [("S0", 403), ("nobody", 303), ("elsewhere", 404), ("herself", 404), ("auditor", 200)]
)
def test_records_are_for_whoever_may_see_the_signal(visit, who, status):
    (signal,) = open_signals(visit("officer"))

    assert visit(who).get(f"/signals/{signal['signal_id']}").status_code == status
    for nobody in ("01890000-0000-7000-8000-000000000000", "x"):
        answer = visit("officer").get(f"/signals/{nobody}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(("who", "status"), [("S0", 403), ("nobody", 303), ("elsewhere", 200), ("herself", 200)])
def test_nobody_sees_a_signal_that_is_their_own_or_out_of_their_reach(visit, who, status):
    answer = visit(who).get("/signals")

    assert answer.status_code == status
    assert "fair/S0" not in answer.text


def test_a_signal_is_decided_on_the_page_once(visit_own):
    officer = visit_own("officer")
    form = read_form(officer) | {"verdict": "cleared", "grounds": "asked_citizens"}

    decided = officer.post("/signals/decision", data=form)
    again = officer.post("/signals/decision", data=form)
    otherwise = officer.post("/signals/decision", data=form | {"verdict": "confirmed"})

    assert (decided.status_code, again.status_code, otherwise.status_code) == (303, 303, 409)
    assert TEXTS["zh"]["errors"]["signal-decided"] in otherwise.text
    assert open_signals(officer) == []
    page = html.unescape(officer.get("/signals?state=cleared").text)
    assert GROUNDS["asked_citizens"]["zh"] in page
    assert "officer" in page


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"verdict": "guilty"}, 422),
        ({"grounds": "rumour"}, 422),
        ({"id": "none"}, 422),
        ({"id": "01890000-0000-7000-8000-000000000000"}, 404),
        ({"form_token": "x" * 43}, 403),
    ],
)
def test_a_decision_that_cannot_be_is_refused_beside_the_list(visit, changed, status):
    officer = visit("officer")
    form = read_form(officer) | {"verdict": "cleared", "grounds": "asked_citizens"}

    answer = officer.post("/signals/decision", data=form | changed)

    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert len(open_signals(officer)) == 1


@pytest.mark.parametrize("who", ["auditor", "S0", "herself"])
def test_who_may_not_decide_is_refused(visit, who):
    form = read_form(visit("officer")) | {"verdict": "cleared", "grounds": "asked_citizens"}
    browser = visit(who)
    browser.cookies.set("__Host-lianxin-form", form["form_token"])

    answer = browser.post("/signals/decision", data=form)

    assert answer.status_code in {403, 404}
    assert len(open_signals(visit("officer"))) == 1
