"""The same aggregates in DuckDB: a process of its own that holds the facts in memory and is asked again and again."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg
from psycopg import sql

from bench.invented import IN_DUCKDB

COLUMNS = {
    "issue_fact": "organisation_id, cadre_id, received_at, respond_by, due_at, responded_at, closed_at, outcome, "
    "denied, issue_type, replied_at, is_reopened, is_redone, is_returned, suggestion_answered_at, merged_into, "
    "excluded",
    "contact_fact": "organisation_id, cadre_id, occurred_at, kind, counts, first_on, last_on, duration_minutes",
    "rating_fact": "organisation_id, cadre_id, rated_at, level, attitude, speed, is_set_aside, is_excluded",
}
IDS = {"organisation_id": "UUID", "cadre_id": "UUID"}  # of a text DuckDB would never guess one
_opened: dict[str, duckdb.DuckDBPyConnection] = {}


@contextmanager
def aggregating(url: str, *, threads: int) -> Iterator[Callable[[], tuple[float, float]]]:
    """What is given makes all aggregates once, and returns seconds by the clock and of processor time."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        process.apply(_load, (url, threads))
        yield lambda: process.apply(_aggregate)


def _load(url: str, threads: int) -> None:
    database = _opened["database"] = duckdb.connect(":memory:", config={"threads": threads})
    database.execute("SET enable_progress_bar = false")  # it takes this process for one that a person is at
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(url, options="-c lianxin.reach=system") as facts:
        for table, columns in COLUMNS.items():
            file = Path(folder) / table
            statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, HEADER)").format(
                sql.SQL(", ").join(map(sql.Identifier, columns.split(", "))), sql.Identifier(table)
            )
            with file.open("wb") as target, facts.cursor().copy(statement) as rows:
                for block in rows:
                    target.write(block)
            database.read_csv(str(file), dtype=IDS).create(table)
            file.unlink()


def _aggregate() -> tuple[float, float]:
    started, before = time.perf_counter(), time.process_time()
    for query in IN_DUCKDB:
        _opened["database"].execute(query)
    return time.perf_counter() - started, time.process_time() - before
