"""Transactions of one round trip: whole or not at all, also where something fails, is cut off or dies on the way."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from shared.at_once import AtOnce, Rows, Statement
from shared.database import DatabaseAway, Pool, open_pool
from shared.reach import SYSTEM, Reach
from tests.stock import Database

pytestmark = pytest.mark.integration
TRIAL = """
    CREATE TABLE trial (number bigint GENERATED ALWAYS AS IDENTITY, value text NOT NULL CHECK (value <> 'wrong'));
    GRANT ALL ON trial TO PUBLIC;
"""
DIES = """
import asyncio, sys
from shared import crash
from shared.at_once import AtOnce, Statement
from shared.database import open_pool
from shared.reach import SYSTEM

crash.arm("here:2", mode="test")
pool = open_pool(sys.argv[1], size=1, application="dying", system=True)


async def insert() -> None:
    at_once = AtOnce(pool, most=1)
    for value in (b"first", b"second", b"third"):
        statement = Statement(text=b"INSERT INTO trial (value) VALUES ($1)", parameters=[value])
        await at_once.run([(SYSTEM, statement)], dies_at="here")


asyncio.run(insert())
"""


@pytest.fixture
def database(new_database: Callable[[str], Database]) -> Database:
    made = new_database("intake")
    with psycopg.connect(made.owner_url, autocommit=True) as owner:
        owner.execute(TRIAL)
    return made


@pytest.fixture
def pool(database: Database) -> Iterator[Pool]:
    opened = open_pool(database.url, size=2, application="test", statement_timeout_seconds=30, system=True)
    yield opened
    opened.close()


def insert(*values: str) -> list[tuple[Reach, Statement]]:
    text = b"INSERT INTO trial (value) VALUES ($1) RETURNING value"
    return [(SYSTEM, Statement(text=text, parameters=[value.encode()])) for value in values]


def with_lines(pool: Pool, use: Callable[[AtOnce], Awaitable[Any]]) -> Any:
    async def use_and_close() -> Any:
        at_once = AtOnce(pool, most=2)
        try:
            return await use(at_once)
        finally:
            at_once.close()

    return asyncio.run(use_and_close())


def run(pool: Pool, *trips: Sequence[tuple[Reach, Statement]]) -> list[Rows]:
    """One after another on the same connection; what the last one returned."""

    async def run_all(at_once: AtOnce) -> list[Rows]:
        return [await at_once.run(parts, dies_at="nowhere") for parts in trips][-1]

    answers: list[Rows] = with_lines(pool, run_all)
    return answers


def standing(pool: Pool) -> list[str]:
    with pool.connection() as connection:
        return [str(value) for (value,) in connection.execute("SELECT value FROM trial ORDER BY number")]


def test_all_statements_are_one_transaction_and_return_their_rows(pool):
    answers = run(pool, insert("one", "two"))

    assert answers == [[[b"one"]], [[b"two"]]]
    assert standing(pool) == ["one", "two"]


def test_of_statements_one_of_which_fails_nothing_stands(pool):
    async def fail_and_go_on(at_once: AtOnce) -> None:
        for _ in range(2):
            with pytest.raises(psycopg.errors.CheckViolation):
                await at_once.run(insert("one", "wrong", "two"), dies_at="nowhere")
        await at_once.run(insert("three"), dies_at="nowhere")

    with_lines(pool, fail_and_go_on)

    assert standing(pool) == ["three"]


def test_a_statement_that_cannot_be_prepared_leaves_the_others_as_they_were(pool):
    wrong = (SYSTEM, Statement(text=b"SELECT nothing FROM nowhere", parameters=[]))

    async def fail_and_go_on(at_once: AtOnce) -> None:
        for parts in ([wrong, *insert("one")], [*insert("two"), wrong]):
            with pytest.raises(psycopg.errors.UndefinedTable):
                await at_once.run(parts, dies_at="nowhere")
        await at_once.run(insert("three"), dies_at="nowhere")

    with_lines(pool, fail_and_go_on)

    assert standing(pool) == ["three"]


def test_each_statement_stands_under_its_own_reach_and_none_is_left_behind(pool):
    look = Statement(text=b"SELECT current_setting('lianxin.account')", parameters=[])
    reaches = [Reach(kind="scoped", account_id=uuid4()), Reach(kind="scoped"), Reach(kind="scoped", account_id=uuid4())]

    answers = run(pool, [(reach, look) for reach in reaches])

    assert [rows[0][0] for rows in answers] == [str(reach.account_id or "").encode() for reach in reaches]
    with pool.connection() as connection:
        assert connection.execute("SELECT current_setting('lianxin.reach')").fetchone() == ("system",)
        assert connection.execute("SELECT current_setting('lianxin.account', true)").fetchone() in {("",), (None,)}


def test_more_than_a_socket_takes_at_once_arrives(pool):
    text = b"SELECT $1::text"
    large = b"x" * 8_000_000
    parts = [(SYSTEM, Statement(text=text, parameters=[large])) for _ in range(3)]

    answers = run(pool, parts)

    assert [rows[0][0] == large for rows in answers] == [True] * 3


def test_who_finds_no_free_connection_waits_without_holding_up_the_loop(pool):
    nap = Statement(text=b"SELECT pg_sleep(0.2)", parameters=[])

    async def run_many(at_once: AtOnce) -> tuple[int, list[list[Rows]]]:
        ticks = 0
        trips = asyncio.gather(*[at_once.run([(SYSTEM, nap)], dies_at="nowhere") for _ in range(6)])
        while not trips.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks, await trips

    ticks, answers = with_lines(pool, run_many)

    assert len(answers) == 6
    assert ticks > 20


def test_who_is_cut_off_on_the_way_leaves_nothing_and_nobody_stuck(pool):
    nap = Statement(text=b"SELECT pg_sleep(20)", parameters=[])

    async def cut_off_and_go_on(at_once: AtOnce) -> None:
        for _ in range(2):
            trip = asyncio.create_task(at_once.run([*insert("one"), (SYSTEM, nap)], dies_at="nowhere"))
            await asyncio.sleep(0.3)
            trip.cancel()
            with pytest.raises(asyncio.CancelledError):
                await trip
        await at_once.run(insert("two"), dies_at="nowhere")

    with_lines(pool, cut_off_and_go_on)

    assert standing(pool) == ["two"]


def end_sessions(database: Database) -> None:
    with psycopg.connect(database.url, autocommit=True) as other:
        other.execute(
            """
            SELECT pg_terminate_backend(pid)
              FROM pg_stat_activity
             WHERE datname = current_database()
               AND usename = user
               AND pid <> pg_backend_pid()
            """
        )


def test_a_connection_that_is_lost_on_the_way_tells_that_the_database_is_away(pool, database):
    nap = Statement(text=b"SELECT pg_sleep(20)", parameters=[])

    async def lose(at_once: AtOnce) -> None:
        trip = asyncio.create_task(at_once.run([*insert("one"), (SYSTEM, nap)], dies_at="nowhere"))
        await asyncio.sleep(0.3)
        end_sessions(database)
        with pytest.raises(DatabaseAway):
            await trip
        await at_once.run(insert("two"), dies_at="nowhere")

    with_lines(pool, lose)

    assert standing(pool) == ["two"]


def test_a_connection_that_ended_while_it_rested_is_not_used_again(pool, database):
    async def rest(at_once: AtOnce) -> None:
        await at_once.run(insert("one"), dies_at="nowhere")
        end_sessions(database)
        await asyncio.sleep(0.2)
        await at_once.run(insert("two"), dies_at="nowhere")

    with_lines(pool, rest)

    assert standing(pool) == ["one", "two"]


def test_a_database_that_is_away_is_told_as_such():
    away = open_pool("postgresql://nobody@127.0.0.1:1/nothing", size=1, application="test")
    try:
        with pytest.raises(DatabaseAway):
            run(away, insert("one"))
    finally:
        away.close()


def test_a_process_that_is_to_die_before_the_commit_dies_with_all_done_but_that(database, pool):
    died = subprocess.run([sys.executable, "-c", DIES, database.url], capture_output=True, check=False)

    assert died.returncode == -signal.SIGKILL
    assert standing(pool) == ["first"]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:  # the server notices the end of its client a moment later
        with pool.connection() as connection:
            [others] = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dying'"
            ).fetchone() or (0,)
        if not others:
            break
    run(pool, insert("fourth"))
    with pool.connection() as connection:  # the number of what was done, and undone
        assert connection.execute("SELECT number, value FROM trial ORDER BY number").fetchall() == [
            (1, "first"),
            (3, "fourth"),
        ]
