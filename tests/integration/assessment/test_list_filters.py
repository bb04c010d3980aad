"""The forms above the lists of scores: the filters of the doors, in words, kept from page to page and into files."""

import html
import re
from urllib.parse import parse_qsl, urlencode

import pytest

from services.assessment.handlers.fair import look, read_fair_settings
from services.assessment.web import fair_pages, score_pages
from services.assessment.web.list_filters import OF_FAIR_SCORES, OF_SCORES
from services.assessment.web.texts import TEXTS
from tests.fakes import KnownPrincipals
from tests.integration.assessment.conftest import NOW, ZONE
from tests.integration.assessment.readers import open_door
from tests.integration.assessment.test_pages import PEOPLE, as_told, fill, open_site

pytestmark = pytest.mark.integration
DOORS = {"scores": "/v1/scores", "fair": "/v1/fair-scores"}
WHOLE = {"scores": "subject=cadre&period=2025", "fair": ""}
OF_PAGES = {"subject", "sort", "limit", "cursor", "period"}
OF_FILES = {"subject", "period", "format", "indicators"}


@pytest.fixture(scope="module")
def officer(shared_pool):
    fill(shared_pool)
    look(shared_pool, read_fair_settings(), region_level="50", zone=ZONE, now=NOW)
    return open_site(shared_pool, PEOPLE)("department_officer")


def list_codes(officer, place, query):
    """Those of the door, by code."""
    sort = "&sort=code" if place == "scores" else ""
    items = as_told(officer, f"{DOORS[place]}?{query}{sort}")["items"]
    return [item["subject"]["code"] if place == "scores" else item["staff_number"] for item in items]


def list_shown(page):
    return re.findall(r'name="cadre" value="([^"]+)"', page)


def look_at(officer, place, query, language="zh"):
    answer = officer.get(f"/{place}?{query}&language={language}")
    return answer.status_code, html.unescape(answer.text)


@pytest.mark.parametrize(
    ("path", "names", "others"),
    [
        ("/v1/scores", OF_SCORES, OF_PAGES),
        ("/v1/scores/export", OF_SCORES, OF_FILES),
        ("/v1/fair-scores", OF_FAIR_SCORES, OF_PAGES),
        ("/v1/fair-scores/export", OF_FAIR_SCORES, OF_FILES),
    ],
)
def test_a_page_has_the_filters_of_its_door_and_of_its_file(shared_pool, path, names, others):
    operation = open_door(shared_pool, KnownPrincipals({})).openapi()["paths"][path]["get"]

    assert {one["name"] for one in operation["parameters"] if one["in"] == "query"} - others == set(names)


@pytest.mark.parametrize(
    ("place", "narrowed"),
    [
        ("scores", "organisation=T0"),
        ("scores", "peer_group=141.township_head"),
        ("scores", "post_kind=township_head"),
        ("scores", "post_kind=village_secretary"),
        ("scores", "composite_from=60"),
        ("scores", "composite_below=60.5"),
        ("scores", "flag=any"),
        ("scores", "flag=none&organisation=T1&composite_from=0"),
        ("fair", "organisation=T0"),
        ("fair", "peer_group=141.township_head"),
        ("fair", "post_kind=township_head"),
        ("fair", "post_kind=village_secretary"),
        ("fair", "band=not_enough_evidence"),
        ("fair", "band=above"),
        ("fair", "flag=none&post_kind=township_head"),
    ],
)
def test_a_filter_shows_what_the_door_tells_by_it(officer, place, narrowed):
    query = f"{WHOLE[place]}&{narrowed}"

    status, page = look_at(officer, place, query)

    assert status == 200
    assert list_shown(page) == list_codes(officer, place, query)
    for name, value in parse_qsl(narrowed):
        assert re.search(rf'name="{name}"[^>]*value="{value}"|value="{value}" selected', page), name


@pytest.mark.parametrize("place", ["scores", "fair"])
def test_nothing_chosen_narrows_nothing(officer, place):
    names = OF_SCORES if place == "scores" else OF_FAIR_SCORES
    empty = urlencode(dict.fromkeys(names, ""))

    status, page = look_at(officer, place, f"{WHOLE[place]}&{empty}")

    assert status == 200
    assert list_shown(page) == list_codes(officer, place, WHOLE[place])
    assert len(list_shown(page)) > 2


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("place", "asked", "code"),
    [
        ("scores", "post_kind=king", "unknown-post-kind"),
        ("scores", "peer_group=141.king", "unknown-peer-group"),
        ("scores", "peer_group=township_head", "unknown-peer-group"),
        ("scores", "flag=odd", "unknown-flag"),
        ("scores", "composite_from=101", "bad-composite"),
        ("scores", "composite_below=many", "bad-composite"),
        ("scores", "organisation=nowhere", "unknown-organisation"),
        ("fair", "post_kind=king", "unknown-post-kind"),
        ("fair", "band=best", "unknown-band"),
        ("fair", "flag=odd", "unknown-flag"),
    ],
)
def test_what_no_filter_can_be_is_said_beside_the_form(officer, place, asked, code, language):
    status, page = look_at(officer, place, f"{WHOLE[place]}&{asked}", language)

    assert status == (404 if code == "unknown-organisation" else 422)
    assert TEXTS[language]["errors"][code] in page
    assert 'name="flag"' in page
    assert list_shown(page) == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("place", ["scores", "fair"])
def test_codes_are_chosen_in_words(officer, place, language):
    _, page = look_at(officer, place, WHOLE[place], language)
    texts = TEXTS[language]

    assert f'<option value="township_head">{texts["post_kinds"]["township_head"]}</option>' in page
    assert 'value="village_secretary"' not in page  # nobody holds such a post
    for code, words in {**texts["checks"], "none": texts["without_signals"]}.items():
        assert f'<option value="{code}">{words}</option>' in page
    for name in OF_SCORES if place == "scores" else OF_FAIR_SCORES:
        assert f'<label for="{name}">{texts["filters"][name]}' in page


@pytest.mark.parametrize(
    ("place", "narrowed"), [("scores", "post_kind=township_head&flag=none"), ("fair", "post_kind=township_head")]
)
def test_filters_are_kept_from_page_to_page_and_into_the_file(officer, place, narrowed, monkeypatch):
    for module in (score_pages, fair_pages):
        monkeypatch.setattr(module, "A_PAGE", 1)
    query = f"{WHOLE[place]}&{narrowed}"

    _, page = look_at(officer, place, query)
    seen, links = list_shown(page), []
    while following := re.search(rf'href="[./]*{place}[?]([^"]*cursor=[^"]*)"', page):
        links.append(dict(parse_qsl(following[1])))
        _, page = look_at(officer, place, following[1])
        seen += list_shown(page)

    exported = re.search(r'href="[./]*v1/(?:fair-)?scores/export[?]([^"]*)"', page)
    assert exported is not None
    assert len(links) >= 1
    assert seen == list_codes(officer, place, query)
    for link in (*links, dict(parse_qsl(exported[1]))):
        assert dict(parse_qsl(query)).items() <= link.items()
