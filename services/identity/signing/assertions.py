"""Proofs of a machine client by its own key: private_key_jwt of RFC 7523, each key pinned to one algorithm."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from services.identity.domain.clients import Credential, KeyAlgorithm, UnusableKey, check_kid

LONGEST_ASSERTION: Final = 8_192
LONGEST_LIFE: Final = timedelta(minutes=5)
LEEWAY: Final = timedelta(seconds=10)
SMALLEST_RSA_BITS: Final = 2_048
LARGEST_RSA_BITS: Final = 8_192
USUAL_EXPONENT: Final = 65_537
ALGORITHMS: Final[tuple[KeyAlgorithm, ...]] = ("ES256", "PS256", "EdDSA")
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)

PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey


class BadAssertion(Exception):
    """The assertion proves nothing. Callers must not learn why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeyEntry:
    """A key to register: DER, with the one algorithm that it is used with."""

    kid: str
    algorithm: KeyAlgorithm
    public_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    credential: Credential
    assertion_id: str
    expires_at: datetime


def read_jwk(entry: dict[str, Any]) -> PublicKeyEntry:
    """Raises UnusableKey. A private key is refused, so that none is ever sent to us in earnest."""
    if any(name in entry for name in ("d", "p", "q", "dp", "dq", "qi", "k", "oth")):
        raise UnusableKey(
            "a private or shared key was sent: keep it, make another one, and register only its public half"
        )
    kid, algorithm = entry.get("kid"), entry.get("alg")
    if not isinstance(kid, str) or algorithm not in ALGORITHMS:
        raise UnusableKey("a key needs kid, and alg as one of ES256, PS256, EdDSA")
    if entry.get("use", "sig") != "sig":
        raise UnusableKey("the key is not meant for signatures")
    check_kid(kid)
    try:
        key = jwt.PyJWK(
            {name: entry[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in entry}, algorithm
        ).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        raise UnusableKey("the key is not one of its algorithm") from None
    _check_strength(key, algorithm)
    return PublicKeyEntry(
        kid=kid,
        algorithm=algorithm,
        public_key=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


def _check_strength(key: object, algorithm: KeyAlgorithm) -> None:
    fits = {
        "ES256": isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1),
        "PS256": isinstance(key, RSAPublicKey)
        and SMALLEST_RSA_BITS <= key.key_size <= LARGEST_RSA_BITS
        and key.public_numbers().e == USUAL_EXPONENT,
        "EdDSA": isinstance(key, Ed25519PublicKey),
    }[algorithm]
    if not fits:
        raise UnusableKey(
            "ES256 takes P-256, EdDSA takes Ed25519, PS256 takes RSA of 2048 to 8192 bits and exponent 65537"
        )


def name_client(assertion: str) -> str:
    """Whom an assertion says it comes from, unproven. Raises BadAssertion."""
    if len(assertion) > LONGEST_ASSERTION or not _COMPACT.fullmatch(assertion):
        raise BadAssertion
    subject = _read_part(assertion.split(".")[1]).get("sub")
    if not isinstance(subject, str):
        raise BadAssertion
    return subject


def check_assertion(
    assertion: str,
    *,
    client_id: str,
    credentials: Collection[Credential],
    audiences: Collection[str],
    now: datetime,
) -> Proof:
    """Raises BadAssertion. The key is looked up among the client's own; nothing in a header names another."""
    header = _read_part(assertion.split(".")[0])
    kid = header.get("kid")
    credential = next((one for one in credentials if one.kid is not None and one.kid == kid), None)
    if credential is None or credential.public_key is None or "crit" in header or "b64" in header:
        raise BadAssertion
    if header.get("alg") != credential.algorithm:
        raise BadAssertion
    try:
        claims = jwt.decode(
            assertion,
            _load(credential.public_key),
            algorithms=[str(credential.algorithm)],
            issuer=client_id,
            subject=client_id,
            leeway=LEEWAY,
            options={
                "require": ["iss", "sub", "aud", "exp", "jti"],
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return _check_claims(claims, credential, audiences, now)
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError):
        raise BadAssertion from None


def _check_claims(claims: dict[str, Any], credential: Credential, audiences: Collection[str], now: datetime) -> Proof:
    """Raises ValueError, TypeError."""
    audience = claims["aud"]
    if isinstance(audience, list):
        (audience,) = audience  # an assertion for two could be carried from one to the other
    if audience not in audiences:
        raise ValueError("meant for somebody else")
    expires_at = _read_time(claims["exp"])
    if not now - LEEWAY < expires_at <= now + LONGEST_LIFE + LEEWAY:
        raise ValueError("ended, or made for too long")
    if any(_read_time(claims[name]) > now + LEEWAY for name in ("iat", "nbf") if name in claims):
        raise ValueError("not yet")
    jti = claims["jti"]
    if not isinstance(jti, str) or not 1 <= len(jti) <= 255:
        raise TypeError("no usable id")
    return Proof(credential=credential, assertion_id=jti, expires_at=expires_at)


def _read_time(value: object) -> datetime:
    """Raises TypeError. RFC 7519 allows fractions of a second, and clients send them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a time is a number")
    return datetime.fromtimestamp(value, UTC)


def _read_part(part: str) -> dict[str, Any]:
    try:
        document = json.loads(jwt.utils.base64url_decode(part))
    except (ValueError, RecursionError):
        raise BadAssertion from None
    if not isinstance(document, dict):
        raise BadAssertion
    return document


def _load(public_key: bytes) -> PublicKey:
    key = load_der_public_key(public_key)
    if not isinstance(key, PublicKey):
        raise TypeError("no key that we register")
    return key
