"""A full rescoring beside DuckDB's time for the same aggregates, what 1,000 changed cadres cost, and how reading stays.

Run as a program: python -m bench rescoring [--facts 1000000] [--cadres 10000] [--workers 2]. It brings a PostgreSQL of
its own. DuckDB counts the same measures by cadre, organisation and month from tables in its memory, loading not
counted; it makes no scores of them. Scores are made here of every month, quarter, half-year and year.
"""

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from bench.report import Figure, print_table, write_json
from embedded.postgres import PrivatePostgres
from services.assessment.domain.periods import parse_period
from services.assessment.handlers.reading import ScoreQuery, list_scores, read_score
from services.assessment.handlers.schemes import load_schemes
from services.assessment.handlers.scores import list_shards, mark_everything, score_cadres, score_due
from shared.database import Pool, open_pool, transaction
from tests.harness.suite import ROOT
from tests.integration.assessment.conftest import HOME
from tests.stock import Stock

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 12, 20, tzinfo=UTC)
YEAR = parse_period("2025")
CHANGED = 1_000
READS = 300
# Half issues, three tenths contacts, two tenths ratings; towns of 50 cadres below one county.
FILL = (
    """
    INSERT INTO organisation (organisation_id, code, name, level, parent_id, sequence)
    SELECT md5('o' || n)::uuid, 'T' || n, 'T' || n, '60', CASE WHEN n > 0 THEN md5('o0')::uuid END, 1
      FROM generate_series(0, %(cadres)s / 50) AS n
    """,
    """
    INSERT INTO parentage (organisation_id, sequence, from_on, parent_id)
    SELECT organisation_id, 1, '1900-01-01', parent_id FROM organisation
    """,
    """
    INSERT INTO cadre (cadre_id, staff_number, name, sequence)
    SELECT md5('c' || n)::uuid, 'S' || lpad(n::text, 7, '0'), 'S' || n, 1 FROM generate_series(1, %(cadres)s) AS n
    """,
    """
    INSERT INTO post (post_id, cadre_id, organisation_id, post_kind, post_level, from_on, sequence)
    SELECT md5('p' || n)::uuid, md5('c' || n)::uuid, md5('o' || (n - 1) / 50 + 1)::uuid, 'head', '141', '2024-01-01', 1
      FROM generate_series(1, %(cadres)s) AS n
    """,
    """
    INSERT INTO duty (duty_id, post_kind, contact_kind, required_count, per, valid_from, sequence)
    VALUES (md5('d')::uuid, 'head', 'visit', 2, 'month', '2025-01-01', 1)
    """,
    """
    INSERT INTO issue_fact (issue_id, issue_type, category, channel, urgency, source, received_at, due_at, respond_by,
                            organisation_id, cadre_id, assignment_sequence, responded_at, closed_at, outcome,
                            closure_sequence, denied)
    SELECT md5('i' || n)::uuid, 'complaint', 'roads', 'phone', 'normal', 'bench', at, at + interval '5 days',
           at + interval '1 day', md5('o' || who / 50 + 1)::uuid, md5('c' || who + 1)::uuid, 1,
           at + (n %% 50) * interval '1 hour', CASE WHEN n %% 9 > 0 THEN at + (n %% 7) * interval '1 day' END,
           CASE WHEN n %% 9 > 0 THEN 'resolved' END, 1, n %% 31 = 0
      FROM generate_series(1, %(facts)s / 2) AS n
     CROSS JOIN LATERAL (SELECT n %% %(cadres)s AS who,
                                '2025-01-01'::timestamptz + (n * 7919 %% 500000) * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO contact_fact (contact_id, organisation_id, cadre_id, kind, occurred_at, recorded_at, counts, sequence)
    SELECT md5('k' || n)::uuid, md5('o' || who / 50 + 1)::uuid, md5('c' || who + 1)::uuid,
           (ARRAY['visit', 'reception', 'online'])[n %% 3 + 1], at, at, true, 1
      FROM generate_series(1, %(facts)s * 3 / 10) AS n
     CROSS JOIN LATERAL (SELECT n %% %(cadres)s AS who,
                                '2025-01-01'::timestamptz + (n * 6007 %% 500000) * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO rating_fact (rating_id, issue_id, level, method, rated_at, organisation_id, cadre_id, sequence)
    SELECT md5('r' || n)::uuid, md5('i' || n)::uuid, n %% 5 + 1, 'link', at, md5('o' || who / 50 + 1)::uuid,
           md5('c' || who + 1)::uuid, 1
      FROM generate_series(1, %(facts)s / 5) AS n
     CROSS JOIN LATERAL (SELECT n %% %(cadres)s AS who,
                                '2025-01-01'::timestamptz + (n * 7919 %% 500000) * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO tally_due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
    SELECT DISTINCT organisation_id, cadre_id, month::date, now(), 1, 'bench'
      FROM post
     CROSS JOIN generate_series('2025-01-01'::timestamp, '2025-12-01'::timestamp, interval '1 month') AS month
    """,
    "ANALYZE",
)
IN_DUCKDB = """
    SELECT organisation_id, cadre_id, date_trunc('month', received_at) AS month, count(*),
           count(*) FILTER (WHERE closed_at IS NOT NULL OR responded_at IS NOT NULL),
           count(*) FILTER (WHERE closed_at IS NULL AND responded_at IS NULL AND respond_by < now()),
           count(*) FILTER (WHERE closed_at IS NOT NULL), count(*) FILTER (WHERE closed_at <= due_at),
           count(*) FILTER (WHERE closed_at > due_at), count(*) FILTER (WHERE closed_at IS NULL AND due_at < now()),
           count(*) FILTER (WHERE outcome = 'resolved' AND NOT denied),
           count(*) FILTER (WHERE outcome = 'resolved' AND denied)
      FROM issue_fact GROUP BY ALL
"""
IN_DUCKDB_TOO = (
    "SELECT organisation_id, cadre_id, date_trunc('month', occurred_at), kind, count(*) FROM contact_fact GROUP BY ALL",
    """
    SELECT organisation_id, cadre_id, date_trunc('month', rated_at), count(*), count(*) FILTER (WHERE level >= 3),
           sum(level) FROM rating_fact GROUP BY ALL
    """,
)


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench rescoring")
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--cadres", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lianxin-bench-") as name:
        server = PrivatePostgres(Path(name) / "postgres")
        server.start()
        try:
            database = Stock(server.admin_url).take("assessment")
            pool = open_pool(database.url, size=4, application="bench", statement_timeout_seconds=600, system=True)
            figures = measure(pool, database.url, database.owner_url, options)
            pool.close()
        finally:
            server.remove()
    print_table(figures)
    write_json(figures, ROOT / "bench" / "results" / "rescoring.json")
    return 0


