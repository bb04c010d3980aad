"""A full rescoring beside DuckDB's time for the same aggregates, what changed cadres cost, and how reading stays.

Run as a program: python -m bench rescoring [--facts 1000000] [--cadres 10000] [--listed 100000] [--workers 2]; the bars
are for 10000000, 100000 and 1000000. It brings a PostgreSQL of its own.

Rescoring takes the tallies that events keep up, sums them for each cadre in every month, quarter, half-year and year,
works out what these sums come to, and compares that with the score, placement included, that stands. DuckDB is given
tables in its memory, loading not counted, and makes every measure of them by cadre, organisation and month, then by
those periods, into tables of its own, with nothing fetched; it makes no scores. Counting everything
anew from the facts, and writing every score for the first time, is a figure of its own.
"""

import argparse
import multiprocessing
import multiprocessing.pool
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import duckdb
import orjson
import psycopg

from bench.report import Figure, print_table, write_json
from embedded.postgres import PrivatePostgres
from services.assessment.api import shapes
from services.assessment.domain.periods import parse_period
from services.assessment.handlers.reading import ScoreQuery, list_scores, read_score
from services.assessment.handlers.schemes import load_schemes
from services.assessment.handlers.scores import list_shards, mark_scores, score_due, score_shard
from services.assessment.storage import tallies
from shared.database import Pool, open_pool, transaction
from shared.reach import Reach, acting
from tests.harness.suite import ROOT
from tests.integration.assessment.conftest import HOME
from tests.stock import Stock

