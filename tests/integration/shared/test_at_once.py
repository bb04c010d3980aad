"""Transactions of one round trip: whole or not at all, also where something fails, is cut off or dies on the way."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import psycopg
import pytest

from shared.at_once import Rows, Statement, run_at_once
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
from shared.at_once import Statement, run_at_once
from shared.database import open_pool
from shared.reach import SYSTEM

crash.arm("here:2", mode="test")
pool = open_pool(sys.argv[1], size=1, application="dying", system=True)
insert = b"INSERT INTO trial (value) VALUES ($1)"
for value in (b"first", b"second", b"third"):
    statement = Statement(text=insert, parameters=[value])
    asyncio.run(run_at_once(pool, [(SYSTEM, statement)], dies_at="here"))
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


def run(pool: Pool, parts: Sequence[tuple[Reach, Statement]]) -> list[Rows]:
    return asyncio.run(run_at_once(pool, parts, dies_at="nowhere"))


def standing(pool: Pool) -> list[str]:
    with pool.connection() as connection:
        return [str(value) for (value,) in connection.execute("SELECT value FROM trial ORDER BY number")]


def test_all_statements_are_one_transaction_and_return_their_rows(pool):
    answers = run(pool, insert("one", "two"))

    assert answers == [[[b"one"]], [[b"two"]]]
    assert standing(pool) == ["one", "two"]


def test_of_statements_one_of_which_fails_nothing_stands(pool):
    with pytest.raises(psycopg.errors.CheckViolation):
        run(pool, insert("one", "wrong", "two"))

    assert standing(pool) == []
    run(pool, insert("three"))
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


def test_who_finds_no_free_connection_waits_for_one_without_holding_up_the_loop(pool):
    nap = Statement(text=b"SELECT pg_sleep(0.2)", parameters=[])

    async def run_many() -> tuple[int, list[list[Rows]]]:
        ticks = 0
        trips = asyncio.gather(*[run_at_once(pool, [(SYSTEM, nap)], dies_at="nowhere") for _ in range(6)])
        while not trips.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks, await trips

    ticks, answers = asyncio.run(run_many())

    assert len(answers) == 6
    assert ticks > 20


def test_who_is_cut_off_on_the_way_leaves_nothing_and_takes_no_connection_along(pool):
    nap = Statement(text=b"SELECT pg_sleep(20)", parameters=[])

    async def cut_off() -> None:
        trip = asyncio.create_task(run_at_once(pool, [*insert("one"), (SYSTEM, nap)], dies_at="nowhere"))
        await asyncio.sleep(0.3)
        trip.cancel()
        await trip

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cut_off())

    run(pool, insert("two"))
    run(pool, insert("three"))
    assert standing(pool) == ["two", "three"]


def test_a_connection_that_is_lost_tells_that_the_database_is_away(pool, database):
    nap = Statement(text=b"SELECT pg_sleep(20)", parameters=[])

    async def lose() -> None:
        trip = asyncio.create_task(run_at_once(pool, [*insert("one"), (SYSTEM, nap)], dies_at="nowhere"))
        await asyncio.sleep(0.3)
        with psycopg.connect(database.url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)'")
        await trip

    with pytest.raises(DatabaseAway):
        asyncio.run(lose())

    assert standing(pool) == []


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
