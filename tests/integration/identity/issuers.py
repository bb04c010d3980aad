"""Providers of identities for tests: a real one as a process of its own, and one that lies as it is told."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from typing_extensions import override

from tests.harness.waiting import wait_for


@contextmanager
def real_provider() -> Iterator[str]:
    """Give the issuer of an OpenID provider that runs on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Its own libraries warn of their age; that is not ours to fix.
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "1"]
    issuer = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _answers(f"{issuer}/.well-known/openid-configuration"), "the provider")
            yield issuer
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def sign_in_there(address: str, subject: str) -> str:
    """What a person does at the real provider: say who they are. Return the address that they are sent back to."""
    answer = httpx.post(address, data={"sub": subject}, timeout=10)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


@cache
def _make_key() -> rsa.RSAPrivateKey:
    """One for all of them: to make it takes longer than most tests of a provider."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


class LyingProvider:
    """Answers as a provider does, with metadata and tokens that a test may bend."""

    def __init__(self) -> None:
        self.key = _make_key()
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"kid": "one"}
        self.make_token: Callable[[dict[str, Any], dict[str, Any]], str] = self._sign
        self.asked: list[dict[str, list[str]]] = []
        self.visited: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _sign(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        return jwt.encode(claims, self.key, algorithm="RS256", headers=header)

    def public_key(self) -> dict[str, Any]:
        return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())), "kid": "one", "alg": "RS256"}

    def answer(self, path: str, form: str) -> dict[str, Any]:
        self.visited.append(path)
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.metadata,
            }
        if path == "/keys":
            return {"keys": [self.public_key()]}
        self.asked.append(parse_qs(form))
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": "lianxin", "sub": "somebody", "iat": now, "exp": now + 300}
        claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
        return {"token_type": "Bearer", "access_token": "x" * 20, "id_token": self.make_token(claims, self.header)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(provider.answer(urlsplit(self.path).path, ""))

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                self._send(provider.answer(urlsplit(self.path).path, self.rfile.read(length).decode()))

            def _send(self, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler
