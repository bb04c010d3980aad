"""How a program is let in: a machine by an access token, a person by a session. Each is renewed before it ends."""

import threading
import time
from collections.abc import Generator, Mapping
from typing import Any, Protocol

import httpx
from typing_extensions import override

SESSION_COOKIE = "__Host-lianxin"
TIMEOUT_SECONDS = 15.0
RENEWED_BEFORE_SECONDS = 60.0
SESSION_SECONDS = 600.0  # a session that rests ends after fifteen minutes
UNAUTHENTICATED = 401


class NotLetIn(Exception):
    """Identity gave no token or no session; the text says what it answered."""


class Credential(Protocol):
    def headers(self) -> dict[str, str]:
        """What a request carries. Raises NotLetIn, httpx.TransportError."""
        ...

    def forget(self) -> None:
        """Called when a service refused what `headers` gave."""
        ...


class Machine:
    """OAuth 2.0 client credentials: a token for one service, kept until shortly before its end."""

    def __init__(self, identity: httpx.Client, *, client_id: str, secret: str, service: str, scope: str = "") -> None:
        self._identity = identity
        self._proof = (client_id, secret)
        self._wish = {"grant_type": "client_credentials", "resource": f"urn:lianxin:{service}"}
        if scope:
            self._wish["scope"] = scope
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def headers(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() >= self._renew_at:
                self._ask()
            return {"Authorization": f"Bearer {self._token}"}

    def forget(self) -> None:
        with self._lock:
            self._renew_at = 0.0

    def _ask(self) -> None:
        asked_at = time.monotonic()
        answer = self._identity.post("/v1/oauth2/token", data=self._wish, auth=self._proof)
        document = read(answer, "a token")
        self._token = document["access_token"]
        self._renew_at = asked_at + float(document["expires_in"]) - RENEWED_BEFORE_SECONDS


class Asking(httpx.Auth):
    """Puts a credential on every request of an httpx client, and asks once more with a new one after a refusal."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(self._credential.headers())
        answer = yield request
        if answer.status_code == UNAUTHENTICATED:
            self._credential.forget()
            request.headers.update(self._credential.headers())
            yield request


def identity_client(url: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    # The doors are on this machine or named outright; a proxy of the environment must not see what is said there.
    return httpx.Client(base_url=url.rstrip("/"), timeout=TIMEOUT_SECONDS, transport=transport, trust_env=False)


def read(answer: httpx.Response, wanted: str) -> Mapping[str, Any]:
    """Raises NotLetIn."""
    if not answer.is_success:
        raise NotLetIn(f"identity gave no {wanted}: {answer.status_code} {answer.text[:300]}")
    document: Mapping[str, Any] = answer.json()
    return document
