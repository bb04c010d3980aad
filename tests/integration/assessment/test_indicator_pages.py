"""The page about indicators: who finds it, and that it says what the watch over them says."""

import html
import re
from fractions import Fraction
from typing import get_args

import pytest

from services.assessment.scoring.monitoring import Health, Reading, Sign
from services.assessment.web.indicator_pages import say
from services.assessment.web.texts import TEXTS
from tests.fakes import person
from tests.integration.assessment.test_pages import as_told, open_site
from tests.integration.assessment.test_place_scores import close

pytestmark = pytest.mark.integration
PEOPLE = {
    "officer": person("department_officer", name="officer"),
    "auditor": person("auditor", name="auditor"),
    "town": person("department_officer", "T1", name="town"),
    "cadre": person("cadre", name="S2", staff_number="S2"),
    "head": person("unit_head", "T1", name="head"),
}


@pytest.fixture(scope="module")
def visit(shared_pool):
    """October is closed: three cadres of two townships."""
    close(shared_pool)
    return open_site(shared_pool, PEOPLE)


@pytest.mark.parametrize(
    ("who", "status"), [("officer", 200), ("auditor", 200), ("town", 200), ("cadre", 403), ("head", 403), ("x", 303)]
)
def test_who_may_watch_over_the_api_finds_the_page(visit, who, status):
    assert visit(who).get("/indicators").status_code == status


@pytest.mark.parametrize(("language", "subject"), [("zh", "cadre"), ("en", "organisation")])
def test_every_reading_of_the_api_is_shown_under_a_name_with_its_definition(visit, language, subject):
    officer = visit("officer")
    told = as_told(officer, f"/v1/indicator-health?subject={subject}")["items"]
    names = {one["key"]: one for one in as_told(officer, "/v1/indicators")["items"]}

    page = html.unescape(officer.get(f"/indicators?subject={subject}&language={language}").text)

    assert told
    for one in told:
        name = names[one["indicator"]]["name"][language]
        assert f'<a href="#{one["indicator"]}">{name}</a>' in page
        assert (
            f'<h3 id="{one["indicator"]}">{name}</h3>\n<p>{names[one["indicator"]]["description"][language]}</p>'
            in page
        )
        table = re.search(rf"<summary>{re.escape(name)}</summary>(.*?)</details>", page, re.DOTALL)
        assert table
        for reading in one["readings"]:
            mean = "—" if reading["mean"] is None else f"{float(reading['mean']):.2f}"
            assert f'<td class="number">{reading["subjects"]}</td><td class="number">{mean}</td>' in table[1]


def test_an_installation_without_such_a_period_finds_nothing_to_watch(visit):
    answer = visit("officer").get("/indicators?every=year&periods=99")

    assert answer.status_code == 200
    assert TEXTS["zh"]["nothing_to_watch"] in answer.text


def test_only_what_is_within_reach_is_watched(visit):
    shown = []
    for who in ("officer", "town"):
        page = visit(who).get("/indicators").text
        shown += re.findall(r'#on_time_closure_rate">.*?<td class="number">(\d)</td>', page)

    assert shown == ["3", "2"]


def reading(period, *, subjects=20, mean=50, spread=10, at_ceiling=0, agreement=None, **more):
    return Reading(
        period=period,
        subjects=subjects,
        mean=Fraction(mean),
        spread=Fraction(spread),
        at_ceiling=at_ceiling,
        at_floor=0,
        agreement=agreement,
        **more,
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_sign_is_told_in_words_with_the_figures_behind_it(language):
    texts = TEXTS[language]
    readings = (
        reading("2025-01", spread=12, mean=71, agreement=Fraction(1, 4)),
        reading("2025-02", subjects=3),  # too few: not looked at
        reading("2025-03", spread=5, mean=93, at_ceiling=18, agreement=Fraction(-1, 2)),
    )

    said = dict(say(Health(indicator="response_rate", readings=readings, signs=get_args(Sign)), texts))

    assert texts["signs"].keys() == set(get_args(Sign)) == said.keys()
    assert "18" in said["saturated"]
    assert "12.00" in said["spread_shrinks"]
    assert "5.00" in said["spread_shrinks"]
    assert all(figure in said["parts_from_citizens"] for figure in ("71.00", "93.00", "0.25", "-0.50"))
    few = Health(indicator="response_rate", readings=readings[1:2], signs=())
    assert say(few, texts) == [(None, texts["too_few_subjects"].format(fewest=10))]
    assert say(Health(indicator="x", readings=readings, signs=()), texts) == [(None, texts["no_signs"])]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_of_the_fair_scheme_the_true_spread_and_calls_are_told_and_what_is_provisional_is_not(language):
    texts = TEXTS[language]
    first = reading("2025-01", scheme="fair 6", true_spread=Fraction(8), agreement_with_calls=Fraction(1, 3))
    last = reading("2025-02", scheme="fair 6", true_spread=Fraction(4), agreement_with_calls=Fraction(-1, 8))
    now = reading("2025Q1", scheme="fair 6", is_provisional=True, true_spread=Fraction(1))

    said = dict(say(Health(indicator="reply", readings=(first, last, now), signs=get_args(Sign)), texts))

    assert all(figure in said["spread_shrinks"] for figure in ("8.00", "4.00"))
    assert all(figure in said["parts_from_calls"] for figure in ("0.33", "-0.13"))
    assert say(Health(indicator="reply", readings=(now,), signs=()), texts) == [(None, texts["none_closed"])]
