"""The page on which citizens rate: two deliberate steps, with script and without, and nothing by looking."""

import html
import re
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.integration
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def send(ask):
    """Post a form of the page."""

    def run(path, fields, **others):
        return ask("POST", path, urlencode(fields).encode(), content_type=FORM, **others)

    return run


@pytest.fixture
def page(ask):
    return fields_of(ask("GET", "/rate"))["page"]


def fields_of(answer):
    """What a browser without any script would send from the page that it got."""
    return {name: html.unescape(value) for name, value in re.findall(r'name="([a-z]+)" value="([^"]*)"', answer.text)}


@pytest.mark.parametrize(("solved", "stored"), [("yes", True), ("no", False), ("", None)])
def test_two_steps_record_what_was_said(send, page, token, rows, solved, stored):
    said = {"page": page, "token": token, "level": "4", "solved": solved, "attitude": "5", "speed": ""}

    shown = send("/rate", {**said, "comment": "态度很好<b>{fields}"})
    nothing_yet = rows("SELECT count(*) FROM rating WHERE attitude = 5")
    done = send("/rate/confirmation", fields_of(shown))

    assert (shown.status_code, nothing_yet, done.status_code) == (200, [(0,)], 201)
    assert "<b>" not in shown.text
    assert rows("SELECT level, solved, speed FROM rating WHERE attitude = 5") == [(4, stored, None)]


def test_sending_again_within_the_day_amends(send, page, token, recorded):
    for level in ("2", "5"):
        shown = send("/rate", {"page": page, "token": token, "level": level})
        assert send("/rate/confirmation", fields_of(shown)).status_code == 201

    assert recorded() == [(5, None)]


@pytest.mark.parametrize("path", ["/rate", "/rate/confirmation"])
def test_a_form_without_its_page_records_nothing(send, page, token, recorded, path):
    """What follows links and presses buttons has seen neither of the two pages."""
    bare = send(path, {"token": token, "level": "5"})
    made_up = send(path, {"token": token, "level": "5", "page" if path == "/rate" else "shown": "6a0.AAAA"})
    first_for_second = send("/rate/confirmation", {"token": token, "level": "5", "shown": page})

    assert {bare.status_code, made_up.status_code, first_for_second.status_code} == {422}
    assert recorded() == []


def test_what_is_confirmed_is_what_was_shown(send, page, token, recorded):
    shown = fields_of(send("/rate", {"page": page, "token": token, "level": "1"}))

    for change in ({"level": "5"}, {"comment": "别的"}, {"token": "x" * 43}, {"solved": "yes"}):
        assert send("/rate/confirmation", {**shown, **change}).status_code == 422
    assert recorded() == []


def test_the_page_is_the_same_for_all_and_loads_nothing_but_ours(ask, token):
    page, script = ask("GET", "/rate"), ask("GET", "/rate.js")
    known = ask("GET", "/rate", authorization=f"Link {token}")

    without_time = [re.sub(r'name="page" value="[^"]*"', "", one.text) for one in (page, known)]
    assert without_time[0] == without_time[1]
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert re.findall(r'(?:src|href|action)="([^"]*)"', page.text) == ["rate.css", "rate.js", "rate"]
    assert "innerHTML" not in script.text
    assert "fetch" not in script.text


def test_a_dead_link_looks_the_same_at_both_steps(send, page, token):
    shown = fields_of(send("/rate", {"page": page, "token": token, "level": "5"}))
    dead = [send("/rate", {"page": page, "token": one, "level": "5"}) for one in ("x", token[:-1], token.swapcase())]
    assert {answer.status_code for answer in dead} == {404}
    assert len({answer.content for answer in dead}) == 1
    assert send("/rate/confirmation", shown).status_code == 201


@pytest.mark.parametrize("level", ["0", "6", "4.5", "true", "", "-1", "1e0", "五"])
def test_a_level_is_one_of_five(send, page, token, recorded, level):
    for name in ("level", "attitude", "speed"):
        if level or name == "level":
            answer = send("/rate", {"page": page, "token": token, "level": "5", name: level})
            assert answer.status_code == 422
            assert token not in answer.text
    assert recorded() == []


@pytest.mark.parametrize("comment", ["字" * 501, "a\u202eb", "a\x00b", "\ud800"])
def test_a_comment_that_is_none_is_refused_at_the_first_step(ask, page, token, recorded, comment):
    body = urlencode({"page": page, "token": token, "level": "5", "comment": comment}, errors="surrogatepass")

    assert ask("POST", "/rate", body.encode(), content_type=FORM).status_code in {400, 422}
    assert recorded() == []


@pytest.mark.parametrize(
    "body", [b"level=5", b"", b"token=a&level=5&level=4", b"token=a&level=5&staff=S1", b"\xff=1", b"token=%ff&level=5"]
)
def test_a_form_of_another_shape_records_nothing(ask, token, recorded, body):
    for path in ("/rate", "/rate/confirmation"):
        answer = ask("POST", path, body.replace(b"token=a", b"token=" + token.encode()), content_type=FORM)
        assert answer.status_code == 422
    assert recorded() == []


def test_ten_tries_a_minute_hold_for_the_page_too(send, page, token):
    tries = [
        send("/rate", {"page": page, "token": "x", "level": "5"}, address=f"192.0.2.{number}") for number in range(11)
    ]
    confirmed = send("/rate/confirmation", {"token": token, "level": "5", "shown": "x"}, address="192.0.2.99")

    assert [answer.status_code for answer in tries] == [404] * 10 + [429]
    assert confirmed.status_code == 429
    assert int(confirmed.headers["retry-after"]) >= 1
