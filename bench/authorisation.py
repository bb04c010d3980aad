"""What asking who may do it costs: intake's door against the same door unchecked, in turns, on the same PostgreSQL."""

import itertools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from bench.load import build_request, drive
from bench.posting import contact_body, only, register_cadres
from bench.report import Figure
from embedded.applications import listens
from embedded.layout import free_port
from tests.harness.suite import ROOT, Suite

ROUNDS = 4
SECONDS = 2.0
CONNECTIONS = 32
STANDING = 500
BAR = "ratio >= 0.85"
UNTHROTTLED = {"LIANXIN_INTAKE_READS_PER_MINUTE": "10000000"}


def measure_authorisation(suite: Suite) -> list[Figure]:
    """Requests a second of a clerk of one township with a session, and of a machine with a token."""
    register_cadres(suite)
    _bind_clerk(suite, "B01")
    suite.restart("intake-serve", **UNTHROTTLED)
    standing = _record_some(suite)
    credentials = {who: dict(suite.credential("intake", who).headers()) for who in ("clerk", "machine_client")}
    figures = []
    with only(suite, "intake-serve"), _unchecked_door(suite) as unchecked:
        for who, own in credentials.items():
            headers = own | {"X-Lianxin-Request": "1"}
            for what in ("POST", "GET"):
                checked, bare = _compare(suite.ports["intake-api"], unchecked, what, headers, standing)
                name = f"{what} contact by a {'clerk with a session' if who == 'clerk' else 'machine with a token'}"
                figures.append(Figure(name=name, unit="requests/s", values=checked, yardstick=bare, bar=BAR))
    return figures


def _compare(
    port: int, unchecked: int, what: str, headers: Mapping[str, str], standing: list[str]
) -> tuple[list[float], list[float]]:
    rates: dict[int, list[float]] = {port: [], unchecked: []}
    for number in range(ROUNDS + 1):
        for door in (port, unchecked) if number % 2 else (unchecked, port):
            result = drive(door, _requests(what, headers, standing), connections=CONNECTIONS, seconds=SECONDS)
            if result.failed:
                raise RuntimeError(
                    f"{what} on {door}: {result.answered} requests, of these refused: {dict(result.refusals)}"
                )
            if number:  # the first round warms up
                rates[door].append(result.rate)
    return rates[port], rates[unchecked]


def _requests(what: str, headers: Mapping[str, str], standing: list[str]) -> Iterator[bytes]:
    for number in itertools.count():
        if what == "POST":
            yield build_request("/v1/contacts", contact_body(number), headers=headers)
        else:
            yield build_request(f"/v1/contacts/{standing[number % len(standing)]}", None, headers=headers)


def _record_some(suite: Suite) -> list[str]:
    machine = suite.client("intake", "machine_client")
    return [machine.send("POST", "/v1/contacts", contact_body(number)).document["id"] for number in range(STANDING)]


def _bind_clerk(suite: Suite, organisation_code: str) -> None:
    """Row-level security has work to do only for somebody whose grant names an organisation."""
    with suite.database("identity") as identity:
        identity.execute(
            """
            UPDATE role_grant
               SET organisation_code = %s
             WHERE account_id = (SELECT id FROM account WHERE name = 'clerk')
            """,
            [organisation_code],
        )
        identity.execute("UPDATE machine_client SET requests_per_minute = 1000000")


@contextmanager
def _unchecked_door(suite: Suite) -> Iterator[int]:
    database = urlsplit(suite.urls["LIANXIN_INTAKE_DATABASE_URL"]).path
    url = urlsplit(suite.servers.postgres_url)._replace(path=database).geturl()
    port = free_port()
    environment = suite.environment("intake") | UNTHROTTLED | {"LIANXIN_INTAKE_API_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "bench.unchecked", url], cwd=ROOT, env=environment)
    try:
        while not listens(port):
            if process.poll() is not None:
                raise RuntimeError("the unchecked door did not start")
        yield port
    finally:
        process.terminate()
        process.wait()
