"""The health of the fair scheme's indicators: worked out apart, within reach, of closed periods and as things stand."""

import html
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import correlation, mean, pstdev
from typing import Any

import psycopg
import pytest
from httpx2 import Client

from services.assessment.fair.factor import SELF_RECORDED
from services.assessment.fair.settings import INDICATORS
from services.assessment.fair.telling import NAMES
from services.assessment.handlers.fair import look
from services.assessment.handlers.fair_watching import watch_closed
from services.assessment.web.rendering import exact
from services.assessment.web.texts import TEXTS
from shared.database import Pool, transaction
from shared.reach import SYSTEM
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import ZONE, take, with_schemes
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story
from tests.integration.assessment.test_fair_closings import CLOSING, FIRST, close, rows_of
from tests.integration.assessment.test_pages import as_told, open_site
from tests.stock import Database, Stock

pytestmark = pytest.mark.integration
CADRES, ISSUES, ELSEWHERE = 12, 14, 4
SCHEME = f"{CLOSING.settings.name} {CLOSING.settings.version}"
LATER = datetime(2025, 3, 6, 4, tzinfo=UTC)
PEOPLE = {
    "officer": person("department_officer", "C", name="officer"),
    "approver": person("approver", "C", name="approver"),
    "auditor": person("auditor", name="auditor"),
    "town": person("department_officer", "T1", name="town"),
    "empty": person("department_officer", "E", name="empty"),
    "herself": person("department_officer", "C", name="herself", staff_number="S0"),
    "cadre": person("cadre", name="S2", staff_number="S2"),
    "head": person("unit_head", "T1", name="head"),
}
READERS = KnownPrincipals(PEOPLE)


def live() -> Story:
    """Twelve cadres in January, four of them in the other town. Each later one answers later and closes one less."""
    story = Story()
    county = story.organisation("C")
    story.organisation("E")
    towns = [story.organisation(f"T{number}", county) for number in range(2)]
    for number in range(CADRES):
        unit = towns[number >= CADRES - ELSEWHERE]
        cadre = story.cadre(f"S{number}")
        story.post(cadre, unit)
        for place in range(ISSUES):
            live_issue(story, unit, cadre, number, place)
        for place in range(number % 5):
            story.contact(cadre, FIRST + timedelta(days=7 * place, hours=number))
    story.duty(per="month")
    return story


def answered_after(number: int, place: int) -> int:
    """Hours; of the first cadre so few that it is a signal, and these answers do not count."""
    return 2 + number + (place % 3 if number else 0)


def live_issue(story: Story, unit: Any, cadre: Any, number: int, place: int) -> None:
    received_at = FIRST + timedelta(days=place, hours=number)
    citizen = story.id()
    issue = story.issue(
        unit,
        cadre,
        received_at,
        due_at=received_at + timedelta(days=10),
        respond_by=received_at + timedelta(hours=16),
        citizen_ref=citizen,
    )
    story.respond(issue, received_at + timedelta(hours=answered_after(number, place)))
    if place < ISSUES - number:
        story.close(
            issue,
            received_at + timedelta(days=4, hours=5 * place),
            reply_characters=3 if place == 0 and number % 2 == 0 else 20,
        )
    rated_at = received_at + timedelta(days=9)
    if place < 2:  # somebody else called, and of every other cadre a second citizen denied that it was solved
        solved = not (number % 2 and place)
        told: dict[str, Any] = {"issue_id": issue, "rater_ref": citizen, "method": "callback", "call_origin": "sample"}
        story.rate(rated_at, 1 + number % 4 + place, solved=solved, **told)


def observed() -> dict[str, list[float]]:
    """In per cent, by cadre, out of what was just told."""
    return {
        "timeliness": [
            mean(100 * min(1.0, 0.4 - 0.2 * math.log2(answered_after(n, place) / 16)) for place in range(ISSUES))
            for n in range(CADRES)
        ],
        "reply": [100 * (1 - (0 if n % 2 else 1) / (ISSUES - n)) for n in range(CADRES)],  # of what is closed
        "resolution": [100 * (ISSUES - n - (1.5 if n % 2 else 0)) / ISSUES for n in range(CADRES)],
        "satisfaction": [25 * (n % 4 + 0.5) for n in range(CADRES)],
        "outreach": [100 * 0.3 * (n % 5) / 4 for n in range(CADRES)],
    }


UPHELD = [50.0 if number % 2 else 100.0 for number in range(CADRES)]


def fill(pool: Pool) -> None:
    """January and February are closed, and everybody was looked at in March."""
    take(pool, live().take(), now=FIRST)
    close(pool)
    close(pool, now=LATER)
    look(pool, CLOSING.settings, region_level="50", zone=ZONE, now=LATER)


@pytest.fixture(scope="module")
def filled(shared_pool: Pool) -> Pool:
    fill(shared_pool)
    return shared_pool


