"""The pages of signing in: they work without script, only from our own forms, and lead nowhere else."""

import re

import pyotp
import pytest

from services.identity.api.app import create_api
from services.identity.handlers.desk import system
from services.identity.web.pages import FORM_PATHS, add_pages
from shared.http import check_routes_are_guarded
from shared.processes import make_authenticator
from tests.asking import client_at
from tests.integration.identity.conftest import PASSWORD

pytestmark = pytest.mark.integration
HERE = "https://lianxin.example"
NEW_PASSWORD = "maple-harbour-cloud-7"


@pytest.fixture
def visit(settings, pool, reader_pool, desk):
    authenticator = make_authenticator(settings, reader_pool, service="identity")
    app = create_api(settings, pool, authenticator=authenticator, form_paths=FORM_PATHS)
    app.state.desk = desk
    add_pages(app)
    check_routes_are_guarded(app)
    return lambda **headers: client_at(app, base_url=HERE, headers=headers)


def send(browser, path, page="/sign-in", headers=None, **fields):
    """Fill in the form of a page as a browser does."""
    token = re.search(r'name="form_token" value="([^"]+)"', browser.get(page).text)
    assert token is not None, page
    return browser.post(path, data={"form_token": token[1], **fields}, headers=headers)


@pytest.fixture
def signed_in(visit, add_account):
    add_account()
    browser = visit()
    assert send(browser, "/sign-in", name="li.na", password=PASSWORD).status_code == 303
    return browser


def test_a_person_signs_in_and_out(visit, add_account):
    add_account()
    browser = visit()
    assert browser.get("/account").headers["location"] == "./sign-in"

    answer = send(browser, "/sign-in", name="li.na", password=PASSWORD)

    assert (answer.status_code, answer.headers["location"]) == (303, "./account")
    assert "李娜" in browser.get("/account").text
    left = send(browser, "/account/sign-out", page="/account")
    assert left.headers["clear-site-data"] == '"cache", "storage"'
    assert browser.get("/account").headers["location"] == "./sign-in"


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/account/password", "/sign-in/code", "/style.css"])
def test_no_page_can_be_framed_kept_or_made_to_run_anything(signed_in, path):
    headers = signed_in.get(path).headers
    policy = headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers.get_list("content-security-policy")) == 1


def test_there_is_no_script_and_nothing_from_elsewhere(signed_in):
    for path in ("/sign-in", "/account", "/account/password", "/account/step-up"):
        page = signed_in.get(path).text
        assert "<script" not in page
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)
        assert 'style="' not in page


def test_every_field_has_a_label(signed_in):
    for path in ("/sign-in", "/account/password", "/account/step-up"):
        page = signed_in.get(path).text
        shown = re.findall(r'<input id="([a-z_]+)"', page)
        assert shown
        assert set(shown) <= set(re.findall(r'<label for="([a-z_]+)"', page))
        assert '<html lang="zh-CN">' in page


def test_the_language_follows_the_browser(visit):
    assert "Sign in" in visit(**{"Accept-Language": "en"}).get("/sign-in").text
    assert "登录" in visit(**{"Accept-Language": "zh-CN"}).get("/sign-in").text


@pytest.mark.parametrize("token", [None, "", "A" * 43, "form_token"])
def test_a_form_that_we_did_not_give_to_this_browser_is_refused(visit, add_account, token):
    add_account()
    browser = visit()
    browser.get("/sign-in")
    fields = {"name": "li.na", "password": PASSWORD, **({} if token is None else {"form_token": token})}

    answer = browser.post("/sign-in", data=fields)

    assert answer.status_code == 403
    assert browser.get("/v1/me").status_code == 401


