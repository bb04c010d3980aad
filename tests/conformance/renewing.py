"""A credential that lasts as long as a run does: tokens end after ten minutes, and a run may sign itself out.

Schemathesis sends a placeholder, which the hooks exchange for what the desk gives: no secret is in what it prints.
"""

import contextlib
import json
import threading
import time
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from typing_extensions import override

from demo.credentials import SESSION_COOKIE, Credential, NotLetIn, Person

RENEWED_AFTER_SECONDS: Final = 120.0  # a second factor counts for five minutes
DESK_SECONDS: Final = 30.0
PLACEHOLDER: Final[Mapping[str, str]] = {
    "Authorization": "Bearer credential-of-this-run",
    "Cookie": f"{SESSION_COOKIE}=credential-of-this-run",
}


class Desk:
    """Gives the credential out to one who asks on this machine; `/anew` where the last one was refused."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._lock = threading.Lock()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = json.dumps(desk.give(anew=self.path == "/anew")).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(given)))
                self.end_headers()
                self.wfile.write(given)

            @override
            def log_message(self, *_: object) -> None:
                """Nothing: its only reader is a program."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def give(self, *, anew: bool) -> dict[str, str]:
        with self._lock:
            if anew:
                self._credential.forget()
            if isinstance(self._credential, Person):
                self._step_up(self._credential)  # before its headers are taken: the session gets another name by it
            return self._credential.headers()

    def _step_up(self, person: Person) -> None:
        """A run that tries passwords may have used up the attempts, or ended the session: a 401 asks for another."""
        with contextlib.suppress(NotLetIn):
            person.step_up()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Renewed:
    """What stands for a placeholder now, asked for at the desk when it is needed, old or was refused."""

    def __init__(self, desk_url: str) -> None:
        self._url = desk_url
        self._lock = threading.Lock()
        self._given: dict[str, str] = {}
        self._asked_at = 0.0
        self._path = "/"

    def headers(self) -> Mapping[str, str]:
        with self._lock:
            if not self._given or time.monotonic() - self._asked_at > RENEWED_AFTER_SECONDS:
                with urllib.request.urlopen(self._url + self._path, timeout=DESK_SECONDS) as answer:  # noqa: S310 - ours
                    self._given = json.load(answer)
                self._asked_at, self._path = time.monotonic(), "/"
            return self._given

    def note_refusal(self, sent: Mapping[str, str | bytes]) -> None:
        """A request without the credential is refused as well: that says nothing of it."""
        with self._lock:
            if any(sent.get(name) == self._given.get(name, "") for name in PLACEHOLDER):
                self._given, self._path = {}, "/anew"
