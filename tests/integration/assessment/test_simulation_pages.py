"""The page at which schemes are tried: who may, what is offered, and that it says what the API says."""

import html
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.assessment.handlers.candidates import list_candidates
from services.assessment.handlers.rule_schemes import propose_scheme
from services.assessment.web.texts import TEXTS
from shared.identifiers import new_id
from tests.fakes import person
from tests.integration.assessment.conftest import NOW
from tests.integration.assessment.test_fair_closings import live, open_closed
from tests.integration.assessment.test_pages import as_told, open_site
from tests.integration.assessment.test_place_scores import SCHEME, adopt

pytestmark = pytest.mark.integration

OFFICER = person("department_officer", name="officer")
PEOPLE = {
    "officer": OFFICER,
    "auditor": person("auditor", name="auditor"),
    "approver": person("approver", name="approver"),
    "town": person("department_officer", "T", name="town"),
    "S0": person("cadre", name="S0", staff_number="S0"),
    "head": person("unit_head", "T", name="head"),
}
ASKED = {"period": "2025-01", "subject": "cadre", "baseline": "indicators/basic/1", "tolerance": "1"}


def open_january(pool):
    """January is closed, and eight cadres are published of whom ten people said something each."""
    open_closed(pool, live(raters=10))
    return open_site(pool, PEOPLE)


@pytest.fixture(scope="module")
def visit(shared_pool):
    """No scheme is proposed there, nor adopted."""
    return open_january(shared_pool)


@pytest.fixture
def visit_own(pool):
    return open_january(pool)


def look_at(browser, **asked):
    answer = browser.get("/simulation", params=ASKED | asked)
    return answer.status_code, html.unescape(answer.text)


def send(browser, text, **changed):
    token = re.findall(r'name="form_token" value="([^"]+)"', browser.get("/simulation").text)[0]
    answer = browser.post("/simulation", data=ASKED | {"form_token": token, "text": text} | changed)
    return answer.status_code, html.unescape(answer.text)


def propose(pool, name="proposed"):
    document = SCHEME.format(name=name, validity="from = 2026-01-01", full=100)
    return propose_scheme(pool, document, by=OFFICER, new_id=new_id(), now=datetime.now(UTC))


def documents(pool):
    return {one.key: one.document for one in list_candidates(pool, with_proposals=True, now=NOW)}


def ask_api(browser, candidate, baseline=None):
    body = {"subject": "cadre", "period": "2025-01", "candidate": candidate}
    body |= {"baseline": baseline} if baseline else {}
    return browser.post("/v1/simulations", json=body, headers={"X-Lianxin-Request": "1"}).json()


@pytest.mark.parametrize(
    ("who", "status"),
    [("officer", 200), ("auditor", 200), ("approver", 200), ("town", 200), ("S0", 403), ("head", 403), ("nobody", 303)],
)
def test_who_may_simulate_over_the_api_finds_the_page(visit, who, status):
    browser = visit(who)

    assert browser.get("/simulation").status_code == status
    assert browser.post("/simulation", data={"text": "x"}).status_code == {200: 403, 303: 303}.get(status, status)


def test_the_page_says_of_each_subject_and_group_what_the_api_says(pool, visit_own):
    officer = visit_own("officer")
    adopt(pool, "own", "from = 2025-01-01")
    known = documents(pool)
    told = ask_api(officer, known["adopted/own/1"], known["indicators/basic/1"])

    status, page = look_at(officer, candidate="adopted/own/1")

    assert status == 200
    moved = [one for one in told["movements"] if one["change"] not in {None, "0"}]
    assert moved
    farthest = sorted(moved, key=lambda one: (-abs(Decimal(one["change"])), one["subject"]))
    shown = re.findall(r'">[^<]* (S\d)</a><br>.*?<td class="number">([+-][\d.]+)</td>', page)
    assert [(code, Decimal(change)) for code, change in shown] == [
        (one["subject"], Decimal(one["change"])) for one in farthest
    ]
    steps = re.findall(r'<td class="number">(\d+)</td><td class="spare"><meter', page)
    assert sum(map(int, steps)) == sum(one["change"] is not None for one in told["movements"])
    for group in told["by_group"]:
        if group["value"] and group["mean_change"]:
            change = f"{round(Decimal(group['mean_change']), 2):+f}"
            assert f'<td class="number">{group["subjects"]}</td><td class="number">{change}</td>' in page
    for one in told["after"]["saturation"]:
        counts = (one["subjects"], one["at_ceiling"], one["at_floor"])
        assert "".join(f'<td class="number">{count}</td>' for count in counts) in page
    for name in ("scored", "distinct", "tied", "unclear_neighbours"):
        cells = (told["before"][name], told["after"][name])
        title = TEXTS["zh"]["separations"][name]
        assert f"{title}</th>" + "".join(f'<td class="number">{cell}</td>' for cell in cells) in page


