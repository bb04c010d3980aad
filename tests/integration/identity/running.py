"""A real identity server process for the tests, on a port of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from embedded.layout import free_port
from tests.stock import ROOT, Database


@contextmanager
def running(database: Database, reader_url: str, keys: Path) -> Iterator[str]:
    """Serve until the end of the block; give the address."""
    port, management = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "LIANXIN_IDENTITY_MODE": "test",
        "LIANXIN_IDENTITY_DATABASE_URL": database.url,
        "LIANXIN_IDENTITY_IDENTITY_DATABASE_URL": reader_url,
        "LIANXIN_IDENTITY_KEYS_DIRECTORY": str(keys),
        "LIANXIN_IDENTITY_API_PORT": str(port),
        "LIANXIN_IDENTITY_MANAGEMENT_PORT": str(management),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services.identity", "serve"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{management}/readyz", f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", *urls: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server has ended"
        try:
            if httpx.get(urls[0], timeout=2).status_code == 200 and httpx.get(urls[1], timeout=2).status_code:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise TimeoutError("the server is not ready")
