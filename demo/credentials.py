"""How a program is let in: a machine by an access token, a person by a session. Each is renewed before it ends."""

import threading
import time
from collections.abc import Generator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol

import httpx
from typing_extensions import override

SESSION_COOKIE = "__Host-lianxin"
OUR_OWN = {"X-Lianxin-Request": "1"}  # what a foreign page cannot make a browser send
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


class Person:
    """A session, begun with name and password when it is first needed and again when it is over."""

    def __init__(self, identity: httpx.Client, *, name: str, password: str) -> None:
        self._identity = identity
        self._name = name
        self._password = password
        self._lock = threading.RLock()
        self._cookies: dict[str, str] = {}
        self._renew_at = 0.0

    def headers(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() >= self._renew_at:
                self.sign_in()
            return {"Cookie": f"{SESSION_COOKIE}={self._cookies[SESSION_COOKIE]}", **OUR_OWN}

    def forget(self) -> None:
        with self._lock:
            self._renew_at = 0.0

    def sign_in(self) -> None:
        status = self._send("/v1/sign-in", {"name": self._name, "password": self._password})["status"]
        if status != "signed-in":
            raise NotLetIn(f"{self._name} cannot sign in: {status}")
        self._renew_at = time.monotonic() + SESSION_SECONDS

    def begin(self, one_time_password: str) -> None:
        """Sign in for the first time, and choose the own password as everybody must."""
        with self._lock:
            self._send("/v1/sign-in", {"name": self._name, "password": one_time_password})
            self._send("/v1/sign-in/new-password", {"new_password": self._password})
            self._renew_at = time.monotonic() + SESSION_SECONDS

    def step_up(self) -> None:
        """Prove anew who this is: what gives rights to others asks for it."""
        with self._lock:
            self.headers()
            self._send("/v1/step-up", {"password": self._password})

    def ask(self, method: str, path: str, document: object = None) -> Mapping[str, Any]:
        """Ask identity itself for something. Raises NotLetIn."""
        return read(self._identity.request(method, path, headers=self.headers(), json=document), f"{method} {path}")

    def _send(self, path: str, document: object) -> Mapping[str, Any]:
        held = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        answer = self._identity.post(path, json=document, headers={"Cookie": held, **OUR_OWN} if held else OUR_OWN)
        self._keep(answer)
        return read(answer, f"answer to {path} for {self._name}")

    def _keep(self, answer: httpx.Response) -> None:
        for cookie in answer.headers.get_list("set-cookie"):
            pair, _, attributes = cookie.partition(";")
            name, _, value = pair.partition("=")
            if "max-age=0" in attributes.lower():
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = value


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
    """Keeps no cookies itself: several people speak through it."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    # The doors are on this machine or named outright; a proxy of the environment must not see what is said there.
    return httpx.Client(
        base_url=url.rstrip("/"), timeout=TIMEOUT_SECONDS, transport=transport, cookies=no_cookies, trust_env=False
    )


def read(answer: httpx.Response, wanted: str) -> Mapping[str, Any]:
    """Raises NotLetIn."""
    if not answer.is_success:
        raise NotLetIn(f"identity gave no {wanted}: {answer.status_code} {answer.text[:300]}")
    document: Mapping[str, Any] = answer.json()
    return document
