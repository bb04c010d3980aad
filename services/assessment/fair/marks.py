"""One record's part in one indicator: its value, its weight, the cell of like records, and why it counts so."""

from dataclasses import dataclass, field
from functools import cache
from typing import Literal, NamedTuple

from services.assessment.fair.records import Dossier, Issue

Note = Literal[
    "",
    "duplicate",
    "set_aside",
    "not_due",
    "no_allowance",
    "explained",
    "unassessed",
    "unknown",
    "disowned",
    "empty_instant",
    "told_afterwards",
    "not_the_complainant",
]
Cell = tuple[str, ...]
OF_ANSWER = "#answer"
OF_CLOCK = "#clock"
OF_LABEL = "#label"
UNLABELLED: Cell = ()


@cache
def cell_of(*words: str) -> Cell:
    """One and the same for all records of a kind: there are few kinds, and many records."""
    return words


class CellNumbers:
    """Small numbers for cells, so that long lists of them take little room."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self._numbers: dict[Cell, int] = {}

    def of(self, cell: Cell) -> int:
        number = self._numbers.get(cell)
        if number is None:
            number = self._numbers[cell] = len(self.cells)
            self.cells.append(cell)
        return number


def answer_of(issue: str) -> str:
    """The name under which only the time of an issue's answer is set aside."""
    return f"{issue}{OF_ANSWER}"


def clock_of(issue: str) -> str:
    """The name under which only an issue's times are set aside: of its answer, and of its closing."""
    return f"{issue}{OF_CLOCK}"


def label_of(issue: str) -> str:
    """The name under which only an issue's category and complexity are set aside: it is compared with all issues."""
    return f"{issue}{OF_LABEL}"


def record_of(name: str) -> str:
    """The record of which all, or only a part, is set aside under this name."""
    return name.removesuffix(OF_ANSWER).removesuffix(OF_CLOCK).removesuffix(OF_LABEL)


class Mark(NamedTuple):
    """Value and weight are millionths. A weight of 0 is a record that does not count; its note says why.

    A tuple, since there are several of each record, and a frozen dataclass takes six times as long to make.
    """

    record: str
    indicator: str
    cell: Cell
    value: int
    weight: int
    note: Note = ""
    rater: str = ""


@dataclass(slots=True, kw_only=True)
class Counted:
    """What the records of one dossier come to, before they are compared with anybody's."""

    dossier: Dossier
    marks: list[Mark] = field(default_factory=list)
    issues: int = 0  # millionths, by share, duplicates and those set aside left out
    effective_contacts: int = 0  # millionths
    contact_notes: dict[str, tuple[int, str]] = field(default_factory=dict)
    counted_issues: list[Issue] = field(default_factory=list)

    @property
    def cadre(self) -> str:
        return self.dossier.cadre.cadre
