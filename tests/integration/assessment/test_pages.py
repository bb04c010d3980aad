"""Assessment's pages, as browsers of its readers see them: who sees what, and that it is what the API tells."""

import html
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

import pytest

from services.assessment.api.app import create_api
from services.assessment.domain.measures import CONTACT_KINDS, MEASURES
from services.assessment.fair.signals.odds import Check
from services.assessment.handlers.closings import close_months
from services.assessment.handlers.fair import look, read_fair_settings
from services.assessment.handlers.fair_results import Band
from services.assessment.handlers.published import list_published_periods
from services.assessment.settings import AssessmentSettings
from services.assessment.web.rendering import name_peers, name_period, name_step
from services.assessment.web.site import FORM_PATHS, add_site
from services.assessment.web.texts import TEXTS
from shared.access.principal import Principal
from shared.contracts.intake import contacts, issue_endings, issue_requests, issue_work, issues
from shared.errors import Unauthenticated
from shared.http import check_routes_are_guarded
from tests.asking import client_at
from tests.fakes import one_of_each_role
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.story import random_county
from tests.integration.assessment.test_fair_closings import CLOSED_AT, FIRST, RULE, close

pytestmark = pytest.mark.integration
PEOPLE = one_of_each_role().principals


class Browsers:
    """Knows people by a cookie, as the real one does, whatever else they send."""

    def __init__(self, people: Mapping[str, Principal]) -> None:
        self._people = people

    async def authenticate(self, asked) -> Principal:
        names = [part.strip().removeprefix("who=") for header in asked.cookies for part in header.split(";")]
        for name in names:
            if name in self._people:
                return self._people[name]
        raise Unauthenticated("nobody of this name is known")

    async def authenticate_client(self, *_: object) -> Principal:
        raise Unauthenticated("no machine looks at pages")


def open_site(pool, people):
    settings = AssessmentSettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
    )
    app = create_api(settings, pool, authenticator=Browsers(people), form_paths=FORM_PATHS)
    add_site(app, settings)
    check_routes_are_guarded(app)

    def browser(who):
        return client_at(app, base_url="https://lianxin.example", cookies={"who": who})

    return browser


def fill(pool):
    take(pool, random_county(11))
    score_all(pool)


@pytest.fixture(scope="module")
def visit(shared_pool):
    fill(shared_pool)
    return open_site(shared_pool, PEOPLE)


@pytest.fixture
def visit_own(pool):
    """For who changes what is there."""
    fill(pool)
    return open_site(pool, PEOPLE)


def as_told(browser, path):
    return browser.get(path, headers={"X-Lianxin-Request": "1"}).json()


def test_the_list_shows_every_score_of_the_api_by_code(visit):
    officer = visit("department_officer")
    told = as_told(officer, "/v1/scores?subject=cadre&period=2025&sort=code")["items"]

    page = officer.get("/scores?period=2025").text

    shown = re.findall(r'href="[^"]*scores/cadre/([^"?]+)\?', page)
    assert told
    assert shown == [item["subject"]["code"] for item in told]
    for item in told:
        assert item["composite"] is None or item["composite"] in page


def test_a_profile_shows_what_the_score_is_made_of(visit):
    officer = visit("department_officer")
    listed = as_told(officer, "/v1/scores?subject=cadre&period=2025")["items"]
    code = next(item["subject"]["code"] for item in listed if item["composite"])
    told = as_told(officer, f"/v1/scores/cadre/{code}?period=2025")

    page = html.unescape(officer.get(f"/scores/cadre/{code}?period=2025").text)

    assert told["composite"] in page
    for indicator in told["indicators"]:
        assert indicator["name"]["zh"] in page
        assert f"{indicator['numerator']} / {indicator['denominator']}" in page
        assert indicator["points"] is None or indicator["points"] in page
        evidence = officer.get(f"/scores/cadre/{code}/{indicator['key']}?period=2025")
        assert evidence.status_code == 200
        assert indicator["name"]["zh"] in evidence.text


@pytest.mark.parametrize(
    ("who", "statuses"),
    [
        ("department_officer", (200, 200, 200)),
        ("auditor", (200, 200, 200)),
        ("cadre", (403, 200, 403)),
        ("unit_head", (403, 403, 200)),
        ("clerk", (403, 403, 403)),
        ("nobody", (303, 303, 303)),
    ],
)
def test_everybody_sees_the_pages_of_their_role(visit, who, statuses):
    browser = visit(who)

    assert (
        tuple(browser.get(path).status_code for path in ("/scores", "/published/cadre", "/published/organisation"))
        == statuses
    )


