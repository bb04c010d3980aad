"""Pages of closed periods: what came late stands beside, an organisation is summed up, and all can be checked."""

import html
import re
from datetime import timedelta

import pytest

from services.assessment.handlers.fair_corrections import correct_fair
from services.assessment.web.rendering import name_peers
from services.assessment.web.texts import TEXTS
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.test_fair_closings import FIRST, READERS, client_ids, live, open_closed
from tests.integration.assessment.test_pages import open_site

pytestmark = pytest.mark.integration


@pytest.fixture
def visit(pool):
    """January is closed, then an issue of S1 becomes known."""
    story = live()
    open_closed(pool, story)
    (cadre,) = client_ids(pool, "S1")
    late = story.issue(story.town, cadre, FIRST + timedelta(days=3), due_at=FIRST + timedelta(days=9))
    story.close(late, FIRST + timedelta(days=4))
    take(pool, story.take())
    score_all(pool)
    correct_fair(pool, region_level="50", zone=ZONE, now=NOW)
    return open_site(pool, READERS.principals)


def as_told(browser, path):
    return browser.get(path, headers={"X-Lianxin-Request": "1"}).json()


def as_read(browser, path):
    return html.unescape(browser.get(path).text)


def test_a_closed_score_stands_with_its_correction_beside_it(visit):
    officer = visit("officer")
    (correction,) = as_told(officer, "/v1/fair-corrections?period=2025-01")["items"]

    page, other = (as_read(officer, f"/fair/{number}?period=2025-01") for number in ("S1", "S2"))

    would_be = TEXTS["zh"]["would_be"].format(was=correction["score_was"], would_be=correction["score_would_be"])
    assert would_be in page
    assert all(points in page for points in correction["changes"].values())
    assert TEXTS["zh"]["corrections"] not in other


def test_an_organisation_is_summed_up_by_peer_group_as_over_the_api(visit):
    officer = visit("officer")
    groups = as_told(officer, "/v1/fair-organisations/C?period=2025-01")["peer_groups"]

    page = as_read(officer, "/fair?period=2025-01&organisation=C")

    assert groups
    for group in groups:
        shown = re.search(rf"{re.escape(name_peers(group['peer_group'], TEXTS['zh']))}</th>(.*)</tr>", page)
        assert shown
        cells = re.findall(r">([^<]+)</td>", shown[1])
        assert cells[:4] == [
            str(group["cadres"]),
            group["mean"],
            group["median"],
            f"{group['lowest']}–{group['highest']}",
        ]
        assert cells[4:] == [str(group[name]) for name in TEXTS["zh"]["bands"]]
    assert TEXTS["zh"]["spreads"] not in as_read(officer, "/fair?period=2025-01")


def test_the_cadre_can_carry_away_what_the_published_score_is_made_of(visit):
    cadre = visit("S0")
    page = as_read(cadre, "/published/cadre/S0?period=2025-01")

    (place,) = re.findall(r'href="[./]*(v1/[^"]+/package[^"]*)"', page)
    package = as_told(cadre, f"/{place}")

    assert package["content_hash"] in page
    assert cadre.get("/v1/published/scores/cadre/S1/package?period=2025-01").status_code == 404


def test_what_enough_raters_said_is_told_with_how_many_there_were_at_least_and_a_total_that_adds_up(pool):
    open_closed(pool, live(raters=8))
    cadre = open_site(pool, READERS.principals)("S0")
    told = as_told(cadre, "/v1/published/scores/cadre/S0?period=2025-01")
    score = as_told(cadre, "/v1/published/place-scores/cadre/S0?period=2025-01")

    page = as_read(cadre, "/published/cadre/S0?period=2025-01")

    counts = [one["ratings_at_least"] for one in told["indicators"] if one["ratings_at_least"]]
    assert counts
    assert all(TEXTS["zh"]["at_least"].format(count=count) in page for count in counts)
    parts = re.findall(r'<td class="number">(-?\d+)</td></tr>', page)
    assert sum(map(int, parts)) == int(score["total"])
    assert f"<strong>{score['total']}</strong>" in page
