"""The queue of signals narrowed: the filters of the door on the page, counted by check, kept while one after the other
is decided.
"""

import html
import re
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from services.assessment.storage.signals import put_signals, set_decided
from services.assessment.web import signal_pages
from services.assessment.web.signal_filters import OF_SIGNALS
from services.assessment.web.texts import TEXTS
from shared.database import transaction
from shared.reach import SYSTEM
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import NOW, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story
from tests.integration.assessment.test_pages import open_site

pytestmark = pytest.mark.integration
PEOPLE = {
    "officer": person("department_officer", "C", name="officer"),
    "auditor": person("auditor", name="auditor"),
    "elsewhere": person("department_officer", "E", name="elsewhere"),
    "herself": person("department_officer", "C", name="herself", staff_number="S1"),
}
EVIDENCE = {
    "empty_replies": {"answered": 4, "empty": 3, "share": 75},
    "split_issues": {"issues": 9, "repeats": 4, "quick": 3},
}
# Of whom, which check, where, found when, and what was decided: the longest waiting first.
FOUND = {
    "first": ("S1", "empty_replies", "T", datetime(2025, 3, 4, 15, 59, tzinfo=UTC), None),
    "second": ("S2", "empty_replies", "T", datetime(2025, 3, 4, 16, tzinfo=UTC), None),  # in China the next day
    "third": ("S1", "split_issues", "T", datetime(2025, 3, 5, 15, 59, tzinfo=UTC), None),
    "fourth": ("S3", "empty_replies", "U", datetime(2025, 3, 5, 16, tzinfo=UTC), None),
    "fifth": ("S4", "split_issues", "C", datetime(2025, 4, 1, tzinfo=UTC), None),
    "away": ("S5", "empty_replies", "E", datetime(2025, 4, 2, tzinfo=UTC), None),
    "cleared": ("S2", "split_issues", "T", datetime(2025, 3, 6, tzinfo=UTC), "cleared"),
}
IDS = {name: uuid5(NAMESPACE_URL, f"signal/{name}") for name in FOUND}
NAMES = {str(signal_id): name for name, signal_id in IDS.items()}
WAITING = ["first", "second", "third", "fourth", "fifth"]


def fill(pool):
    story = Story()
    units: dict[str, UUID] = {}
    for code, parent in {"C": None, "T": "C", "U": "C", "E": None}.items():
        units[code] = story.organisation(code, units[parent] if parent else None)
    cadres = {whose: story.cadre(whose) for whose in ("S1", "S2", "S3", "S4", "S5")}
    take(pool, story.take())
    rows = [
        {
            "signal_id": IDS[name],
            "cadre_id": cadres[whose],
            "staff_number": whose,
            "organisation_id": units[where],
            "check_name": check,
            "starts_on": "2025-01-01",
            "ends_on": "2025-12-31",
            "odds": 400,
            "evidence": EVIDENCE[check],
            "record_ids": [str(IDS[name])],
            "found_at": found_at,
        }
        for name, (whose, check, where, found_at, _) in FOUND.items()
    ]
    with transaction(pool, reach=SYSTEM) as connection:
        put_signals(connection, rows)
        for name, (*_, verdict) in FOUND.items():
            if verdict is not None:
                set_decided(connection, IDS[name], state=verdict, by="approver", grounds="local_custom", at=NOW)


@pytest.fixture(scope="module")
def door(shared_pool):
    """Nobody decides anything there."""
    fill(shared_pool)
    app = open_door(shared_pool, KnownPrincipals(PEOPLE))
    return lambda who: client_of(app, who)


@pytest.fixture(scope="module")
def visit(shared_pool, door):  # noqa: ARG001 - filled by it
    return open_site(shared_pool, PEOPLE)


@pytest.fixture
def visit_own(pool):
    fill(pool)
    return open_site(pool, PEOPLE)


def list_told(client, query=""):
    return [NAMES[one["signal_id"]] for one in client.get(f"/v1/signals?{query}").json()["items"]]


def count_told(client, query=""):
    return {one["check_name"]: one["signal_count"] for one in client.get(f"/v1/signal-counts?{query}").json()["checks"]}


def list_shown(page):
    return [NAMES[one] for one in re.findall(r'name="id" value="([^"]+)"', page)]


def look_at(browser, query, language="zh"):
    answer = browser.get(f"/signals?{query}&language={language}")
    return answer.status_code, html.unescape(answer.text)


