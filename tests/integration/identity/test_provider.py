"""Signing in by an OpenID provider: a real one, and one that lies in every way that there is."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from services.identity.api.app import create_api
from services.identity.handlers.desk import system
from services.identity.settings import IdentitySettings
from services.identity.storage.provider_visits import ProviderIdentity, insert_identity
from services.identity.web.pages import FORM_PATHS, add_pages
from shared.processes import make_authenticator
from tests.asking import client_at
from tests.integration.identity.conftest import NOW, PASSWORD
from tests.integration.identity.issuers import LyingProvider, real_provider, sign_in_there

pytestmark = pytest.mark.integration
HERE = "https://lianxin.example"


@pytest.fixture(scope="module")
def issuer():
    with real_provider() as issuer:
        yield issuer


@pytest.fixture
def lying():
    provider = LyingProvider()
    yield provider
    provider.close()


@pytest.fixture
def open_service(database, reader_url, pool, reader_pool, desk):
    def open_for(issuer, **more: Any):
        settings = IdentitySettings(
            mode="test",
            database_url=database.url,
            identity_database_url=reader_url,
            oidc_issuer=issuer,
            oidc_client_id="lianxin",
            oidc_client_secret="a-secret-of-the-client",
            public_url=HERE,
            **more,
        )
        authenticator = make_authenticator(settings, reader_pool, service="identity")
        app = create_api(settings, pool, authenticator=authenticator, form_paths=FORM_PATHS)
        app.state.desk = desk
        add_pages(app)
        return lambda: client_at(app, base_url=HERE)

    return open_for


@pytest.fixture
def link(desk, add_account):
    def to(issuer, subject="somebody", **more: Any):
        account = add_account(**more)
        with system(desk.pool) as connection:
            identity = ProviderIdentity(issuer=issuer, subject=subject, account_id=account.id, linked_at=NOW)
            insert_identity(connection, identity)
        return account

    return to


def leave(browser, then=""):
    """Go to the provider; give the parameters of the address there."""
    answer = browser.get("/sign-in/provider", params={"next": then} if then else {})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"], {
        name: value for name, (value,) in parse_qs(urlsplit(answer.headers["location"]).query).items()
    }


def come_back(browser, **parameters):
    return browser.get("/sign-in/provider/callback", params=parameters)


def is_signed_in(browser):
    return browser.get("/v1/me").status_code == 200


def test_a_linked_person_is_signed_in_by_a_real_provider(open_service, issuer, link):
    account = link(issuer, "zhang@example.org")
    browser = open_service(issuer)()

    address, asked = leave(browser, then="/assessment/scores?of=3301")
    back = sign_in_there(address, "zhang@example.org")
    answer = browser.get(back)

    assert (answer.status_code, answer.headers["location"]) == (303, "/assessment/scores?of=3301")
    assert browser.get("/v1/me").json()["id"] == str(account.id)
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == f"{HERE}/sign-in/provider/callback"
    assert len(asked["state"]) >= 43
    assert len(asked["nonce"]) >= 43


def test_a_person_without_an_account_stays_outside(open_service, issuer):
    browser = open_service(issuer)()

    answer = browser.get(sign_in_there(leave(browser)[0], "stranger"))

    assert answer.status_code == 403
    assert not is_signed_in(browser)


def test_where_it_is_allowed_a_stranger_gets_an_account_without_any_role(open_service, issuer):
    open_browser = open_service(issuer, oidc_provision=True)
    seen = set()
    for _ in range(2):
        browser = open_browser()
        assert browser.get(sign_in_there(leave(browser)[0], "newcomer")).status_code == 303
        mine = browser.get("/v1/me").json()
        seen.add(mine["id"])
        assert mine["roles"] == []

    assert len(seen) == 1


def test_a_disabled_person_stays_outside(open_service, issuer, link):
    link(issuer, "gone", status="disabled")
    browser = open_service(issuer)()

    assert browser.get(sign_in_there(leave(browser)[0], "gone")).status_code == 401
    assert not is_signed_in(browser)


def test_the_way_back_works_once(open_service, issuer, link):
    link(issuer, "once")
    browser = open_service(issuer)()
    back = sign_in_there(leave(browser)[0], "once")
    visit = browser.cookies.get("__Host-lianxin-visit")
    assert browser.get(back).status_code == 303

    thief = open_service(issuer)()
    thief.cookies.set("__Host-lianxin-visit", visit, domain="lianxin.example")

    assert thief.get(back).status_code == 401
    assert not is_signed_in(thief)


def test_a_code_is_good_once_at_the_provider_too(open_service, issuer, link):
    link(issuer, "twice")
    open_browser = open_service(issuer)
    first = open_browser()
    code = parse_qs(urlsplit(sign_in_there(leave(first)[0], "twice")).query)["code"][0]
    assert come_back(first, code=code, state=leave(first)[1]["state"]).status_code in (303, 401)

    second = open_browser()
    answer = come_back(second, code=code, state=leave(second)[1]["state"])

    assert answer.status_code == 401
    assert not is_signed_in(second)


def test_another_browser_cannot_come_back_in_place_of_the_one_sent_off(open_service, issuer, link):
    """Nor can anybody be signed in, unasked, as somebody else."""
    link(issuer, "attacker")
    open_browser = open_service(issuer)
    attacker, victim = open_browser(), open_browser()
    leave(victim)

    answer = victim.get(sign_in_there(leave(attacker)[0], "attacker"))

    assert answer.status_code == 401
    assert not is_signed_in(victim)


MISFITS: dict[str, dict[str, Any]] = {
    "no state": {"state": None},
    "empty state": {"state": ""},
    "another state": {"state": "A" * 43},
    "long state": {"state": "x" * 5_000},
    "nul": {"state": "\0"},
    "no code": {"code": None},
    "empty code": {"code": ""},
    "refusal": {"error": "access_denied"},
    "another issuer": {"iss": "https://issuer.example"},
    "two states": {"state": ["one", "two"]},
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_refused(open_service, lying, link, misfit):
    link(lying.issuer)
    browser = open_service(lying.issuer)()
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]
    parameters = {"state": asked["state"], "code": "good", **MISFITS[misfit]}

    answer = come_back(browser, **{name: value for name, value in parameters.items() if value is not None})

    assert answer.status_code == (400 if misfit == "nul" else 401)  # the edge lets no NUL in
    assert not is_signed_in(browser)


@pytest.mark.parametrize("path", ["/extra", "/", "//", "/..%2fadmin", "%2f", "%00"])
def test_the_address_to_come_back_to_is_one(open_service, lying, link, path):
    link(lying.issuer)
    browser = open_service(lying.issuer)()
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]

    answer = browser.get(f"/sign-in/provider/callback{path}?{urlencode({'state': asked['state'], 'code': 'good'})}")

    assert answer.status_code == (400 if path == "%00" else 404)
    assert not is_signed_in(browser)


def test_the_provider_that_may_lie_can_tell_the_truth(open_service, lying, link):
    """Without this one the refusals below would prove nothing."""
    link(lying.issuer)
    browser = open_service(lying.issuer)()
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]

    answer = come_back(browser, state=asked["state"], code="good", iss=lying.issuer)

    assert answer.status_code == 303
    assert is_signed_in(browser)
    (sent,) = lying.asked
    verifier = sent["code_verifier"][0]
    assert 43 <= len(verifier) <= 128
    challenge = jwt.utils.base64url_encode(hashlib.sha256(verifier.encode()).digest()).decode()
    assert challenge == asked["code_challenge"]
    assert sent["redirect_uri"] == [f"{HERE}/sign-in/provider/callback"]


def hs256_with_the_public_key(lying):
    public = lying.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def make(claims, header):
        head = _part({"alg": "HS256", "typ": "JWT", **header})
        body = f"{head}.{_part(claims)}"
        return f"{body}.{_encode(hmac.new(public, body.encode(), hashlib.sha256).digest())}"

    return make


def unsigned(_):
    return lambda claims, header: f"{_part({'alg': 'none', **header})}.{_part(claims)}."


def by_another_key(_):
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return lambda claims, header: jwt.encode(claims, other, algorithm="RS256", headers=header)


def by_a_key_of_its_own(_):
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(other.public_key()))
    return lambda claims, header: jwt.encode(claims, other, algorithm="RS256", headers={**header, "jwk": public})


def by_a_key_elsewhere(lying):
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    more = {"jku": f"{lying.issuer}/other-keys", "x5u": f"{lying.issuer}/certificate", "kid": "theirs"}
    return lambda claims, header: jwt.encode(claims, other, algorithm="RS256", headers={**header, **more})


def with_a_changed_claim(lying):
    def make(claims, header):
        head, _, signature = jwt.encode(claims, lying.key, algorithm="RS256", headers=header).split(".")
        return f"{head}.{_part({**claims, 'sub': 'administrator'})}.{signature}"

    return make


def with_an_unknown_extension(lying):
    return lambda claims, header: jwt.encode(
        claims, lying.key, algorithm="RS256", headers={**header, "crit": ["exp2"], "exp2": 1}
    )


def in_another_way_of_the_same_key(lying):
    return lambda claims, header: jwt.encode(claims, lying.key, algorithm="RS512", headers=header)


def _part(document):
    return _encode(json.dumps(document).encode())


def _encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize(
    "forge",
    [
        hs256_with_the_public_key,
        unsigned,
        by_another_key,
        by_a_key_of_its_own,
        by_a_key_elsewhere,
        with_a_changed_claim,
        with_an_unknown_extension,
        in_another_way_of_the_same_key,
        pytest.param(lambda _: lambda *__: "not.a.token", id="no token"),
        pytest.param(lambda _: lambda *__: "", id="nothing"),
        pytest.param(lambda _: lambda *__: "." * 1_000, id="dots"),
        pytest.param(lambda _: lambda *__: "a" * 400_000, id="endless"),
    ],
)
def test_a_forged_token_signs_nobody_in(open_service, lying, link, forge):
    link(lying.issuer)
    link(lying.issuer, "administrator", name="anquan")
    lying.make_token = forge(lying)
    browser = open_service(lying.issuer)()
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]

    answer = come_back(browser, state=asked["state"], code="good")

    assert answer.status_code == 401
    assert not is_signed_in(browser)
    assert not {"/other-keys", "/certificate"} & set(lying.visited)


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "no nonce": {"nonce": None},
    "nonce of another visit": {"nonce": "another-visit"},
    "empty nonce": {"nonce": ""},
    "shorter issuer": {"iss": "http://127.0.0.1"},
    "another issuer": {"iss": "https://issuer.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another-client"},
    "two audiences": {"aud": ["lianxin", "another-client"]},
    "only party": {"aud": ["another-client"], "azp": "lianxin"},
    "no audience": {"aud": None},
    "another party": {"azp": "another-client"},
    "expired": {"exp": int(time.time()) - 3_600},
    "no end": {"exp": None},
    "end as text": {"exp": "9999999999"},
    "end as truth": {"exp": True},
    "from tomorrow": {"iat": int(time.time()) + 3_600},
    "no begin": {"iat": None},
    "nobody": {"sub": None},
    "empty subject": {"sub": ""},
    "long subject": {"sub": "x" * 256},
    "subject as number": {"sub": 7},
}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS)
def test_a_token_for_others_or_another_time_signs_nobody_in(open_service, lying, link, wrong):
    link(lying.issuer)
    browser = open_service(lying.issuer)()
    _, asked = leave(browser)
    lying.claims.update({"nonce": asked["nonce"], **WRONG_CLAIMS[wrong]})

    answer = come_back(browser, state=asked["state"], code="good")

    assert answer.status_code == 401
    assert not is_signed_in(browser)


LOOK_ALIKES = {
    "slash": lambda issuer: {"issuer": issuer + "/"},
    "longer host": lambda issuer: {"issuer": issuer.replace("127.0.0.1", "127.0.0.1.issuer.example")},
    "capitals": lambda issuer: {"issuer": issuer.upper()},
    "no name": lambda _: {"issuer": None},
    "plain text": lambda _: {"authorization_endpoint": "http://issuer.example/authorize"},
    "no address": lambda _: {"authorization_endpoint": None},
    "another scheme": lambda _: {"token_endpoint": "ftp://issuer.example/token"},
    "a file": lambda _: {"jwks_uri": "file:///etc/passwd"},
}


@pytest.mark.parametrize("change", LOOK_ALIKES)
def test_a_look_alike_issuer_is_not_even_visited(open_service, lying, change):
    lying.metadata.update(LOOK_ALIKES[change](lying.issuer))
    browser = open_service(lying.issuer)()

    assert browser.get("/sign-in/provider").status_code == 401


def test_the_same_subject_of_another_issuer_is_another_person(open_service, lying, link):
    link("https://another.example")
    browser = open_service(lying.issuer)()
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]

    assert come_back(browser, state=asked["state"], code="good").status_code == 403


def test_where_the_provider_tells_its_name_a_missing_one_is_a_mix_up(open_service, lying, link):
    link(lying.issuer)
    lying.metadata["authorization_response_iss_parameter_supported"] = True
    browser = open_service(lying.issuer)()
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]

    assert come_back(browser, state=asked["state"], code="good").status_code == 401


def test_a_provider_that_is_away_is_a_page_and_no_failure_of_ours(open_service, lying):
    lying.close()

    answer = open_service(lying.issuer)().get("/sign-in/provider")

    assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (503, True)


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere_afterwards(open_service, lying, link, then):
    link(lying.issuer)
    browser = open_service(lying.issuer)()
    _, asked = leave(browser, then=then)
    lying.claims["nonce"] = asked["nonce"]

    answer = come_back(browser, state=asked["state"], code="good")

    assert answer.headers["location"] == "../../account"


def test_the_session_is_a_new_one_whatever_the_browser_brought(open_service, lying, link):
    link(lying.issuer)
    browser = open_service(lying.issuer)()
    browser.cookies.set("__Host-lianxin", "A" * 43, domain="lianxin.example")
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]

    come_back(browser, state=asked["state"], code="good")

    assert is_signed_in(browser)
    assert "A" * 43 not in [cookie.value for cookie in browser.cookies.jar if cookie.name == "__Host-lianxin"][-1:]


def stepped_up(browser, lying, **claims):
    answer = browser.get("/account/step-up/provider")
    asked = {name: value for name, (value,) in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    lying.claims.update({"nonce": asked["nonce"], **claims})
    come_back(browser, state=asked["state"], code="good")
    return browser.get("/v1/me").json().get("stepped_up_at") is not None


PROOFS: dict[str, tuple[int | None, dict[str, Any], bool]] = {
    "fresh": (0, {}, True),
    "old": (3_600, {}, False),
    "none told": (None, {}, False),
    "of another": (0, {"sub": "somebody-else"}, False),
}


@pytest.mark.parametrize("proof", PROOFS)
def test_proving_anew_at_the_provider_takes_the_same_person_and_a_fresh_proof(open_service, lying, link, proof):
    age, claims, is_proof = PROOFS[proof]
    link(lying.issuer)
    link(lying.issuer, "somebody-else", name="wang.wei")
    browser = open_service(lying.issuer)()
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]
    come_back(browser, state=asked["state"], code="good")

    proved_at = {} if age is None else {"auth_time": int(time.time()) - age}
    assert stepped_up(browser, lying, **claims, **proved_at) is is_proof


def test_a_person_links_the_own_account_after_a_fresh_proof_and_no_other(open_service, lying, link, add_account):
    add_account("wang.wei")
    browser = open_service(lying.issuer)()
    browser.headers["X-Lianxin-Request"] = "1"
    browser.post("/v1/sign-in", json={"name": "wang.wei", "password": PASSWORD})
    assert browser.post("/v1/provider-identity").json()["title"] == "step-up-needed"
    browser.post("/v1/step-up", json={"password": PASSWORD})

    def come_back_as(subject):
        address = browser.post("/v1/provider-identity").json()["address"]
        asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
        lying.claims.update({"nonce": asked["nonce"], "sub": subject})
        return come_back(browser, state=asked["state"], code="good")

    link(lying.issuer, "somebody-else")
    assert come_back_as("somebody-else").status_code == 409
    assert come_back_as("me").status_code == 303
    browser.post("/v1/sign-out")
    _, asked = leave(browser)
    lying.claims["nonce"] = asked["nonce"]
    come_back(browser, state=asked["state"], code="good")

    assert browser.get("/v1/me").json()["name"] == "wang.wei"
