"""One record over HTTP: intake's hot door against the bare endpoint, in turns, on the same PostgreSQL."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from bench.bare import TABLE
from bench.load import LoadResult, build_request, drive
from bench.report import Figure
from embedded.applications import listens
from embedded.layout import free_port
from shared.identifiers import new_id
from tests.harness.suite import ROOT, Suite

ROUNDS = 5
SECONDS = 4.0
CONNECTIONS = 32
CADRES = 200
BAR = 1.5


def measure_posting(suite: Suite) -> list[Figure]:
    """Requests a second with 32 connections, alone and beside the whole suite; and the wait at half of that load."""
    register_cadres(suite)
    own: list[float] = []
    bare: list[float] = []
    with only(suite, "intake-serve"), _bare_endpoint(suite) as bare_port:
        for _ in range(ROUNDS):
            bare.append(check(drive(bare_port, contacts_of(suite), connections=CONNECTIONS, seconds=SECONDS)).rate)
            own.append(check(_drive_intake(suite, CONNECTIONS)).rate)
        single_bare = check(drive(bare_port, contacts_of(suite), connections=1, seconds=SECONDS)).percentile(0.5)
        single_own = check(_drive_intake(suite, 1)).percentile(0.5)
        half = check(_drive_intake(suite, 8))
    beside = [check(_drive_intake(suite, CONNECTIONS)).rate for _ in range(2)]
    return [
        Figure(name="single POST, intake alone", unit="requests/s", values=own, yardstick=bare, bar=f"ratio >= {BAR}"),
        Figure(name="single POST, whole suite at work", unit="requests/s", values=beside),
        Figure(
            name="single POST, one connection, p50",
            unit="ms",
            values=[single_own * 1000],
            yardstick=[single_bare * 1000],
        ),
        Figure(
            name=f"single POST, 8 connections ({half.rate:,.0f}/s), p99",
            unit="ms",
            values=[half.percentile(0.99) * 1000],
            bar="< 50 ms",
        ),
    ]


def register_cadres(suite: Suite, count: int = CADRES) -> None:
    clerk = suite.client("intake", "machine_client")
    clerk.put("/v1/organisations/B01", {"name": "标尺镇人民政府", "level": "62"})
    for number in range(count):
        clerk.put(f"/v1/cadres/B{number:04d}", {"name": f"干部{number}"})
        post = {
            "organisation_code": "B01",
            "post_kind": "township_deputy",
            "post_level": "142",
            "from_on": "2020-01-01",
        }
        clerk.post(f"/v1/cadres/B{number:04d}/posts", {"id": str(new_id()), **post})


def contact_body(number: int) -> bytes:
    return json.dumps(
        {
            "id": str(new_id()),
            "staff_number": f"B{number % CADRES:04d}",
            "kind": "visit",
            "occurred_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
            "duration_minutes": 45,
            "population_group": "farmers",
            "people_count": 3,
            "note": "了解春耕备耕情况，群众反映灌溉渠淤堵。",
        }
    ).encode()


def contacts_of(suite: Suite) -> Iterator[bytes]:
    headers = suite.credential("intake", "machine_client").headers()
    return (build_request("/v1/contacts", contact_body(number), headers=headers) for number in itertools.count())


def _drive_intake(suite: Suite, connections: int) -> LoadResult:
    return drive(suite.ports["intake-api"], contacts_of(suite), connections=connections, seconds=SECONDS)


def check(result: LoadResult) -> LoadResult:
    if result.failed:
        raise RuntimeError(f"{result.failed} of {result.answered} requests failed: nothing was measured")
    return result


@contextmanager
def only(suite: Suite, kept: str) -> Iterator[None]:
    """Stop every other process: the bare endpoint has nobody behind it either."""
    others = [process for name, process in suite.processes.items() if name != kept]
    for process in others:
        process.stop()
    try:
        yield
    finally:
        for process in others:
            process.start()
        suite.wait_until_ready()


@contextmanager
def _bare_endpoint(suite: Suite) -> Iterator[int]:
    url = suite.urls["LIANXIN_INTAKE_OWNER_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", url, str(port)], cwd=ROOT)
    try:
        while not listens(port):
            if process.poll() is not None:
                raise RuntimeError("the bare endpoint did not start")
        yield port
    finally:
        process.terminate()
        process.wait()
