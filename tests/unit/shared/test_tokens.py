"""Forged, borrowed and broken access tokens: none of them opens a door, and none makes us call anybody."""

import base64
import hashlib
import hmac
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.access.store import TokenKey
from shared.access.tokens import VerifiedToken, verify
from shared.errors import Unauthenticated

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ISSUER = "https://lianxin.example.org"
AUDIENCE = "urn:lianxin:intake"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = TokenKey(
    kid="key-1", public_key=PRIVATE.public_key().public_bytes_raw(), not_after=NOW + timedelta(days=1), issuer=ISSUER
)
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "hotline",
    "client_id": "hotline",
    "aud": AUDIENCE,
    "scope": "contacts.write issues.write",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 600,
    "jti": "0123456789",
}
HEADER = {"kid": "key-1", "typ": "at+jwt"}


def sign(claims=None, header=None, *, key=PRIVATE, algorithm="EdDSA"):
    return jwt.encode(GOOD | (claims or {}), key, algorithm=algorithm, headers=HEADER | (header or {}))


def without(claim):
    return jwt.encode({name: value for name, value in GOOD.items() if name != claim}, PRIVATE, "EdDSA", headers=HEADER)


def encode(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def check(token, *, now=NOW, keys=(KEY,), audience=AUDIENCE):
    return verify(token, keys, audience=audience, now=now)


def test_a_good_token_says_who_asks_for_what_and_until_when():
    verified = check(sign())

    assert verified == VerifiedToken(
        client_id="hotline", scopes=frozenset({"contacts.write", "issues.write"}), expires_at=GOOD["exp"]
    )


@pytest.mark.parametrize(
    "secret",
    [
        KEY.public_key,
        PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        base64.urlsafe_b64encode(KEY.public_key),
    ],
    ids=["raw", "der", "text"],
)
@pytest.mark.parametrize("claimed", ["HS256", "EdDSA"])
def test_a_public_key_is_no_shared_secret(secret, claimed):
    signed = f"{encode(HEADER | {'alg': claimed})}.{encode(GOOD)}"
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()

    with pytest.raises(Unauthenticated):
        check(f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}")
    with pytest.raises(Unauthenticated):
        check(f"{signed}.{base64.urlsafe_b64encode(digest * 2).rstrip(b'=').decode()}")


def test_an_unsigned_token_is_refused():
    bare = f"{encode(HEADER | {'alg': 'none'})}.{encode(GOOD)}"

    for token in (f"{bare}.", bare, f"{bare}.{'A' * 86}"):
        with pytest.raises(Unauthenticated):
            check(token)


def test_other_good_algorithms_are_refused_too():
    with pytest.raises(Unauthenticated):
        check(sign(key=generate_private_key(65537, 2048), algorithm="RS256"))


def test_a_stranger_with_a_key_of_the_same_name_is_refused():
    with pytest.raises(Unauthenticated):
        check(sign(key=Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    "kid",
    [
        "../../etc/passwd",
        "/dev/null",
        "key-1' OR '1'='1",
        "key-1\x00",
        "KEY-1",
        "",
        None,
        7,
        ["key-1"],
        {"kid": "key-1"},
    ],
)
def test_a_key_id_is_compared_and_never_looked_up_elsewhere(kid):
    token = f"{encode(HEADER | {'alg': 'EdDSA', 'kid': kid})}.{encode(GOOD)}"
    signature = base64.urlsafe_b64encode(PRIVATE.sign(token.encode())).rstrip(b"=").decode()

    with pytest.raises(Unauthenticated):
        check(f"{token}.{signature}")


@pytest.mark.parametrize("crit", [["b64"], ["urn:example:unknown"], [], "exp"])
def test_an_unknown_critical_header_is_refused(crit):
    token = f"{encode(HEADER | {'alg': 'EdDSA', 'crit': crit})}.{encode(GOOD)}"
    signature = base64.urlsafe_b64encode(PRIVATE.sign(token.encode())).rstrip(b"=").decode()

    with pytest.raises(Unauthenticated):
        check(f"{token}.{signature}")


def test_keys_that_a_header_brings_along_or_points_to_are_never_used_or_fetched():
    stranger = Ed25519PrivateKey.generate()
    own = {"kty": "OKP", "crv": "Ed25519", "x": encode("x"), "kid": "key-1"}
    with socket.create_server(("127.0.0.1", 0)) as trap:
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/keys"
        for header in ({"jku": url}, {"x5u": url}, {"jwk": own}, {"x5c": ["MIIB"]}, {"jku": url, "kid": "other"}):
            with pytest.raises(Unauthenticated):
                check(sign(header=header, key=stranger))
        trap.settimeout(0.2)
        with pytest.raises(TimeoutError):
            trap.accept()


def test_such_a_header_does_not_spoil_a_token_that_is_really_ours():
    assert check(sign(header={"jku": "https://attacker.example"})).client_id == "hotline"


@pytest.mark.parametrize(
    "typ", ["JWT", "rt+jwt", "id+jwt", "dpop+jwt", "", None, 1], ids=lambda typ: str(typ) or "empty"
)
def test_an_identity_or_refresh_token_is_no_access_token(typ):
    token = f"{encode(HEADER | {'alg': 'EdDSA', 'typ': typ})}.{encode(GOOD)}"
    signature = base64.urlsafe_b64encode(PRIVATE.sign(token.encode())).rstrip(b"=").decode()

    with pytest.raises(Unauthenticated):
        check(f"{token}.{signature}")


@pytest.mark.parametrize(
    "audience",
    ["urn:lianxin:notify", "urn:lianxin:intak", "urn:lianxin:intake/", "URN:LIANXIN:INTAKE", [AUDIENCE], [], None, ""],
)
def test_a_token_for_another_service_is_refused(audience):
    with pytest.raises(Unauthenticated):
        check(sign({"aud": audience}))


@pytest.mark.parametrize(
    "issuer",
    ["https://lianxin.example.org/", "https://lianxin.example.org.evil.test", "http://lianxin.example.org", ""],
)
def test_an_issuer_that_looks_alike_is_refused(issuer):
    with pytest.raises(Unauthenticated):
        check(sign({"iss": issuer}))


@pytest.mark.parametrize("claim", sorted(GOOD))
def test_no_claim_may_be_missing(claim):
    with pytest.raises(Unauthenticated):
        check(without(claim))


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "somebody-else"},
        {"client_id": 7, "sub": 7},
        {"scope": ["contacts.write"]},
        {"exp": "tomorrow"},
        {"exp": 1e999},
        {"exp": float(GOOD["exp"])},
        {"exp": 10**30},
        {"exp": GOOD["iat"] + 86_400},
        {"exp": True},
        {"iat": GOOD["iat"] + 60},
        {"iat": "now"},
        {"nbf": GOOD["iat"] + 60},
    ],
    ids=str,
)
def test_a_claim_that_makes_no_sense_is_refused(claims):
    with pytest.raises(Unauthenticated):
        check(sign(claims))


