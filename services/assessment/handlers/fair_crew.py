"""Counting and describing everybody, in several processes where an installation gives more: the same in any number.

Pieces go out and come back in one order, a few at a time. Each process reads by a session of its own.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import orjson

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.engine import Judged
from services.assessment.fair.explaining import Case, make_case
from services.assessment.fair.freezing import rename, thaw
from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Cadre, Span
from services.assessment.fair.results import Result
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.totals import list_doubtful
from services.assessment.fair.yardstick import Part, Yardstick, part_of
from services.assessment.handlers.fair_reading import read_shard
from services.assessment.handlers.fair_shelf import DatabaseShelf, pack_row, unpack_row
from services.assessment.storage.fair_records import Window
from services.assessment.storage.fair_shelf import Row
from shared.database import Connection, Pool, open_pool, transaction
from shared.reach import SYSTEM

Done = TypeVar("Done")
Check = tuple[str, str]
UNDER_WAY: Final = 3  # pieces for each process
CASES_A_PIECE: Final = 100
STATEMENT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is counted, and how. `label`: of the window in which citizens have other names."""

    window: Window
    span: Span
    settings: FairSettings
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Generic[Done]):
    """`write` makes something of some cases and of what is known of their cadres beside: `beside` of their ids."""

    yardstick: Yardstick
    write: Callable[[Sequence[Case], FairSettings, Any], Done]
    beside: Callable[[Sequence[str]], Any]


class Crew:
    def __init__(self, url: str, executor: ProcessPoolExecutor | None, workers: int) -> None:
        self._url = url
        self._executor = executor
        self._most = UNDER_WAY * workers

    def count(
        self, connection: Connection, reading: Reading, shards: Iterable[Sequence[Cadre]], shelf: DatabaseShelf
    ) -> Iterator[Counted]:
        """Each stands on the shelf when it comes. Without others this process reads, by the connection."""
        if self._executor is None:
            for cadres in shards:
                for one in _count(connection, reading, cadres):
                    shelf.put(one)
                    yield one
            return
        for rows in self._map(_count_there, ((self._url, reading, cadres) for cadres in shards)):
            yield from shelf.put_rows(rows)

    def count_frozen(
        self, pages: Iterable[Sequence[str]], span: Span, settings: FairSettings, shelf: DatabaseShelf
    ) -> Iterator[tuple[Counted, list[Check]]]:
        """The same of inputs, each with the checks of which the cadre was cleared."""
        if self._executor is None:
            for page in pages:
                for text in page:
                    one, cleared = _count_frozen(text, span, settings)
                    shelf.put(one)
                    yield one, cleared
            return
        for found in self._map(_count_frozen_there, ((page, span, settings) for page in pages)):
            yield from zip(shelf.put_rows([row for row, _ in found]), [cleared for _, cleared in found], strict=True)

    def describe(self, judged: Judged, shelf: DatabaseShelf, description: Description[Done]) -> Iterator[Done]:
        """Everybody, piece by piece in the order of the results."""
        pieces = self._list_pieces(judged, shelf, description)
        if self._executor is None:
            yield from (_describe(*piece) for piece in pieces)
        else:
            yield from self._map(_describe, pieces)

    def _list_pieces(
        self, judged: Judged, shelf: DatabaseShelf, description: Description[Done]
    ) -> Iterator[tuple[Any, ...]]:
        rows = shelf.iterate_rows()
        while piece := [_file(row, judged) for row in islice(rows, CASES_A_PIECE)]:
            beside = description.beside([one.row[0] for one in piece])
            yield description.write, piece, description.yardstick, judged.settings, beside

    def _map(self, work: Callable[..., Done], pieces: Iterable[tuple[Any, ...]]) -> Iterator[Done]:
        assert self._executor is not None  # noqa: S101 - whoever asks has looked
        under_way: deque[Future[Done]] = deque()
        for piece in pieces:
            under_way.append(self._executor.submit(work, *piece))
            if len(under_way) > self._most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


@contextmanager
def gather_crew(pool: Pool, workers: int) -> Iterator[Crew]:
    """`workers` processes beside this one; of one there is none beside."""
    if workers <= 1:
        yield Crew("", None, 1)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as executor:
        yield Crew(str(pool.conninfo), executor, workers)


_opened: dict[str, Pool] = {}  # in a process beside: the pool that it reads by


def _count_there(url: str, reading: Reading, cadres: Sequence[Cadre]) -> list[Row]:
    if url not in _opened:
        _opened[url] = open_pool(
            url, size=1, application="assessment.fair", statement_timeout_seconds=STATEMENT_SECONDS, system=True
        )
    with transaction(_opened[url], reach=SYSTEM) as connection:
        return [pack_row(one) for one in _count(connection, reading, cadres)]


def _count(connection: Connection, reading: Reading, cadres: Sequence[Cadre]) -> Iterator[Counted]:
    for dossier in read_shard(connection, reading.window, cadres):
        renamed = dossier if reading.label is None else rename(dossier, reading.label)
        yield count_dossier(renamed, reading.span, reading.settings)


def _count_frozen_there(page: Sequence[str], span: Span, settings: FairSettings) -> list[tuple[Row, list[Check]]]:
    found = (_count_frozen(text, span, settings) for text in page)
    return [(pack_row(one), cleared) for one, cleared in found]


def _count_frozen(text: str, span: Span, settings: FairSettings) -> tuple[Counted, list[Check]]:
    data = orjson.loads(text)
    dossier = thaw(data)
    return count_dossier(dossier, span, settings), [(dossier.cadre.cadre, check) for check in data["cleared"]]


@dataclass(frozen=True, slots=True)
class _Filed:
    """One cadre as it stands on the shelf, with what was found of it."""

    row: Row
    part: Part
    result: Result
    set_aside: frozenset[str]


def _file(row: Row, judged: Judged) -> _Filed:
    cadre = row[0]
    set_aside = frozenset[str]()
    if cadre in judged.counted_anew:
        set_aside = judged.set_aside.intersection(list_doubtful(unpack_row(row).dossier))
    return _Filed(row, part_of(judged.scored.frame, cadre), judged.by_cadre[cadre], set_aside)


def _describe(
    write: Callable[[Sequence[Case], FairSettings, Any], Done],
    piece: Sequence[_Filed],
    yardstick: Yardstick,
    settings: FairSettings,
    beside: Any,  # noqa: ANN401 - what the writer wants
) -> Done:
    cases = [
        replace(make_case(unpack_row(one.row), one.part, one.result, yardstick, settings), set_aside=one.set_aside)
        for one in piece
    ]
    return write(cases, settings, beside)
