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
AS_IT_IS: Final = "@"
NUMBER_FORMS: Final = ("0", "0.0", "0.00", "0.000", "0.0000")  # by places, of which a DECIMAL(9, 4) has four at most
COLUMN_WIDTH: Final = 16
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
    are_texts = [kind == "VARCHAR" for kind in columns.values()]
    shielded = (_shield(row, are_texts) for row in rows)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("scores.csv", "w") as member:
            head = [*columns, "export_mark"]
            count = _write_csv(member, head, ([*row, shield(mark)] for row in shielded), encoding="utf-8-sig")
        with archive.open("definitions.csv", "w") as member:
            told = ([shield(_as_text(value)) for value in _flat(one)] for one in definitions)
            _write_csv(member, _heads(definitions), told, encoding="utf-8-sig")
    return count


def _shield(row: Row, are_texts: Sequence[bool]) -> Row:
    """Numbers are left as they are: a minus before digits is no formula."""
    texts = map(_as_text, row)
    return [shield(text) if is_text else text for text, is_text in zip(texts, are_texts, strict=True)]


def _write_csv(member: Any, head: Iterable[str], rows: Iterable[Row], *, encoding: str) -> int:  # noqa: ANN401
    text = io.TextIOWrapper(member, encoding=encoding, newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(head)
    count = 0
    for row in rows:
        writer.writerow(map(_as_text, row))
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
    """Codes are texts, so that none loses its zeros; numbers are numbers, with the places that they have."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = Workbook(file, options)
    workbook.set_properties({"title": "scores", "comments": mark})
    count = 0
    formats = {form: workbook.add_format({"num_format": form}) for form in (AS_IT_IS, *NUMBER_FORMS)}
    sheets = (
        ("scores", {**columns, "export_mark": "VARCHAR"}, ([*row, mark] for row in rows)),
        ("definitions", dict.fromkeys(_heads(definitions), "VARCHAR"), map(_flat, definitions)),
    )
    for title, heads, lines in sheets:
        sheet = workbook.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(heads) - 1, COLUMN_WIDTH)
        place = 0
        for column, name in enumerate(heads):
            sheet.write_string(place, column, name, formats[AS_IT_IS])
        for place, cells in enumerate(lines, start=1):
            for column, (cell, kind) in enumerate(zip(cells, heads.values(), strict=True)):
                text = _as_text(cell)
                if kind == "VARCHAR":
                    sheet.write_string(place, column, text, formats[AS_IT_IS])
                elif text:
                    sheet.write_number(place, column, float(text), formats[_form_of(text)])
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
            count = _write_csv(plain, columns, rows, encoding="utf-8")
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


def _form_of(number: str) -> str:
    """How a spreadsheet program shows all places of a number, zeros at its end included."""
    return NUMBER_FORMS[len(number.partition(".")[2])]


def _as_text(value: Value) -> str:
    return "" if value is None else str(value)