def reader(pool: Pool, who: str) -> Client:
    return client_of(open_door(pool, READERS), who)


def ask(pool: Pool, who: str = "officer", **query: str | int) -> dict[str, Any]:
    answer = reader(pool, who).get("/v1/indicator-health", params=query)
    assert answer.status_code == 200, answer.text
    return {one["indicator"]: one for one in answer.json()["items"]}


def test_each_indicator_is_told_as_it_comes_out_by_hand(filled: Pool) -> None:
    told = ask(filled)

    assert tuple(told) == INDICATORS
    for name, everybody in observed().items():
        first = told[name]["readings"][0]
        waits = name == "timeliness"
        values = everybody[1:] if waits else everybody
        assert (first["period"], first["scheme"], first["subjects"]) == ("2025-01", SCHEME, len(values))
        # What an answer is worth goes by steps of a tenth of a per cent.
        assert float(first["mean"]) == pytest.approx(mean(values), abs=0.1 if waits else 0.01), name
        assert float(first["spread"]) == pytest.approx(pstdev(values), abs=0.1 if waits else 0.01), name
        assert first["at_ceiling"] == sum(value >= 99 for value in values), name
        assert first["at_floor"] == sum(value <= 1 for value in values), name
        if name != "satisfaction":
            wanted = correlation(values, observed()["satisfaction"][waits:])
            assert float(first["agreement"]) == pytest.approx(wanted, abs=0.002), name
        if name in SELF_RECORDED:
            assert float(first["agreement_with_calls"]) == pytest.approx(
                correlation(values, UPHELD[waits:]), abs=0.001
            ), name
        else:
            assert first["agreement_with_calls"] is None
        assert float(first["true_spread"]) > 0
        assert float(first["set_aside_share"]) == pytest.approx(100 / CADRES if waits else 0, abs=0.001)
    assert told["satisfaction"]["readings"][0]["agreement"] is None


def test_the_true_spread_and_what_the_limit_took_are_those_of_the_explanations(filled: Pool) -> None:
    told = ask(filled)
    lines: dict[str, list[dict[str, Any]]] = {}
    for number in range(CADRES):
        path = f"/v1/fair-scores/S{number}/explanation"
        explanation = reader(filled, "officer").get(path, params={"period": "2025-01"}).json()["explanation"]
        for line in explanation["lines"]:
            lines.setdefault(line["indicator"], []).append(line)

    limited = 0
    for name, own in lines.items():
        first = told[name]["readings"][0]
        assert float(first["true_spread"]) == pytest.approx(100 * float(own[0]["spread"]), abs=0.01)
        if all(line["limited"] == line["level"] for line in own):
            assert float(first["limited_share"]) < 1
        if any(abs(float(line["limited"])) < 0.2 for line in own):
            continue  # too small to be worked out from two digits
        points = [float(line["points"]) for line in own]
        took = [
            abs(amount * float(line["level"]) / float(line["limited"]) - amount)
            for amount, line in zip(points, own, strict=True)
        ]
        whole = sum(map(abs, points)) + sum(took)
        assert float(first["limited_share"]) == pytest.approx(100 * sum(took) / whole, abs=2)
        limited += sum(took) > 0
    assert limited


def test_what_stands_now_comes_last_and_is_provisional(filled: Pool) -> None:
    for one in ask(filled).values():
        kinds = [(reading["period"], reading["is_provisional"]) for reading in one["readings"]]
        assert kinds == [("2025-01", False), ("2025-02", False), ("2025Q1", True)]
        assert one["readings"][-1]["subjects"] == one["readings"][0]["subjects"]
    quarters = ask(filled, periods=1)["reply"]["readings"]
    assert [reading["period"] for reading in quarters] == ["2025-02", "2025Q1"]


def test_before_a_look_only_what_is_closed_is_told(pool: Pool) -> None:
    take(pool, live().take(), now=FIRST)
    close(pool)

    assert [one["period"] for one in ask(pool)["reply"]["readings"]] == ["2025-01"]


@pytest.mark.parametrize(
    ("who", "subjects"),
    [("officer", CADRES), ("approver", CADRES), ("auditor", CADRES), ("town", ELSEWHERE), ("herself", CADRES - 1)],
)
def test_only_those_within_reach_are_summed_and_nobody_is_who_asks(filled: Pool, who: str, subjects: int) -> None:
    told = ask(filled, who)

    assert {one["subjects"] for one in told["reply"]["readings"]} == {subjects}
    replies = observed()["reply"]
    wanted = {CADRES: replies, CADRES - 1: replies[1:], ELSEWHERE: replies[-ELSEWHERE:]}[subjects]
    for one in told["reply"]["readings"]:
        assert float(one["mean"]) == pytest.approx(mean(wanted), abs=0.01)
    if who == "town":
        assert all(one["agreement"] is None for one in told["reply"]["readings"])
        assert all(one["signs"] == [] for one in told.values())


