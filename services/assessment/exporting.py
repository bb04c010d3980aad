"""Figures written as files: CSV in a ZIP, XLSX and Parquet, each with the definitions that its columns are made by.

In what spreadsheet programs open nothing is taken for a formula.
"""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import duckdb
from xlsxwriter import Workbook

from shared.spreadsheets import shield

Format = Literal["csv", "xlsx", "parquet"]
ColumnType = Literal["VARCHAR", "BIGINT", "DECIMAL(9, 4)"]
Value = str | int | None
Row = Sequence[Value]

MEDIA_TYPES: Final[dict[Format, str]] = {
    "csv": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
ENDINGS: Final[dict[Format, str]] = {"csv": "zip", "xlsx": "xlsx", "parquet": "parquet"}


def write_file(
    file: BinaryIO,
    file_format: Format,
    columns: Mapping[str, ColumnType],
    rows: Iterable[Row],
    *,
    definitions: Sequence[Mapping[str, Any]],
    mark: str,
) -> int:
    """Write the rows; return how many there were. `mark` says whose export it is, in each kind of file."""
    if file_format == "csv":
        return _write_zip(file, columns, rows, definitions=definitions, mark=mark)
    if file_format == "xlsx":
        return _write_xlsx(file, columns, rows, definitions=definitions, mark=mark)
    return _write_parquet(file, columns, rows, definitions=definitions, mark=mark)


def _write_zip(
    file: BinaryIO,
    columns: Mapping[str, ColumnType],
    rows: Iterable[Row],
    *,
    definitions: Sequence[Mapping[str, Any]],
    mark: str,
) -> int:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("scores.csv", "w") as member:
            count = _write_csv(member, [*columns, "export_mark"], ([*row, mark] for row in rows), is_shielded=True)
        with archive.open("definitions.csv", "w") as member:
            _write_csv(member, _heads(definitions), map(_flat, definitions), is_shielded=True)
    return count


def _write_csv(member: Any, head: Iterable[str], rows: Iterable[Row], *, is_shielded: bool) -> int:  # noqa: ANN401
    text = io.TextIOWrapper(member, encoding="utf-8-sig" if is_shielded else "utf-8", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(head)
    count = 0
    for row in rows:
        writer.writerow([shield(_as_text(value)) if is_shielded else _as_text(value) for value in row])
        count += 1
    text.flush()
    text.detach()
    return count


def _write_xlsx(
    file: BinaryIO,
    columns: Mapping[str, ColumnType],
    rows: Iterable[Row],
    *,
    definitions: Sequence[Mapping[str, Any]],
    mark: str,
) -> int:
    """Every cell is a text, so that no digit is lost and nothing is computed."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = Workbook(file, options)
    workbook.set_properties({"title": "scores", "comments": mark})
    count = 0
    sheets = (
        ("scores", [*columns, "export_mark"], ([*row, mark] for row in rows)),
        ("definitions", _heads(definitions), (_flat(one) for one in definitions)),
    )
    for title, head, lines in sheets:
        sheet = workbook.add_worksheet(title)
        as_it_is = workbook.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        place = 0
        for column, name in enumerate(head):
            sheet.write_string(place, column, str(name), as_it_is)
        for place, cells in enumerate(lines, start=1):
            for column, cell in enumerate(cells):
                sheet.write_string(place, column, _as_text(cell), as_it_is)
        count = place if title == "scores" else count
    workbook.close()
    return count


def _write_parquet(
    file: BinaryIO,
    columns: Mapping[str, ColumnType],
    rows: Iterable[Row],
    *,
    definitions: Sequence[Mapping[str, Any]],
    mark: str,
) -> int:
    """Typed columns; definitions and mark stand in the file's own key-value metadata."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with source.open("wb") as plain:
            count = _write_csv(plain, columns, rows, is_shielded=False)
        told = json.dumps(definitions, ensure_ascii=False)
        with duckdb.connect(":memory:", config={"threads": 1}) as database:
            database.execute(
                f"""
                COPY (SELECT * FROM read_csv({_literal(str(source))}, header = true, quote = '"', escape = '"',
                                             delim = ',', nullstr = '', columns = {_struct(columns)}))
                  TO {_literal(str(target))}
                     (FORMAT parquet, KV_METADATA {{export_mark: {_literal(mark)},
                                                    definitions: {_literal(told)}}})
                """  # noqa: S608 - literals of our own making, quotes doubled
            )
        file.write(target.read_bytes())
    return count


def _struct(columns: Mapping[str, ColumnType]) -> str:
    return "{" + ", ".join(f"{_literal(name)}: {_literal(kind)}" for name, kind in columns.items()) + "}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _heads(definitions: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(_flatten(definitions[0]))


def _flat(definition: Mapping[str, Any]) -> Row:
    return list(_flatten(definition).values())


def _flatten(definition: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in definition.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}_{part}": str(text) for part, text in value.items()}
        elif isinstance(value, list | tuple):
            flat[name] = " + ".join(map(str, value))
        else:
            flat[name] = str(value)
    return flat


def _as_text(value: Value) -> str:
    return "" if value is None else str(value)
