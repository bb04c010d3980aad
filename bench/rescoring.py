"""A full rescoring beside DuckDB's time for the same aggregates, what changed cadres cost, and how reading stays.

Run as a program: python -m bench rescoring [--facts 1000000] [--cadres 10000] [--listed 100000] [--workers 2]
[--large] [--kept FOLDER]; the bars are for 10000000, 100000 and 1000000. It brings a PostgreSQL of its own, which is
set as any private one, or by --large as docs/operations.md wants it at ten million records. In a folder that is kept
the next run of this size finds everything filled and scored for the first time, and measures the rest in a copy.

Rescoring takes the tallies that events keep up, sums them for each cadre in every month, quarter, half-year and year,
works out what these sums come to, and compares that with the score, placement included, that stands. DuckDB is given
tables in its memory, loading not counted, and makes every measure of them by cadre, organisation and month, then by
those periods, into tables of its own, with nothing fetched; it makes no scores. Ids are UUIDs there too, months those
of UTC, of which there are as many. Both take turns, so that what else the machine does hits both; there the ratio of
processor times says more than that of times: ours is of the workers, this process and all of PostgreSQL. Counting
everything anew from the facts, and writing every score for the first time, is a figure of its own.
"""

import argparse
import multiprocessing
import multiprocessing.pool
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import orjson
import psycopg

from bench.aggregating import aggregating
from bench.filled import LARGE, Place, filled, without_slow_indexes
from bench.invented import CHANGE, FILL, LISTED
from bench.processor import seconds_of_family
from bench.report import Figure, print_table, write_json
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

Workers = multiprocessing.pool.Pool
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 12, 20, tzinfo=UTC)
YEAR = parse_period("2025")
CHANGED = 1_000
READS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """What a worker tells of a shard: its processor time, and its database session's peak memory, shared included."""

    processor: float
    session_kilobytes: int


@dataclass(frozen=True, slots=True)
class Clocked:
    """Seconds by the clock, and of processor time of all who took part."""

    seconds: float
    processor: float


_opened: dict[str, Pool] = {}
_shards: list[Shard] = []


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench rescoring")
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--cadres", type=int, default=10_000)
    parser.add_argument(
        "--listed", type=int, default=100_000, help="cadres with a score of the year, for the lists; without lists 0"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="PostgreSQL as docs/operations.md wants it at this size")
    parser.add_argument("--kept", type=Path, help="a folder whose filled database is used again")
    options = parser.parse_args(arguments)
    first: list[Clocked] = []
    name = f"filled_{options.facts}_{options.cadres}"
    filling = partial(fill, options=options, first=first)
    with filled(filling, name=name, kept=options.kept, is_large=options.large) as place:
        pool = open_pool_of(place)
        figures = [*measure(pool, place, options), *figures_of_first(first)]
        pool.close()
    print_table(figures)
    write_json(figures, ROOT / "bench" / "results" / "rescoring.json")
    return 0


def open_pool_of(place: Place) -> Pool:
    return open_pool(place.url, size=4, application="bench", statement_timeout_seconds=3_600, system=True)


