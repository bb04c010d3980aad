"""private_key_jwt: a machine proves itself with its own key, once for each assertion."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fastapi.testclient import TestClient
from joserfc.jwk import OKPKey

from services.identity.domain.clients import KeyIdTaken, TooManyCredentials, UnusableKey
from services.identity.handlers import clients
from services.identity.handlers.tokens import forget_used_assertions
from services.identity.signing.assertions import read_jwk
from shared.database import transaction
from shared.reach import SYSTEM, acting
from tests.asking import client_at
from tests.integration.identity.machines import (
    ISSUER,
    TOKEN_URL,
    OwnKey,
    addition,
    by_assertion,
    give_key,
    give_secret,
    register,
    wish,
)

pytestmark = pytest.mark.integration
TOKEN = "/v1/oauth2/token"
PEER = ("127.0.0.1", 50_000)


@pytest.fixture
def door(app):
    return client_at(app, peer=PEER)


@pytest.fixture
def key(pool):
    register(pool)
    key = OwnKey()
    give_key(pool, key)
    return key


def ask(door, assertion, **more):
    return door.post(TOKEN, data=by_assertion(assertion, **more))


@pytest.mark.parametrize(
    "own",
    [
        OwnKey(),
        OwnKey(algorithm="ES256", private=ec.generate_private_key(ec.SECP256R1())),
        OwnKey(algorithm="PS256", private=rsa.generate_private_key(65537, 2048)),
    ],
    ids=["EdDSA", "ES256", "PS256"],
)
def test_each_algorithm_proves_its_client(door, pool, own):
    register(pool)
    give_key(pool, own)

    assert ask(door, own.assertion()).status_code == 200
    assert ask(door, own.assertion({"aud": ISSUER}), client_id="hotline").status_code == 200
    assert ask(door, own.assertion({"aud": [TOKEN_URL]})).status_code == 200


def test_an_assertion_works_once_also_when_sent_twenty_times_at_once(app, key):
    door, assertion = TestClient(app, client=PEER), key.assertion()

    with ThreadPoolExecutor(10) as several:
        statuses = list(several.map(lambda _: ask(door, assertion).status_code, range(20)))

    assert sorted(statuses) == [200] + [401] * 19


def test_a_used_assertion_is_forgotten_only_when_it_would_be_refused_for_its_age(pool, door, key):
    assert ask(door, key.assertion()).status_code == 200

    assert forget_used_assertions(pool, now=datetime.now(UTC)) == 0
    assert forget_used_assertions(pool, now=datetime.now(UTC) + timedelta(minutes=2)) == 1


def now(**offset):
    return int((datetime.now(UTC) + timedelta(**offset)).timestamp())


def inexact():
    return [
        {"aud": "https://attacker.example/v1/oauth2/token"},
        {"aud": TOKEN_URL + "/"},
        {"aud": [TOKEN_URL, "https://attacker.example"]},
        {"aud": []},
        {"aud": {"a": 1}},
        {"aud": None},
        {"iss": "somebody-else"},
        {"sub": "somebody-else"},
        {"sub": None},
        {"sub": 7},
        {"exp": now(minutes=-1)},
        {"exp": now(minutes=7)},
        {"exp": 10**30},
        {"exp": "soon"},
        {"exp": 1e999},
        {"iat": now(minutes=2)},
        {"iat": True},
        {"nbf": now(minutes=2)},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 300},
    ]


def test_a_claim_that_is_not_exact_is_refused(door, key):
    for claims in inexact():
        answer = ask(door, key.assertion(claims))

        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), claims


NEEDED = ["iss", "sub", "aud", "exp", "jti"]


def test_no_claim_may_be_missing(door, key):
    for claim in NEEDED:
        assert ask(door, key.assertion(**{claim: True})).status_code == 401, claim


HEADERS = [
    {"kid": "other"},
    {"kid": "../../../../dev/null"},
    {"kid": "key-1' OR '1'='1"},
    {"crit": ["exp"]},
]


def test_a_header_names_a_key_of_the_client_or_nothing(door, key):
    for header in HEADERS:
        assert ask(door, key.assertion(header=header)).status_code == 401


def test_the_key_of_one_client_does_not_prove_another(door, pool, key):
    register(pool, "cloud")
    give_key(pool, OwnKey(), "cloud")

    assert ask(door, key.assertion({"iss": "cloud", "sub": "cloud"})).status_code == 401
    assert ask(door, key.assertion(), client_id="cloud").status_code == 401


def test_a_key_is_used_with_its_own_algorithm_only(door, pool):
    register(pool)
    private = rsa.generate_private_key(65537, 2048)
    give_key(pool, OwnKey(algorithm="PS256", private=private))

    assert ask(door, OwnKey(algorithm="RS256", private=private).assertion()).status_code == 401
    assert ask(door, OwnKey(algorithm="PS512", private=private).assertion()).status_code == 401
    assert ask(door, OwnKey(algorithm="PS256", private=private).assertion()).status_code == 200


def test_a_secret_never_signs_an_assertion(door, pool, key):
    secret = give_secret(pool)
    claims = {"iss": "hotline", "sub": "hotline", "aud": TOKEN_URL, "exp": now(minutes=1), "jti": "1"}
    forged = jwt.encode(claims, secret, "HS256", headers={"kid": key.kid})

    assert ask(door, forged).status_code == 401


NO_ASSERTIONS = ["x", "..", "a.b.c", "A" * 9_000, "a.b.c\n", "e30.e30.e30"]


@pytest.mark.usefixtures("key")
def test_what_is_no_assertion_is_refused(door):
    for assertion in NO_ASSERTIONS:
        assert ask(door, assertion).status_code == 401, assertion


def test_the_type_of_an_assertion_must_be_known(door, key):
    form = wish(client_assertion=key.assertion(), client_assertion_type="urn:ietf:params:oauth:saml2-bearer")

    assert door.post(TOKEN, data=form).status_code == 400


def test_keys_are_rotated_without_a_gap(door, pool, key):
    following = OwnKey(kid="key-2")
    give_key(pool, following)
    assert [ask(door, one.assertion()).status_code for one in (key, following)] == [200, 200]

    with pytest.raises(TooManyCredentials):
        give_key(pool, OwnKey(kid="key-3"))
    with acting(SYSTEM):
        _, live = clients.get_client(pool, "hotline", now=datetime.now(UTC))
        clients.revoke_credential(
            pool, "hotline", next(one.id for one in live if one.kid == "key-1"), now=datetime.now(UTC)
        )

    assert [ask(door, one.assertion()).status_code for one in (key, following)] == [401, 200]
    give_key(pool, OwnKey(kid="key-3"))


@pytest.mark.usefixtures("key")
def test_a_key_id_is_taken_once(pool):
    with pytest.raises(KeyIdTaken):
        give_key(pool, OwnKey())


def test_the_use_of_a_credential_is_noted_by_the_day(pool, door, key):
    ask(door, key.assertion())

    with transaction(pool, reach=SYSTEM) as connection:
        row = connection.execute("SELECT last_used_on FROM client_credential").fetchone()

    assert row == (datetime.now(UTC).date(),)


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        OwnKey().public_jwk() | {"d": "c2VjcmV0"},
        OwnKey().public_jwk() | {"alg": "HS256", "kty": "oct", "k": "c2VjcmV0"},
        OwnKey().public_jwk() | {"alg": "none"},
        OwnKey().public_jwk() | {"alg": "ES256"},
        OwnKey().public_jwk() | {"crv": "Ed448"},
        OwnKey().public_jwk() | {"x": "AAAA"},
        OwnKey().public_jwk() | {"x": 7},
        OwnKey().public_jwk() | {"kid": "a/b"},
        OwnKey().public_jwk() | {"kid": None},
        OwnKey().public_jwk() | {"use": "enc"},
        OwnKey(algorithm="ES256", private=ec.generate_private_key(ec.SECP384R1())).public_jwk(),
        OwnKey(algorithm="PS256", private=rsa.generate_private_key(65537, 1024)).public_jwk(),  # noqa: S505 - that is it
        OwnKey(algorithm="PS256", private=rsa.generate_private_key(3, 2048)).public_jwk(),
        OwnKey(algorithm="PS256", private=rsa.generate_private_key(65537, 2048)).public_jwk() | {"alg": "RS256"},
        OwnKey(algorithm="ES256", private=ec.generate_private_key(ec.SECP256R1())).public_jwk() | {"x": "AAAA"},
    ],
    ids=range(16),
)
def test_a_weak_private_or_odd_key_is_not_registered(jwk):
    with pytest.raises(UnusableKey):
        read_jwk(jwk)


def test_a_key_in_the_shape_of_another_library_is_understood(pool, door):
    register(pool)
    private = ed25519.Ed25519PrivateKey.generate()
    raw = OKPKey.import_key(private.public_key()).as_dict(private=False)
    with acting(SYSTEM):
        clients.register_key(pool, "hotline", {**raw, "kid": "lib", "alg": "EdDSA"}, addition())

    assert ask(door, OwnKey(kid="lib", private=private).assertion()).status_code == 200
