"""Registers written as files that spreadsheet programs open, CSV and XLSX; nothing in them is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import BinaryIO, Final, Literal

from xlsxwriter import Workbook

from shared.spreadsheets import shield

Format = Literal["csv", "xlsx"]
Value = str | int | bool | date | None

MARK: Final = "export_mark"  # the column that says in every row whose export it is
MEDIA_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write_csv(file: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[Value]], *, mark: str) -> int:
    """UTF-8 with a mark that tells programs so, every cell in quotes. Return how many rows there are."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([*columns, MARK])
    count = 0
    for row in rows:
        writer.writerow([*(shield(as_text(value)) for value in row), shield(mark)])
        count += 1
    text.flush()
    text.detach()
    return count


def write_xlsx(
    file: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[Value]], *, mark: str, title: str
) -> int:
    """One sheet in which every cell is a text, row after row on the disk. Return how many rows there are."""
    workbook = Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    workbook.set_properties({"title": title, "comments": mark})
    sheet = workbook.add_worksheet(title[:31])
    as_it_is = workbook.add_format({"num_format": "@"})
    bold = workbook.add_format({"bold": True, "num_format": "@"})
    sheet.set_header("&L" + mark.replace("&", "&&"))
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns), 18, as_it_is)
    for place, column in enumerate([*columns, MARK]):
        sheet.write_string(0, place, column, bold)
    count = 0
    for row in rows:
        count += 1
        for place, value in enumerate([*row, mark]):
            sheet.write_string(count, place, as_text(value), as_it_is)
    workbook.close()
    return count


def as_text(value: Value) -> str:
    """As an import reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)
