"""The token endpoint: what it gives, to whom, and how it says no."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus, urlencode

import jwt
import pytest

from services.identity.api.app import create_api
from services.identity.domain.clients import TooManyCredentials, digest_secret
from services.identity.handlers import clients
from services.identity.settings import IdentitySettings
from shared.access.store import IdentityStore
from shared.access.tokens import verify
from shared.database import transaction
from shared.errors import Unauthenticated
from shared.http import check_routes_are_guarded
from shared.reach import SYSTEM, acting
from tests.asking import client_at
from tests.fakes import KnownPrincipals
from tests.integration.identity.machines import INTAKE, ISSUER, basic, give_secret, register, wish

pytestmark = pytest.mark.integration
TOKEN = "/v1/oauth2/token"


@pytest.fixture
def door(app):
    return client_at(app, peer=("127.0.0.1", 50_000))


@pytest.fixture
def secret(pool):
    register(pool)
    return give_secret(pool)


def ask(door, secret, form=None, *, client_id="hotline"):
    return door.post(TOKEN, data=form or wish(), headers=basic(client_id, secret))


def test_every_route_says_whom_it_lets_in(app):
    check_routes_are_guarded(app)


def test_a_client_gets_a_token_that_one_service_accepts(door, secret, reader_pool):
    answer = ask(door, secret)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "intake.read intake.write")
    keys = IdentityStore(reader_pool).list_token_keys()
    verified = verify(body["access_token"], keys, audience=INTAKE, now=datetime.now(UTC))
    assert (verified.client_id, set(verified.scopes)) == ("hotline", {"intake.read", "intake.write"})
    with pytest.raises(Unauthenticated):
        verify(body["access_token"], keys, audience="urn:lianxin:notify", now=datetime.now(UTC))


def test_the_token_says_what_the_standard_asks_for(door, secret):
    token = ask(door, secret, wish(scope="intake.read")).json()["access_token"]

    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    assert (header["typ"], header["alg"]) == ("at+jwt", "EdDSA")
    assert set(claims) == {"iss", "sub", "client_id", "aud", "scope", "iat", "exp", "jti"}
    assert (claims["iss"], claims["aud"], claims["scope"]) == (ISSUER, INTAKE, "intake.read")
    assert claims["exp"] - claims["iat"] == 600


def test_who_got_a_token_and_who_did_not_is_in_the_audit(door, pool, secret):
    ask(door, secret)
    ask(door, "wrong")
    ask(door, "wrong", client_id="nobody")

    with transaction(pool, reach=SYSTEM) as connection:
        rows = connection.execute(
            "SELECT actor, role, decision, details FROM audit_record WHERE action = 'token.request' ORDER BY seq"
        ).fetchall()
    assert [row[:3] for row in rows] == [("hotline", "machine_client", one) for one in ("allowed", "denied")]
    assert rows[0][3] == {"audience": INTAKE, "scopes": "intake.read intake.write"}
    assert "wrong" not in str(rows)


def test_no_two_tokens_are_alike(door, secret):
    assert ask(door, secret).json()["access_token"] != ask(door, secret).json()["access_token"]


def test_two_secrets_work_until_one_is_revoked(door, pool, secret):
    second = give_secret(pool)
    with acting(SYSTEM):
        _, live = clients.get_client(pool, "hotline", now=datetime.now(UTC))
        assert [ask(door, one).status_code for one in (secret, second)] == [200, 200]
        first = next(one for one in live if one.secret_digest == digest_secret(secret))
        clients.revoke_credential(pool, "hotline", first.id, now=datetime.now(UTC))

    assert [ask(door, one).status_code for one in (secret, second)] == [401, 200]


@pytest.mark.usefixtures("secret")
def test_there_are_never_more_than_two_secrets(pool):
    give_secret(pool)

    with pytest.raises(TooManyCredentials):
        give_secret(pool)


def test_nothing_in_the_database_is_the_secret(pool, secret):
    with transaction(pool, reach=SYSTEM) as connection:
        rows = connection.execute("SELECT client_credential::text FROM client_credential").fetchall()

    assert secret not in str(rows)
    assert secret.encode().hex() not in str(rows)


WRONG_WISHES = [
    (wish(grant_type="password"), 400, "unsupported_grant_type"),
    (wish(grant_type="refresh_token"), 400, "unsupported_grant_type"),
    (wish(grant_type=None), 400, "invalid_request"),
    (wish(grant_type=""), 400, "invalid_request"),
    (wish(resource=None), 400, "invalid_target"),
    (wish(resource="urn:lianxin:intake/"), 400, "invalid_target"),
    (wish(resource="https://lianxin.example.org"), 400, "invalid_target"),
    (wish(scope="intake.read scores.read"), 400, "invalid_scope"),
    (wish(scope="intake.read  intake.write"), 400, "invalid_scope"),
    (wish(scope="' OR 1=1 --"), 400, "invalid_scope"),
    (wish(client_id="somebody-else"), 400, "invalid_request"),
    (wish(client_secret="twice"), 400, "invalid_request"),
    (wish(client_assertion="x"), 400, "invalid_request"),
]


def test_a_wrong_wish_is_refused_as_the_standard_says(door, secret):
    for form, status, error in WRONG_WISHES:
        answer = ask(door, secret, form)

        assert (answer.status_code, answer.json()["error"]) == (status, error), form
        assert answer.headers["cache-control"] == "no-store"


def test_a_parameter_given_twice_is_refused(door, secret):
    headers = {**basic("hotline", secret), "Content-Type": "application/x-www-form-urlencoded"}
    for twice, error in (("scope", "invalid_request"), ("resource", "invalid_target")):
        body = urlencode([*wish(scope="intake.read").items(), (twice, INTAKE)])

        answer = door.post(TOKEN, content=body, headers=headers)

        assert (answer.status_code, answer.json()["error"]) == (400, error)


NO_FORMS = [b"%ff%fe=1", b"grant_type", b"\xff=1", b"a=" + b"x" * 20_000, b"a=1&" * 60]


def test_what_is_no_form_is_refused(door, secret):
    for body in NO_FORMS:
        headers = {**basic("hotline", secret), "Content-Type": "application/x-www-form-urlencoded"}

        assert door.post(TOKEN, content=body, headers=headers).status_code == 400


def test_json_is_no_form(door, secret):
    answer = door.post(TOKEN, json=wish(), headers=basic("hotline", secret))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


NO_PROOFS = [
    {},
    {"Authorization": "Basic"},
    {"Authorization": "Basic !!!!"},
    {"Authorization": "Basic aG90bGluZQ=="},
    {"Authorization": "Bearer something"},
    {"Authorization": "Basic " + "QUFB" * 5_000},
    basic("hotline", ""),
    basic("hotline", "wrong"),
    basic("hotline%27--", "wrong"),
    basic("nobody", "wrong"),
    basic("hot\x00line", "wrong"),
]


@pytest.mark.usefixtures("secret")
def test_whoever_proves_nothing_learns_nothing(door):
    for authorization in NO_PROOFS:
        answer = door.post(TOKEN, data=wish(grant_type="password", resource="nonsense"), headers=authorization)

        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), authorization
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_name_and_secret_may_be_form_encoded_in_the_header(door, secret):
    encoded = quote_plus(secret, safe="")
    padded = "".join(f"%{ord(character):02X}" for character in secret)

    for written in (encoded, padded):
        assert ask(door, written, client_id="%68otline").status_code == 200


def test_a_secret_in_the_body_is_refused_unless_allowed(pool, keys, settings, secret):
    form = wish(client_id="hotline", client_secret=secret)
    for allowed, status in ((False, 400), (True, 200)):
        chosen = IdentitySettings(**settings.model_dump() | {"client_secret_in_body": allowed})
        app = create_api(chosen, pool, authenticator=KnownPrincipals({}), keys=keys)

        answer = client_at(app).post(TOKEN, data=form)
        methods = client_at(app).get("/.well-known/oauth-authorization-server").json()

        assert answer.status_code == status
        assert ("client_secret_post" in methods["token_endpoint_auth_methods_supported"]) is allowed


def test_a_disabled_client_gets_no_token_and_its_tokens_end(door, pool, reader_pool, secret):
    assert ask(door, secret).status_code == 200

    with acting(SYSTEM):
        assert clients.disable_client(pool, "hotline", now=datetime.now(UTC))
        assert not clients.disable_client(pool, "hotline", now=datetime.now(UTC))

    assert ask(door, secret).status_code == 401
    assert IdentityStore(reader_pool).get_client("hotline") is None


def test_a_client_whose_time_is_over_is_nobody(door, pool, reader_pool):
    register(pool, expires_at=datetime.now(UTC) + timedelta(hours=1))
    secret = give_secret(pool)
    assert ask(door, secret).status_code == 200
    with transaction(pool, reach=SYSTEM) as connection:
        connection.execute("UPDATE machine_client SET expires_at = now() - interval '1 second'")

    assert ask(door, secret).status_code == 401
    assert IdentityStore(reader_pool).get_client("hotline") is None


def test_a_client_asks_from_its_networks_alone(app, pool):
    register(pool, allowed_networks=("10.1.0.0/16", "2001:db8::/32"))
    secret = give_secret(pool)

    def status(address):
        return ask(client_at(app, peer=(address, 50_000)), secret).status_code

    assert [status(address) for address in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7")] == [200] * 3
    assert [status(address) for address in ("10.2.0.1", "127.0.0.1", "2001:db9::7")] == [400] * 3


def test_a_proxy_is_not_believed_unless_it_is_ours(door, pool):
    register(pool, allowed_networks=("10.1.0.0/16",))
    secret = give_secret(pool)

    answer = door.post(TOKEN, data=wish(), headers={**basic("hotline", secret), "X-Forwarded-For": "10.1.2.3"})

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_requests_are_slowed_down_by_client_and_network(pool, keys, settings, secret):
    few = settings.model_copy(update={"token_requests_per_minute": 3})  # one more after twenty seconds
    app = create_api(few, pool, authenticator=KnownPrincipals({}), keys=keys)
    here, there = client_at(app, peer=("203.0.113.5", 1)), client_at(app, peer=("198.51.100.5", 1))

    answers = [ask(here, "wrong") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert ask(here, secret).status_code == 429
    assert ask(there, secret).status_code == 200


def test_the_reader_learns_what_the_client_may_do(pool, reader_pool):
    register(pool, organisation_codes=("320102", "320104"), scopes=("scores.read",))

    client = IdentityStore(reader_pool).get_client("hotline")

    assert client is not None
    assert client.principal.kind == "machine"
    assert client.principal.scopes == {"scores.read"}
    assert [grant.organisation_code for grant in client.principal.grants] == ["320102", "320104"]
    assert client.principal.requests_per_minute == 600


def test_the_server_describes_itself(door, secret):
    described = door.get("/.well-known/oauth-authorization-server").json()
    ask(door, secret)
    published = door.get("/v1/oauth2/jwks").json()["keys"]

    assert described["issuer"] == ISSUER
    assert described["token_endpoint"] == f"{ISSUER}{TOKEN}"
    assert described["jwks_uri"] == f"{ISSUER}/v1/oauth2/jwks"
    assert described["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "private_key_jwt"]
    assert set(published[0]) == {"kty", "crv", "use", "alg", "kid", "x"}
    token = ask(door, secret).json()["access_token"]
    key = jwt.PyJWK(published[0])
    assert jwt.decode(token, key, algorithms=["EdDSA"], audience=INTAKE)["client_id"] == "hotline"
