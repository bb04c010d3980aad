"""A plain HTTP client for JSON doors: one kept connection, no library between the test and the wire."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from demo.credentials import UNAUTHENTICATED, Credential, NotLetIn


class Unreachable(Exception):
    """No answer came: what was asked may or may not have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Client:
    """Speaks to one door. Not for several threads at once."""

    def __init__(self, port: int, credential: Credential | None = None, *, timeout_seconds: float = 10) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
        self._credential = credential

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, headers)

    def post(self, path: str, document: object, **headers: str) -> Answer:
        return self.send("POST", path, json.dumps(document).encode(), headers)

    def put(self, path: str, document: object, **headers: str) -> Answer:
        return self.send("PUT", path, json.dumps(document).encode(), headers)

    def send(self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """`body` is bytes or a file. Raises Unreachable; the next call connects again.

        Whoever is refused asks identity once more: a session or a token may just have ended.
        """
        answer = self._send(method, path, body, headers)
        if answer.status == UNAUTHENTICATED and self._credential is not None and isinstance(body, bytes | None):
            self._credential.forget()
            answer = self._send(method, path, body, headers)
        return answer

    def _send(self, method: str, path: str, body: Any, headers: Mapping[str, str] | None) -> Answer:
        kind = {"Content-Type": "application/json"} if isinstance(body, bytes) else {}
        more = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        try:
            own = self._credential.headers() if self._credential is not None else {}
            self._connection.request(method, path, body, own | kind | more)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException, httpx.TransportError, NotLetIn) as error:
            self._connection.close()
            raise Unreachable(f"{method} {path}: {type(error).__name__}: {error}") from error
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=content,
        )

    def close(self) -> None:
        self._connection.close()