def test_the_scheme_of_the_indicators_as_text_gives_the_published_totals(shared_pool, visit):
    told = ask_api(visit("officer"), documents(shared_pool)["indicators/basic/1"])

    both = [one for one in told["movements"] if one["before"]]

    assert both
    assert all(abs(Decimal(one["change"])) <= Decimal("0.02") for one in both)  # shares are published to four places


def test_a_change_of_a_scheme_is_tried_and_kept_nowhere(shared_pool, visit):
    officer = visit("officer")
    text = documents(shared_pool)["indicators/basic/1"]
    status, unchanged = send(officer, text.replace("\n", "\r\n"), baseline="indicators/basic/1")

    told, changed = send(officer, text.replace("full = 30", "full = 10").replace("full = 15", "full = 35"))

    assert (status, told) == (200, 200)
    assert TEXTS["zh"]["movers"] not in unchanged
    assert TEXTS["zh"]["movers"] in changed
    assert TEXTS["zh"]["as_changed"] in changed
    assert "full = 35" in changed  # what was typed is still there
    assert "full = 35" not in look_at(officer, candidate="indicators/basic/1")[1]


def test_what_is_proposed_is_offered_to_whom_may_read_proposals(pool, visit_own):
    proposal = propose(pool)
    key = f"proposed/{proposal.id}"

    assert key in visit_own("officer").get("/simulation").text
    assert look_at(visit_own("auditor"), candidate=key)[0] == 200
    assert key not in visit_own("town").get("/simulation").text
    status, page = look_at(visit_own("town"), candidate=key)
    assert status == 404
    assert TEXTS["zh"]["errors"]["unknown-scheme"] in page


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"candidate": "adopted/none/1"}, 404, "unknown-scheme"),
        ({"candidate": "indicators/basic/1", "period": "someday"}, 422, "bad-period"),
        ({"candidate": "indicators/basic/1", "period": "2024-01"}, 404, "not-published"),
        ({"candidate": "indicators/basic/1", "tolerance": "-1"}, 422, "invalid-form"),
        ({"candidate": "indicators/basic/1", "tolerance": "0"}, 200, "separation"),
        ({"candidate": "indicators/basic/1", "subject": "organisation"}, 200, "separation"),
        ({}, 200, "change_it"),
    ],
)
def test_what_cannot_be_tried_is_told_beside_what_was_asked(visit, asked, status, said):
    told, page = look_at(visit("officer"), **asked)

    assert told == status
    assert {**TEXTS["zh"], **TEXTS["zh"]["errors"]}[said] in page


@pytest.mark.parametrize(
    ("language", "reason"), [("zh", "公布的数据中没有no_such"), ("en", "no publication says no_such")]
)
def test_a_scheme_that_does_not_fit_is_told_with_the_reason_in_the_readers_language(
    shared_pool, visit, language, reason
):
    officer = visit("officer")
    officer.get(f"/simulation?language={language}")
    text = documents(shared_pool)["indicators/basic/1"].replace(
        'column = "response_rate", optional = true', 'column = "no_such"'
    )

    status, page = send(officer, text)

    assert status == 422
    assert reason in page
    assert "no_such" in page.partition("<textarea")[2]


def test_a_form_of_somebody_else_is_not_acted_on(shared_pool, visit):
    status, page = send(visit("officer"), documents(shared_pool)["indicators/basic/1"], form_token="x" * 43)

    assert status == 403
    assert TEXTS["zh"]["separation"] not in page


def test_only_what_is_within_reach_is_looked_at(visit):
    county = look_at(visit("officer"), candidate="indicators/basic/1", baseline="", subject="organisation")[1]
    town = look_at(visit("town"), candidate="indicators/basic/1", baseline="", subject="organisation")[1]

    counted = [
        re.search(TEXTS["zh"]["tried_of"].format(all=r"(\d+)", compared=r"\d+"), page) for page in (county, town)
    ]
    assert [found and found[1] for found in counted] == ["2", "1"]
    assert as_told(visit("town"), "/v1/published/scores/organisation?period=2025-01")["items"]
