"""One record over HTTP: intake's hot door against the bare endpoint, in turns, on the same PostgreSQL."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from bench.bare import TABLE
from bench.load import LoadResult, build_request, drive
from bench.processor import seconds_of, seconds_of_family
from bench.report import Figure
from embedded.applications import listens
from embedded.layout import free_port
from shared.identifiers import new_id
from tests.harness.suite import ROOT, Suite

ROUNDS = 5
SECONDS = 4.0
CONNECTIONS = (32, 16, 1)
CADRES = 200
BAR = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BareEndpoint:
    port: int
    process: int


@dataclass(slots=True)
class _Turns:
    """What the turns of one number of connections gave: requests a second, and processor time a request."""

    own: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    own_cost: list[float] = field(default_factory=list)
    bare_cost: list[float] = field(default_factory=list)
    own_wait: list[float] = field(default_factory=list)
    bare_wait: list[float] = field(default_factory=list)


def measure_posting(suite: Suite) -> list[Figure]:
    """Requests a second and their cost, in turns with the bare endpoint; alone and beside the whole suite."""
    register_cadres(suite)
    with only(suite, "intake-serve"), _bare_endpoint(suite) as bare:
        turns = {connections: _take_turns(suite, bare, connections) for connections in CONNECTIONS}
        half = check(drive(suite.ports["intake-api"], contacts_of(suite), connections=8, seconds=SECONDS))
    beside = [
        check(drive(suite.ports["intake-api"], contacts_of(suite), connections=32, seconds=SECONDS)).rate
        for _ in range(2)
    ]
    return [
        *(figure for connections, turn in turns.items() for figure in _figures_of(connections, turn)),
        Figure(name="single POST, whole suite at work", unit="requests/s", values=beside),
        Figure(
            name=f"single POST, 8 connections ({half.rate:,.0f}/s), p99",
            unit="ms",
            values=[half.percentile(0.99) * 1000],
            bar="< 50 ms",
        ),
    ]


def _take_turns(suite: Suite, bare: BareEndpoint, connections: int) -> _Turns:
    turns = _Turns()
    own_process, own_port = suite.processes["intake-serve"].pid or 0, suite.ports["intake-api"]
    for _ in range(ROUNDS):
        result, cost = _drive(suite, bare.port, bare.process, connections)
        turns.bare.append(result.rate)
        turns.bare_cost.append(cost)
        turns.bare_wait.append(result.percentile(0.5) * 1000)
        result, cost = _drive(suite, own_port, own_process, connections)
        turns.own.append(result.rate)
        turns.own_cost.append(cost)
        turns.own_wait.append(result.percentile(0.5) * 1000)
    return turns


def _drive(suite: Suite, port: int, process: int, connections: int) -> tuple[LoadResult, float]:
    """With the µs of processor time a request, of the serving process and of all of PostgreSQL where it is ours."""
    server = suite.servers.postgres.pid if suite.servers.postgres else None

    def spent() -> float:
        return seconds_of(process) + (seconds_of_family(server) if server else 0)

    before = spent()
    result = check(drive(port, contacts_of(suite), connections=connections, seconds=SECONDS))
    return result, (spent() - before) / result.answered * 1_000_000


def _figures_of(connections: int, turns: _Turns) -> Iterator[Figure]:
    name = f"single POST, {connections} connection{'s' if connections > 1 else ''}"
    bar = f"ratio >= {BAR if connections > 1 else 1}"
    yield Figure(name=name, unit="requests/s", values=turns.own, yardstick=turns.bare, bar=bar)
    yield Figure(name=f"{name}, p50", unit="ms", values=turns.own_wait, yardstick=turns.bare_wait)
    yield Figure(
        name=f"{name}, processor time of server and PostgreSQL",
        unit="µs",
        values=turns.own_cost,
        yardstick=turns.bare_cost,
    )


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


def check(result: LoadResult) -> LoadResult:
    if result.failed:
        raise RuntimeError(f"{result.failed} of {result.answered} requests failed: nothing was measured")
    if not result.answered:
        raise RuntimeError("no request was answered in time: nothing was measured")
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
def _bare_endpoint(suite: Suite) -> Iterator[BareEndpoint]:
    url = suite.urls["LIANXIN_INTAKE_OWNER_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", url, str(port)], cwd=ROOT)
    try:
        while not listens(port):
            if process.poll() is not None:
                raise RuntimeError("the bare endpoint did not start")
        yield BareEndpoint(port=port, process=process.pid)
    finally:
        process.terminate()
        process.wait()
