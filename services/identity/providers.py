"""An OpenID Connect provider as a relying party meets it: discovery, the way there and back, and the ID token.

Authlib speaks the protocol; the token is checked here, against one issuer, one audience and keys of that issuer alone.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jwt
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client

from services.identity.domain.provider_visits import ProviderRefused
from shared.errors import Transient

# Signatures by a key that only the issuer has; a MAC, or none at all, would make everybody an issuer.
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
REQUIRED_CLAIMS: Final = ["iss", "sub", "aud", "exp", "iat", "nonce"]
TIMEOUT_SECONDS: Final = 5.0
LARGEST_ANSWER: Final = 256 * 1024
BELIEVED_SECONDS: Final = 600.0
LEEWAY_SECONDS: Final = 30
LONGEST_SUBJECT: Final = 255
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class ProviderAway(Transient):
    code = "provider-unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    tells_issuer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    subject: str
    name: str | None
    authenticated_at: int | None


class Provider:
    """One issuer, whose metadata and keys are believed for ten minutes."""

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        client_secret: str | None,
        redirect_uri: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, dict[str, jwt.PyJWK]] | None = None

    def way_there(self, *, state: str, nonce: str, code_verifier: str, anew: bool = False) -> str:
        """Where to send the browser; `anew` asks the provider to have its user prove who they are again."""
        more: dict[str, Any] = {"prompt": "login", "max_age": 0} if anew else {}
        with self._client() as client:
            address, _ = client.create_authorization_url(
                self._discover().authorization_endpoint, state=state, nonce=nonce, code_verifier=code_verifier, **more
            )
        return str(address)

    def come_back(self, *, code: str, code_verifier: str, nonce: str, issuer: str | None, at: datetime) -> Claims:
        """Change the code for an ID token and read it. Raises ProviderRefused, ProviderAway."""
        metadata = self._discover()
        if issuer != self.issuer and (issuer is not None or metadata.tells_issuer):
            raise ProviderRefused("the answer names another issuer")
        try:
            with self._client() as client:
                answer = client.fetch_token(
                    metadata.token_endpoint, grant_type="authorization_code", code=code, code_verifier=code_verifier
                )
        except (AuthlibBaseError, ValueError) as error:
            raise ProviderRefused("the provider did not accept the code") from error
        except httpx.HTTPError as error:
            raise ProviderAway("the provider cannot be reached") from error
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > LARGEST_ANSWER:
            raise ProviderRefused("the provider sent no ID token")
        return self.read(token, nonce=nonce, at=at)

    def read(self, token: str, *, nonce: str, at: datetime) -> Claims:
        """Raises ProviderRefused for a token of another issuer, for others, for another visit or another time."""
        try:
            key = self._key_of(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
                issuer=self.issuer,
                audience=self._client_id,
                options={"require": REQUIRED_CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError as error:
            raise ProviderRefused("the ID token is not valid") from error
        self._check_claims(claims, nonce=nonce, now=at.timestamp())
        name, authenticated_at = claims.get("name"), claims.get("auth_time")
        return Claims(
            subject=str(claims["sub"]),
            name=name if isinstance(name, str) else None,
            authenticated_at=int(authenticated_at) if isinstance(authenticated_at, (int, float)) else None,
        )

    def _check_claims(self, claims: Mapping[str, Any], *, nonce: str, now: float) -> None:
        audience = claims["aud"]
        others = isinstance(audience, list) and audience != [self._client_id]
        is_ours = claims.get("azp", self._client_id) == self._client_id and not (others and "azp" not in claims)
        times = [claims["exp"], claims["iat"]]
        if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in times):
            raise ProviderRefused("the ID token is not valid")
        is_timely = claims["iat"] - LEEWAY_SECONDS <= now < claims["exp"] + LEEWAY_SECONDS
        has_subject = isinstance(claims["sub"], str) and 1 <= len(claims["sub"]) <= LONGEST_SUBJECT
        if not (is_ours and is_timely and has_subject and claims["nonce"] == nonce):
            raise ProviderRefused("the ID token is not valid")

    def _key_of(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        """By the key's id alone: whatever else a header says of keys is not read. Raises ProviderRefused."""
        if "crit" in header:
            raise ProviderRefused("the ID token is not valid")
        kid = header.get("kid")
        keys = self._list_keys(fresh=False)
        if kid not in keys:
            keys = self._list_keys(fresh=True)
        if kid is None and len(keys) == 1:
            return next(iter(keys.values()))
        if not isinstance(kid, str) or kid not in keys:
            raise ProviderRefused("the ID token is signed with a key that the issuer does not publish")
        key = keys[kid]
        if header.get("alg") != key.algorithm_name:
            raise ProviderRefused("the ID token is not signed in the way of its key")
        return key

    def _list_keys(self, *, fresh: bool) -> dict[str, jwt.PyJWK]:
        """At most one look a second for keys that we do not know: a forged id must not make us ask and ask."""
        with self._lock:
            age = self._clock() - self._keys[0] if self._keys else None
            if self._keys is not None and age is not None and age < (1.0 if fresh else BELIEVED_SECONDS):
                return self._keys[1]
        document = self._fetch(self._discover().jwks_uri)
        listed = document.get("keys")
        keys = {}
        for number, one in enumerate(listed if isinstance(listed, list) else []):
            key = _read_key(one)
            if key is not None:
                keys[key.key_id or f"#{number}"] = key
        with self._lock:
            self._keys = (self._clock(), keys)
        return keys

    def _discover(self) -> Metadata:
        """Raises ProviderAway, and ProviderRefused for metadata that is not of exactly this issuer."""
        with self._lock:
            if self._metadata is not None and self._clock() - self._metadata[0] < BELIEVED_SECONDS:
                return self._metadata[1]
        document = self._fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer:
            raise ProviderRefused("the provider calls itself by another name than the one that was set")
        metadata = Metadata(
            authorization_endpoint=_checked(document.get("authorization_endpoint")),
            token_endpoint=_checked(document.get("token_endpoint")),
            jwks_uri=_checked(document.get("jwks_uri")),
            tells_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        )
        with self._lock:
            self._metadata = (self._clock(), metadata)
        return metadata

    def _fetch(self, url: str) -> dict[str, Any]:
        try:
            with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client, client.stream("GET", url) as answer:
                body = b""
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        raise ProviderAway("the provider's answer is too large")
                answer.raise_for_status()
            document = httpx.Response(200, content=body).json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderAway("the provider cannot be reached or makes no sense") from error
        if not isinstance(document, dict):
            raise ProviderAway("the provider makes no sense")
        return document

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            client_id=self._client_id,
            client_secret=self._client_secret,
            token_endpoint_auth_method="client_secret_basic" if self._client_secret else "none",
            scope="openid profile",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )


def _read_key(document: object) -> jwt.PyJWK | None:
    """A key that may sign, or nothing: an issuer may publish others beside it."""
    if not isinstance(document, dict) or document.get("use", "sig") != "sig" or document.get("kty") == "oct":
        return None
    try:
        return jwt.PyJWK(document)
    except jwt.PyJWTError:
        return None


def _checked(url: object) -> str:
    """Raises ProviderRefused for anything but https; on this machine http will do."""
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or not parts.hostname or parts.fragment:
        raise ProviderRefused("the provider's metadata lacks an address")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ProviderRefused("the provider's metadata names an address that is not of https")
    return str(url)
