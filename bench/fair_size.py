"""What a look at everybody by the fair scheme takes, what closing a period does, and what computing it again does.

Run as a program: python -m bench fair-size [--records 1000000] [--cadres 10000] [--workers 2] [--only look]; the bar
is for 10000000 and 100000. It brings a PostgreSQL of its own. Each is done by a process of its own, so that its peak of
memory is its own. Records are invented: half issues, three tenths contacts, two tenths ratings; towns of 50 cadres
whose citizens complain to several, and in every town one cadre who closes a third of the issues within the hour.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from bench.report import Figure, print_table, write_json
from embedded.postgres import PrivatePostgres
from services.assessment.domain.periods import Period
from services.assessment.handlers import fair_results
from services.assessment.handlers.fair import look, read_fair_settings, read_settings_text
from services.assessment.handlers.fair_closings import FairClosing, close_fair
from services.assessment.handlers.schemes import load_schemes
from services.assessment.storage import tallies
from shared.database import Pool, open_pool, transaction
from tests.harness.suite import ROOT
from tests.integration.assessment.conftest import HOME
from tests.stock import Stock

ZONE: Final = ZoneInfo("Asia/Shanghai")
NOW: Final = datetime(2025, 12, 31, 12, tzinfo=UTC)
CLOSED_AT: Final = datetime(2026, 1, 6, tzinfo=UTC)
QUARTER: Final = Period(kind="quarter", start=date(2025, 10, 1))
BAR: Final = "< 2,000"
WHOSE: Final = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
Work = Callable[[Pool, int], str]
FILL: Final = (
    "SELECT setseed(0.5)",
    """
    INSERT INTO organisation (organisation_id, code, name, level, parent_id, sequence)
    SELECT md5('o' || n)::uuid, 'T' || n, 'T' || n, CASE WHEN n % 40 = 0 THEN '50' ELSE '60' END,
           CASE WHEN n % 40 > 0 THEN md5('o' || n / 40 * 40)::uuid END, 1
      FROM generate_series(0, {cadres} / 50) AS n
    """,
    """
    INSERT INTO parentage (organisation_id, sequence, from_on, parent_id)
    SELECT organisation_id, 1, '1900-01-01', parent_id FROM organisation
    """,
    """
    INSERT INTO cadre (cadre_id, staff_number, name, sequence)
    SELECT md5('c' || n)::uuid, 'S' || lpad(n::text, 7, '0'), 'S' || n, 1 FROM generate_series(0, {cadres} - 1) AS n
    """,
    """
    INSERT INTO post (post_id, cadre_id, organisation_id, post_kind, post_level, from_on, sequence)
    SELECT md5('p' || n)::uuid, md5('c' || n)::uuid, md5('o' || n / 50)::uuid,
           (ARRAY['head', 'deputy', 'clerk'])[n % 3 + 1], '141', '2024-01-01', 1
      FROM generate_series(0, {cadres} - 1) AS n
    """,
    # Who is able closes sooner, solves more and is denied less. Three issues a citizen, with any cadre of the town.
    """
    INSERT INTO issue_fact (issue_id, issue_type, category, channel, urgency, source, received_at, due_at, respond_by,
                            organisation_id, cadre_id, assignment_sequence, responded_at, closed_at, outcome,
                            closure_sequence, denied, citizen_ref, reply_characters, replied_at)
    SELECT md5('i' || n)::uuid, (ARRAY['complaint', 'help', 'advice'])[1 + floor(3 * kind)::integer],
           'category-' || floor(24 * topic * topic)::integer, (ARRAY['phone', 'app', 'web', 'desk'])[1 + n % 4],
           'normal', 'bench', at, at + interval '5 days', at + interval '1 day', md5('o' || who / 50)::uuid,
           md5('c' || who)::uuid, 1, at + (0.05 + chance) * interval '20 hours',
           CASE WHEN chance >= 0.9 THEN NULL
                WHEN who % 50 = 7 AND taken < 0.3 THEN at + (1 + taken) * interval '40 minutes'
                ELSE at + (0.1 + taken * (1.3 - able)) * interval '6 days' END,
           CASE WHEN chance < 0.9 THEN CASE WHEN kind * 0.8 < 0.3 + able / 2 THEN 'resolved'
                                            WHEN taken < 0.3 THEN 'explained_policy' ELSE 'unresolved' END END,
           1, false, md5('z' || who / 50 || '-' || floor(chance * {records} / {cadres} * 50 / 6)::integer)::uuid,
           floor(40 * taken)::integer, CASE WHEN chance < 0.9 THEN at + interval '1 hour' END
      FROM (SELECT n, n % {cadres} AS who, n * 7919 % {cadres} % 100 / 100.0 AS able, random() AS kind,
                   random() AS topic, random() AS taken, random() AS chance,
                   '2025-01-01'::timestamptz + random() * interval '350 days' AS at
              FROM generate_series(1::bigint, {records} / 2) AS n) AS drawn
    """,
    """
    INSERT INTO contact_fact (contact_id, organisation_id, cadre_id, kind, occurred_at, recorded_at, counts, sequence,
                              duration_minutes, citizen_ref)
    SELECT md5('v' || n)::uuid, md5('o' || who / 50)::uuid, md5('c' || who)::uuid, 'visit', at,
           at + random() * interval '9 days', true, 1, 3 + floor(random() * 50)::integer,
           md5('z' || who / 50 || '-' || floor(random() * {records} / {cadres} * 50 / 6)::integer)::uuid
      FROM (SELECT n, n % {cadres} AS who, '2025-01-01'::timestamptz + random() * interval '350 days' AS at
              FROM generate_series(1::bigint, {records} * 3 / 10) AS n) AS drawn
    """,
    # Of every third issue; a third is asked by call-back.
    """
    INSERT INTO rating_fact (rating_id, issue_id, level, method, rated_at, organisation_id, cadre_id, sequence,
                             rater_ref)
    SELECT md5('r' || n)::uuid, md5('i' || n * 5 / 2)::uuid, 1 + floor(random() * 5)::integer,
           (ARRAY['link', 'callback', 'app'])[1 + n % 3], '2025-01-02'::timestamptz + random() * interval '360 days',
           organisation_id, cadre_id, 1, citizen_ref
      FROM generate_series(1::bigint, {records} / 5) AS n
      JOIN issue_fact ON issue_id = md5('i' || n * 5 / 2)::uuid
    """,
    """
    INSERT INTO tally (organisation_id, cadre_id, month, {columns})
    SELECT md5('o' || n / 50)::uuid, md5('c' || n)::uuid, month::date, {ones}
      FROM generate_series(0, {cadres} - 1) AS n
     CROSS JOIN generate_series('2025-01-01'::timestamp, '2025-12-01'::timestamp, interval '3 months') AS month
    """,
    """
    INSERT INTO closed_period (period_kind, period_start, period_end, scheme_name, scheme_version, definition_hash,
                               parameters, publication_count, content_hash, log_position, closed_at)
    SELECT 'quarter', '2025-10-01', '2025-12-31', name, version, content_hash, '{{}}', 0, content_hash, 0, {closed_at}
      FROM scheme
     WHERE name = 'basic'
    """,
    """
    INSERT INTO place_pass (period_kind, period_start, period_end, score_count, failed, done_at)
    VALUES ('quarter', '2025-10-01', '2025-12-31', 0, '{{}}', now())
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Processor time and memory of the process and of its session in the database."""

    said: str
    seconds: float
    processor: float
    memory: float  # MB
    session_processor: float
    session_memory: float


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench fair-size")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--cadres", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1, help="processes beside the one that compares; of 1 none")
    parser.add_argument("--only", choices=("look", "close", "replay"), nargs="*", default=["look", "close", "replay"])
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="lianxin-bench-") as name:
        server = PrivatePostgres(Path(name) / "postgres")
        server.start()
        try:
            database = Stock(server.admin_url).take("assessment")
            fill(database.url, database.owner_url, options)
            for name, work in WORKS.items():
                if name in options.only:
                    figures += measure(work, database.url, options)
        finally:
            server.remove()
    print_table(figures)
    write_json(figures, ROOT / "bench" / "results" / "fair-size.json")
    return 0


def fill(url: str, owner_url: str, options: argparse.Namespace) -> None:
    started = time.perf_counter()
    pool = _open(url)
    files = (HOME / "schemes").glob("*.toml")
    load_schemes(pool, files, indicators_file=HOME / "indicators.toml", now=NOW)
    sizes: dict[str, sql.Composable] = {
        "records": sql.Literal(options.records),
        "cadres": sql.Literal(options.cadres),
        "columns": sql.SQL(", ").join(map(sql.Identifier, tallies.COLUMNS)),
        "ones": sql.SQL(", ").join([sql.Literal(1)] * len(tallies.COLUMNS)),
        "closed_at": sql.Literal(CLOSED_AT),
    }
    with transaction(pool) as connection:
        for statement in FILL:
            connection.execute(sql.SQL(statement).format(**sizes))
    pool.close()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)


def measure(work: Work, url: str, options: argparse.Namespace) -> list[Figure]:
    """Not in a pool's process, which may have no children."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        taken = process.submit(take, work, url, options.workers).result()
    print(f"{work.__name__}: {taken.said}, {taken.seconds:.0f} s", flush=True)
    size = f"{options.records:,} records, {options.cadres:,} cadres, {options.workers} workers"
    name = f"{work.__name__.replace('_', ' ')}, {size}"
    per_record = 1e6 / options.records
    return [
        Figure(name=name, unit="s", values=[taken.seconds]),
        Figure(name="  processor a record", unit="µs", values=[taken.processor * per_record]),
        Figure(name="  of its database session", unit="µs", values=[taken.session_processor * per_record]),
        Figure(name="  peak memory of a process", unit="MB", values=[taken.memory], bar=BAR),
        Figure(name="  peak memory of its session", unit="MB", values=[taken.session_memory], bar=BAR),
    ]


