"""One turn of an import: chunk after chunk, each with its findings and the run's progress in one commit.

So an import that is cut short, by a crash or by the end of its turn, goes on where it was and counts nothing twice.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from services.intake import metrics
from services.intake.handlers.import_chunks import ChunkResult, PreparedChunk, apply_chunk, prepare_chunk
from services.intake.importing.chunks import Chunk, read_chunks
from services.intake.importing.findings import FileRefused, Finding
from services.intake.importing.profile import load_profile
from services.intake.importing.sheets import SheetLimits
from services.intake.importing.source import Limits
from services.intake.storage import imports as storage
from shared import crash
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, joined, set_reach, transaction
from shared.errors import NotFound, Rejected, Transient
from shared.identifiers import new_id
from shared.observability import get_logger
from shared.reach import SYSTEM, Reach, acting

LEASE = timedelta(minutes=2)
KEPT_A_CODE = 1_000  # findings of one code that a run keeps; all are counted
TRIES_A_CHUNK = 10
MOST_UNDER_WAY = 2
LONGEST_PAUSE_SECONDS = 5.0
LONGEST_DETAIL = 500

Clock = Callable[[], datetime]
Report = Callable[[storage.Progress], None]
Reason = tuple[str, str]

log = get_logger()


class LeaseLost(Transient):
    """Another worker has taken the run over, because this one was silent for too long."""

    code = "lease-lost"


class _Rehearsed(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings:
    directory: Path
    most_bytes: int
    sheets: SheetLimits = field(default_factory=SheetLimits)
    profile_directories: tuple[Path, ...] = ()


@dataclass(slots=True)
class _State:
    """How far the run is, as the database has it."""

    progress: storage.Progress
    tallies: dict[str, int]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A chunk that is being entered, and how far the run will be with it."""

    prepared: PreparedChunk
    state: "Future[_State]"


def now_utc() -> datetime:
    return datetime.now(UTC)


