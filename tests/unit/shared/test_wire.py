"""Connections that never come to the point, against a real server."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from typing import cast

import pytest
import uvicorn

from shared.edge import EdgeGuard
from shared.wire import LARGEST_JOINED_BYTES, BoundedProtocol, OneWrite

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


class Impatient(BoundedProtocol):
    head_seconds = 0.3


async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def address():
    app = EdgeGuard(answer, body_seconds=0.3)
    config = uvicorn.Config(app, port=0, loop="uvloop", http=Impatient, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(10)


def say(address, *parts, most_bytes=2_000_000):
    """Send the parts, repeating the last one, and return what came back until the server closed."""
    with socket.create_connection(address, timeout=5) as connection:
        sent = 0
        with contextlib.suppress(ConnectionError):
            for part in parts[:-1]:
                connection.sendall(part)
            while sent < most_bytes:
                connection.sendall(parts[-1])
                sent += len(parts[-1]) or most_bytes
        answered = b""
        with contextlib.suppress(ConnectionError):
            while block := connection.recv(65536):
                answered += block
        return sent, answered


def read_problem(answered):
    head, _, body = answered.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.splitlines()
    assert f"content-length: {len(body)}".encode() in head.splitlines()
    document = json.loads(body)
    assert document["status"] == int(head.split()[1])
    return document["status"], document["type"]


@pytest.mark.parametrize(
    "parts",
    [
        (GET + b"X: ", b"a" * 10_000),
        (GET, b"X: a\r\n" * 1_000),
        (b"GET /", b"a" * 10_000),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a" * 10_000),
    ],
    ids=["a-header", "headers", "a-request-line", "a-trailer"],
)
def test_a_head_without_an_end_is_cut_off(address, parts):
    sent, answered = say(address, *parts, most_bytes=50_000_000)

    assert sent < 50_000_000
    assert answered[:13] in {b"", b"HTTP/1.1 431 "}


def test_pipelined_requests_without_an_end_are_cut_off(address):
    sent, _ = say(address, (GET + b"\r\n") * 5_000, most_bytes=500_000_000)

    assert sent < 500_000_000


@pytest.mark.parametrize("part", [b"", b"GET / HT", GET + b"X: "], ids=["nothing", "half-a-line", "half-a-head"])
def test_a_head_that_does_not_come_is_not_waited_for(address, part):
    _, answered = say(address, part, b"")

    assert read_problem(answered) == (408, "urn:lianxin:problem:too-slow")


@pytest.mark.parametrize("part", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", GET + b"X\x00: a\r\n\r\n"])
def test_what_is_no_http_is_told_so_in_a_problem_document(address, part):
    _, answered = say(address, part, b"")

    assert read_problem(answered) == (400, "urn:lianxin:problem:not-http")


def test_a_body_that_does_not_come_is_not_waited_for(address):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"

    _, answered = say(address, head, b"")

    assert answered.startswith(b"HTTP/1.1 408 ")
    assert b"urn:lianxin:problem:too-slow" in answered


def test_ordinary_requests_on_one_connection_pass(address):
    with socket.create_connection(address, timeout=5) as connection:
        for _ in range(3):
            connection.sendall(GET + b"X: " + b"a" * 30_000 + b"\r\n\r\n")
            answered = connection.recv(65536)
            assert answered.endswith(b"ok")
        connection.sendall((GET + b"\r\n") * 20)
        answered = b""
        while answered.count(b"ok") < 20:
            answered += connection.recv(65536)


class Written:
    """A transport that notes what each write was given."""

    def __init__(self):
        self.writes = []
        self.closed = False

    def write(self, data):
        assert not self.closed
        self.writes.append(bytes(data))

    def close(self):
        self.closed = True


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


def write_all(*steps):
    """Each step is what is written, None for a turn of the loop, or `close`."""
    written = Written()

    async def write():
        transport = OneWrite(cast("asyncio.Transport", written), asyncio.get_running_loop())
        for step in steps:
            if step is None:
                await asyncio.sleep(0)
            elif step == "close":
                transport.close()
            else:
                transport.write(step)
        await asyncio.sleep(0)

    asyncio.run(write())
    return written.writes


@pytest.mark.parametrize(
    ("steps", "writes"),
    [
        ((HEAD, b"body"), [HEAD + b"body"]),
        ((HEAD, memoryview(b"body"), b"more"), [HEAD + b"body", b"more"]),
        ((HEAD,), [HEAD]),
        ((HEAD, None, b"late"), [HEAD, b"late"]),
        ((HEAD, b"x" * LARGEST_JOINED_BYTES), [HEAD, b"x" * LARGEST_JOINED_BYTES]),
        ((HEAD, "close"), [HEAD]),
        ((HEAD, HEAD, b"body"), [HEAD + HEAD, b"body"]),
        ((b"body", HEAD, b""), [b"body", HEAD]),
    ],
)
def test_a_head_goes_out_with_what_follows_at_once_and_otherwise_alone(steps, writes):
    assert write_all(*steps) == writes
