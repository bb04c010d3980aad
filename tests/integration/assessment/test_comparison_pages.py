"""Scores side by side: ticked in a list, of one peer group or of one cadre in two periods, as the API has them."""

import html
import re
from datetime import timedelta
from decimal import Decimal
from itertools import combinations

import pytest

from services.assessment.fair.telling import WORDS
from services.assessment.handlers.fair import look
from services.assessment.web.texts import TEXTS
from tests.fakes import person
from tests.integration.assessment.conftest import ZONE
from tests.integration.assessment.test_fair_closings import CLOSED_AT, CLOSING, FIRST, READERS, live, open_closed
from tests.integration.assessment.test_pages import as_told, open_site

pytestmark = pytest.mark.integration
PEOPLE = READERS.principals | {"elsewhere": person("department_officer", "E", name="elsewhere")}
TWO = "/comparison?cadre=S0&cadre=S7&period=2025-01"


@pytest.fixture(scope="module")
def visit(shared_pool):
    """January is closed; then everybody is looked at. S9 is of another peer group."""
    story = live()
    other = story.cadre("S9")
    story.post(other, story.town, post_kind="county_leader")
    for day in range(5):
        issue = story.issue(story.town, other, FIRST + timedelta(days=day), due_at=FIRST + timedelta(days=day + 6))
        story.close(issue, FIRST + timedelta(days=day + 2))
    open_closed(shared_pool, story)
    look(shared_pool, CLOSING.settings, region_level="50", zone=ZONE, now=CLOSED_AT)
    return open_site(shared_pool, PEOPLE)


def as_read(browser, path):
    return html.unescape(browser.get(path).text)


def cells_of(page, title):
    """The row of this title in the first table that has it, each cell as text."""
    row = re.search(rf'<th scope="row">{re.escape(title)}</th>(.*?)</tr>', page)
    assert row, title
    return [re.sub("<[^>]+>", " ", cell).split() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row[1])]


def told_of(browser, *codes, period="?period=2025-01"):
    listed = {one["staff_number"]: one for one in as_told(browser, f"/v1/fair-scores{period}")["items"]}
    return [listed[code] for code in codes]


@pytest.mark.parametrize("place", ["/fair?period=2025-01", "/scores?period=2025-01"])
def test_cadres_that_are_ticked_in_a_list_are_compared(visit, place):
    officer = visit("officer")
    page = officer.get(place).text

    ticked = re.findall(r'<input type="checkbox" name="cadre" value="(S\d)" form="compare"', page)
    (form,) = re.findall(
        r'<form id="compare"[^>]*action="\./([^"]+)"><input type="hidden" name="period" value="2025-01">', page
    )
    compared = as_read(officer, f"/{form}?period=2025-01&cadre={ticked[0]}&cadre={ticked[1]}")

    assert {f"S{number}" for number in range(8)} <= set(ticked)
    assert f"{ticked[0]}</a></th>" in compared
    assert f"{ticked[1]}</a></th>" in compared


def test_scores_intervals_bands_and_contributions_are_those_of_the_api(visit):
    officer = visit("officer")
    told = told_of(officer, "S0", "S7")

    page = as_read(officer, TWO)

    texts = TEXTS["zh"]
    assert cells_of(page, texts["score"]) == [[one["score"]] for one in told]
    assert cells_of(page, texts["interval"]) == [[f"{one['lower']}–{one['upper']}"] for one in told]
    assert cells_of(page, texts["band"]) == [[texts["bands"][one["band"]]] for one in told]
    assert cells_of(page, texts["reliability"]) == [[one["reliability"]] for one in told]
    sums = [Decimal(0), Decimal(0)]
    for name in told[0]["points"]:
        shown = cells_of(page, texts["base"] if name == "base" else WORDS["zh"][name])
        points = [cell[0] for cell in shown]
        assert [one["points"][name] for one in told] == [
            point.removeprefix("+").replace("—", "0.00") for point in points
        ]
        sums = [total + Decimal(one["points"][name]) for total, one in zip(sums, told, strict=True)]
    assert sums == [Decimal(cell[0]) for cell in cells_of(page, texts["sum"])]


