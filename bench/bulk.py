"""Bulk import of a CSV file through the importer, against a plain COPY of the same rows into tables like ours."""

import csv
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from bench.posting import CADRES, only, register_cadres
from bench.processor import seconds_of_family
from bench.report import Figure
from tests.harness.suite import LOOK, ROOT, Suite

ROWS = 100_000
ROUNDS = 3
COLUMNS = (
    "source_number",
    "staff_number",
    "organisation_code",
    "kind",
    "occurred_at",
    "recorded_at",
    "duration_minutes",
    "population_group",
    "people_count",
    "place_code",
    "note",
)


def measure_bulk(suite: Suite) -> list[Figure]:
    """Rows a second from file to commit, and of a COPY of the same rows: contacts alone, and with their events.

    And what a row costs, of which a busy machine changes little: the importing process, whose start is in the rows a
    second too, and PostgreSQL with either.
    """
    register_cadres(suite)
    own: list[_Turn] = []
    bare: list[_Turn] = []
    whole: list[_Turn] = []
    with tempfile.TemporaryDirectory() as folder, only(suite, "intake-serve"):
        for number in range(ROUNDS):
            file = Path(folder) / f"contacts-{number}.csv"
            file.write_bytes(make_file(number, ROWS))
            own.append(_timed(suite, partial(import_file, suite, file)))
            held = _read_out(suite, number)
            bare.append(_timed(suite, partial(_copy, suite, {"contact": held["contact"]})))
            whole.append(_timed(suite, partial(_copy, suite, held)))
    name = f"bulk import of {ROWS:,} contacts"
    rates = [turn.rate for turn in own]
    figures = [
        Figure(
            name=f"{name} : COPY of the contacts",
            unit="rows/s",
            values=rates,
            yardstick=[turn.rate for turn in bare],
            bar="ratio >= 0.5",
        ),
        Figure(
            name=f"{name} : COPY of contacts and events",
            unit="rows/s",
            values=rates,
            yardstick=[turn.rate for turn in whole],
        ),
        Figure(name=f"{name}, processor time of the importer", unit="µs a row", values=[turn.client for turn in own]),
    ]
    if suite.servers.postgres is not None:
        spent, copying = [turn.server for turn in own], [turn.server for turn in whole]
        title = f"{name}, processor time of PostgreSQL : COPY of both"
        figures.append(Figure(name=title, unit="µs a row", values=spent, yardstick=copying))
    return figures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """Rows a second, and µs of processor time a row: of programs that were started for it, and of PostgreSQL."""

    rate: float
    client: float
    server: float


def _timed(suite: Suite, work: Callable[[], float]) -> _Turn:
    server = suite.servers.postgres.pid if suite.servers.postgres else None
    client, postgres = _processor_seconds(), seconds_of_family(server) if server else 0.0
    seconds = work()
    return _Turn(
        rate=ROWS / seconds,
        client=(_processor_seconds() - client) / ROWS * 1_000_000,
        server=((seconds_of_family(server) if server else 0.0) - postgres) / ROWS * 1_000_000,
    )


def _processor_seconds() -> float:
    """Of all processes that we started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make_file(seed: int, rows: int) -> bytes:
    """Contacts of the cadres of `register_cadres`, numbered by seed and row."""
    draw = random.Random(seed)
    first = datetime(2025, 1, 1, tzinfo=UTC)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number in range(rows):
        occurred_at = first + timedelta(minutes=draw.randrange(500_000))
        recorded_at = occurred_at + timedelta(minutes=draw.randrange(600))
        writer.writerow(
            [
                f"{seed}-{number}",
                f"B{draw.randrange(CADRES):04d}",
                "B01",
                "visit",
                occurred_at.isoformat(),
                recorded_at.isoformat(),
                draw.randrange(10, 90),
                "farmers",
                draw.randrange(1, 6),
                "",
                "了解春耕备耕情况",
            ]
        )
    return text.getvalue().encode()


def _read_out(suite: Suite, number: int) -> dict[str, bytes]:
    """What the import of a file left behind, by table."""
    rows = {
        "contact": f"SELECT * FROM contact WHERE source_number LIKE '{number}-%'",  # noqa: S608 - a number of ours
        "outbox": f"SELECT * FROM outbox ORDER BY id DESC LIMIT {ROWS}",  # noqa: S608 - same
    }
    held = {}
    with psycopg.connect(suite.urls["LIANXIN_INTAKE_OWNER_DATABASE_URL"], options=LOOK) as connection:
        for table, query in rows.items():
            with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
                held[table] = b"".join(bytes(block) for block in copy)
    return held


def _copy(suite: Suite, held: Mapping[str, bytes]) -> float:
    """Copy rows into empty tables of the same shape; return the seconds."""
    with psycopg.connect(suite.urls["LIANXIN_INTAKE_OWNER_DATABASE_URL"], options=LOOK) as connection:
        for table in held:
            names = {"copy": sql.Identifier(f"copied_{table}"), "table": sql.Identifier(table)}
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {copy}").format(**names))
            connection.execute(sql.SQL("CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)").format(**names))
        connection.commit()
        started = time.perf_counter()
        for table, rows in held.items():
            with connection.cursor().copy(
                sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(f"copied_{table}"))
            ) as copy:
                copy.write(rows)
        connection.commit()
        return time.perf_counter() - started


def import_file(suite: Suite, file: Path, url: str | None = None) -> float:
    """Import it as an operator does, into intake's database or another one; return the seconds."""
    environment = suite.environment("intake") | ({"LIANXIN_INTAKE_DATABASE_URL": url} if url else {})
    command = [sys.executable, "-m", "services.intake", "import", "--profile", "lianxin-contacts", str(file)]
    started = time.perf_counter()
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if result.returncode != 0:
        raise RuntimeError(f"the import failed: {result.stdout[-500:]}{result.stderr[-500:]}")
    return elapsed