def test_the_token_of_another_browser_is_none_of_ours(visit, add_account):
    add_account()
    other = visit()
    token = re.search(r'name="form_token" value="([^"]+)"', other.get("/sign-in").text)
    browser = visit()
    browser.get("/sign-in")
    assert token is not None

    fields = {"form_token": token[1], "name": "li.na", "password": PASSWORD}
    assert browser.post("/sign-in", data=fields).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_elsewhere_cannot_send_our_forms_even_with_the_token(signed_in, headers):
    answer = send(signed_in, "/account/sign-out", page="/account", headers=headers)

    assert answer.status_code == 403
    assert signed_in.get("/v1/me").status_code == 200


@pytest.mark.parametrize(
    "then", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\r\nX: y"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(visit, add_account, then):
    add_account()
    browser = visit()
    page = browser.get("/sign-in", params={"next": then})
    assert "evil.example" not in page.text

    answer = send(browser, "/sign-in", name="li.na", password=PASSWORD, next=then)

    assert answer.headers["location"] == "./account"


def test_a_local_way_is_followed_through_every_step(visit, add_account, desk):
    account = add_account()
    with system(desk.pool) as connection:
        connection.execute("UPDATE password SET must_change = true WHERE account_id = %s", [account.id])
    browser = visit()

    first = send(browser, "/sign-in", name="li.na", password=PASSWORD, next="/assessment/")
    assert first.headers["location"] == "./sign-in/new-password?next=%2Fassessment%2F"
    fields = {"new_password": NEW_PASSWORD, "repeated": NEW_PASSWORD, "next": "/assessment/"}
    last = send(browser, "/sign-in/new-password", page="/sign-in/new-password", **fields)

    assert last.headers["location"] == "/assessment/"


def test_what_is_typed_wrongly_is_not_shown_again_but_for_the_name(visit, add_account):
    add_account()

    answer = send(visit(), "/sign-in", name='"><b>li.na', password="not-the-password")

    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "not-the-password" not in answer.text
    assert "<b>" not in answer.text


def test_two_different_new_passwords_change_nothing(signed_in):
    fields = {"password": PASSWORD, "new_password": NEW_PASSWORD, "repeated": NEW_PASSWORD + "x"}

    answer = send(signed_in, "/account/password", page="/account/password", **fields)

    assert answer.status_code == 422
    assert signed_in.get("/account").status_code == 200


def test_a_second_factor_is_set_up_used_and_removed_by_pages(visit, add_account):
    add_account()
    browser = visit()
    send(browser, "/sign-in", name="li.na", password=PASSWORD)
    assert browser.get("/account/second-factor").headers["location"] == "../account/step-up"
    send(browser, "/account/step-up", page="/account/step-up", password=PASSWORD)

    page = send(browser, "/account/second-factor", page="/account/second-factor").text
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)
    assert secret is not None
    assert "<svg" in page
    code = pyotp.TOTP(secret[1]).now()
    shown = send(browser, "/account/second-factor/confirmation", page="/account/second-factor", code=code)

    recovery = re.findall(r"<code>([a-z2-7-]{29})</code>", shown.text)
    assert len(recovery) == 10
    again = visit()
    assert send(again, "/sign-in", name="li.na", password=PASSWORD).headers["location"] == "./sign-in/code"
    assert again.get("/account").status_code == 303
    refused = send(again, "/sign-in/code", page="/sign-in/code", code=code)
    assert refused.status_code == 401
    assert send(again, "/sign-in/code", page="/sign-in/code", code=recovery[0]).headers["location"] == "../account"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"a=1" * 30_000, 413),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(50)), 403),
        ("application/x-www-form-urlencoded", b"name=%ff%fe", 403),
        ("application/x-www-form-urlencoded", "name=\u00e9".encode(), 403),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("text/plain", b"name=a", 415),
    ],
)
def test_a_body_that_is_no_form_of_ours_never_gets_far(visit, content_type, body, status):
    browser = visit()
    browser.get("/sign-in")

    assert browser.post("/sign-in", content=body, headers={"Content-Type": content_type}).status_code == status


def test_a_form_is_no_way_into_the_routes_for_programs(visit, add_account):
    add_account()

    assert visit().post("/v1/sign-in", data={"name": "li.na", "password": PASSWORD}).status_code == 415
