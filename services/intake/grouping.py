"""The hot door: requests that arrive while a commit runs share the next one (docs/decisions/0005-group-commit.md)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from shared import crash
from shared.errors import Transient

AnyCommand = TypeVar("AnyCommand")
Run = Callable[[list[AnyCommand]], list[Outcome]]
Enter = Callable[[list[AnyCommand]], Awaitable[list[Outcome | None]]]
Result = Outcome | Exception

LARGEST_GROUP = 256
SECOND_BATCH_FROM = 8  # so many that wait are worth a transaction of their own beside the one under way
LONGEST_QUEUE = 2_000  # at some 1,500 a second the last in the queue still answers within a client's patience


class Overloaded(Transient):
    """More requests wait than can be answered in time, or the process is stopping. Nothing was recorded."""

    code = "overloaded"


class Group(Generic[AnyCommand]):
    """Runs a batch on a thread; what gathers meanwhile is the next batch. There is no timer.

    Where `most_at_once` allows, many that gather do not wait for its end: one batch computes while another waits for
    the database. `enter` goes first where there is one: it settles and commits what is simple, and leaves the rest.
    """

    def __init__(
        self,
        run: Run[AnyCommand],
        executor: Executor,
        *,
        enter: Enter[AnyCommand] | None = None,
        longest_queue: int = LONGEST_QUEUE,
        most_at_once: int = 1,
    ) -> None:
        self._run = run
        self._enter = enter
        self._executor = executor
        self._longest_queue = longest_queue
        self._most_at_once = most_at_once
        self._waiting: deque[tuple[AnyCommand, asyncio.Future[Outcome]]] = deque()
        self._runners: set[asyncio.Task[None]] = set()
        self._draining = False

    async def submit(self, command: AnyCommand) -> Outcome:
        """Return what became of the command once it is committed. Raises Overloaded, or what the batch raised."""
        return await self.hand_in(command)

    def hand_in(self, command: AnyCommand) -> asyncio.Future[Outcome]:
        """Take the command along, and give what `submit` waits for. Raises Overloaded."""
        if self._draining or len(self._waiting) >= self._longest_queue:
            raise Overloaded("too many requests are waiting")
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, future))
        if not self._runners or (len(self._runners) < self._most_at_once and len(self._waiting) >= SECOND_BATCH_FROM):
            self._runners.add(asyncio.create_task(self._run_until_empty()))
        return future

    async def drain(self) -> None:
        """Take nothing more, and finish what was taken."""
        self._draining = True
        while self._runners:
            await asyncio.gather(*self._runners)

    async def _run_until_empty(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(LARGEST_GROUP, len(self._waiting)))]
                metrics.group_size.observe(len(group))
                commands = [command for command, _ in group]
                results = await self._settle_all(commands)
                for (_, future), result in zip(group, results, strict=True):
                    _settle(future, result)
        finally:  # at once: whoever comes next must find that nobody is left to take it along
            self._runners = {runner for runner in self._runners if runner is not asyncio.current_task()}

    async def _settle_all(self, commands: list[AnyCommand]) -> list[Result]:
        """Settle a batch. What was entered stands, whatever becomes of the rest."""
        results: list[Result | None] = [None] * len(commands)
        if self._enter is not None:
            results = await _entered(self._enter, commands)
        left = [position for position, result in enumerate(results) if result is None]
        if left:
            loop, rest = asyncio.get_running_loop(), [commands[position] for position in left]
            settled = await loop.run_in_executor(self._executor, _settled, self._run, rest)
            for position, result in zip(left, settled, strict=True):
                results[position] = result
        crash.point("intake.after_commit_before_response")
        return [result for result in results if result is not None]


async def _entered(enter: Enter[AnyCommand], commands: list[AnyCommand]) -> list[Outcome | Exception | None]:
    """Enter a batch; one that a bug breaks is entered again one by one, so that only the culprit fails."""
    try:
        results: list[Outcome | Exception | None] = list(await enter(commands))
        if len(results) != len(commands):
            raise ValueError("a handler owes one outcome a command")  # noqa: TRY301 - meant for the fallback below
    except Transient as error:
        return [error] * len(commands)
    except Exception as error:  # noqa: BLE001 - it travels on to the request that it belongs to
        return [error] if len(commands) == 1 else [(await _entered(enter, [command]))[0] for command in commands]
    return results


def _settled(run: Run[AnyCommand], commands: list[AnyCommand]) -> list[Result]:
    """Run a batch on a thread; one that a bug breaks is run again one by one, so that only the culprit fails."""
    try:
        results: list[Result] = list(run(commands))
        if len(results) != len(commands):
            raise ValueError("a handler owes one outcome a command")  # noqa: TRY301 - meant for the fallback below
    except Transient as error:
        return [error] * len(commands)
    except Exception as error:  # noqa: BLE001 - it travels on to the request that it belongs to
        return [error] if len(commands) == 1 else [_settled(run, [command])[0] for command in commands]
    return results


def _settle(future: asyncio.Future[Outcome], result: Result) -> None:
    if future.done():  # the client went away; what was committed stands
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
