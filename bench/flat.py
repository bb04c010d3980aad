"""Whether recording stays as fast: the same door over an empty database and over one that holds many contacts.

Two databases stand on one server, a door before each, and both are asked in turns. LIANXIN_BENCH_CONTACTS says how many
contacts the full one holds.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg import sql

from bench.load import drive
from bench.posting import check, contacts_of, only, register_cadres
from bench.report import Figure
from embedded.applications import listens
from embedded.layout import free_port
from shared.database import Connection
from shared.identifiers import new_id
from tests.harness.suite import ROOT, Suite

CONTACTS = 1_000_000
ROUNDS = 8
SECONDS = 2.0
CONNECTIONS = 32
BAR = "ratio >= 0.9"
SEALED = "\\\\x" + "5a" * 90  # as long as a sealed note of two sentences
BLOCK = 10_000
CONTACT_COLUMNS = (
    "id, source, cadre_id, owner_organisation_id, kind, occurred_at, recorded_at, duration_minutes, population_group,"
    " people_count, note_sealed, flags, content_hash, recorded_by, is_examined"
)
OUTBOX_COLUMNS = (
    "event_id, event_type, routing_key, aggregate, aggregate_id, sequence, recorded_at, correlation_id, payload,"
    " sent_at"
)


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
        full, empty = _compare(suite, full_port, empty_port)
    name = f"single POST into {count:,} contacts : into none"
    return [Figure(name=name, unit="requests/s", values=full, yardstick=empty, bar=BAR)]


def _compare(suite: Suite, full: int, empty: int) -> tuple[list[float], list[float]]:
    rates: dict[int, list[float]] = {full: [], empty: []}
    for number in range(ROUNDS + 1):
        for door in (full, empty) if number % 2 else (empty, full):
            result = check(drive(door, contacts_of(suite), connections=CONNECTIONS, seconds=SECONDS))
            if number:  # the first round warms up
                rates[door].append(result.rate)
    return rates[full], rates[empty]


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
    """Contacts of the last year by every cadre in turn, each with the event that was sent of it."""
    connection.execute("SET session_replication_role = replica")  # each row is sound; asking for each takes hours
    held = connection.execute(
        "SELECT cadre_id, organisation_id FROM post ORDER BY cadre_id"
    ).fetchall()  # one post each
    clerk, now = new_id(), datetime.now(UTC)
    for begun in range(0, count, BLOCK):
        numbers = range(begun, min(begun + BLOCK, count))
        at = [now - timedelta(seconds=31_536_000 * (count - number) / count) for number in numbers]
        ids = [new_id() for _ in numbers]
        posts = [held[number % len(held)] for number in numbers]
        contacts = (
            f"{own}\tlianxin\t{cadre}\t{organisation}\tvisit\t{when}\t{when}\t45\tfarmers\t3\t{SEALED}\t{{}}"
            f"\t\\\\x{own.hex}\t{clerk}\tt\n"
            for own, (cadre, organisation), when in zip(ids, posts, at, strict=True)
        )
        events = (_sent_event(own, when) for own, when in zip(ids, at, strict=True))
        for table, columns, lines in (("contact", CONTACT_COLUMNS, contacts), ("outbox", OUTBOX_COLUMNS, events)):
            with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                copy.write("".join(lines))
    connection.execute("VACUUM ANALYZE contact, outbox")
    connection.execute("CHECKPOINT")


def _sent_event(contact_id: UUID, when: datetime) -> str:
    """What retention leaves of an event: its place."""
    return (
        f"{new_id()}\tcn.lianxin.contact.recorded.v1\tintake.contact.recorded.v1\tcontact\t{contact_id}\t1\t{when}"
        f"\t{contact_id.hex}\t{{}}\t{when}\n"
    )


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
