"""Transactions of one round trip, driven by the event loop itself: no thread waits for them.

All that is to be sent is made before any of it is, so that what fails on the way here leaves nothing behind.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from psycopg import OperationalError, pq
from psycopg.errors import error_from_result
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool

from shared import crash
from shared.database import Connection, Pool, settings_of, telling_transients
from shared.reach import Reach

Rows = list[list[bytes | None]]

LOOKING_SECONDS: Final = 0.0002  # longer than it takes to find a connection that is free, too short to hold others up
_SET_REACH: Final = b"""
    SELECT set_config('lianxin.reach', $1, true), set_config('lianxin.organisations', $2, true),
           set_config('lianxin.staff_number', $3, true), set_config('lianxin.actor_staff_number', $4, true),
           set_config('lianxin.actor_organisations', $5, true), set_config('lianxin.account', $6, true),
           set_config('lianxin.person', $7, true)
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement with PostgreSQL's own parameters, as text. Every connection prepares each text once."""

    text: bytes
    parameters: Sequence[bytes | None]


async def run_at_once(pool: Pool, parts: Sequence[tuple[Reach, Statement]], *, dies_at: str) -> list[Rows]:
    """Run statements, each under its reach, as one transaction; return their rows, as text, once it is committed.

    `dies_at` names the crash point at which all is done but the commit. Raises DatabaseAway where trying again later
    makes sense. Whatever is raised, nothing stands, unless the connection was lost during the commit.
    """
    statements = [one for reach, statement in parts for one in (_setting_of(reach), statement)]
    with telling_transients():
        connection = await _borrow(pool)
        try:
            rows = await _Trip(connection).run(statements, dies_at)
        finally:
            if connection.pgconn.pipeline_status != pq.PipelineStatus.OFF:
                connection.close()  # somewhere on the way, and nobody waits for the rest
            pool.putconn(connection)
    return rows[1::2]


def _setting_of(reach: Reach) -> Statement:
    parameters = [value.encode() for value in settings_of(reach).values()]
    return Statement(text=_SET_REACH, parameters=parameters)


async def _borrow(pool: Pool) -> Connection:
    """A connection that is free, or else one that a thread waits for."""
    try:
        return pool.getconn(timeout=LOOKING_SECONDS)
    except PoolTimeout:
        return await run_in_threadpool(pool.getconn)


# The texts that each connection has prepared, and under which names: it forgets nothing before its end.
_prepared: WeakKeyDictionary[Connection, dict[bytes, bytes]] = WeakKeyDictionary()
_numbers = itertools.count(1)


class _Trip:
    """One pipeline of the protocol. Of a connection that commits by itself it is one transaction, ended by its Sync."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection.pgconn
        self._prepared = _prepared.setdefault(connection, {})
        self._loop = asyncio.get_running_loop()
        self._stirred: asyncio.Future[None] = self._loop.create_future()

    async def run(self, statements: Sequence[Statement], dies_at: str) -> list[Rows]:
        server, socket = self._server, self._server.socket
        server.enter_pipeline_mode()
        asked = self._ask(statements)
        self._loop.add_reader(socket, self._stir)
        try:
            if crash.is_armed(dies_at):  # then it is worth a second trip to die where all is done but the commit
                server.send_flush_request()
                await self._flush()
                answers = await self._read(len(asked))
                crash.point(dies_at)
                server.pipeline_sync()
                await self._flush()
            else:
                server.pipeline_sync()
                await self._flush()
                answers = await self._read(len(asked))
            failed = await self._read_end()
        finally:
            self._loop.remove_reader(socket)
        server.exit_pipeline_mode()
        for text, answer in zip(asked, answers, strict=True):
            if text is not None and answer.status != pq.ExecStatus.COMMAND_OK:
                del self._prepared[text]
        for answer in (*answers, *failed):
            if answer.status == pq.ExecStatus.FATAL_ERROR:
                raise error_from_result(answer)
        return [_rows_of(answer) for text, answer in zip(asked, answers, strict=True) if text is None]

    def _ask(self, statements: Sequence[Statement]) -> list[bytes | None]:
        """Put everything into libpq's buffer; return what will be answered: the text that is prepared, or None."""
        asked: list[bytes | None] = []
        for statement in statements:
            name = self._prepared.get(statement.text)
            if name is None:
                name = self._prepared[statement.text] = b"at_once_%d" % next(_numbers)
                self._server.send_prepare(name, statement.text)
                asked.append(statement.text)
            self._server.send_query_prepared(name, statement.parameters)
            asked.append(None)
        return asked

    async def _read(self, count: int) -> list[pq.abc.PGresult]:
        return [await self._next() for _ in range(count)]

    async def _read_end(self) -> list[pq.abc.PGresult]:
        """What stands between the last answer and the end of the transaction: nothing, or why it was not committed."""
        failed = []
        while (answer := await self._next()).status != pq.ExecStatus.PIPELINE_SYNC:
            failed.append(answer)
        return failed

    async def _next(self) -> pq.abc.PGresult:
        """Raises OperationalError where the connection is lost."""
        for _ in range(2):  # between two answers stands nothing, once
            while self._server.is_busy():
                await self._stirring()
                self._server.consume_input()
            answer = self._server.get_result()
            if answer is not None:
                return answer
        raise OperationalError("the connection ended before the answer")

    async def _flush(self) -> None:
        while self._server.flush():  # more than the socket takes: the server may wait for us to read
            self._loop.add_writer(self._server.socket, self._stir)
            try:
                await self._stirring()
            finally:
                self._loop.remove_writer(self._server.socket)
            self._server.consume_input()

    async def _stirring(self) -> None:
        self._stirred = self._loop.create_future()
        await self._stirred

    def _stir(self) -> None:
        if not self._stirred.done():
            self._stirred.set_result(None)


def _rows_of(answer: pq.abc.PGresult) -> Rows:
    columns = range(answer.nfields)
    return [[answer.get_value(row, column) for column in columns] for row in range(answer.ntuples)]
