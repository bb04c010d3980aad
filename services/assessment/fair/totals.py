"""What of each cadre is compared with everybody's, in little room: sums by kind of case, ratings by rater, numbers."""

import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Final

from services.assessment.fair.marks import CellNumbers, Counted, answer_of, clock_of, label_of, record_of
from services.assessment.fair.records import MICRO, Cadre, Dossier
from services.assessment.fair.values import EXPLAINING, LEAVING

FITTED: Final = ("timeliness", "reply", "resolution", EXPLAINING, LEAVING, "speed", "satisfaction")
PICO: Final = MICRO * MICRO
SUMS: Final = 3  # of a cell: weight, weight x value, weight x value x value
HASH_BYTES: Final = 16
_PLACES: Final = {name: place for place, name in enumerate(FITTED)}
_UNITS: Final = (MICRO, PICO, PICO * MICRO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`issues` and `effective_contacts` are millionths."""

    cadre: Cadre
    issues: int
    effective_contacts: int


@dataclass(frozen=True, slots=True)
class CellSums:
    """One cadre's sums of one indicator: numbers of cells, and SUMS columns of as many."""

    cadre: str
    cells: "array[int]"
    sums: "array[float]"


@dataclass(frozen=True, slots=True)
class Opinions:
    """One cadre's ratings that weigh and whose rater is known: hashes of the raters, values, numbers of the cells."""

    raters: bytes
    values: "array[int]"
    cells: "array[int]"


class Totals:
    """Numbers of everybody, without a record. The order in which cadres are added does not matter."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.opinions: dict[str, Opinions] = {}
        self.numbers = CellNumbers()
        self._cells: dict[str, tuple[bytes, ...]] = {}  # by cadre, of each of FITTED
        self._records: dict[str, array[int]] = {}  # parts of hashes

    def add(self, one: Counted) -> None:
        """Whoever was added before is replaced."""
        cadre = one.cadre
        self.people[cadre] = Person(
            cadre=one.dossier.cadre, issues=one.issues, effective_contacts=one.effective_contacts
        )
        self._cells[cadre] = self._sum_cells(one)
        self.opinions[cadre] = self._list_opinions(one)
        self._records[cadre] = array("I", map(_mark, list_records(one.dossier)))

    def list_holders(self, records: Set[str]) -> list[str]:
        """Cadres who may have one of these: none is missing."""
        wanted = {_mark(record_of(record)) for record in records}
        return [cadre for cadre, own in self._records.items() if not wanted.isdisjoint(own)]

    def iterate_cells(self, indicator: str) -> Iterator[CellSums]:
        """Of the cadres with any record that weighs."""
        place = FITTED.index(indicator)
        for cadre, kept in self._cells.items():
            if kept[place]:
                cells, sums = _unpack_sums(kept[place])
                yield CellSums(cadre, cells, sums)

    def _sum_cells(self, one: Counted) -> tuple[bytes, ...]:
        found: tuple[dict[int, list[int]], ...] = tuple({} for _ in FITTED)
        number_of = self.numbers.of
        for mark in one.marks:
            weight = mark.weight
            if weight and mark.cell:
                weighted = weight * mark.value
                sums = found[_PLACES[mark.indicator]].setdefault(number_of(mark.cell), [0, 0, 0])
                sums[0] += weight
                sums[1] += weighted
                sums[2] += weighted * mark.value
        return tuple(map(_pack_sums, found))

    def _list_opinions(self, one: Counted) -> Opinions:
        marks = [mark for mark in one.marks if mark.indicator == "satisfaction" and mark.rater and mark.weight]
        return Opinions(
            b"".join(hash_rater(mark.rater) for mark in marks),
            array("i", [mark.value for mark in marks]),
            array("I", [self.numbers.of(mark.cell) for mark in marks]),
        )


def _pack_sums(found: Mapping[int, Sequence[int]]) -> bytes:
    """Squeezed, since it is most of what is kept of a cadre: numbers of cells, then SUMS columns."""
    if not found:
        return b""
    columns = zip(*found.values(), strict=True)
    sums = chain.from_iterable(
        [number / unit for number in column] for column, unit in zip(columns, _UNITS, strict=True)
    )
    return zlib.compress(array("I", found).tobytes() + array("d", sums).tobytes(), level=1)


def _unpack_sums(squeezed: bytes) -> "tuple[array[int], array[float]]":
    data = zlib.decompress(squeezed)
    cells, sums = array("I"), array("d")
    size = len(data) // (cells.itemsize + SUMS * sums.itemsize)
    cells.frombytes(data[: size * cells.itemsize])
    sums.frombytes(data[size * cells.itemsize :])
    return cells, sums


def _mark(record: str) -> int:
    """Half of a hash: who is taken for a holder by accident is counted anew and comes out the same."""
    return hash(record) & 0xFFFFFFFF


def list_doubtful(dossier: Dossier) -> Iterator[str]:
    """Whatever may be set aside, by its name."""
    yield from list_records(dossier)
    yield from (name(issue.issue) for issue in dossier.issues for name in (answer_of, clock_of, label_of))


def list_records(dossier: Dossier) -> Iterator[str]:
    yield from (issue.issue for issue in dossier.issues)
    yield from (rating.rating for rating in dossier.ratings)
    yield from (contact.contact for contact in dossier.contacts)


def hash_rater(rater: str) -> bytes:
    return blake2b(rater.encode(), digest_size=HASH_BYTES).digest()