def measure(pool: Pool, url: str, owner_url: str, options: argparse.Namespace) -> list[Figure]:
    files = (HOME / "schemes").glob("*.toml")
    load_schemes(pool, files, indicators_file=HOME / "indicators.toml", now=NOW)
    fill(pool, owner_url, options)
    score_everything(pool, url, options.workers)  # the first time everything is new
    mark_everything(pool, now=NOW)
    whole, in_duckdb = timed(lambda: score_everything(pool, url, options.workers)), time_duckdb(pool)
    with transaction(pool) as connection:
        connection.execute(
            """
            INSERT INTO tally_due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
            SELECT organisation_id, cadre_id, month, now(), 1, 'bench' FROM tally
             WHERE month = '2025-11-01' ORDER BY cadre_id LIMIT %s
            """,
            [CHANGED],
        )
    changed = timed(lambda: drain(pool))
    lists = [timed(lambda: read_list(pool)) for _ in range(READS)]
    profiles = [timed(partial(read_profile, pool, number, options.cadres)) for number in range(READS)]
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    size = f"{options.facts:,} facts, {options.cadres:,} cadres, {options.workers} workers"
    return [
        Figure(
            name=f"full rescoring, {size}", unit="s", values=[whole], yardstick=[in_duckdb], bar="<= 2 times DuckDB"
        ),
        Figure(name="1,000 changed cadres", unit="s", values=[changed], bar="<= 1"),
        Figure(name="list of scores p99", unit="ms", values=[percentile(lists)], bar="< 50"),
        Figure(name="profile p99", unit="ms", values=[percentile(profiles)], bar="< 50"),
        Figure(name="peak memory of a process", unit="MB", values=[peak / 1024], bar="< 2,000"),
    ]


def fill(pool: Pool, owner_url: str, options: argparse.Namespace) -> None:
    with transaction(pool) as connection:
        for statement in FILL[:-1]:
            sizes = {"facts": options.facts, "cadres": options.cadres}
            connection.execute(statement.encode(), sizes if "%(" in statement else None)
    owner = open_pool(owner_url, size=1, application="bench", statement_timeout_seconds=600, system=True)
    with transaction(owner) as connection:
        connection.execute(FILL[-1].encode())
    owner.close()


def score_everything(pool: Pool, url: str, workers: int) -> None:
    shards = list_shards(pool)
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=open_worker, initargs=(url,)) as processes:
        for _ in processes.imap_unordered(score_shard, shards):
            pass
    drain(pool)


_opened: dict[str, Pool] = {}


def open_worker(url: str) -> None:
    _opened["pool"] = open_pool(url, size=1, application="shard", statement_timeout_seconds=600, system=True)


def score_shard(shard: list) -> None:  # type: ignore[type-arg] # of UUIDs, pickled
    score_cadres(_opened["pool"], shard, scheme_name="basic", zone=ZONE, now=NOW)


def drain(pool: Pool) -> None:
    while score_due(pool, scheme_name="basic", zone=ZONE, now=NOW).more:
        pass


def time_duckdb(pool: Pool) -> float:
    tables = {
        "issue_fact": "organisation_id, cadre_id, received_at, respond_by, due_at, responded_at, closed_at, "
        "outcome, denied",
        "contact_fact": "organisation_id, cadre_id, occurred_at, kind",
        "rating_fact": "organisation_id, cadre_id, rated_at, level",
    }
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(":memory:", config={"threads": 2}) as database:
        for table, columns in tables.items():
            file = Path(folder) / table
            with transaction(pool) as connection, file.open("wb") as target:
                statement = f"COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT csv, HEADER)"  # noqa: S608 - ours
                with connection.cursor().copy(statement.encode()) as rows:
                    for block in rows:
                        target.write(block)
            database.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{file}')")  # noqa: S608 - ours
        return timed(lambda: [database.execute(query).fetchall() for query in (IN_DUCKDB, *IN_DUCKDB_TOO)])


def read_list(pool: Pool) -> None:
    query = ScoreQuery(subject_kind="cadre", period=YEAR)
    list_scores(pool, query, after=None, limit=50)


def read_profile(pool: Pool, number: int, cadres: int) -> None:
    code = f"S{number * 7919 % cadres + 1:07}"
    read_score(pool, "cadre", code, YEAR, scheme_name="basic")


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentile(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1_000
