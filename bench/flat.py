"""Whether recording stays as fast: the same door, and the same import, over an empty database and over a full one.

Two databases stand on one server, a door before each, and both are asked in turns. LIANXIN_BENCH_CONTACTS says how many
contacts the full one holds; of the ten million that it holds unless told otherwise the disk takes some 8 GB.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.bulk import import_file, make_file
from bench.load import drive
from bench.posting import check, contacts_of, only, register_cadres
from bench.processor import seconds_of_family
from bench.report import Figure
from embedded.applications import listens
from embedded.layout import free_port
from shared.database import Connection
from shared.identifiers import new_id
from tests.harness.suite import ROOT, Suite

CONTACTS = 10_000_000
ROUNDS_OF_POSTS = 8
ROUNDS_OF_IMPORTS = 5
ROWS_OF_AN_IMPORT = 50_000
SECONDS = 2.0
CONNECTIONS = 32
SEALED = b"\x5a" * 90  # as long as a sealed note of two sentences
BLOCK = 250_000
# Ids as version 7 has them: the millisecond, and then what makes each its own.
NUMBERED = """
    SELECT number, at, number %% cardinality(%(cadres)s::uuid[]) + 1 AS place,
           lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
           || lpad(to_hex(number & 4095), 3, '0') AS beginning,
           lpad(to_hex(number), 15, '0') AS ending
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number
     CROSS JOIN LATERAL (
           SELECT %(since)s::timestamptz + interval '365 days' * (number::float8 / %(count)s) AS at) AS time
    """
CONTACTS_OF_A_BLOCK = f"""
    INSERT INTO contact (id, source, cadre_id, owner_organisation_id, kind, occurred_at, recorded_at, duration_minutes,
                         population_group, people_count, note_sealed, flags, content_hash, recorded_by, is_examined)
    SELECT (beginning || '8' || ending)::uuid, 'lianxin', (%(cadres)s::uuid[])[place],
           (%(organisations)s::uuid[])[place], 'visit', at, at, 45, 'farmers', 3, %(sealed)s, '{{}}',
           decode(lpad(ending, 32, '0'), 'hex'), %(clerk)s, true
      FROM ({NUMBERED}) AS numbered
     ORDER BY number
    """  # noqa: S608 - a text of ours
EVENTS_OF_A_BLOCK = f"""
    INSERT INTO outbox (event_id, event_type, routing_key, aggregate, aggregate_id, sequence, recorded_at,
                        correlation_id, payload, sent_at)
    SELECT (beginning || '9' || ending)::uuid, 'cn.lianxin.contact.recorded.v1', 'intake.contact.recorded.v1',
           'contact', (beginning || '8' || ending)::uuid, 1, at, beginning || '8' || ending, '{{}}', at
      FROM ({NUMBERED}) AS numbered
     ORDER BY number
    """  # noqa: S608 - a text of ours


def measure_flat(suite: Suite) -> list[Figure]:
    """Requests a second over a full database, and over an empty one as the yardstick."""
    count = int(os.environ.get("LIANXIN_BENCH_CONTACTS", CONTACTS))
    register_cadres(suite)
    empty_url = suite.urls["LIANXIN_INTAKE_DATABASE_URL"]
    with (
        only(suite, "identity-serve"),  # which gives the token; and a database is copied while nobody uses it
        _filled_copy(suite, count) as full_url,
        _door(suite, full_url) as full_port,
        _door(suite, empty_url) as empty_port,
    ):
        posted = _compare(
            suite, lambda _: _post(suite, full_port), lambda _: _post(suite, empty_port), rounds=ROUNDS_OF_POSTS
        )
        imported = _compare(
            suite,
            lambda number: _import(suite, full_url, number),
            lambda number: _import(suite, empty_url, number),
            rounds=ROUNDS_OF_IMPORTS,
        )
    return [
        *posted.tell(f"single POST into {count:,} contacts : into none", "requests/s"),
        *imported.tell(f"import of {ROWS_OF_AN_IMPORT:,} contacts into {count:,} : into none", "rows/s"),
    ]


@dataclass(frozen=True, slots=True)
class _Work:
    done: int
    seconds: float


@dataclass(slots=True)
class _Compared:
    """Of the full database and of the empty one what was done a second, and the µs of each that PostgreSQL computed."""

    rates: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    costs: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))

    def tell(self, name: str, unit: str) -> Iterator[Figure]:
        full, empty = self.rates
        yield Figure(name=name, unit=unit, values=full, yardstick=empty, bar="ratio >= 0.9")
        full, empty = self.costs
        if full:
            yield Figure(name=f"{name}, processor time of PostgreSQL", unit="µs", values=full, yardstick=empty)


def _compare(suite: Suite, full: Callable[[int], _Work], empty: Callable[[int], _Work], *, rounds: int) -> _Compared:
    """In turns, each told its number; what they cost PostgreSQL is known where it is ours to look at."""
    compared = _Compared()
    server = suite.servers.postgres.pid if suite.servers.postgres else None
    for number in range(rounds + 1):
        for place in (0, 1) if number % 2 else (1, 0):
            before = seconds_of_family(server) if server else 0
            work = (full, empty)[place](number)
            if number:  # the first round warms up
                compared.rates[place].append(work.done / work.seconds)
                if server:
                    compared.costs[place].append((seconds_of_family(server) - before) / work.done * 1_000_000)
    return compared


def _post(suite: Suite, port: int) -> _Work:
    result = check(drive(port, contacts_of(suite), connections=CONNECTIONS, seconds=SECONDS))
    return _Work(result.answered, result.seconds)


def _import(suite: Suite, url: str, number: int) -> _Work:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contacts.csv"
        file.write_bytes(make_file(number, ROWS_OF_AN_IMPORT))
        return _Work(ROWS_OF_AN_IMPORT, import_file(suite, file, url))


@contextmanager
def _filled_copy(suite: Suite, count: int) -> Iterator[str]:
    """A copy of intake's database with so many contacts and their events; gives the service's URL of it."""
    own = urlsplit(suite.urls["LIANXIN_INTAKE_DATABASE_URL"])
    name = own.path.removeprefix("/")
    copy = f"{name}_full"
    with psycopg.connect(suite.servers.postgres_url, autocommit=True) as admin:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        admin.execute(statement.format(sql.Identifier(copy), sql.Identifier(name)))
        try:
            url = urlsplit(suite.servers.postgres_url)._replace(path=f"/{copy}").geturl()
            with psycopg.connect(url, autocommit=True) as connection:
                fill(connection, count)
            yield own._replace(path=f"/{copy}").geturl()
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(copy)))


def fill(connection: Connection, count: int) -> None:
    """Contacts of the last year by every cadre in turn, each with what retention leaves of the event that was sent.

    The server makes the rows itself, in the order that they would have come in, with every index in place.
    """
    connection.execute("SET session_replication_role = replica")  # each row is sound; asking for each takes hours
    connection.execute("SET synchronous_commit = off")
    [(cadres, organisations)] = connection.execute(
        "SELECT array_agg(cadre_id ORDER BY cadre_id), array_agg(organisation_id ORDER BY cadre_id) FROM post"
    ).fetchall()  # one post each
    given = {"cadres": cadres, "organisations": organisations, "clerk": new_id(), "count": count, "sealed": SEALED}
    given["since"] = datetime.now(UTC) - timedelta(days=365)
    for first in range(0, count, BLOCK):
        block = given | {"first": first, "last": min(first + BLOCK, count) - 1}
        connection.execute(CONTACTS_OF_A_BLOCK, block)
        connection.execute(EVENTS_OF_A_BLOCK, block)
    connection.execute("VACUUM ANALYZE contact, outbox")
    connection.execute("CHECKPOINT")


@contextmanager
def _door(suite: Suite, url: str) -> Iterator[int]:
    port = free_port()
    environment = suite.environment("intake") | {
        "LIANXIN_INTAKE_DATABASE_URL": url,
        "LIANXIN_INTAKE_API_PORT": str(port),
        "LIANXIN_INTAKE_LOG_LEVEL": "warning",
        "LIANXIN_INTAKE_MANAGEMENT_PORT": str(free_port(avoid=[port])),
    }
    process = subprocess.Popen([sys.executable, "-m", "services.intake", "serve"], cwd=ROOT, env=environment)
    try:
        while not listens(port):
            if process.poll() is not None:
                raise RuntimeError("the door did not start")
        yield port
    finally:
        process.terminate()
        process.wait()
