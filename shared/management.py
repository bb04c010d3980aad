"""The management door of every process: /healthz, /readyz and /metrics, on an address of its own."""

import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from typing_extensions import override

from shared.observability import get_logger

Check = Callable[[], None]  # raises when not ready

log = get_logger()


class ManagementServer:
    """Serves on a thread until `close`. A check that raises makes the process not ready, and names itself."""

    def __init__(self, host: str, port: int, checks: Mapping[str, Check], *, tls: ssl.SSLContext | None = None) -> None:
        handler = type("Handler", (_Handler,), {"checks": dict(checks), "tls": tls})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="management", daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    checks: Mapping[str, Check] = {}  # replaced as a whole for each server
    tls: ssl.SSLContext | None = None  # same
    server_version = "lianxin"
    sys_version = ""
    timeout = 10

    @override
    def setup(self) -> None:
        """Greet on the connection's own thread: whoever never answers must not keep the others waiting."""
        if self.tls is not None:
            self.request.settimeout(self.timeout)
            self.request = self.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    @override
    def handle(self) -> None:
        try:
            super().handle()
        except OSError as error:
            log.debug("management_broke_off", error=type(error).__name__)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._answer(200, "application/json", b'{"status":"up"}')
        elif path == "/readyz":
            self._answer_ready()
        elif path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
        else:
            self._answer(404, "application/json", b'{"status":"unknown"}')

    def _answer_ready(self) -> None:
        failing = {}
        for name, check in self.checks.items():
            try:
                check()
            except Exception as error:  # noqa: BLE001 - whatever a check raises means not ready
                failing[name] = type(error).__name__
        document = {"status": "not ready" if failing else "ready", "failing": failing}
        self._answer(503 if failing else 200, "application/json", orjson.dumps(document))

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        log.debug("management_request", line=format % args)