class ImportWork:
    def __init__(
        self,
        pool: Pool,
        run: storage.ImportRun,
        settings: ImportSettings,
        *,
        clock: Clock,
        report: Report | None = None,
        end_of_turn: float = float("inf"),
    ) -> None:
        self._pool = pool
        self._run = run
        self._settings = settings
        self._clock = clock
        self._report = report
        self._end_of_turn = end_of_turn
        self._state = _state_of(run)
        self._reach = reach_of(run)

    def do(self, file: Path) -> storage.State:
        """Go on with the run; return its state: done, failed, or due where the turn ended first."""
        try:
            profile = load_profile(self._run.profile, self._settings.profile_directories)
            with file.open("rb") as stream:
                limits = Limits(most_bytes=self._settings.most_bytes, sheets=self._settings.sheets)
                chunks = read_chunks(
                    stream,
                    profile,
                    limits,
                    correlation_id=self._run.correlation_id,
                    new_id=new_id,
                    after=self._state.progress.last_line,
                )
                prepared = (prepare_chunk(chunk, now=self._clock()) for chunk in chunks)
                with closing(_read_ahead(prepared)) as ahead:
                    return self._rehearse(ahead) if self._run.dry_run else self._perform(ahead)
        except (NotFound, Rejected) as refusal:
            return self.finish((refusal.code, refusal.detail))

    def finish(self, reason: Reason | None) -> storage.State:
        with transaction(self._pool) as connection:
            if not storage.finish_run(connection, self._run, now=self._clock(), reason=reason):
                raise LeaseLost("another worker has taken the run over")
            details = {"state": "done" if reason is None else "failed", "reason": reason[0] if reason else None}
            note(
                connection,
                Line(action="import.finished", object_type="import", object_id=self._run.id, details=details),
            )
        state: storage.State = "done" if reason is None else "failed"
        metrics.import_runs_total.labels(state).inc()
        log.info("import_finished", run_id=str(self._run.id), state=state, reason=reason[0] if reason else "")
        return state

    def _perform(self, chunks: Iterator[PreparedChunk]) -> storage.State:
        with closing(self._commit_all(chunks)) as committed:
            for prepared, is_new in committed:
                if is_new and self._report is not None:
                    self._report(self._state.progress)
                if prepared.chunk.broken is not None:
                    return self.finish(_reason(prepared.chunk.broken))
                # Only after something new: a turn that ended while finding its place again would never come further.
                if is_new and time.monotonic() > self._end_of_turn:
                    with transaction(self._pool) as connection:
                        storage.release_run(connection, self._run)
                    return "due"
        return self.finish(None)

    def _commit_all(self, chunks: Iterator[PreparedChunk]) -> Generator[tuple[PreparedChunk, bool], None, None]:
        """Commit chunk after chunk, and say of each whether it was new.

        Of contacts alone the next chunk is entered while the one before is, and commits behind it.
        """
        under_way: deque[_UnderWay] = deque()
        with ThreadPoolExecutor(max_workers=MOST_UNDER_WAY, thread_name_prefix="import-entry") as executor:
            for prepared in chunks:
                if prepared.chunk.last_line <= self._state.progress.last_line:
                    self._stay_alive()
                    yield prepared, False
                elif prepared.is_of_contacts and self._pool.max_size > MOST_UNDER_WAY:
                    before = under_way[-1].state if under_way else None
                    context = copy_context()
                    under_way.append(_UnderWay(prepared, executor.submit(context.run, self._commit, prepared, before)))
                    yield from self._land(under_way, leave=MOST_UNDER_WAY - 1)
                else:
                    yield from self._land(under_way, leave=0)
                    self._commit_at_last(prepared)
                    yield prepared, True
            yield from self._land(under_way, leave=0)

    def _land(self, under_way: "deque[_UnderWay]", *, leave: int) -> Iterator[tuple[PreparedChunk, bool]]:
        """Wait for the first of those under way. One that fails takes those behind it along, and is tried by itself."""
        while len(under_way) > leave:
            first = under_way.popleft()
            try:
                self._state = first.state.result()
            except LeaseLost:
                raise
            except Transient as problem:
                log.warning("import_chunk_repeated", run_id=str(self._run.id), reason=problem.code, attempt=1)
                self._commit_at_last(first.prepared, attempt=2)
            else:
                crash.point("intake.after_import_chunk_commit")
            yield first.prepared, True

    def _commit_at_last(self, prepared: PreparedChunk, *, attempt: int = 1) -> None:
        """Commit a chunk, and wait out an outage of some seconds; the lease is far longer.

        Where the outcome of a try is unknown, the run's own row says whether it went through.
        """
        for number in range(attempt, TRIES_A_CHUNK + 1):
            try:
                if number > 1:
                    self._state = _state_of(_read_run(self._pool, self._run.id))
                if self._state.progress.last_line < prepared.chunk.last_line:
                    self._state = self._commit(prepared)
            except LeaseLost:
                raise
            except Transient as problem:
                if number == TRIES_A_CHUNK:
                    raise
                log.warning("import_chunk_repeated", run_id=str(self._run.id), reason=problem.code, attempt=number)
                time.sleep(random.uniform(0.5, 1) * min(LONGEST_PAUSE_SECONDS, 2**number / 4))  # noqa: S311 - jitter
            else:
                crash.point("intake.after_import_chunk_commit")
                return

    def _commit(self, prepared: PreparedChunk, before: "Future[_State] | None" = None) -> _State:
        """Enter a chunk, and commit it once the one before stands; return the state since."""
        chunk = prepared.chunk
        with transaction(self._pool) as connection:
            result = self._apply(connection, prepared)
            state = self._record(connection, chunk, result, before.result() if before else self._state)
            crash.point("intake.before_import_chunk_commit")
        metrics.import_rows_total.labels("refused").inc(chunk.refused_count + result.refused)
        metrics.import_rows_total.labels("accepted").inc(result.created + result.changed + result.unchanged)
        return state

    def _apply(self, connection: Connection, prepared: PreparedChunk) -> ChunkResult:
        """As whoever asked for the run: what that account may not see or touch, its file does not touch either."""
        reach = self._reach
        set_reach(connection, reach)
        with acting(reach):
            result = apply_chunk(joined(connection), prepared, now=self._clock())
        set_reach(connection, SYSTEM)  # findings and progress are the importer's own
        return result

    def _rehearse(self, chunks: Iterator[PreparedChunk]) -> storage.State:
        """Do everything in one transaction, so that each chunk finds what those before it made, and then undo it."""
        broken = None
        with _undone(self._pool) as connection:
            for prepared in chunks:
                chunk = prepared.chunk
                result = self._apply(connection, prepared)
                with transaction(self._pool) as visible:
                    self._state = self._record(visible, chunk, result, self._state)
                if self._report is not None:
                    self._report(self._state.progress)
                broken = chunk.broken
        return self.finish(_reason(broken) if broken else None)

    def _record(self, connection: Connection, chunk: Chunk, result: ChunkResult, state: _State) -> _State:
        """Write findings and progress; return the state that holds once this transaction is through."""
        tallies = dict(state.tallies)
        findings = [*chunk.findings, *result.findings]
        kept = [_row(finding) for finding in findings if _count(finding, tallies) <= KEPT_A_CODE]
        before = state.progress
        flagged = {finding.line for finding in findings if finding.severity == "flag"}
        progress = storage.Progress(
            last_line=max(chunk.last_line, before.last_line),
            rows_read=before.rows_read + chunk.rows_read,
            created_count=before.created_count + result.created,
            changed_count=before.changed_count + result.changed,
            unchanged_count=before.unchanged_count + result.unchanged,
            refused_count=before.refused_count + chunk.refused_count + result.refused,
            flagged_count=before.flagged_count + len(flagged),
        )
        storage.insert_findings(connection, self._run.id, kept)
        until = self._clock() + LEASE
        if not storage.set_progress(connection, self._run, progress, tallies, lease_until=until):
            raise LeaseLost("another worker has taken the run over")
        return _State(progress, tallies)

    def _stay_alive(self) -> None:
        with transaction(self._pool) as connection:
            if not storage.extend_lease(connection, self._run, lease_until=self._clock() + LEASE):
                raise LeaseLost("another worker has taken the run over")


