"""A CSV file with a heading, row by row; a fault names file, line and column, and never repeats the text."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from shared.errors import Rejected

LONGEST_CELL: Final = 200
NOTHING: Final = frozenset({"nan", "nat", "none", "null"})  # as programs write an empty cell
REQUIRED: Final = object()
Parse = Callable[[str], Any]
Columns = Mapping[str, tuple[Parse, Any]]


def text(cell: str) -> str:
    return cell


class BadRecords(Rejected):
    code = "bad-records"


class BadCell(ValueError):
    """What was expected, without the text that was found."""


def read_table(file: Path, columns: Columns) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row stands and its values; an empty cell has the column's default. Raises BadRecords."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, strict=True)
        try:
            places = _read_heading(file.name, next(rows, []), columns)
            for cells in rows:
                if cells:
                    where = f"{file.name} line {rows.line_num}"
                    yield where, _read_row(where, cells, places, columns)
        except csv.Error as error:
            raise BadRecords(f"{file.name} line {rows.line_num}: {error}") from None
        except UnicodeDecodeError:
            raise BadRecords(f"{file.name} line {rows.line_num + 1} or after: is not UTF-8") from None


def _read_heading(name: str, heading: list[str], columns: Columns) -> dict[str, int]:
    names = [cell.strip().lower() for cell in heading]
    places = {column: names.index(column) for column in columns if column in names}
    if twice := sorted({column for column in places if names.count(column) > 1}):
        raise BadRecords(f"{name}: has {', '.join(twice)} twice")
    if missing := [column for column, (_, default) in columns.items() if default is REQUIRED and column not in places]:
        divided = "" if len(names) > 1 else "; its heading has no comma"
        raise BadRecords(f"{name}: lacks {', '.join(missing)}{divided}")
    return places


def _read_row(where: str, cells: list[str], places: Mapping[str, int], columns: Columns) -> dict[str, Any]:
    row = {column: default for column, (_, default) in columns.items()}
    for column, place in places.items():
        cell = cells[place].strip() if place < len(cells) else ""
        parse, default = columns[column]
        if len(cell) > LONGEST_CELL or "\x00" in cell:
            raise BadRecords(f"{where}, {column}: is longer than {LONGEST_CELL} characters, or has a NUL")
        if not cell or (parse is not text and cell.lower() in NOTHING):
            if default is REQUIRED:
                raise BadRecords(f"{where}, {column}: is empty")
            continue
        try:
            row[column] = parse(cell)
        except BadCell as error:
            raise BadRecords(f"{where}, {column}: {error}") from None
    return row
