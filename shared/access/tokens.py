"""Access tokens of machines: JWTs of RFC 9068, verified offline by public keys of the identity database alone."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.access.refusals import Reason
from shared.access.store import TokenKey
from shared.errors import Unauthenticated

ALGORITHM: Final = "EdDSA"
TOKEN_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
REQUIRED_CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope")
LONGEST_TOKEN: Final = 4_096
REFUSED: Final = "the token is not valid here"
LEEWAY_SECONDS: Final = 5
LONGEST_LIFE_SECONDS: Final = 900
# Python's decoder passes over what is no base64, a line break for one: two texts would be one token.
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """What a token says. Whether its client may still do that is not for the token to tell."""

    client_id: str
    scopes: frozenset[str]
    expires_at: float  # seconds since 1970


def verify(token: str, keys: Sequence[TokenKey], *, audience: str, now: datetime) -> VerifiedToken:
    """Raises Unauthenticated, with the same words whatever is wrong."""
    try:
        if len(token) > LONGEST_TOKEN or not _COMPACT.fullmatch(token):
            raise jwt.DecodeError
        key = _find_key(token, keys, now)
        claims: dict[str, Any] = jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(key.public_key),
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=key.issuer,
            # The times are compared below, with the caller's clock.
            options={
                "require": list(REQUIRED_CLAIMS),
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return _read_claims(claims, now.timestamp())
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
        raise Unauthenticated(REFUSED) from None


def explain(token: str, keys: Sequence[TokenKey], *, audience: str) -> tuple[str, Reason] | None:
    """Of a token that was refused, whose it is and why, where it is one that we have signed; else None."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        verify(token, keys, audience=claims["aud"], now=datetime.fromtimestamp(claims["iat"], UTC))
    except (
        Unauthenticated,
        jwt.InvalidTokenError,
        KeyError,
        ValueError,
        TypeError,
        OverflowError,
        OSError,
        RecursionError,
    ):
        return None
    return str(claims["client_id"]), "token-expired" if claims["aud"] == audience else "wrong-audience"


def _find_key(token: str, keys: Sequence[TokenKey], now: datetime) -> TokenKey:
    """Raises ValueError. Of a header only `kid` is used, as a word to compare: jku, x5u, x5c and jwk lead nowhere."""
    header = json.loads(jwt.utils.base64url_decode(token.partition(".")[0]))
    if not isinstance(header, dict) or header.get("alg") != ALGORITHM:
        raise ValueError("not signed as ours are")
    if str(header.get("typ", "")).lower() not in TOKEN_TYPES:
        raise ValueError("an identity token, a refresh token or nothing known is no access token")
    if "crit" in header or "b64" in header:
        raise ValueError("no extension is understood here, so every critical one is unknown")
    for key in keys:
        if key.kid == header.get("kid") and now < key.not_after:
            return key
    raise ValueError("not a key of ours")


def _read_claims(claims: dict[str, Any], now: float) -> VerifiedToken:
    """Raises ValueError."""
    client_id, scope = claims["client_id"], claims["scope"]
    if not isinstance(client_id, str) or not isinstance(scope, str) or claims["sub"] != client_id:
        raise ValueError("a claim is no text, or the subject is not the client")
    issued, expires, begins = claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])
    if not all(type(time) is int for time in (issued, expires, begins)):
        raise ValueError("a time is a whole number of seconds")
    if max(issued, begins) > now + LEEWAY_SECONDS or now >= expires or expires - issued > LONGEST_LIFE_SECONDS:
        raise ValueError("ended, not begun, or made for too long")
    return VerifiedToken(client_id=client_id, scopes=frozenset(scope.split()), expires_at=float(expires))
