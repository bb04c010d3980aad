"""The rows of an XLSX worksheet, or of a cadre file, in the form in which those of a CSV file come."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from typing_extensions import override

from services.intake.importing.findings import FileRefused, Finding, error
from services.intake.importing.reader import CONTROLS, Row
from services.intake.importing.sandbox import read_sandboxed

XLSX: Final = b"PK\x03\x04"
OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
HEADER_AMONG: Final = 10  # rows: above the header stand the title of the table and who made it when
MOST_ROSTER_BYTES: Final = 50_000_000  # with the photographs that a package brings and nobody unpacks
MOST_ROSTER_ROW: Final = 100_000_000
LONGEST_CELL: Final = 32_767
FAULTS: Final = {
    "imprecise-number": "a number of more than 15 digits, of which the sheet has lost some: "
    "format the column as text before the numbers are put in, and export it again",
    "formula-error": "a formula that gives an error",
    "no-name": "the person has no name",
    "bad-birth-month": "the month of birth is none, such as 197003",
    "bad-appraisals": "the text of the annual appraisals does not read; none of this person's was taken",
    "bad-cv": "the lines of the CV do not begin with months such as 1998.09--2001.07; none of this person's was taken",
    "bad-day": "a day or month of the post or rank is none, such as 20200301",
    "ended-without-day": "the post or rank is over, and the file does not say since when",
    "too-many-entries": "the person has more posts, ranks, results and lines than any has",
}

PlaceColumns = Callable[[list[str]], tuple[dict[str, int], list[str], list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLimits:
    most_bytes: int = 5_000_000
    most_rows: int = 20_000
    most_columns: int = 50


class Sheet:
    """One worksheet, read to its end before the first row is given. `place` finds a profile's columns in a header."""

    def __init__(self, file: BinaryIO, limits: SheetLimits, *, place: PlaceColumns, name: str | None = None) -> None:
        """Raises FileRefused where no row among the first could be a header."""
        self._rows = self._read(file, limits, name)
        self._pending: list[_Read] = []
        self.header = self._find_header(place)
        self._used = sorted(place(self.header)[0].values())

    def rows(self) -> Iterator[Row | Finding]:
        width = len(self.header)
        for row in (*self._pending, *self._rows):
            cells = row.cells[:width] + [""] * (width - len(row.cells))
            yield self._fault_of(row, cells) or (row.number, cells)

    def _fault_of(self, row: "_Read", cells: list[str]) -> Finding | None:
        """A fault counts where the profile reads the cell; a broken formula in a column that nobody wants does not."""
        for place in self._used:
            column = self.header[place]
            if place in row.faults:
                code = row.faults[place]
                return error(row.number, code, FAULTS[code], column)
            if len(cells[place]) > LONGEST_CELL:
                return error(row.number, "cell-too-long", f"a cell has more than {LONGEST_CELL} characters", column)
            control = CONTROLS.search(cells[place])
            if control is not None:
                return error(row.number, "control-character", f"control character U+{ord(control[0]):04X}", column)
        return None

    def _find_header(self, place: PlaceColumns) -> list[str]:
        """The first row that has every column; else the one that lacks fewest, so that the refusal can name them."""
        for row in self._rows:
            self._pending.append(row)
            names = _names(row)
            if not place(names)[1]:
                self._pending.clear()
                return names
            if len(self._pending) >= HEADER_AMONG:
                break
        if not self._pending:
            raise FileRefused("empty-file", "the sheet is empty: a header row is needed")
        return min((_names(row) for row in self._pending), key=lambda names: len(place(names)[1]))

    def _read(self, file: BinaryIO, limits: SheetLimits, name: str | None) -> "Iterator[_Read]":
        data = _take(file, limits.most_bytes)
        lowest = limits.most_rows + HEADER_AMONG
        values = read_sandboxed("sheet", data, most_rows=lowest, most_columns=limits.most_columns, name=name)
        return (_believe(value, lowest, limits.most_columns) for value in values)


class Roster(Sheet):
    """A cadre file as a table of one row for each result, post, rank and line of the CV of a person."""

    def __init__(
        self, file: BinaryIO, limits: SheetLimits, *, place: PlaceColumns, kind: str, documents: bool = False
    ) -> None:
        """Document numbers are read where the profile takes them alone. Raises FileRefused."""
        self._documents = documents
        super().__init__(file, limits, place=place, name=kind)

    @override
    def _read(self, file: BinaryIO, limits: SheetLimits, name: str | None) -> "Iterator[_Read]":
        values = read_sandboxed(name or "", _take(file, MOST_ROSTER_BYTES), documents=self._documents)
        return (_believe(value, MOST_ROSTER_ROW, limits.most_columns) for value in values)


@dataclass(frozen=True, slots=True)
class _Read:
    number: int
    cells: list[str]
    faults: dict[int, str]


def is_sheet(start: bytes) -> bool:
    return start.startswith(XLSX)


def refuse_old_office(start: bytes, file: BinaryIO, limits: SheetLimits) -> None:
    """Raises FileRefused for what older programs, and newer ones with a password, put into the same container."""
    if not start.startswith(OLD_OFFICE):
        return
    if ENCRYPTED in start or ENCRYPTED in file.read(limits.most_bytes):
        raise FileRefused("password-protected", "the file is protected by a password; save it without one")
    raise FileRefused("old-office", "this is an old .xls or .et spreadsheet, whatever its name; save it as XLSX or CSV")


def _take(file: BinaryIO, most_bytes: int) -> bytes:
    data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise FileRefused("sheet-too-large", f"such a file may have {most_bytes} bytes; split it or send CSV")
    return data


def _believe(value: Any, lowest: int, most_columns: int) -> _Read:  # noqa: ANN401 - whatever JSON holds
    """Raises FileRefused for an answer that the reading process cannot have given while it was itself."""
    match value:
        case [int(number), [*cells], [*faults]] if (
            0 < number <= lowest
            and len(cells) <= most_columns
            and all(isinstance(cell, str) for cell in cells)
            and all(_is_fault(fault) for fault in faults)
        ):
            return _Read(number, cells, dict(faults))
    raise FileRefused("sheet-broken", "the file could not be read")


def _is_fault(fault: object) -> bool:
    match fault:
        case [int(), str(code)]:
            return code in FAULTS
    return False


def _names(row: _Read) -> list[str]:
    names = [re.sub(r"\s+", " ", cell).strip() for cell in row.cells]
    while names and not names[-1]:
        names.pop()
    return names
