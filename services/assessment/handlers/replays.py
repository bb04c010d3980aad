"""Computing a closed period again from what was frozen with it, and holding the result against its hashes."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.assessment.domain.periods import BadPeriod, Period
from services.assessment.domain.schemes import Scheme, read_scheme
from services.assessment.domain.scores import NotPublished, UnknownScheme
from services.assessment.handlers.editions import PeriodHash
from services.assessment.handlers.publishing import Basis, describe, seal
from services.assessment.storage import closed_periods, schemes
from services.assessment.storage.closed_periods import ClosedPeriod, FrozenPublication, PublicationLine
from services.assessment.storage.schemes import StoredScheme
from shared.audit.chain import Line, note
from shared.database import Pool, transaction
from shared.errors import Rejected
from shared.reach import current

PAGE: Final = 1_000
MOST_OVER_THE_DOOR: Final = 20_000
MOST_TOLD: Final = 100

Compute = Callable[[list[str]], list[tuple[bytes, bytes]]]


class TooManyToReplay(Rejected):
    """More than a request should wait for: the command does any number."""

    code = "too-many-to-replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    subject_kind: str
    subject_id: UUID
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`unfrozen` publications are of before inputs were kept: of these only the document is hashed again."""

    period: Period
    publications: int
    unfrozen: int
    expected: str
    found: str
    differing: tuple[Differing, ...]

    @property
    def is_same(self) -> bool:
        return self.expected == self.found and not self.differing


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodPackage:
    """A closed period with the definition of its scheme, and a way to page through its publications."""

    closed: ClosedPeriod
    scheme: StoredScheme
    read_page: Callable[[tuple[str, UUID] | None], list[FrozenPublication]]


def replay_period(pool: Pool, period: Period, *, workers: int = 1, most: int | None = None) -> Replay:
    """Raises NotPublished, UnknownScheme, TooManyToReplay."""
    package = open_package(pool, period)
    closed = package.closed
    if most is not None and closed.publication_count > most:
        raise TooManyToReplay(f"more than {most} publications are replayed by the command, not over the door")
    definition = package.scheme.definition
    total = PeriodHash(
        period,
        Basis(
            scheme=read_scheme(definition),
            definition_hash=package.scheme.content_hash,
            parameters=orjson.loads(closed.parameters),
        ),
    )
    unfrozen, differing = 0, []
    with _computing(definition, workers) as compute:
        for page in _pages(package):
            frozen = [one.inputs for one in page if one.inputs is not None]
            hashes = iter(compute(frozen))
            for one in page:
                unfrozen += one.inputs is None
                found = _rehash(one) if one.inputs is None else next(hashes)
                if found != (one.inputs_hash, one.content_hash):
                    differing.append(_differing(one, found[1]))
                total.add(_line(one, *found))
    return Replay(
        period=period,
        publications=total.count,
        unfrozen=unfrozen,
        expected=closed.content_hash.hex(),
        found=total.digest().hex(),
        differing=tuple(differing[:MOST_TOLD]),
    )


def open_package(pool: Pool, period: Period) -> PeriodPackage:
    """Raises NotPublished, UnknownScheme."""
    with transaction(pool) as connection:
        closed = closed_periods.find_closed_period(connection, period)
        if closed is None:
            raise NotPublished("that period is not closed, or was closed before periods had a hash")
        stored = schemes.find_scheme(connection, closed.scheme_name, closed.scheme_version)
    if stored is None:
        raise UnknownScheme("the scheme of the period is not loaded")

    def read_page(after: tuple[str, UUID] | None) -> list[FrozenPublication]:
        with transaction(pool) as connection:
            return closed_periods.list_frozen(connection, period, after=after, limit=PAGE)

    return PeriodPackage(closed=closed, scheme=stored, read_page=read_page)


def list_closed_periods(pool: Pool) -> list[ClosedPeriod]:
    with transaction(pool) as connection:
        return closed_periods.list_closed_periods(connection)


def ask_for_period(pool: Pool, period: Period, *, now: datetime) -> bool:
    """Let these days be closed and published like a month; return whether that is new. Raises BadPeriod."""
    if period.kind != "custom":
        raise BadPeriod("periods of the calendar are closed without being asked for")
    acting = current()
    with transaction(pool) as connection:
        asked_by = acting.actor if acting is not None else "system"
        is_new = closed_periods.insert_custom_period(connection, period, asked_by=asked_by, asked_at=now)
        if is_new:
            note(connection, Line(action="period.declare", object_type="period", object_id=period.label))
    return is_new


def list_custom_periods(pool: Pool) -> list[Period]:
    with transaction(pool) as connection:
        return closed_periods.list_custom_periods(connection)


def iterate_package(package: PeriodPackage) -> Iterator[FrozenPublication]:
    for page in _pages(package):
        yield from page


def _pages(package: PeriodPackage) -> Iterator[list[FrozenPublication]]:
    after = None
    while page := package.read_page(after):
        yield page
        after = (page[-1].subject_kind, page[-1].subject_id)


@contextmanager
def _computing(definition: dict[str, Any], workers: int) -> Iterator[Compute]:
    """Here, or in so many processes: the order of what comes back is the order of what was given."""
    if workers <= 1:
        scheme = read_scheme(definition)
        yield lambda frozen: [_recompute(inputs, scheme) for inputs in frozen]
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_use_scheme, initargs=(definition,)) as processes:
        yield lambda frozen: list(processes.map(_recompute_here, frozen, chunksize=max(1, PAGE // workers // 4)))


_in_use: dict[str, Scheme] = {}


def _use_scheme(definition: dict[str, Any]) -> None:
    _in_use["scheme"] = read_scheme(definition)


def _recompute_here(inputs: str) -> tuple[bytes, bytes]:
    return _recompute(inputs, _in_use["scheme"])


def _recompute(inputs: str, scheme: Scheme) -> tuple[bytes, bytes]:
    frozen = orjson.loads(inputs)
    return seal(frozen)[1], seal(describe(frozen, scheme))[1]


def _rehash(one: FrozenPublication) -> tuple[bytes | None, bytes]:
    return None, seal(orjson.loads(one.document))[1]


def _differing(one: FrozenPublication, found: bytes) -> Differing:
    return Differing(
        subject_kind=one.subject_kind, subject_id=one.subject_id, expected=one.content_hash.hex(), found=found.hex()
    )


def _line(one: FrozenPublication, inputs_hash: bytes | None, content_hash: bytes) -> PublicationLine:
    return PublicationLine(
        subject_kind=one.subject_kind, subject_id=one.subject_id, inputs_hash=inputs_hash, content_hash=content_hash
    )