Workers = multiprocessing.pool.Pool
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
                                '2025-01-01'::timestamptz
                                + (7919::bigint * n + 104729::bigint * (n / %(cadres)s)) %% 500000
                                  * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO contact_fact (contact_id, organisation_id, cadre_id, kind, occurred_at, recorded_at, counts, sequence)
    SELECT md5('k' || n)::uuid, md5('o' || who / 50 + 1)::uuid, md5('c' || who + 1)::uuid,
           (ARRAY['visit', 'reception', 'online'])[n %% 3 + 1], at, at, true, 1
      FROM generate_series(1, %(facts)s * 3 / 10) AS n
     CROSS JOIN LATERAL (SELECT n %% %(cadres)s AS who,
                                '2025-01-01'::timestamptz
                                + (6007::bigint * n + 104729::bigint * (n / %(cadres)s)) %% 500000
                                  * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO rating_fact (rating_id, issue_id, level, method, rated_at, organisation_id, cadre_id, sequence)
    SELECT md5('r' || n)::uuid, md5('i' || n)::uuid, n %% 5 + 1, 'link', at, md5('o' || who / 50 + 1)::uuid,
           md5('c' || who + 1)::uuid, 1
      FROM generate_series(1, %(facts)s / 5) AS n
     CROSS JOIN LATERAL (SELECT n %% %(cadres)s AS who,
                                '2025-01-01'::timestamptz
                                + (7919::bigint * n + 104729::bigint * (n / %(cadres)s)) %% 500000
                                  * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO tally_due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
    SELECT DISTINCT organisation_id, cadre_id, month::date, now(), 1, 'bench'
      FROM post
     CROSS JOIN generate_series('2025-01-01'::timestamp, '2025-12-01'::timestamp, interval '1 month') AS month
    """,
)
# What 1,000 cadres did: an issue each, received, closed and rated in November, and their cells due as by its events.
CHANGE = (
    """
    INSERT INTO issue_fact (issue_id, issue_type, category, channel, urgency, source, received_at, due_at, respond_by,
                            organisation_id, cadre_id, assignment_sequence, responded_at, closed_at, outcome,
                            closure_sequence, denied)
    SELECT gen_random_uuid(), 'complaint', 'roads', 'phone', 'normal', 'bench', '2025-11-10T03:00Z',
           '2025-11-15T03:00Z', '2025-11-11T03:00Z', organisation_id, cadre_id, 1, '2025-11-10T05:00Z',
           '2025-11-12T03:00Z', 'resolved', 1, false
      FROM tally
     WHERE month = '2025-11-01'
     ORDER BY md5(cadre_id::text || %(round)s)
     LIMIT %(changed)s
    """,
    """
    INSERT INTO tally_due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
    SELECT organisation_id, cadre_id, month, now(), 1, 'bench'
      FROM tally
     WHERE month = '2025-11-01'
     ORDER BY md5(cadre_id::text || %(round)s)
     LIMIT %(changed)s
    """,
)
# Cadres beyond those with facts, for the lists: with a post, some months counted, and a score of the year.
LISTED = (
    """
    INSERT INTO cadre (cadre_id, staff_number, name, sequence)
    SELECT md5('c' || n)::uuid, 'S' || lpad(n::text, 7, '0'), 'S' || n, 1
      FROM generate_series(%(cadres)s + 1, %(listed)s) AS n
    """,
    """
    INSERT INTO post (post_id, cadre_id, organisation_id, post_kind, post_level, from_on, sequence)
    SELECT md5('p' || n)::uuid, md5('c' || n)::uuid, md5('o' || n %% (%(cadres)s / 50) + 1)::uuid, 'head', '141',
           '2024-01-01', 1
      FROM generate_series(%(cadres)s + 1, %(listed)s) AS n
    """,
    """
    INSERT INTO score (score_id, subject_kind, subject_id, subject_code, organisation_id, peer_group, period_kind,
                       period_start, scheme_name, scheme_version, composite, present_weight, counts, as_of,
                       computed_at, revision, correlation_id, announced_composite)
    SELECT md5('s' || n)::uuid, 'cadre', md5('c' || n)::uuid, 'S' || lpad(n::text, 7, '0'),
           md5('o' || n %% (%(cadres)s / 50) + 1)::uuid, '141.head', 'year', '2025-01-01', 'basic', 1, composite, 100,
           counts, now(), now(), 1, 'bench', composite
      FROM generate_series(%(cadres)s + 1, %(listed)s) AS n
     CROSS JOIN LATERAL (SELECT ARRAY[n %% 24, 24, n %% 41, 41, n %% 37, 37, n %% 29, 29, n %% 11, 11]) AS told (counts)
     CROSS JOIN LATERAL (
               SELECT round(25.0 * counts[1] / counts[2] + 10.0 * counts[3] / counts[4] + 30.0 * counts[5] / counts[6]
                            + 15.0 * counts[7] / counts[8] + 20.0 * counts[9] / counts[10], 2) AS composite) AS worth
    """,
    """
    INSERT INTO tally (organisation_id, cadre_id, month, {columns})
    SELECT md5('o' || n %% (%(cadres)s / 50) + 1)::uuid, md5('c' || n)::uuid, month::date, {ones}
      FROM generate_series(%(cadres)s + 1, %(listed)s) AS n
     CROSS JOIN generate_series('2025-10-01'::timestamp, '2025-12-01'::timestamp, interval '1 month') AS month
    """,
)
IN_DUCKDB = (
    """
    CREATE OR REPLACE TABLE issues AS
    SELECT organisation_id, cadre_id, date_trunc('month', received_at) AS month,
           count(*) FILTER (is_counted) AS issues_received,
           count(*) FILTER ((closed_at IS NOT NULL OR responded_at IS NOT NULL) AND is_counted) AS responded,
           count(*) FILTER (closed_at IS NULL AND responded_at IS NULL
                            AND coalesce(respond_by, due_at) < now()) AS response_overdue,
           count(*) FILTER (closed_at IS NOT NULL AND is_counted) AS closed,
           count(*) FILTER (closed_at <= due_at AND is_counted) AS closed_on_time,
           count(*) FILTER (closed_at > due_at AND is_counted) AS closed_late,
           count(*) FILTER (closed_at IS NULL AND due_at < now()) AS open_overdue,
           count(*) FILTER (outcome = 'resolved' AND NOT denied) AS resolved,
           count(*) FILTER (outcome = 'resolved' AND denied) AS denied,
           count(*) FILTER (outcome = 'explained_policy') AS explained_policy,
           count(*) FILTER (outcome = 'not_accepted') AS not_accepted,
           count(*) FILTER (outcome = 'withdrawn') AS withdrawn, count(*) FILTER (outcome = 'merged') AS merged,
           count(*) FILTER (least(responded_at, closed_at) <= respond_by AND is_counted) AS contacted_on_time,
           count(*) FILTER (least(responded_at, closed_at) > respond_by AND is_counted) AS contacted_late,
           count(*) FILTER (responded_at IS NULL AND closed_at IS NULL AND respond_by < now()) AS contact_overdue,
           count(*) FILTER (closed_at IS NOT NULL AND replied_at IS NOT NULL AND is_counted) AS replied,
           count(*) FILTER ((closed_at IS NOT NULL OR is_reopened OR is_redone) AND is_counted) AS ended,
           count(*) FILTER (is_reopened AND is_counted) AS reopened,
           count(*) FILTER (is_redone AND is_counted) AS redone,
           count(*) FILTER (closed_at IS NOT NULL AND NOT is_reopened AND NOT is_redone
                            AND is_counted) AS closed_first_time,
           count(*) FILTER (is_returned AND is_counted) AS returned,
           count(*) FILTER (issue_type = 'suggestion' AND is_counted) AS suggestions,
           count(*) FILTER (issue_type = 'suggestion' AND suggestion_answered_at IS NOT NULL
                            AND is_counted) AS suggestions_answered
      FROM (SELECT *, merged_into IS NULL OR outcome IS DISTINCT FROM 'merged' AS is_counted
              FROM issue_fact
             WHERE excluded IS DISTINCT FROM 'all')
     GROUP BY ALL
    """,
    """
    CREATE OR REPLACE TABLE contacts AS
    SELECT organisation_id, cadre_id, date_trunc('month', occurred_at) AS month, count(*) AS contacts,
           count(*) FILTER (kind IN ('visit', 'paired_assistance')) AS household_visits,
           sum(coalesce(date_diff('day', first_on::date, last_on::date) + 1,
                        greatest(ceil(duration_minutes::double / 1440), 1)::integer))
               FILTER (kind = 'field_stay') AS field_stay_days
      FROM contact_fact
     WHERE counts
     GROUP BY ALL
    """,
    """
    CREATE OR REPLACE TABLE ratings AS
    SELECT organisation_id, cadre_id, date_trunc('month', rated_at) AS month, count(*) AS ratings,
           count(*) FILTER (level >= 3) AS satisfied, sum(level) AS rating_level_sum, count(attitude) AS attitudes,
           count(*) FILTER (attitude::integer >= 3) AS attitude_satisfied, count(speed) AS speeds,
           count(*) FILTER (speed::integer >= 3) AS speed_satisfied
      FROM rating_fact
     WHERE NOT is_set_aside AND NOT is_excluded
     GROUP BY ALL
    """,
    """
    CREATE OR REPLACE TABLE sums AS
    SELECT cadre_id, size, year(month) AS year, (month(month) - 1) // size AS place,
           sum(COLUMNS(* EXCLUDE (organisation_id, cadre_id, month, size)))
      FROM issues
      FULL JOIN contacts USING (organisation_id, cadre_id, month)
      FULL JOIN ratings USING (organisation_id, cadre_id, month)
     CROSS JOIN (VALUES (1), (3), (6), (12)) AS period (size)
     GROUP BY cadre_id, size, year(month), (month(month) - 1) // size
    """,
)


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench rescoring")
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--cadres", type=int, default=10_000)
    parser.add_argument("--listed", type=int, default=100_000, help="cadres with a score of the year, for the lists")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lianxin-bench-") as name:
        server = PrivatePostgres(Path(name) / "postgres")
        server.start()
        try:
            database = Stock(server.admin_url).take("assessment")
            pool = open_pool(database.url, size=4, application="bench", statement_timeout_seconds=3_600, system=True)
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
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.workers, initializer=open_worker, initargs=(url,)) as workers:
        first = timed(lambda: score_everything(pool, workers))
        tell(f"counted and scored for the first time in {first:.0f} s")
        execute(owner_url, "VACUUM ANALYZE")
        figures = measure_rescoring(pool, workers, options)
    figures.append(Figure(name="the same, everything new, counted from facts and written", unit="s", values=[first]))
    figures.append(measure_changed(pool, options))
    own = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    sessions = max(_sessions, default=0)
    figures += [
        Figure(name="peak memory of a process", unit="MB", values=[own / 1024], bar="< 2,000"),
        Figure(name="peak memory of its database session", unit="MB", values=[sessions / 1024], bar="< 2,000"),
    ]
    list_more(pool, owner_url, options)
    figures += measure_reading(url, options)
    in_duckdb = time_duckdb(pool, repeats=options.repeats)  # last, since its tables take memory of this process
    return [replace(figures[0], yardstick=in_duckdb), *figures[1:]]


def tell(line: str) -> None:
    print(line, flush=True)


def fill(pool: Pool, owner_url: str, options: argparse.Namespace) -> None:
    started = time.perf_counter()
    with transaction(pool) as connection:
        for statement in FILL:
            sizes = {"facts": options.facts, "cadres": options.cadres}
            connection.execute(statement.encode(), sizes if "%(" in statement else None)
    execute(owner_url, "VACUUM ANALYZE")
    tell(f"filled in {time.perf_counter() - started:.0f} s")


def execute(owner_url: str, statement: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(statement.encode())


def measure_rescoring(pool: Pool, workers: Workers, options: argparse.Namespace) -> list[Figure]:
    size = f"{options.facts:,} facts, {options.cadres:,} cadres, {options.workers} workers"
    values = []
    for _ in range(options.repeats):
        mark_scores(pool, now=NOW)
        values.append(timed(lambda: score_everything(pool, workers)))
    return [Figure(name=f"full rescoring, {size}", unit="s", values=values, bar="<= 2 times DuckDB")]


def measure_changed(pool: Pool, options: argparse.Namespace) -> Figure:
    values = []
    for number in range(options.repeats):
        with transaction(pool) as connection:
            for statement in CHANGE:
                connection.execute(statement.encode(), {"changed": CHANGED, "round": str(number)})
        values.append(timed(lambda: drain(pool)))
    return Figure(name="1,000 changed cadres, an issue each", unit="s", values=values, bar="<= 1")


def list_more(pool: Pool, owner_url: str, options: argparse.Namespace) -> None:
    columns = ", ".join(tallies.COLUMNS)
    ones = ", ".join("1" for _ in tallies.COLUMNS)
    sizes = {"cadres": options.cadres, "listed": max(options.listed, options.cadres)}
    with transaction(pool) as connection:
        for statement in LISTED:
            connection.execute(statement.replace("{columns}", columns).replace("{ones}", ones).encode(), sizes)
    execute(owner_url, "VACUUM ANALYZE")


def measure_reading(url: str, options: argparse.Namespace) -> list[Figure]:
    """As an officer who may see everything does, with the answer's text."""
    pool = open_pool(url, size=1, application="bench", statement_timeout_seconds=600)
    cadres = max(options.listed, options.cadres)
    with acting(Reach(kind="everywhere")):
        for number in range(20):
            read_list(pool, number)
            read_profile(pool, number, cadres)
        lists = [timed(partial(read_list, pool, number)) for number in range(READS)]
        profiles = [timed(partial(read_profile, pool, number, cadres)) for number in range(READS)]
    pool.close()
    return [
        Figure(name=f"list of scores p99, {cadres:,} cadres", unit="ms", values=[percentile(lists)], bar="< 50"),
        Figure(name=f"profile p99, {cadres:,} cadres", unit="ms", values=[percentile(profiles)], bar="< 50"),
    ]


def score_everything(pool: Pool, workers: Workers) -> None:
    """The workers run already, as Celery's do."""
    _sessions.extend(workers.imap_unordered(score_one_shard, list_shards(pool)))
    drain(pool)


_opened: dict[str, Pool] = {}
_sessions: list[int] = []


def open_worker(url: str) -> None:
    _opened["pool"] = open_pool(url, size=1, application="shard", statement_timeout_seconds=3_600, system=True)


def score_one_shard(shard: list) -> int:  # type: ignore[type-arg] # of UUIDs, pickled
    """Return the peak memory of the database session, in kB."""
    score_shard(_opened["pool"], shard, scheme_name="basic", zone=ZONE, now=NOW)
    with _opened["pool"].connection() as connection:
        status = Path(f"/proc/{connection.info.backend_pid}/status").read_text("utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def drain(pool: Pool) -> None:
    while score_due(pool, scheme_name="basic", zone=ZONE, now=NOW).more:
        pass


def time_duckdb(pool: Pool, *, repeats: int) -> list[float]:
    tables = {
        "issue_fact": "organisation_id, cadre_id, received_at, respond_by, due_at, responded_at, closed_at, outcome, "
        "denied, issue_type, replied_at, is_reopened, is_redone, is_returned, suggestion_answered_at, merged_into, "
        "excluded",
        "contact_fact": "organisation_id, cadre_id, occurred_at, kind, counts, first_on, last_on, duration_minutes",
        "rating_fact": "organisation_id, cadre_id, rated_at, level, attitude, speed, is_set_aside, is_excluded",
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
            file.unlink()
        return [timed(lambda: [database.execute(query) for query in IN_DUCKDB]) for _ in range(repeats)]


def read_list(pool: Pool, number: int) -> None:
    """A first page: the best, the worst, by number, or within a band."""
    sort: Literal["-composite", "composite", "code"] = ("-composite", "composite", "code", "-composite")[number % 4]
    query = ScoreQuery(subject_kind="cadre", period=YEAR, sort=sort)
    if number % 4 == 3:
        query = replace(query, composite_from=Decimal(40), composite_below=Decimal(60))
    page, parts = list_scores(pool, query, after=None, limit=50)
    orjson.dumps([shapes.show_score(score, parts[score.score_id]) for score in page])


def read_profile(pool: Pool, number: int, cadres: int) -> None:
    code = f"S{number * 7919 % cadres + 1:07}"
    orjson.dumps(shapes.show_reading(read_score(pool, "cadre", code, YEAR, scheme_name="basic")))


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentile(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1_000
