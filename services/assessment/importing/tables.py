"""Reading the table of a file with the layout of a scheme: CSV in UTF-8 or GB 18030, or the first sheet of an XLSX."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise, zip_longest
from typing import Final, NoReturn

import python_calamine

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.scheme_reading import LATEST_HEADER
from services.assessment.domain.rules.schemes import Layout, RuleScheme
from services.assessment.importing.cells import ROW, decode_text, read_cell
from services.assessment.scoring.workspace import Table, Value

MOST_BYTES: Final = 50_000_000
MOST_UNPACKED: Final = 200_000_000
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 500
SPREADSHEET: Final = b"PK\x03\x04"
OLD_SPREADSHEET: Final = b"\xd0\xcf\x11\xe0"
EXACT_DIGITS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """The headings in one row, and what stands below with the numbers of its rows."""

    header: Sequence[str]
    rows: Sequence[tuple[int, list[str]]]


def read_table(data: bytes, scheme: RuleScheme, *more: bytes) -> tuple[Table, dict[str, tuple[str, ...]]]:
    """The table, and the published columns to compare with by the name they stand for. Raises BadTable.

    The columns of further tables of the same subjects are put beside those of the first.
    """
    return lay_out(_read_lines(data), scheme, *map(_read_lines, more))


def _read_lines(data: bytes) -> list[list[str]]:
    if len(data) > MOST_BYTES:
        raise BadTable(f"the file is larger than {MOST_BYTES} bytes")
    return _read_sheet(data) if data.startswith(SPREADSHEET) else _read_csv(data)


def list_sheets(data: bytes) -> list[str]:
    """The first sheet, which alone is read, and the others that hold anything; none of what is no XLSX.

    Raises BadTable.
    """
    if len(data) > MOST_BYTES or not data.startswith(SPREADSHEET):
        return []
    book = _open_book(data)
    try:
        return book.sheet_names[:1] + [
            name for name in book.sheet_names[1:] if book.get_sheet_by_name(name).end is not None
        ]
    except python_calamine.CalamineError as error:
        raise BadTable(f"the file is not a spreadsheet that can be read: {error}") from None


def lay_out(
    lines: Sequence[Sequence[str]], scheme: RuleScheme, *more: Sequence[Sequence[str]]
) -> tuple[Table, dict[str, tuple[str, ...]]]:
    """Find the scheme's columns under the header, and read their cells."""
    layout = scheme.layout
    measures = scheme.measures.values()
    wanted = [*layout.subject, *([layout.period] if layout.period else [])]
    wanted += [one.column for one in measures if not one.optional]
    sheet = _find_rows(lines, scheme, layout.subject if more else wanted)
    for further in more:
        sheet = _put_beside(sheet, _find_rows(further, scheme, layout.subject), layout)
    places = _place_columns(sheet.header, [*wanted, *(one.column for one in measures), *scheme.published.values()])
    if lacking := [column for column in dict.fromkeys(wanted) if column not in places]:
        _tell_lacking(lacking, places, lines)
    keys = _keys_of(sheet, places, layout)
    _check_unique(keys, [number for number, _ in sheet.rows], layout.period)
    subjects, periods = (tuple(column) for column in zip(*keys, strict=True))
    columns: dict[str, tuple[Value, ...]] = {}
    for key, measure in scheme.measures.items():
        at = places.get(measure.column)
        columns[key] = tuple(
            read_cell(measure, "" if at is None else row[at], whose=f"row {number} ({subject})")
            for (number, row), subject in zip(sheet.rows, subjects, strict=True)
        )
    published = {
        name: tuple(row[places[column]].strip() for _, row in sheet.rows)
        for name, column in scheme.published.items()
        if column in places
    }
    return Table(subjects=subjects, periods=periods, columns=columns), published


