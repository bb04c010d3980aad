"""Bulk import of a CSV file through the importer, against a plain COPY of the same rows into tables like ours."""

import csv
import io
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from bench.posting import CADRES, only, register_cadres
from bench.report import Figure
from tests.harness.suite import LOOK, Suite

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
# Tables of the same shape, with the same indexes and constraints, for what an import leaves behind.
COPIED_TABLES = ("contact", "outbox")


def measure_bulk(suite: Suite) -> list[Figure]:
    """Rows a second from file to commit, and of a COPY of the same rows: contacts alone, and with their events.

    And what a row costs the importing process, whose start is in the rows a second too.
    """
    register_cadres(suite)
    own: list[float] = []
    spent: list[float] = []
    bare: list[float] = []
    whole: list[float] = []
    with tempfile.TemporaryDirectory() as folder, only(suite, "intake-serve"):
        for number in range(ROUNDS):
            file = Path(folder) / f"contacts-{number}.csv"
            file.write_bytes(_make_file(number))
            before = _processor_seconds()
            own.append(ROWS / _import(suite, file))
            spent.append((_processor_seconds() - before) / ROWS * 1_000_000)
            bare.append(ROWS / _copy(suite, number, ("contact",)))
            whole.append(ROWS / _copy(suite, number, COPIED_TABLES))
    name = f"bulk import of {ROWS:,} contacts"
    return [
        Figure(name=f"{name} : COPY of the contacts", unit="rows/s", values=own, yardstick=bare, bar="ratio >= 0.5"),
        Figure(name=f"{name} : COPY of contacts and events", unit="rows/s", values=own, yardstick=whole),
        Figure(name=f"{name}, processor time of the importer", unit="µs a row", values=spent),
    ]


def _processor_seconds() -> float:
    """Of all processes that we started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _make_file(seed: int) -> bytes:
    draw = random.Random(seed)
    first = datetime(2025, 1, 1, tzinfo=UTC)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number in range(ROWS):
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


def _copy(suite: Suite, number: int, tables: Sequence[str]) -> float:
    """Copy what the import of a file left behind into empty tables of the same shape; return the seconds."""
    rows = {
        "contact": f"SELECT * FROM contact WHERE source_number LIKE '{number}-%'",  # noqa: S608 - a number of ours
        "outbox": f"SELECT * FROM outbox ORDER BY id DESC LIMIT {ROWS}",  # noqa: S608 - same
    }
    with psycopg.connect(suite.urls["LIANXIN_INTAKE_OWNER_DATABASE_URL"], options=LOOK) as connection:
        held = {}
        for table in tables:
            names = {"copy": sql.Identifier(f"copied_{table}"), "table": sql.Identifier(table)}
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {copy}").format(**names))
            connection.execute(sql.SQL("CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)").format(**names))
            with connection.cursor().copy(f"COPY ({rows[table]}) TO STDOUT") as copy:
                held[table] = b"".join(bytes(block) for block in copy)
        connection.commit()
        started = time.perf_counter()
        for table in tables:
            with connection.cursor().copy(
                sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(f"copied_{table}"))
            ) as copy:
                copy.write(held[table])
        connection.commit()
        return time.perf_counter() - started


def _import(suite: Suite, file: Path) -> float:
    started = time.perf_counter()
    result = suite.run("intake", "import", "--profile", "lianxin-contacts", str(file))
    elapsed = time.perf_counter() - started
    if result.returncode != 0:
        raise RuntimeError(f"the import failed: {result.stdout[-500:]}{result.stderr[-500:]}")
    return elapsed
