"""The self-test that partners run, against a receiver made of the code in docs/webhooks.md, and careless ones."""

import base64
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from services.notify.signing.webhooks import make_key

ROOT = Path(__file__).parents[3]
Decide = Callable[[dict[str, str], bytes], int]


def documented_verify() -> Callable[..., None]:
    """The function that the guide tells partners to use."""
    code = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "webhooks.md").read_text("utf-8"), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)  # noqa: S102 - our own guide
    verify: Callable[..., None] = names["verify"]
    return verify


def careful(*keys: str) -> Decide:
    verify = documented_verify()

    def decide(headers: dict[str, str], body: bytes) -> int:
        for key in keys:
            try:
                verify(headers, body, key=key)
            except (ValueError, KeyError):
                continue
            return 204
        return 401

    return decide


@contextmanager
def receiver(decide: Decide, *, origin: str = "*") -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self.send_response(200)
            self.send_header("WebHook-Allowed-Origin", origin)
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(decide({name.lower(): value for name, value in self.headers.items()}, body))
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "subscriber_test.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd="/",
    )
    return done.returncode, done.stdout


def test_a_receiver_as_in_the_guide_answers_all_rightly():
    old, new = make_key("v1").shown, make_key("v1").shown
    with receiver(careful(old, new)) as url:
        status, said = run(url, "--key", old, "--other-key", new)

    assert (status, "WRONG" in said) == (0, False), said


def test_so_does_one_that_holds_a_public_key():
    seed = b"\x07" * 31 + b"\x01"
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    with receiver(careful("whpk_" + base64.b64encode(public).decode())) as url:
        status, said = run(url, "--key", "whsk_" + base64.b64encode(seed).decode())

    assert (status, "WRONG" in said) == (0, False), said


def test_one_that_takes_everything_is_told_so():
    with receiver(lambda *_: 200) as url:
        status, said = run(url, "--key", make_key("v1").shown)

    assert status == 1
    for what in ("altered", "not ours", "six minutes old", "from the future", "no webhook-signature"):
        assert re.search(f"WRONG .*{what}", said), what


def test_one_that_refuses_repeats_is_told_so():
    key, seen = make_key("v1").shown, set()
    decide = careful(key)

    def once(headers: dict[str, str], body: bytes) -> int:
        answer = decide(headers, body)
        if answer == 204 and headers["webhook-id"] in seen:
            return 409
        seen.add(headers.get("webhook-id", ""))
        return answer

    with receiver(once) as url:
        status, said = run(url, "--key", key)

    assert status == 1
    assert re.search("WRONG the very same again", said)


def test_one_that_lets_nobody_in_is_told_so():
    key = make_key("v1").shown
    with receiver(careful(key), origin="somebody.example.cn") as url:
        status, said = run(url, "--key", key)

    assert status == 1
    assert "WRONG the handshake" in said


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("https://partner.example.cn/",),
        ("http://partner.example.cn/", "--key", "whsec_" + "A" * 44),
        ("http://127.0.0.1:1/", "--key", "whsec_" + "A" * 44),
        ("http://127.0.0.1:1/", "--key", "whpk_AAAA"),
    ],
)
def test_what_cannot_be_tried_is_said(arguments):
    status, said = run(*arguments)

    assert status == 2
    assert said.startswith("NOT TRIED")


def test_it_makes_keys_that_fit_each_other():
    _, said = run("--make-keys")
    keys = re.findall(r"wh[a-z]+_\S+", said)

    assert [key.partition("_")[0] for key in keys] == ["whsec", "whsk", "whpk"]
    seed = base64.b64decode(keys[1].removeprefix("whsk_"))
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert base64.b64decode(keys[2].removeprefix("whpk_")) == public