@pytest.mark.parametrize(
    ("who", "place"),
    [
        ("department_officer", "./fair"),
        ("cadre", "./published/cadre"),
        ("unit_head", "./published/organisation"),
        ("nobody", "/identity/sign-in?next=%2Fassessment%2F"),
    ],
)
def test_the_first_page_leads_to_where_the_reader_has_something_to_see(visit, who, place):
    assert visit(who).get("/").headers["location"] == place


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("period=yesterday", "bad-period"),
        ("period=2025&organisation=nowhere", "unknown-organisation"),
        ("period=2025&cursor=none", "bad-cursor"),
    ],
)
def test_what_cannot_be_asked_is_told_beside_what_was_asked(visit, query, error):
    answer = visit("department_officer").get(f"/scores?{query}")

    assert answer.status_code in {404, 422}
    assert TEXTS["zh"]["errors"][error] in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/scores/cadre/none?period=2025",
        "/scores/nobody/S001?period=2025",
        "/scores/cadre/S001",
        "/scores/cadre/S001/none?period=2025",
        "/published/cadre/S001?period=2025",
        "/published/cadre/%3Cb%3E?period=x",
    ],
)
def test_what_is_not_there_is_a_page_too(visit, path):
    answer = visit("department_officer").get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<b>" not in answer.text


def test_pages_take_the_same_words_in_both_languages(visit):
    assert TEXTS["zh"].keys() == TEXTS["en"].keys()
    assert "Scores" in visit("department_officer").get("/scores?language=en").text


def test_the_page_of_a_fair_score_says_what_the_api_says(pool, visit_own):
    look(pool, read_fair_settings(), region_level="50", zone=ZONE, now=NOW)
    officer = visit_own("department_officer")
    shown = officer.get("/v1/fair-scores").json()["items"]
    page = html.unescape(officer.get("/fair").text)
    one = shown[0]

    told = html.unescape(officer.get(f"/fair/{one['staff_number']}").text)

    rows = re.findall(r'<td class="number">([+-]?\d+\.\d\d)</td></tr>', told.partition("<tfoot>")[0])

    assert sum(map(Decimal, rows)) == Decimal(one["score"])
    for score in shown:
        assert score["staff_number"] in page
        assert f"{score['score']} ({score['lower']}–{score['upper']})" in page
    assert one["score"] in told
    for points in one["points"].values():
        assert points in told or points == "0.00"
    assert visit_own("cadre").get("/fair").status_code == 403
    assert officer.get("/fair?period=2024-01").status_code == 404
    assert TEXTS["zh"]["errors"]["not-published"] in html.unescape(officer.get("/fair?period=2024-01").text)


def test_the_page_of_fair_scores_offers_the_closed_periods(pool, visit_own):
    for now in (FIRST, CLOSED_AT):  # the first call starts the clock
        close_months(pool, rule=RULE, now=now)
    closed = list_published_periods(pool)

    page = visit_own("department_officer").get("/fair").text

    assert closed
    assert all(f'<option value="{period.label}">' in page for period in closed)


def test_the_evidence_leads_page_by_page_to_every_fact_of_the_api(visit, monkeypatch):
    monkeypatch.setattr("services.assessment.web.score_pages.MOST_EVIDENCE", 3)
    officer = visit("department_officer")
    code = as_told(officer, "/v1/scores?subject=cadre&period=2025")["items"][0]["subject"]["code"]
    facts = as_told(officer, f"/v1/scores/cadre/{code}/indicators/response_rate/events?period=2025&limit=200")
    place = f"/scores/cadre/{code}/response_rate?period=2025"

    shown, steps, reasons = [], set(), set()
    while place:
        page = html.unescape(officer.get(place).text)
        shown += re.findall(r"· <code class=\"id\">([0-9a-f-]{36})</code>", page)
        steps |= set(re.findall(r'<div class="first"><strong>([^<]+)</strong><span>\d', page))
        reasons |= set(re.findall(r" · ([^ <]+) · <code", page))
        following = re.search(r'class="button quiet" href="(\?[^"]+)"', page)
        place = f"/scores/cadre/{code}/response_rate{following[1]}" if following else ""

    assert 3 < len(facts["items"]) < 200
    assert shown == [fact["id"] for fact in facts["items"]]
    assert TEXTS["zh"]["measures"]["responded"] in reasons
    assert {"受理", "办结"} <= steps <= set(TEXTS["zh"]["steps"].values())
    assert officer.get(f"/scores/cadre/{code}/response_rate?period=2025&cursor=none").status_code == 422


def test_the_other_language_shows_the_same(visit):
    officer = visit("department_officer")
    code = as_told(officer, "/v1/scores?subject=cadre&period=2025")["items"][0]["subject"]["code"]

    chinese = officer.get(f"/scores/cadre/{code}?period=2025&language=zh").text
    (other,) = re.findall(r'href="(\?[^"]*language=en)"', html.unescape(chinese))
    english = officer.get(f"/scores/cadre/{code}{other}")

    assert "period=2025" in other
    assert english.status_code == 200
    assert TEXTS["en"]["why"] in english.text


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("141.township_head", "乡镇（街道）行政正职·乡科级正职"),
        ("141.some_other", "some_other·乡科级正职"),
        ("of_their_own", "of_their_own"),
        (None, "—"),
    ],
)
def test_a_peer_group_is_named_as_far_as_its_codes_are_known(code, name):
    assert name_peers(code, TEXTS["zh"]) == name


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_code_that_can_come_has_its_words(language):
    texts = TEXTS[language]

    assert set(CONTACT_KINDS) <= texts["contact_kinds"].keys()
    assert set(get_args(Check)) == texts["checks"].keys()
    assert set(get_args(Band)) == texts["bands"].keys()
    nothing_to_say = {"contacts", "issues_received", "ratings", "rating_level_sum"}
    assert set(MEASURES) - nothing_to_say == texts["measures"].keys()
    assert {"received", "closed", "replied"} <= {step.partition(".")[2] for step in texts["steps"]}
    for event in (*issues.EVENTS, *issue_work.EVENTS, *issue_requests.EVENTS, *issue_endings.EVENTS, *contacts.EVENTS):
        assert name_step(event.type, texts) in texts["steps"].values()


def test_the_cadre_reads_on_the_page_what_is_published_of_the_score_for_appraisal(pool, visit_own):
    close(pool)
    officer = visit_own("department_officer")
    one = as_told(officer, "/v1/published/place-scores/cadre?period=2025-01")["items"][0]

    page = html.unescape(officer.get(f"/published/cadre/{one['subject']['code']}?period=2025-01").text)

    assert one["content_hash"] in page
    for sentence in one["explanation"]["zh"][:-1]:
        assert sentence in page


@pytest.mark.parametrize(("place", "query"), [("fair", "flag=none"), ("scores", "subject=cadre&period=2025")])
def test_a_list_leads_to_its_file_for_whoever_may_carry_it_out(pool, visit_own, place, query):
    look(pool, read_fair_settings(), region_level="50", zone=ZONE, now=NOW)
    pages = {
        who: html.unescape(visit_own(who).get(f"/{place}?{query}").text) for who in ("department_officer", "approver")
    }

    links = {
        who: re.findall(rf'href="[./]*(v1/(?:fair-)?scores/export[?][^"]*{query}[^"]*)"', page)
        for who, page in pages.items()
    }

    assert [link.rpartition("=")[2] for link in links["department_officer"]] == ["xlsx", "csv", "parquet"]
    assert links["approver"] == []
    refused = visit_own("department_officer").get("/" + links["department_officer"][0])
    assert refused.json()["type"] == "urn:lianxin:problem:step-up-needed"


@pytest.mark.parametrize(
    ("label", "chinese"),
    [
        ("2025", "2025年"),
        ("2025H2", "2025年下半年"),
        ("2025Q1", "2025年一季度"),
        ("2025Q4", "2025年四季度"),
        ("2025-03", "2025年3月"),
        ("2025-03-05..2025-04-20", "2025-03-05..2025-04-20"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_period_is_called_as_people_call_it(label, chinese):
    assert (name_period(label, TEXTS["zh"]), name_period(label, TEXTS["en"])) == (chinese, label)
