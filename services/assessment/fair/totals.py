"""What of each cadre is compared with everybody's, in little room: sums by kind of case, ratings by rater, numbers."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Set
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Final

from services.assessment.fair.marks import OF_ANSWER, CellNumbers, Counted
from services.assessment.fair.records import MICRO, Cadre, Dossier
from services.assessment.fair.values import EXPLAINING

FITTED: Final = ("timeliness", "reply", "resolution", EXPLAINING, "speed", "satisfaction")
PICO: Final = MICRO * MICRO
SUMS: Final = 3  # of a cell: weight, weight x value, weight x value x value
HASH_BYTES: Final = 16
_CELL_BITS: Final = 24
_PLACES: Final = {name: place << _CELL_BITS for place, name in enumerate(FITTED)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`issues` and `effective_contacts` are millionths."""

    cadre: Cadre
    issues: int
    effective_contacts: int


@dataclass(frozen=True, slots=True)
class CellSums:
    """One cadre's sums of one indicator: numbers of cells, and SUMS of each."""

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
        self._cells: dict[str, tuple[array[int], array[float]]] = {}
        self._records: dict[str, array[int]] = {}

    def add(self, one: Counted) -> None:
        """Whoever was added before is replaced."""
        cadre = one.cadre
        self.people[cadre] = Person(
            cadre=one.dossier.cadre, issues=one.issues, effective_contacts=one.effective_contacts
        )
        self._cells[cadre] = self._sum_cells(one)
        self.opinions[cadre] = self._list_opinions(one)
        self._records[cadre] = array("q", map(hash, list_records(one.dossier)))

    def list_holders(self, records: Set[str]) -> list[str]:
        """Cadres who may have one of these: none is missing."""
        wanted = {hash(record.removesuffix(OF_ANSWER)) for record in records}
        return [cadre for cadre, own in self._records.items() if not wanted.isdisjoint(own)]

    def iterate_cells(self, indicator: str) -> Iterator[CellSums]:
        """Of the cadres with any record that weighs."""
        first = _PLACES[indicator]
        for cadre, (keys, sums) in self._cells.items():
            start = bisect_left(keys, first)
            end = bisect_left(keys, first + (1 << _CELL_BITS), start)
            if end > start:
                cells = array("I", [key - first for key in keys[start:end]])
                yield CellSums(cadre, cells, sums[SUMS * start : SUMS * end])

    def _sum_cells(self, one: Counted) -> "tuple[array[int], array[float]]":
        found: dict[int, list[int]] = {}
        number_of = self.numbers.of
        for mark in one.marks:
            weight = mark.weight
            if weight and mark.indicator in _PLACES:
                weighted = weight * mark.value
                sums = found.setdefault(_PLACES[mark.indicator] + number_of(mark.cell), [0, 0, 0])
                sums[0] += weight
                sums[1] += weighted
                sums[2] += weighted * mark.value
        keys = sorted(found)
        parts = ((found[key][0] / MICRO, found[key][1] / PICO, found[key][2] / (PICO * MICRO)) for key in keys)
        return array("I", keys), array("d", chain.from_iterable(parts))

    def _list_opinions(self, one: Counted) -> Opinions:
        marks = [mark for mark in one.marks if mark.indicator == "satisfaction" and mark.rater and mark.weight]
        return Opinions(
            b"".join(hash_rater(mark.rater) for mark in marks),
            array("i", [mark.value for mark in marks]),
            array("I", [self.numbers.of(mark.cell) for mark in marks]),
        )


def list_records(dossier: Dossier) -> Iterator[str]:
    yield from (issue.issue for issue in dossier.issues)
    yield from (rating.rating for rating in dossier.ratings)
    yield from (contact.contact for contact in dossier.contacts)


def hash_rater(rater: str) -> bytes:
    return blake2b(rater.encode(), digest_size=HASH_BYTES).digest()
