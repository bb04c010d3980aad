"""Access tokens of machines: JWTs of RFC 9068, verified with public keys that come from the identity database alone."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.access.store import TokenKey
from shared.errors import Unauthenticated

LONGEST_TOKEN = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    client_id: str
    scopes: frozenset[str]
    expires_at: float  # seconds since 1970


def verify(token: str, keys: Sequence[TokenKey], *, audience: str, now: datetime) -> VerifiedToken:
    """Raises Unauthenticated, with the same words whatever is wrong."""
    refused = Unauthenticated("the token is not valid here")
    parts = token.split(".") if len(token) <= LONGEST_TOKEN else []
    if len(parts) != 3:
        raise refused
    try:
        header, claims = orjson.loads(_decode(parts[0])), orjson.loads(_decode(parts[1]))
        key = next(key for key in keys if key.kid == header["kid"] and key.not_after > now)
        if header["alg"] != "EdDSA" or header["typ"] != "at+jwt" or "crit" in header:
            raise refused
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(
            _decode(parts[2]), f"{parts[0]}.{parts[1]}".encode("ascii")
        )
        if claims["aud"] != audience or not float(claims["iat"]) - 30 <= now.timestamp() < float(claims["exp"]):
            raise refused
        return VerifiedToken(
            client_id=str(claims["client_id"]),
            scopes=frozenset(str(claims["scope"]).split()),
            expires_at=float(claims["exp"]),
        )
    except (binascii.Error, InvalidSignature, KeyError, StopIteration, TypeError, ValueError):
        raise refused from None


def _decode(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
