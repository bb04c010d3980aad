"""An HTTP server that behaves as gateways do, with moods: it answers from a script, drips, hangs, or loses a reply."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


Reply = tuple[int, dict[str, str], bytes]


def says(document: Any, *, status: int = 200, **headers: str) -> Reply:
    return status, {"Content-Type": "application/json", **headers}, orjson.dumps(document)


@dataclass
class GatewayServer:
    """`answer` is asked where the script is empty. A script entry may be a reply, `lost`, `drips` or `hangs`."""

    port: int = 0
    answer: Callable[[Asked], Reply] = lambda _: says({"code": 0})
    script: list[Reply | str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    hanging: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    gateway: GatewayServer

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        asked = Asked(
            path=parts.path,
            query={name: values[0] for name, values in parse_qs(parts.query).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        self.gateway.asked.append(asked)
        mood = self.gateway.script.pop(0) if self.gateway.script else self.gateway.answer(asked)
        if isinstance(mood, str):
            {"lost": self.connection.close, "hangs": self._hang, "drips": self._drip}[mood]()
            self.close_connection = True
        else:
            self._reply(*mood)

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang(self) -> None:
        self.gateway.hanging.set()
        self.gateway.released.wait(30)

    def _drip(self) -> None:
        with suppress(OSError):
            while not self.gateway.released.wait(0.05):
                self.wfile.write(b"H")
                self.wfile.flush()

    @override
    def log_message(self, format: str, *arguments: Any) -> None:
        """The tests look at what was asked, not at a log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is one of the moods."""


@contextmanager
def serving(server: GatewayServer) -> Iterator[GatewayServer]:
    http = _Server(("127.0.0.1", server.port), type("Handler", (_Handler,), {"gateway": server}))
    server.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        http.shutdown()
        thread.join()
        http.server_close()