def _put_beside(sheet: _Sheet, further: _Sheet, layout: Layout) -> _Sheet:
    """Rows of the same subject side by side, and of the same period where the further table has periods."""
    named = [*layout.subject, *([layout.period] if layout.period else [])]
    places, beside = _place_columns(sheet.header, named), _place_columns(further.header, named)
    if layout.period not in beside:
        layout = replace(layout, period=None)
    kept = [at for at in range(len(further.header)) if at not in {beside[name] for name in named if name in beside}]
    theirs: dict[tuple[str, ...], list[list[str]]] = {}
    for key, (_, row) in zip(_keys_of(further, beside, layout), further.rows, strict=True):
        theirs.setdefault(key, []).append([row[at] for at in kept])
    ours = _keys_of(sheet, places, layout)
    is_ledger = any(len(one) > 1 for one in theirs.values())
    if strangers := [" ".join(key).strip() for key in theirs if key not in set(ours)]:
        raise BadTable(f"a further table has {', '.join(strangers)}, which the first lacks")
    rows = [
        (number, [*row, *_join_rows(theirs.get(key, [[""] * len(kept)]), is_ledger=is_ledger)])
        for (number, row), key in zip(sheet.rows, ours, strict=True)
    ]
    return _Sheet(header=[*sheet.header, *(further.header[at] for at in kept)], rows=rows)


def _join_rows(rows: Sequence[Sequence[str]], *, is_ledger: bool) -> list[str]:
    """The one row, or a ledger's rows with an entry of each, which stay together."""
    if not is_ledger:
        return list(rows[0])
    columns = zip(*rows, strict=True)
    return ["".join(f"{ROW}{cell}" for cell in cells) if any(map(str.strip, cells)) else "" for cells in columns]


def _find_rows(lines: Sequence[Sequence[str]], scheme: RuleScheme, wanted: Sequence[str]) -> _Sheet:
    """Each row with its number in the file; blank rows and those that the scheme skips are left out."""
    layout = scheme.layout
    if layout.transposed:
        lines = list(zip_longest(*lines, fillvalue=""))
    if len(lines) < layout.header_rows[-1]:
        raise BadTable(f"the file has no row {layout.header_rows[-1]}, where table.header_row says the header is")
    header = _join_headers([lines[row - 1] for row in layout.header_rows])
    places = _place_columns(header, [*wanted, *layout.merged])
    if lacking := [column for column in dict.fromkeys((*wanted, *layout.merged)) if column not in places]:
        _tell_lacking(lacking, places, lines)
    named = [places[column] for column in layout.subject]
    rows = _rows_below(lines, layout.header_rows[-1], len(header))
    rows = [(number, row) for number, row in rows if not _is_skipped(row, named, layout)]
    _fill_merged(rows, [places[column] for column in layout.merged])
    if not rows:
        raise BadTable("the table has no rows")
    if nameless := next((number for number, row in rows if not _subject_of(row, named)), None):
        raise BadTable(
            f"row {nameless}: {' '.join(layout.subject)} is empty; skip_subjects names rows that are no units"
        )
    return _Sheet(header=header, rows=rows)


def _fill_merged(rows: Sequence[tuple[int, list[str]]], merged: Sequence[int]) -> None:
    """Of merged cells only the first holds what all of them say."""
    for (_, above), (_, row) in pairwise(rows):
        for at in merged:
            if not row[at].strip():
                row[at] = above[at]


def _is_skipped(row: Sequence[str], named: Sequence[int], layout: Layout) -> bool:
    """Whether it is one of those that are no units, by its subject or, without one, by what it begins with."""
    told = _subject_of(row, named) or next(cell.strip() for cell in row if cell.strip())
    return any(
        told.startswith(one.removesuffix("*")) if one.endswith("*") else told == one for one in layout.skip_subjects
    )


def _keys_of(sheet: _Sheet, places: Mapping[str, int], layout: Layout) -> list[tuple[str, str]]:
    """The subject and the period of each row."""
    named = [places[column] for column in layout.subject]
    return [
        (_subject_of(row, named), row[places[layout.period]].strip() if layout.period else "") for _, row in sheet.rows
    ]


def _tell_lacking(lacking: Sequence[str], places: Mapping[str, int], lines: Sequence[Sequence[str]]) -> NoReturn:
    """Raises BadTable, with the row that has the headings if another has."""
    for number, line in enumerate(lines[:LATEST_HEADER], start=1):
        if set(lacking) <= _place_columns(line).keys():
            raise BadTable(
                f"the header lacks {', '.join(lacking)}; row {number} has it: header_row = {number} in [table]"
            )
    raise BadTable(f"the header lacks {', '.join(lacking)}; it has {', '.join(places)}")


