"""Transactions of one round trip, driven by the event loop itself: no thread waits for them.

All that is to be sent is made before any of it is, so that what fails on the way here leaves nothing behind.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from psycopg import OperationalError, pq
from psycopg.errors import error_from_result
from starlette.concurrency import run_in_threadpool

from shared import crash
from shared.database import Connection, Pool, connect_beside, settings_of, telling_transients
from shared.reach import Reach

Rows = list[list[bytes | None]]

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


class AtOnce:
    """Connections of one event loop's own, as those of the pool are; each is opened when it is first needed.

    Nobody else speaks on them: whatever arrives is for the loop, and what was prepared stays so.
    """

    def __init__(self, pool: Pool, *, most: int) -> None:
        self._pool = pool
        self._turns = asyncio.Semaphore(most)
        self._idle: list[_Line] = []

    async def run(self, parts: Sequence[tuple[Reach, Statement]], *, dies_at: str) -> list[Rows]:
        """Run statements, each under its reach, as one transaction; return their rows, as text, once it is committed.

        `dies_at` names the crash point at which all is done but the commit. Raises DatabaseAway where trying again
        later makes sense. Whatever is raised, nothing stands, unless the connection was lost during the commit.
        """
        statements = [one for reach, statement in parts for one in (_setting_of(reach), statement)]
        with telling_transients():
            async with self._turns:
                line = await self._take()
                try:
                    answers = await line.run(statements, dies_at)
                finally:
                    if line.rests():
                        self._idle.append(line)
                    else:
                        line.close()  # somewhere on the way, and nobody waits for the rest
        return [_rows_of(answer) for answer in answers[1::2]]

    async def _take(self) -> "_Line":
        while self._idle:
            line = self._idle.pop()
            if line.rests():
                return line
            line.close()
        return _Line(await run_in_threadpool(connect_beside, self._pool))

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


@lru_cache(maxsize=4_096)
def _setting_of(reach: Reach) -> Statement:
    return Statement(text=_SET_REACH, parameters=[value.encode() for value in settings_of(reach).values()])


class _Line:
    """One connection. It commits by itself, so that a pipeline of the protocol is a transaction, ended by its Sync."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._server = connection.pgconn
        self._socket = connection.fileno()
        self._loop = asyncio.get_running_loop()
        self._prepared: dict[bytes, bytes] = {}
        self._stirred: asyncio.Future[None] | None = None
        self._loop.add_reader(self._socket, self._read)

    def rests(self) -> bool:
        """Whether it is sound, and nothing is under way on it."""
        return (
            self._server.status == pq.ConnStatus.OK
            and self._server.pipeline_status == pq.PipelineStatus.OFF
            and self._server.transaction_status == pq.TransactionStatus.IDLE
        )

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._connection.close()

    async def run(self, statements: Sequence[Statement], dies_at: str) -> list[pq.abc.PGresult]:
        server = self._server
        server.enter_pipeline_mode()
        asked = self._ask(statements)
        if crash.is_armed(dies_at):  # then it is worth a second trip to die where all is done but the commit
            server.send_flush_request()
            await self._flush()
            answers = [await self._next() for _ in asked]
            crash.point(dies_at)
            server.pipeline_sync()
            await self._flush()
        else:
            server.pipeline_sync()
            await self._flush()
            answers = [await self._next() for _ in asked]
        end = await self._next()
        while end.status != pq.ExecStatus.PIPELINE_SYNC:  # what failed at the commit itself
            answers.append(end)
            end = await self._next()
        server.exit_pipeline_mode()
        for answer, text in zip(answers, asked, strict=False):
            if text is not None and answer.status != pq.ExecStatus.COMMAND_OK:
                del self._prepared[text]
        for answer in answers:
            if answer.status == pq.ExecStatus.FATAL_ERROR:
                raise error_from_result(answer)
        return [answer for answer, text in zip(answers, asked, strict=True) if text is None]

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

    async def _next(self) -> pq.abc.PGresult:
        for _ in range(2):  # between two answers stands nothing, once
            while self._server.is_busy():
                await self._stirring()
            answer = self._server.get_result()
            if answer is not None:
                return answer
        raise OperationalError("the connection ended before the answer")

    async def _flush(self) -> None:
        while self._server.flush():  # more than the socket takes: the server may wait for us to read
            self._loop.add_writer(self._socket, self._stir)
            try:
                await self._stirring()
            finally:
                self._loop.remove_writer(self._socket)

    async def _stirring(self) -> None:
        """Raises OperationalError where the connection is lost."""
        self._stirred = self._loop.create_future()
        await self._stirred
        if self._server.status != pq.ConnStatus.OK:
            raise OperationalError("the connection ended before the answer")

    def _read(self) -> None:
        """Take in what has arrived, whether somebody waits for it or the server ends a connection that rests."""
        try:
            self._server.consume_input()
        except OperationalError:
            self._loop.remove_reader(self._socket)
        self._stir()

    def _stir(self) -> None:
        if self._stirred is not None and not self._stirred.done():
            self._stirred.set_result(None)


_numbers = itertools.count(1)


def _rows_of(answer: pq.abc.PGresult) -> Rows:
    columns = range(answer.nfields)
    return [[answer.get_value(row, column) for column in columns] for row in range(answer.ntuples)]
