"""The audit of reading: lines of requests that run at the same time share one commit, and the answers wait for it."""

import asyncio
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from prometheus_client import Counter, Histogram

from shared.audit.chain import Line, append, as_row
from shared.database import Pool, transaction
from shared.errors import Transient
from shared.observability import get_logger

LARGEST_GROUP: Final = 256
LONGEST_QUEUE: Final = 4_000

lines_total = Counter("audit_lines_total", "Audit lines of reads and refusals, by what became of them.", ["outcome"])
group_size = Histogram(
    "audit_group_size", "Audit lines that shared a commit.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
log = get_logger()


class AuditAway(Transient):
    """What was asked could not be recorded, so it is not answered."""

    code = "audit-unavailable"


class Trail:
    """Appends one group at a time on a thread; what gathers meanwhile is the next group. There is no timer."""

    def __init__(self, pool: Pool, *, longest_queue: int = LONGEST_QUEUE) -> None:
        self._pool = pool
        self._longest_queue = longest_queue
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._waiting: deque[tuple[Mapping[str, Any], asyncio.Future[None]]] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def submit(self, *lines: Line) -> None:
        """Return once the lines are committed. Raises AuditAway: then there must be no answer."""
        if len(self._waiting) + len(lines) > self._longest_queue:
            raise AuditAway("too much waits to be recorded")
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[None]] = [loop.create_future() for _ in lines]
        self._waiting.extend(zip((as_row(line) for line in lines), futures, strict=True))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run_until_empty())
        for result in await asyncio.gather(*futures, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _run_until_empty(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(LARGEST_GROUP, len(self._waiting)))]
                failure = await loop.run_in_executor(self._executor, self._append, [row for row, _ in group])
                for _, future in group:
                    _settle(future, failure)
        finally:
            self._runner = None

    def _append(self, rows: list[Mapping[str, Any]]) -> AuditAway | None:
        try:
            with transaction(self._pool) as connection:
                append(connection, rows)
        except Exception as error:
            # Whatever went wrong, nobody may be answered as if it had been recorded.
            log.exception("audit_failed", error=type(error).__name__, lines=len(rows))
            lines_total.labels("lost").inc(len(rows))
            return AuditAway("what was asked could not be recorded")
        group_size.observe(len(rows))
        lines_total.labels("kept").inc(len(rows))
        return None


def _settle(future: asyncio.Future[None], failure: AuditAway | None) -> None:
    if future.done():  # the client went away; the line stands
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)