def _join_headers(rows: Sequence[Sequence[str]]) -> list[str]:
    """An upper heading spans the columns to its right that have none of their own, as merged cells are exported."""
    width = max(len(row) for row in rows)
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    for upper, lower in pairwise(padded):
        for at in range(1, width):
            if not upper[at].strip() and lower[at].strip():
                upper[at] = upper[at - 1]
    return [" ".join(text for row in padded if (text := row[at].strip())) for at in range(width)]


def _place_columns(header: Sequence[str], wanted: Sequence[str] = ()) -> dict[str, int]:
    """By heading. One that comes again is told apart by its number: 得分, 得分#2."""
    places: dict[str, int] = {}
    for at, name in enumerate(header):
        clean = " ".join(name.split())
        if not clean:
            continue
        number, unique = 1, clean
        while unique in places:
            number += 1
            unique = f"{clean}#{number}"
        places[unique] = at
    return places | _find_broken(places, [column for column in wanted if column not in places])


def _find_broken(places: Mapping[str, int], lacking: Sequence[str]) -> dict[str, int]:
    """Headings that are the same but for blanks, since one is broken into lines where the other is not."""
    found = {}
    for column in lacking:
        same = [at for name, at in places.items() if "".join(name.split()) == "".join(column.split())]
        if len(same) == 1:
            found[column] = same[0]
    return found


def _subject_of(row: Sequence[str], named: Sequence[int]) -> str:
    return " ".join(text for at in named if (text := row[at].strip()))


def _rows_below(lines: Sequence[Sequence[str]], header_row: int, width: int) -> list[tuple[int, list[str]]]:
    rows = []
    for number, line in enumerate(lines[header_row:], start=header_row + 1):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) > width and any(cell.strip() for cell in line[width:]):
            raise BadTable(f"row {number} has {len(line)} cells, the header {width}")
        rows.append((number, [*line[:width], *[""] * (width - len(line))]))
    return rows


def _check_unique(keys: Sequence[tuple[str, str]], numbers: Sequence[int], period_column: str | None) -> None:
    seen: dict[tuple[str, str], int] = {}
    for key, number in zip(keys, numbers, strict=True):
        if key in seen:
            hint = "" if period_column else "; if the table has several periods, name their column in table.period"
            raise BadTable(f"rows {seen[key]} and {number} are both of {' '.join(key).strip()}{hint}")
        seen[key] = number


def _read_csv(data: bytes) -> list[list[str]]:
    if data.startswith(OLD_SPREADSHEET):
        raise BadTable("the file is an old spreadsheet (.xls); save it as .xlsx or CSV")
    text = decode_text(data)
    if text is None:
        raise BadTable("the file is neither UTF-8 nor GB 18030")
    if "\x00" in text:
        raise BadTable("the file is not a text table")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max((",", "\t", ";"), key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise BadTable(f"the file is not CSV: {error}") from None
    return _bounded(lines)


def _bounded(lines: list[list[str]]) -> list[list[str]]:
    if len(lines) > MOST_ROWS:
        raise BadTable(f"the table has more than {MOST_ROWS} rows")
    if any(len(line) > MOST_COLUMNS for line in lines):
        raise BadTable(f"the table has more than {MOST_COLUMNS} columns")
    return lines


def _read_sheet(data: bytes) -> list[list[str]]:
    """Numbers come as floats: their shortest decimal is what the sheet shows, up to 15 digits."""
    book = _open_book(data)
    try:
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, IndexError) as error:
        raise BadTable(f"the file is not a spreadsheet that can be read: {error}") from None
    return _bounded([[_write(value) for value in row] for row in rows])


def _open_book(data: bytes) -> python_calamine.CalamineWorkbook:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED:
                raise BadTable("the sheet unpacks to too much")
        return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except (zipfile.BadZipFile, python_calamine.CalamineError) as error:
        raise BadTable(f"the file is not a spreadsheet that can be read: {error}") from None


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{Decimal(f'{value:.{EXACT_DIGITS}g}'):f}"
    return str(value)
