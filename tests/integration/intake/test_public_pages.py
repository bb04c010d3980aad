"""The pages for everybody, as a browser without an account uses them: booking a time, saying what one thinks."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.api.app import create_intake_app
from services.intake.settings import IntakeSettings
from services.intake.web.site import FORM_PATHS, add_site
from services.intake.web.texts.languages import TEXTS
from shared.http import check_routes_are_guarded
from shared.identifiers import new_id
from tests.asking import client_at, started
from tests.fakes import KnownPrincipals, person
from tests.integration.intake.forms import filled_in

pytestmark = pytest.mark.integration

PEOPLE = {
    "clerk": person("clerk", "street", name="clerk"),
    "officer": person("department_officer", "street", name="officer"),
}
NOW = datetime.now(UTC).replace(microsecond=0)
NOBODY = "01a22440-0000-7000-8000-000000000000"
VISITOR = {"slot": "2", "name": "张秀兰", "phone": "13812345678", "topic": "低保申请"}
CODE = re.compile(r"(?<=<code>)[A-Za-z0-9_-]{43}(?=</code>)")


@pytest.fixture
def browser(pool, county, tmp_path):
    assert county
    settings = IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=tmp_path,
    )
    app = create_intake_app(settings, pool, authenticator=KnownPrincipals(PEOPLE), form_paths=FORM_PATHS)
    add_site(app, settings)
    check_routes_are_guarded(app)
    with started(app):
        yield client_at(app, base_url="https://lianxin.example")


def post(browser, who, path, body):
    answer = browser.post(path, json=body, headers={"Authorization": f"Bearer {who}"})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


@pytest.fixture
def day(browser):
    body = {
        "id": str(new_id()),
        "organisation_code": "street",
        "staff_number": "S1",
        "place": "一楼接访室",
        "from_at": (NOW + timedelta(days=3)).isoformat(),
        "until_at": (NOW + timedelta(days=3, hours=2)).isoformat(),
        "slot_minutes": 30,
    }
    post(browser, "clerk", "/v1/reception-days", body)
    return f"/reception-days/{body['id']}"


@pytest.fixture
def asked(browser):
    body = {
        "id": str(new_id()),
        "organisation_code": "street",
        "title": "停车收费方案<b>",
        "question": "您是否赞成？",
        "opens_at": (NOW - timedelta(hours=1)).isoformat(),
        "closes_at": (NOW + timedelta(days=30)).isoformat(),
    }
    post(browser, "officer", "/v1/consultations", body)
    return body["id"]


def code_on(page):
    [code] = CODE.findall(page.text)
    return code


def book(browser, day, **changes):
    form = filled_in(browser.get(day).text, "booking") | VISITOR | changes
    return browser.post("/reception-days/booking", data=form)


def test_a_time_is_booked_looked_at_and_given_up_with_the_code_alone(browser, day):
    assert day.rsplit("/", 1)[1] in browser.get("/reception-days").text

    booked = book(browser, day)
    code = code_on(booked)

    assert booked.status_code == 201
    assert VISITOR["name"] not in booked.text
    form = filled_in(browser.get("/reception-bookings").text, "reception-bookings") | {"code": code}
    own = browser.post("/reception-bookings", data=form)
    assert TEXTS["zh"]["booking_states"]["booked"] in own.text
    given_up = browser.post("/reception-bookings/cancellation", data=filled_in(own.text, "cancellation"))
    assert given_up.status_code == 200
    assert TEXTS["zh"]["booking_states"]["cancelled"] in given_up.text


def test_a_form_that_is_sent_twice_books_once_and_shows_the_same_code(browser, day):
    form = filled_in(browser.get(day).text, "booking") | VISITOR

    first, second = (browser.post("/reception-days/booking", data=form) for _ in range(2))

    assert code_on(first) == code_on(second) == form["code"]
    listed = browser.get(f"/v1{day}/bookings", headers={"Authorization": "Bearer clerk"}).json()["items"]
    assert [visitor["slot"] for visitor in listed] == [2]


def test_a_time_that_was_taken_meanwhile_is_refused_with_all_that_was_typed(browser, day):
    book(browser, day, phone="13912345678")

    refused = book(browser, day)

    assert refused.status_code == 409
    assert TEXTS["zh"]["errors"]["slot-taken"] in refused.text
    typed = filled_in(refused.text, "booking")
    assert (typed["name"], typed["phone"], typed["topic"]) == (VISITOR["name"], VISITOR["phone"], VISITOR["topic"])
    assert typed["slot"] == "1"


@pytest.mark.parametrize(
    "changes",
    [
        {"slot": "x"},
        {"slot": "99"},
        {"name": ""},
        {"phone": "12"},
        {"name": "a\x00b"},
        {"topic": "x" * 201},
        {"slot": "²"},
    ],
)
def test_a_booking_that_makes_no_sense_is_told_on_the_page(browser, day, changes):
    refused = book(browser, day, **changes)

    assert refused.status_code == 422
    assert 'role="alert"' in refused.text


def test_a_form_of_another_site_books_nothing(browser, day):
    form = filled_in(browser.get(day).text, "booking") | VISITOR | {"form_token": "x" * 43}

    assert browser.post("/reception-days/booking", data=form).status_code == 403
    assert browser.get(f"/v1{day}/bookings", headers={"Authorization": "Bearer clerk"}).json()["items"] == []


@pytest.mark.parametrize("code", ["", "x", "y" * 43, "é" * 43, "<script>"])
def test_a_code_of_no_booking_is_told_in_the_same_words(browser, code):
    form = filled_in(browser.get("/reception-bookings").text, "reception-bookings") | {"code": code}

    answer = browser.post("/reception-bookings", data=form)

    assert answer.status_code == 404
    assert TEXTS["zh"]["errors"]["booking-not-found"] in answer.text
    assert "<script>" not in answer.text


def test_an_opinion_is_taken_once_and_shown_to_nobody_here(browser, asked):
    page = browser.get(f"/consultations/{asked}").text
    assert "停车收费方案&lt;b&gt;" in page
    form = filled_in(page, "opinion") | {"stance": "against", "text": "夜里不该收费"}

    answers = [browser.post("/consultations/opinion", data=form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    thanks = browser.get(f"/consultations/{asked}?done=opinion").text
    assert TEXTS["zh"]["done"]["opinion"] in thanks
    assert "夜里不该收费" not in thanks
    listed = browser.get(f"/v1/consultations/{asked}/opinions", headers={"Authorization": "Bearer officer"}).json()
    assert [one["text"] for one in listed["items"]] == ["夜里不该收费"]


def test_an_empty_opinion_is_refused_on_the_page(browser, asked):
    form = filled_in(browser.get(f"/consultations/{asked}").text, "opinion")

    refused = browser.post("/consultations/opinion", data=form)

    assert refused.status_code == 422
    assert TEXTS["zh"]["errors"]["nothing-said"] in refused.text


@pytest.mark.parametrize("path", ["/reception-days/none", f"/reception-days/{NOBODY}", f"/consultations/{NOBODY}"])
def test_what_is_not_there_is_a_page_too(browser, path):
    answer = browser.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_pages_speak_both_languages_and_take_the_same_words(browser, day):
    assert "Reception days" in browser.get("/?language=en").text
    assert browser.get("/").headers["content-language"] == "en"  # as was chosen
    assert TEXTS["zh"].keys() == TEXTS["en"].keys()
    assert TEXTS["zh"]["errors"].keys() == TEXTS["en"]["errors"].keys()
    assert "Booking code" in book(browser, day).text