def test_only_those_are_told_apart_whose_intervals_do_not_touch(visit):
    officer = visit("officer")
    codes = [f"S{number}" for number in range(8)]
    told = told_of(officer, *codes)
    apart = {
        frozenset((one["staff_number"], other["staff_number"]))
        for one, other in combinations(told, 2)
        if Decimal(one["upper"]) < Decimal(other["lower"]) or Decimal(other["upper"]) < Decimal(one["lower"])
    }

    page = as_read(officer, f"/comparison?period=2025-01&cadre={','.join(codes)}")

    cells = cells_of(page, TEXTS["zh"]["told_apart"])
    shown = {
        frozenset((code, name.removeprefix("干部"))) for code, cell in zip(codes, cells, strict=True) for name in cell
    }
    assert {pair for pair in shown if TEXTS["zh"]["nobody"] not in pair} == apart


def test_the_indicators_stand_beside_one_another_as_in_the_api(visit):
    officer = visit("officer")
    told = as_told(officer, "/v1/comparisons?period=2025-01&cadres=S0,S7")
    names = {one["key"]: one["name"]["zh"] for one in as_told(officer, "/v1/indicators")["items"]}

    page = as_read(officer, TWO).partition(TEXTS["zh"]["scores"] + " · ")[2]

    assert told["items"]
    for key in (part["key"] for part in told["items"][0]["indicators"]):
        cells = cells_of(page, names[key])
        for item, cell in zip(told["items"], cells, strict=True):
            (part,) = (part for part in item["indicators"] if part["key"] == key)
            assert [str(part["numerator"]), "/", str(part["denominator"])] == cell[1:4]
            assert cell[-1] == (part["points"] or "—")
    assert cells_of(page, TEXTS["zh"]["composite"]) == [[item["composite"] or "—"] for item in told["items"]]
    peers = told["peers"]
    assert peers
    assert TEXTS["zh"]["peers_lie"].partition("：")[0].format(people=peers["scored"]) in page
    assert peers["median"] in page


def test_one_cadre_in_two_periods_is_told_what_changed(visit):
    officer = visit("officer")
    told = as_told(officer, "/v1/fair-scores/S1/change?since=2025-01")
    (before,), (after,) = told_of(officer, "S1"), told_of(officer, "S1", period="")

    page = as_read(officer, "/comparison?cadre=S1&beside=2025-01")

    assert cells_of(page, TEXTS["zh"]["score"]) == [[before["score"]], [after["score"]]]
    changes = page.partition(TEXTS["zh"]["change_since"])[2]
    for name, points in told["by_indicator"].items():
        assert cells_of(changes, WORDS["zh"][name])[0] == [f"{Decimal(points):+f}"]


def test_the_page_of_a_cadre_leads_there(visit):
    officer = visit("officer")

    for place in ("/fair/S1?period=2025-01", "/scores/cadre/S1?period=2025-01"):
        (link,) = re.findall(r'href="[./]*(comparison[^"]+)"', as_read(officer, place))
        assert officer.get(f"/{link}").status_code == 200


def test_a_period_without_such_scores_is_named_and_what_there_is_is_compared(visit):
    answer = visit("officer").get("/comparison?cadre=S0&cadre=S7&period=2025Q1")

    assert answer.status_code == 200
    assert "2025年1季度" not in answer.text
    assert f"{TEXTS['zh']['colon']}{TEXTS['zh']['errors']['not-published']}" in answer.text
    assert TEXTS["zh"]["live_parts_help"] in answer.text


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("cadre=S0&cadre=S9", 422, "unlike-subjects"),
        ("cadre=S0&cadre=none", 404, "unknown-fair-score"),
        ("cadre=S0&period=someday", 422, "bad-period"),
        ("cadre=S0&period=2024-01", 404, "not-published"),
        ("cadre=" + "+".join(f"X{number}" for number in range(21)), 422, "unlike-subjects"),
    ],
)
def test_what_cannot_be_compared_is_told_beside_what_was_asked(visit, query, status, code):
    answer = visit("officer").get(f"/comparison?{query}")

    assert answer.status_code == status
    assert TEXTS["zh"]["errors"][code] in answer.text


@pytest.mark.parametrize(
    ("who", "status"),
    [("auditor", 200), ("officer", 200), ("elsewhere", 404), ("herself", 404), ("S0", 403), ("x", 303)],
)
def test_nobody_compares_whom_they_may_not_see(visit, who, status):
    answer = visit(who).get(TWO)

    assert answer.status_code == status
    assert (WORDS["zh"]["timeliness"] in answer.text) == (status == 200)