@pytest.mark.parametrize(
    ("path", "others"), [("/v1/signals", {"limit", "cursor"}), ("/v1/signal-counts", set())], ids=["list", "counts"]
)
def test_the_page_has_the_filters_of_its_doors(shared_pool, path, others):
    operation = open_door(shared_pool, KnownPrincipals({})).openapi()["paths"][path]["get"]
    named = {one["name"] for one in operation["parameters"] if one["in"] == "query"} - others

    assert named | {"check"} == {"state", *OF_SIGNALS}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", WAITING),
        ("state=open", WAITING),
        ("state=cleared", ["cleared"]),
        ("state=lapsed", []),
        ("check=empty_replies", ["first", "second", "fourth"]),
        ("check=faultless_apart", []),
        ("organisation=C", WAITING),
        ("organisation=T", ["first", "second", "third"]),
        ("staff_number=S1", ["first", "third"]),
        ("staff_number=S5", []),  # out of reach, and not told from one that there is not
        ("staff_number=nobody", []),
        ("found_from=2025-03-05", ["second", "third", "fourth", "fifth"]),
        ("found_until=2025-03-05", ["first", "second", "third"]),
        ("found_from=2025-03-05&found_until=2025-03-05", ["second", "third"]),
        ("found_from=2025-03-06&found_until=2025-03-05", []),
        ("check=empty_replies&organisation=T&found_from=2025-03-05", ["second"]),
        ("state=cleared&staff_number=S2&check=split_issues", ["cleared"]),
        ("state=cleared&staff_number=S1", []),
    ],
)
def test_the_page_shows_what_the_door_tells_by_a_filter(door, visit, query, expected):
    status, page = look_at(visit("officer"), query)

    assert list_told(door("officer"), query) == expected
    assert status == 200
    assert list_shown(page) == [name for name in expected if name != "cleared"]
    assert page.count("<h2>") == len(expected)
    for name, value in parse_qsl(query):
        assert re.search(rf'name="{name}"[^>]*value="{value}"|value="{value}" selected', page), name


def test_nothing_chosen_narrows_nothing_and_is_folded_away(visit):
    officer = visit("officer")

    status, page = look_at(officer, urlencode(dict.fromkeys(("state", *OF_SIGNALS), "")))
    _, narrowed = look_at(officer, "found_until=2025-03-05")

    assert (status, list_shown(page)) == (200, WAITING)
    assert "<details>" in page
    assert "<details open>" in narrowed


@pytest.mark.parametrize("who", ["officer", "auditor", "elsewhere", "herself"])
@pytest.mark.parametrize(
    "query", ["", "state=cleared", "organisation=T", "staff_number=S1", "found_from=2025-03-05&found_until=2025-03-05"]
)
def test_what_is_counted_by_check_is_what_the_reader_may_list(door, visit, who, query):
    answer = door(who).get(f"/v1/signals?{query}")
    listed = Counter(one["check_name"] for one in answer.json()["items"]) if answer.status_code == 200 else Counter()

    counts = door(who).get(f"/v1/signal-counts?{query}")

    assert counts.status_code == answer.status_code == (404 if (who, query) == ("elsewhere", "organisation=T") else 200)
    assert listed == (count_told(door(who), query) if counts.status_code == 200 else {})
    _, page = look_at(visit(who), query)
    words = TEXTS["zh"]["checks"]
    for check, count in listed.items():
        assert f'<option value="{check}">{words[check]}（{count}）</option>' in page


