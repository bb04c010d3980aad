"""Bulk import of a CSV file through the importer, against a plain COPY of the same rows into a table like it."""

import csv
import io
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench.posting import CADRES, register_cadres
from bench.report import Figure
from tests.harness.suite import Suite

ROWS = 40_000
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
COPY_TABLE = """
DROP TABLE IF EXISTS copied_contact;
CREATE TABLE copied_contact (
    id                bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_number     text        NOT NULL UNIQUE,
    staff_number      text        NOT NULL,
    organisation_code text,
    kind              text        NOT NULL,
    occurred_at       timestamptz NOT NULL,
    recorded_at       timestamptz NOT NULL,
    duration_minutes  integer,
    population_group  text,
    people_count      integer,
    place_code        text,
    note              text
);
CREATE INDEX ON copied_contact (staff_number, occurred_at);
"""


def measure_bulk(suite: Suite) -> list[Figure]:
    """Rows a second from the file to the commit, events in the outbox included for the importer."""
    register_cadres(suite)
    own, copied = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            file = Path(folder) / f"contacts-{number}.csv"
            file.write_bytes(_make_file(number))
            copied.append(ROWS / _copy(suite, file))
            own.append(ROWS / _import(suite, file))
    return [
        Figure(
            name=f"bulk import of {ROWS:,} contacts", unit="rows/s", values=own, yardstick=copied, bar="ratio >= 0.5"
        )
    ]


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


def _copy(suite: Suite, file: Path) -> float:
    with psycopg.connect(suite.urls["LIANXIN_INTAKE_OWNER_DATABASE_URL"]) as connection:
        connection.execute(COPY_TABLE)
        connection.commit()
        started = time.perf_counter()
        with connection.cursor().copy(
            """
            COPY copied_contact (source_number, staff_number, organisation_code, kind, occurred_at, recorded_at,
                                 duration_minutes, population_group, people_count, place_code, note)
            FROM STDIN (FORMAT csv, HEADER true)
            """
        ) as copy:
            copy.write(file.read_bytes())
        connection.commit()
        return time.perf_counter() - started


def _import(suite: Suite, file: Path) -> float:
    started = time.perf_counter()
    result = suite.run("intake", "import", "--profile", "lianxin-contacts", str(file))
    elapsed = time.perf_counter() - started
    if result.returncode != 0:
        raise RuntimeError(f"the import failed: {result.stdout[-500:]}{result.stderr[-500:]}")
    return elapsed