def test_a_token_ends_and_so_does_its_key():
    token = sign()

    assert check(token, now=NOW + timedelta(seconds=599))
    for later in (timedelta(seconds=600), timedelta(hours=1), timedelta(days=2)):
        with pytest.raises(Unauthenticated):
            check(token, now=NOW + later)
    with pytest.raises(Unauthenticated):
        check(token, keys=())
    with pytest.raises(Unauthenticated):
        check(sign({"iat": GOOD["iat"] + 86_400, "exp": GOOD["exp"] + 86_400}), now=KEY.not_after)


def test_every_flipped_bit_is_noticed():
    token = sign()

    for place in range(0, len(token), 7):
        flipped = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(Unauthenticated):
            check(flipped)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "\n",
        lambda token: "\n" + token,
        lambda token: token.replace(".", "\n.", 1),
        lambda token: token.replace(".", ". ", 1),
        lambda token: token + "=",
        lambda token: token + ".AAAA",
        lambda _: ".".join(["AAAA"] * 1_000),
        lambda _: ".".join([""] * 1_000),
        lambda token: token.split(".")[0] + "." + "A" * 100_000 + "." + token.split(".")[2],
        lambda _: "é" * 300,
        lambda _: "\u0660" * 300,
        lambda _: "",
        lambda _: "..",
        lambda _: encode([1]) + "." + encode(GOOD) + "." + "A" * 86,
        lambda _: encode("[" * 900) + "." + encode(GOOD) + "." + "A" * 86,
        lambda _: base64.urlsafe_b64encode(b"[" * 2_000).decode().rstrip("=") + "." + encode(1) + "." + "A" * 86,
    ],
    ids=range(16),
)
def test_what_is_no_token_is_refused_at_once(spoil):
    token = spoil(sign())
    started = time.perf_counter()

    with pytest.raises(Unauthenticated):
        check(token)

    assert time.perf_counter() - started < 0.2