def take(work: Work, url: str, workers: int) -> Taken:
    pool = _open(url)
    with pool.connection() as connection:
        backend = connection.info.backend_pid
    started, before = time.perf_counter(), _processor()
    said = work(pool, workers)
    seconds, processor = time.perf_counter() - started, _processor() - before
    taken = Taken(
        said=said,
        seconds=seconds,
        processor=processor,
        memory=max(resource.getrusage(whose).ru_maxrss for whose in WHOSE) / 1024,
        session_processor=_processor_of(backend),
        session_memory=_memory_of(backend),
    )
    pool.close()
    return taken


def look_at_all(pool: Pool, workers: int) -> str:
    looked = look(pool, read_fair_settings(), region_level="50", zone=ZONE, now=NOW, workers=workers)
    return f"{looked.cadres} cadres, {looked.signals} signals"


def close_quarter(pool: Pool, workers: int) -> str:
    closing = FairClosing(
        settings=read_fair_settings(),
        settings_text=read_settings_text(),
        region_level="50",
        zone=ZONE,
        workers=workers,
    )
    (period,) = close_fair(pool, closing, now=CLOSED_AT)
    return period.label


def compute_again(pool: Pool, workers: int) -> str:
    replayed = fair_results.replay(pool, QUARTER, workers=workers)
    return f"{replayed.results} results, {'the same' if replayed.is_same else 'DIFFERENT'} {replayed.found}"


WORKS: Final[dict[str, Work]] = {"look": look_at_all, "close": close_quarter, "replay": compute_again}


def _processor() -> float:
    """Of this process, and of those beside it that have ended."""
    used = [resource.getrusage(whose) for whose in WHOSE]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _open(url: str) -> Pool:
    return open_pool(url, size=1, application="bench", statement_timeout_seconds=3_600, system=True)


def _memory_of(backend: int) -> float:
    status = Path(f"/proc/{backend}/status").read_text("utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def _processor_of(backend: int) -> float:
    fields = Path(f"/proc/{backend}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