@contextmanager
def working(place: Place, options: argparse.Namespace) -> Iterator[Workers]:
    """They run already when a rescoring begins, as Celery's do."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(options.workers + 1)
    with context.Pool(options.workers, initializer=open_worker, initargs=(place.url, ready)) as workers:
        ready.wait()
        yield workers


def fill(place: Place, *, options: argparse.Namespace, first: list[Clocked]) -> None:
    pool = open_pool_of(place)
    files = (HOME / "schemes").glob("*.toml")
    load_schemes(pool, files, indicators_file=HOME / "indicators.toml", now=NOW)
    seconds = timed(lambda: fill_facts(pool, place.owner_url, options))
    tell(f"filled in {seconds:.0f} s")
    with working(place, options) as workers:
        first.append(clocked(place, lambda: score_everything(pool, workers)))
    tell(f"counted and scored for the first time in {first[0].seconds:.0f} s")
    execute(place.owner_url, "VACUUM ANALYZE")
    pool.close()


def measure(pool: Pool, place: Place, options: argparse.Namespace) -> list[Figure]:
    again, in_duckdb = [], []
    with aggregating(place.url, threads=options.workers) as aggregate, working(place, options) as workers:
        for _ in range(options.repeats):
            mark_scores(pool, now=NOW)
            again.append(clocked(place, lambda: score_everything(pool, workers)))
            in_duckdb.append(Clocked(*aggregate()))
        workers.close()
        workers.join()
        own = peak_kilobytes(resource.RUSAGE_CHILDREN)  # before the process of DuckDB has ended, which is none of ours
    changed = measure_changed(pool, place, options)
    own = max(own, peak_kilobytes(resource.RUSAGE_SELF))
    sessions = max((one.session_kilobytes for one in _shards), default=0)
    reading = []
    if options.listed:
        list_more(pool, place.owner_url, options)
        reading = measure_reading(place.url, options)
    return [
        *figures_of_rescoring(again, in_duckdb, options),
        *changed,
        Figure(name="peak memory of a process", unit="MB", values=[own / 1024], bar="< 2,000"),
        Figure(
            name="peak memory of its database session, with shared buffers",
            unit="MB",
            values=[sessions / 1024],
            bar="< 2,000",
        ),
        *reading,
    ]


def peak_kilobytes(who: int) -> int:
    return resource.getrusage(who).ru_maxrss


def figures_of_first(first: Sequence[Clocked]) -> list[Figure]:
    """None where a filled database was found."""
    return [
        figure
        for one in first
        for figure in (
            Figure(name="scoring everything, new, counted from facts and written", unit="s", values=[one.seconds]),
            Figure(name="scoring everything, new, processor time", unit="s", values=[one.processor]),
        )
    ]


def figures_of_rescoring(
    again: Sequence[Clocked], in_duckdb: Sequence[Clocked], options: argparse.Namespace
) -> list[Figure]:
    size = f"{options.facts:,} facts, {options.cadres:,} cadres, {options.workers} workers{_memory(options)}"
    return [
        Figure(
            name=f"full rescoring, {size}",
            unit="s",
            values=[one.seconds for one in again],
            yardstick=[one.seconds for one in in_duckdb],
            bar="<= 2 times DuckDB",
        ),
        Figure(
            name="full rescoring, processor time",
            unit="s",
            values=[one.processor for one in again],
            yardstick=[one.processor for one in in_duckdb],
        ),
    ]


def _memory(options: argparse.Namespace) -> str:
    return f", {LARGE['shared_buffers']} shared buffers" if options.large else ""


def tell(line: str) -> None:
    print(line, flush=True)


def fill_facts(pool: Pool, owner_url: str, options: argparse.Namespace) -> None:
    sizes = {"facts": options.facts, "cadres": options.cadres}
    with without_slow_indexes(owner_url), transaction(pool) as connection:
        for statement in FILL:
            connection.execute(statement.encode(), sizes if "%(" in statement else None)


def execute(owner_url: str, statement: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(statement.encode())


def measure_changed(pool: Pool, place: Place, options: argparse.Namespace) -> list[Figure]:
    """Each time by a later clock: what is written then comes behind all that waits to be announced, not in between."""
    values = []
    for number in range(options.repeats):
        with transaction(pool) as connection:
            for statement in CHANGE:
                connection.execute(statement.encode(), {"changed": CHANGED, "round": str(number)})
        now = NOW + timedelta(minutes=number + 1)
        values.append(clocked(place, partial(drain, pool, now)))
    name = f"1,000 changed cadres, an issue each{_memory(options)}"
    return [
        Figure(name=name, unit="s", values=[one.seconds for one in values], bar="<= 1"),
        Figure(name=f"{name}, processor time", unit="s", values=[one.processor for one in values]),
    ]


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
    _shards.extend(workers.imap_unordered(score_one_shard, list_shards(pool)))
    drain(pool)


def open_worker(url: str, ready: Barrier) -> None:
    _opened["pool"] = open_pool(url, size=1, application="shard", statement_timeout_seconds=3_600, system=True)
    ready.wait()


def score_one_shard(shard: list) -> Shard:  # type: ignore[type-arg] # of UUIDs, pickled
    before = time.process_time()
    score_shard(_opened["pool"], shard, scheme_name="basic", zone=ZONE, now=NOW)
    with _opened["pool"].connection() as connection:
        status = Path(f"/proc/{connection.info.backend_pid}/status").read_text("utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return Shard(processor=time.process_time() - before, session_kilobytes=peak)


def drain(pool: Pool, now: datetime = NOW) -> None:
    while score_due(pool, scheme_name="basic", zone=ZONE, now=now).more:
        pass


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


def clocked(place: Place, work: Callable[[], object]) -> Clocked:
    shards, before = len(_shards), time.process_time() + seconds_of_family(place.server)
    seconds = timed(work)
    processor = time.process_time() + seconds_of_family(place.server) - before
    return Clocked(seconds, processor + sum(one.processor for one in _shards[shards:]))


def percentile(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1_000
