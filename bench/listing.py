"""What a page of each of intake's lists takes whoever reaches one unit, one county, or everything.

Run as a program: python -m bench listing [--issues 100000] [--units 500] [--counties 20] [--only comments ...]
[--large] [--kept FOLDER]. It brings a PostgreSQL of its own. In a folder that is kept the next run of this size finds
everything filled and measures in a copy, so that two releases are measured on the same rows.

A list is kept in one order for everybody, and row security says of each row who sees it. The ratio is a unit's or a
county's page by the page of whoever reaches everything, in the same run. Whoever reaches one unit stands in the line of
what that unit handles, and sees none of the comments, cases and calls about it: an empty page has to be as quick.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from bench.filled import Place, filled, without_slow_indexes
from bench.invented_issues import FILL, PREPARE, SEALED, TABLES
from bench.report import Figure, print_table, write_json
from services.intake.domain.citizen_messages import State
from services.intake.handlers.worklist import confine
from services.intake.storage import (
    callbacks,
    changes,
    citizen_messages,
    desk,
    rating_cases,
    rating_comments,
    rating_invitations,
    reviews,
    worklist,
)
from services.intake.storage.worklist import Wanted
from shared.database import Connection, Pool, open_pool, transaction
from shared.identifiers import new_id
from shared.reach import Reach
from tests.harness.suite import ROOT

NOW: Final = datetime(2026, 1, 10, tzinfo=UTC)
DEEP: Final = (datetime(2025, 11, 20, tzinfo=UTC), UUID(int=0))
EARLY: Final = (datetime(2025, 2, 10, tzinfo=UTC), UUID(int=0))  # as deep where the newest come first
LIMIT: Final = 100
ROUNDS: Final = 5
SLOW_MS: Final = 2_000
PATIENCE_SECONDS: Final = 60
At = tuple[datetime, UUID] | None
Ask = Callable[[Connection, Reach], object]


def _issues(connection: Connection, reach: Reach, *, after: At = None, **filters: object) -> object:
    place = {"after_at": after[0], "after_id": after[1]} if after else {}
    wanted = Wanted(now=NOW, limit=LIMIT, **place, **filters)  # type: ignore[arg-type] # filters of several types
    return worklist.list_items(connection, confine(wanted, reach))


def _comments(connection: Connection, _: Reach, *, after: At = None, is_accusation: bool = False) -> object:
    return rating_comments.list_comments(connection, is_accusation=is_accusation, after=after, limit=LIMIT)


def _cases(connection: Connection, _: Reach, *, state: rating_cases.CaseState, after: At = None) -> object:
    return rating_cases.list_cases(connection, state, after=after, limit=LIMIT)


def _reviews(connection: Connection, _: Reach, *, is_open: bool, after: At = None) -> object:
    return reviews.list_reviews(connection, is_open=is_open, after=after, limit=LIMIT)


def _messages(connection: Connection, _: Reach, *, state: State | None = None, after: At = None) -> object:
    return citizen_messages.list_messages(connection, state=state, after=after, limit=LIMIT)


def _calls(connection: Connection, _: Reach, *, after: At = None) -> object:
    return callbacks.list_tasks(connection, after=after, limit=LIMIT)


def _invitations(connection: Connection, _: Reach, *, after: At = None) -> object:
    return rating_invitations.list_due_invitations(connection, after=after, limit=LIMIT)


def _changes(connection: Connection, _: Reach, *, after: tuple[int, int] = (0, 0)) -> object:
    horizon = changes.get_horizon(connection)
    return changes.list_changes(connection, after=after, before=horizon.settled, aggregates=["issue"], limit=LIMIT)


def _desk(connection: Connection, _: Reach) -> object:
    return desk.list_open_issues(connection, limit=LIMIT)


DOORS: Final[dict[str, Ask]] = {
    "issues": _issues,
    "issues, deep": partial(_issues, after=DEEP),
    "issues open": partial(_issues, is_open=True),
    "issues of a category": partial(_issues, category="category-7"),
    "issues of a category, deep": partial(_issues, category="category-7", after=DEEP),
    "issues of no category": partial(_issues, category="category-unknown"),
    "issues open of no category": partial(_issues, category="category-unknown", is_open=True),
    "issues of no type": partial(_issues, type="thanks"),
    "issues overdue": partial(_issues, overdue=True),
    "issues with a problem": partial(_issues, problem=True),
    "issues updated": partial(_issues, updated_since=DEEP[0]),
    "open issues of the desk": _desk,
    "comments": _comments,
    "comments, deep": partial(_comments, after=DEEP),
    "accusations": partial(_comments, is_accusation=True),
    "accusations, deep": partial(_comments, is_accusation=True, after=DEEP),
    "cases open": partial(_cases, state="open"),
    "cases decided": partial(_cases, state="decided"),
    "cases decided, deep": partial(_cases, state="decided", after=DEEP),
    "reviews open": partial(_reviews, is_open=True),
    "reviews decided": partial(_reviews, is_open=False),
    "reviews decided, deep": partial(_reviews, is_open=False, after=DEEP),
    "messages": _messages,
    "messages, deep": partial(_messages, after=EARLY),
    "messages failed": partial(_messages, state="failed"),
    "calls": _calls,
    "calls, deep": partial(_calls, after=DEEP),
    "invitations": _invitations,
    "invitations, deep": partial(_invitations, after=DEEP),
    "changes": _changes,
}
READERS: Final = ("everything", "one county", "one unit")


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench listing")
    parser.add_argument("--issues", type=int, default=100_000)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--counties", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=list(DOORS), choices=list(DOORS))
    parser.add_argument("--large", action="store_true", help="the server set as for a large installation")
    parser.add_argument("--kept", type=Path, help="a folder whose filled database is used again")
    options = parser.parse_args(arguments)
    name = f"listed_{options.issues}_{options.units}_{options.counties}"
    filling = partial(fill, options=options)
    with filled(filling, name=name, kept=options.kept, is_large=options.large, service="intake") as place:
        figures = measure(place, options)
    print_table(figures)
    write_json(figures, ROOT / "bench" / "results" / "listing.json")
    return 0


def fill(place: Place, *, options: argparse.Namespace) -> None:
    """As a superuser: row by row each is sound, and asking for each takes hours."""
    started = time.perf_counter()
    sizes = {name: sql.Literal(getattr(options, name)) for name in ("issues", "units", "counties")}
    sizes["sealed"] = sql.Literal(SEALED)
    with psycopg.connect(place.admin_url, autocommit=True) as admin:
        for statement in PREPARE:
            admin.execute(sql.SQL(statement).format(**sizes))
        admin.execute("SET session_replication_role = replica")
        admin.execute("SET synchronous_commit = off")
        with without_slow_indexes(place.owner_url, TABLES):
            for statement in FILL:
                admin.execute(sql.SQL(statement).format(**sizes))
    print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)


def measure(place: Place, options: argparse.Namespace) -> list[Figure]:
    middle = options.units // 2
    county = f"U{middle % options.counties + 1}"
    reaches = {
        "everything": Reach(kind="everywhere", account_id=new_id(), person_id="reader"),
        "one county": _reach_of(county),
        "one unit": _reach_of(f"{county}-{middle}"),
    }
    pool = open_pool(place.url, size=1, application="bench", statement_timeout_seconds=PATIENCE_SECONDS)
    try:
        return [figure for door in options.only for figure in _compare(pool, door, reaches)]
    finally:
        pool.close()


def _reach_of(code: str) -> Reach:
    return Reach(kind="scoped", organisation_codes=(code,), account_id=new_id(), person_id="reader")


def _compare(pool: Pool, door: str, reaches: dict[str, Reach]) -> list[Figure]:
    """In turns, after each was asked once for nothing. What takes seconds is asked once more and no oftener."""
    taken: dict[str, list[float]] = {reader: [] for reader in READERS}
    for number in range(ROUNDS + 1):
        for reader in READERS:
            if number > 1 and taken[reader][0] > SLOW_MS:
                taken[reader].append(taken[reader][0])
                continue
            milliseconds = _clock(pool, DOORS[door], reaches[reader])
            if number:
                taken[reader].append(milliseconds)
    everything, *others = (taken[reader] for reader in READERS)
    print(door, *(f"{statistics.median(taken[reader]):.1f}" for reader in READERS), flush=True)
    return [
        Figure(name=f"{door}, everything", unit="ms", values=everything),
        *(
            Figure(name=f"{door}, {reader}", unit="ms", values=values, yardstick=everything)
            for reader, values in zip(READERS[1:], others, strict=True)
        ),
    ]


def _clock(pool: Pool, ask: Ask, reach: Reach) -> float:
    with transaction(pool, reach=reach) as connection:
        started = time.perf_counter()
        ask(connection, reach)
        return (time.perf_counter() - started) * 1_000
