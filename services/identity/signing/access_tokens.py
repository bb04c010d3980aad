"""Token keys and the access tokens signed with them: RFC 9068, one audience, ten minutes."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.identity.domain.token_keys import TOKEN_LIFE
from shared.access.tokens import ALGORITHM


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    kid: str
    public_key: bytes
    private_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    kid: str
    issuer: str
    private_key: bytes


def make_key() -> NewKey:
    private = Ed25519PrivateKey.generate()
    return NewKey(
        kid=secrets.token_urlsafe(12),
        public_key=private.public_key().public_bytes_raw(),
        private_key=private.private_bytes_raw(),
    )


def issue_token(key: SigningKey, *, client_id: str, audience: str, scopes: Collection[str], now: datetime) -> str:
    issued_at = int(now.timestamp())
    claims = {
        "iss": key.issuer,
        "sub": client_id,
        "client_id": client_id,
        "aud": audience,
        "scope": " ".join(sorted(scopes)),
        "iat": issued_at,
        "exp": issued_at + int(TOKEN_LIFE.total_seconds()),
        "jti": secrets.token_urlsafe(16),
    }
    private = Ed25519PrivateKey.from_private_bytes(key.private_key)
    return jwt.encode(claims, private, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": "at+jwt"})


def show_key(kid: str, public_key: bytes) -> dict[str, str]:
    """A public key as an entry of a JWKS (RFC 8037)."""
    x = urlsafe_b64encode(public_key).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": kid, "x": x}


def dump_keys(keys: Collection[tuple[str, bytes]]) -> bytes:
    return json.dumps({"keys": [show_key(kid, public_key) for kid, public_key in keys]}).encode()