def test_a_check_is_counted_whichever_was_chosen_and_the_most_come_first(door, visit):
    told = door("officer").get("/v1/signal-counts").json()["checks"]

    _, page = look_at(visit("officer"), "check=split_issues&found_until=2025-04-30", "en")

    assert told == [
        {"check_name": "empty_replies", "signal_count": 3},
        {"check_name": "split_issues", "signal_count": 2},
    ]
    words = TEXTS["en"]["checks"]
    assert f'<option value="split_issues" selected>{words["split_issues"]} (2)</option>' in page
    assert f'<option value="period_end_burst">{words["period_end_burst"]}</option>' in page
    (link,) = re.findall(rf'href="[./]*signals[?]([^"]*)">{words["empty_replies"]}</a> 3', page)
    assert dict(parse_qsl(link)) == {"state": "open", "check": "empty_replies", "found_until": "2025-04-30"}
    assert f"<strong>{words['split_issues']}</strong> 2" in page


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("state=odd", 422, "unknown-state"),
        ("check=odd", 422, "unknown-flag"),
        ("organisation=nowhere", 404, "unknown-organisation"),
        ("organisation=E", 404, "unknown-organisation"),
        ("found_from=2025-02-30", 422, "bad-day"),
        ("found_from=2025-3-5", 422, "bad-day"),
        ("found_until=20250305", 422, "bad-day"),
        ("found_until=2201-01-01", 422, "bad-day"),
    ],
)
def test_what_no_filter_can_be_is_refused_at_the_door_and_said_beside_the_form(door, visit, asked, status, code):
    for path in ("/v1/signals", "/v1/signal-counts"):
        if path == "/v1/signals" or not asked.startswith("check="):
            assert door("officer").get(f"{path}?{asked}").status_code == status
    for language in ("zh", "en"):
        shown, page = look_at(visit("officer"), asked, language)

        assert shown == status
        assert TEXTS[language]["errors"][code] in page
        assert 'name="check"' in page
        assert list_shown(page) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_filters_are_named_in_words(visit, language):
    _, page = look_at(visit("officer"), "", language)
    texts = TEXTS[language]

    for name in OF_SIGNALS:
        assert f'<label for="{name}">{texts["filters"][name]}' in page
    for code, words in texts["checks"].items():
        assert f'<option value="{code}">{words}' in page


def test_filters_are_kept_from_page_to_page(door, visit, monkeypatch):
    monkeypatch.setattr(signal_pages, "A_PAGE", 1)
    query = "check=empty_replies&organisation=C&found_from=2025-03-01"
    items = door("officer").get(f"/v1/signals?{query}&limit=1").json()

    _, page = look_at(visit("officer"), query)
    seen = list_shown(page)
    while following := re.search(r'href="[./]*signals[?]([^"]*cursor=[^"]*)"', page):
        assert dict(parse_qsl(query)).items() <= dict(parse_qsl(following[1])).items()
        _, page = look_at(visit("officer"), following[1])
        seen += list_shown(page)
    told = [NAMES[items["items"][0]["signal_id"]]]
    told += list_told(door("officer"), f"{query}&{urlencode({'cursor': items['next_cursor']})}")

    assert seen == told == ["first", "second", "fourth"]


def read_form(page, name):
    (form,) = (part for part in page.split("<form")[1:] if f'value="{IDS[name]}"' in part)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return fields | {"verdict": "cleared", "grounds": "asked_citizens"}


def test_who_decides_goes_on_in_the_list_as_it_was_narrowed(visit_own):
    officer, query = visit_own("officer"), "check=empty_replies&organisation=T"
    _, page = look_at(officer, query)
    form = read_form(page, "first")
    own_page = f"/signals/{IDS['second']}?{form['kept']}"

    refused = officer.post("/signals/decision", data=form | {"verdict": "guilty"})
    decided = officer.post("/signals/decision", data=form)
    from_own = officer.post("/signals/decision", data=read_form(html.unescape(officer.get(own_page).text), "second"))

    assert (refused.status_code, list_shown(refused.text)) == (422, ["first", "second"])
    asked = {"state": "open", "check": "empty_replies", "organisation": "T", "done": "changed"}
    for answer in (decided, from_own):
        assert answer.status_code == 303
        assert dict(parse_qsl(answer.headers["location"].partition("?")[2])) == asked
    assert f'{own_page[1:]}"' in page
    assert list_shown(look_at(officer, query)[1]) == []
    assert list_shown(look_at(officer, "")[1]) == ["third", "fourth", "fifth"]


@pytest.mark.parametrize("kept", ["", "&".join(["check=empty_replies"] * 9), "state=odd&x=%00%ff", "https://elsewhere"])
def test_what_a_form_says_that_it_kept_is_taken_for_filters_alone(visit_own, kept):
    officer = visit_own("officer")
    form = read_form(look_at(officer, "")[1], "first") | {"kept": kept}

    answer = officer.post("/signals/decision", data=form)

    assert answer.status_code == 303
    place, _, asked = answer.headers["location"].partition("?")
    assert place.endswith("/signals")
    assert dict(parse_qsl(asked)).keys() <= {"state", "done", *OF_SIGNALS}