def test_who_has_nobody_within_reach_finds_nothing_and_others_may_not_ask(filled: Pool) -> None:
    path = "/v1/indicator-health"

    assert reader(filled, "empty").get(path).status_code == 404
    assert reader(filled, "officer").get(path, params={"every": "year"}).status_code == 404
    assert reader(filled, "cadre").get(path).status_code == 403
    assert reader(filled, "head").get(path).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "scheme=Fair",
        "scheme=",
        "scheme=fair&scheme=basic",
        "scheme=fair&subject=organisation",
        "scheme=fair&periods=0",
        "scheme=fair&periods=25",
        "scheme=fair&every=custom",
        "scheme=fair&period=2025-01",
    ],
)
def test_what_does_not_fit_is_refused(filled: Pool, query: str) -> None:
    answer = reader(filled, "officer").get(f"/v1/indicator-health?{query}")

    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_which_scheme_is_told_and_may_be_chosen(filled: Pool) -> None:
    officer = reader(filled, "officer")

    def schemes(**query: str) -> tuple[str, set[str]]:
        answer = officer.get("/v1/indicator-health", params=query).json()
        return answer["scheme"], {one["indicator"] for one in answer["items"]}

    assert schemes() == schemes(scheme="fair") == ("fair", set(INDICATORS))
    basic = schemes(scheme="basic")
    assert basic[0] == "basic"
    assert "on_time_closure_rate" in basic[1]
    assert schemes(subject="organisation") == schemes(subject="organisation", scheme="basic") == basic


def test_what_was_closed_before_is_filled_in_once_and_the_same(
    stock: Stock, new_database: Callable[[str], Database]
) -> None:
    database = new_database("assessment")
    pool = with_schemes(stock.pool(database.url, system=True))
    fill(pool)
    written = rows_of(pool, "fair_watch")
    told = ask(pool)
    assert watch_closed(pool) == []
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("TRUNCATE fair_watch")
    assert [one["subjects"] for one in ask(pool)["reply"]["readings"]] == [0, 0, CADRES]

    done = watch_closed(pool)

    assert [str(days[1]) for days in done] == ["2025-02-28", "2025-01-31"]
    assert rows_of(pool, "fair_watch") == written
    assert len(written) == 2 * CADRES
    assert ask(pool) == told
    assert watch_closed(pool) == []


def test_what_is_kept_is_written_once(filled: Pool) -> None:
    with transaction(filled, reach=SYSTEM) as connection:
        assert connection.execute("UPDATE fair_watch SET figures = figures").rowcount == 0
        assert connection.execute("DELETE FROM fair_watch").rowcount == 0


@pytest.fixture(scope="module")
def visit(filled: Pool) -> Any:
    return open_site(filled, PEOPLE)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_shows_every_reading_under_its_name_with_a_definition(visit: Any, language: str) -> None:
    officer, texts = visit("officer"), TEXTS["zh" if language == "zh" else "en"]
    told = as_told(officer, "/v1/indicator-health")["items"]

    page = html.unescape(officer.get(f"/indicators?language={language}").text)

    assert '<option value="fair" selected>' in page
    assert texts["watch_reads"]["fair"] in page
    for one in told:
        key, name = one["indicator"], NAMES[one["indicator"]][language]
        assert f'<a href="#{key}">{name}</a>' in page
        assert f'<h3 id="{key}">{name}</h3>\n<p>{texts["fair_definitions"][key]}</p>' in page
        table = re.search(rf"<summary>{name}</summary>(.*?)</details>", page, re.DOTALL)
        assert table
        assert table[1].count(f'<span class="tag">{texts["provisional"]}</span>') == 1
        assert (texts["with_calls"] in table[1]) == (key in SELF_RECORDED)
        for reading in one["readings"]:
            assert f'<td class="number">{reading["subjects"]}</td>' in table[1]
            for figure in ("mean", "spread", "true_spread", "agreement_with_calls", "limited_share", "set_aside_share"):
                if reading[figure] is not None and (key in SELF_RECORDED or figure != "limited_share"):
                    assert f">{exact(Fraction(reading[figure]))}</td>" in table[1], figure


def test_the_page_has_the_other_scheme_for_who_chooses_it_and_for_units(visit: Any) -> None:
    officer = visit("officer")

    for query in ("scheme=basic", "subject=organisation", "subject=organisation&scheme=fair"):
        page = officer.get(f"/indicators?{query}").text
        assert '<option value="basic" selected>' in page, query
        assert '<h3 id="on_time_closure_rate">' in page, query
        assert TEXTS["zh"]["watch_reads"]["basic"] in page, query
    assert TEXTS["zh"]["nothing_to_watch"] in officer.get("/indicators?every=year").text
    assert officer.get("/indicators?every=year&scheme=fair").text.count(TEXTS["zh"]["none_closed"]) == len(INDICATORS)
    assert '<option value="fair" selected>' in officer.get("/indicators?scheme=Fair").text