def _read_run(pool: Pool, run_id: UUID) -> storage.ImportRun:
    with transaction(pool) as connection:
        return storage.get_run(connection, run_id)


@contextmanager
def _undone(pool: Pool) -> Iterator[Connection]:
    """A transaction that is rolled back at its end, whatever came of it."""
    with suppress(_Rehearsed), transaction(pool) as connection:
        yield connection
        raise _Rehearsed


def _read_ahead(chunks: Iterator[PreparedChunk]) -> Generator[PreparedChunk, None, None]:
    """Read and prepare the next chunk while the database is busy with the one before."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-reader") as executor:
        coming = executor.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = executor.submit(next, chunks, None)
            yield chunk


def _state_of(run: storage.ImportRun) -> _State:
    progress = storage.Progress(
        last_line=run.last_line,
        rows_read=run.rows_read,
        created_count=run.created_count,
        changed_count=run.changed_count,
        unchanged_count=run.unchanged_count,
        refused_count=run.refused_count,
        flagged_count=run.flagged_count,
    )
    return _State(progress, dict(run.tallies))


def reach_of(run: storage.ImportRun) -> Reach:
    """Whose reach the run has; a command's has the operator's."""
    if run.reach is None:
        return SYSTEM
    told = dict(run.reach)
    for name in ("organisation_codes", "actor_organisation_codes"):
        told[name] = tuple(told[name])
    told["account_id"] = UUID(told["account_id"]) if told["account_id"] else None
    return Reach(**told)


def _reason(broken: FileRefused) -> Reason:
    return (broken.code, broken.detail)


def _count(finding: Finding, tallies: dict[str, int]) -> int:
    name = f"{finding.severity}:{finding.code}"
    tallies[name] = tallies.get(name, 0) + 1
    return tallies[name]


def _row(finding: Finding) -> tuple[int, str, str, str, str]:
    return (finding.line, finding.severity, finding.code, finding.column[:200], finding.detail[:LONGEST_DETAIL])
