"""What stands in a file's bytes and in a cell: a number, a text, or a list of them; or nothing."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.days import find_day
from services.assessment.domain.rules.faults import BadRules, BadTable
from services.assessment.domain.rules.formulas import read_number
from services.assessment.domain.rules.schemes import Measure
from services.assessment.scoring.workspace import Value

EMPTY: Final = frozenset({"", "-", "--", "—", "——", "－", "/", "NULL", "null", "N/A", "n/a"})
LONGEST_CELL: Final = 20_000
MOST_IN_A_LIST: Final = 1_000
ROW: Final = "\ufdd0"  # before each cell of a subject's rows in a ledger; no character, so no text has it
LISTS: Final = ("list", "texts", "dates")
UNITS: Final = "%分件次天个户人名项条起"

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_FULL_WIDTH: Final = str.maketrans("０１２３４５６７８９．－＋，％", "0123456789.-+,%")


def decode_text(data: bytes) -> str | None:
    """As spreadsheets and editors in China write it; None if it is neither UTF-8 nor GB 18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def read_cell(measure: Measure, text: str, *, whose: str) -> Value:
    """Raises BadTable, naming the row and the column."""
    text = text.strip()
    if len(text) > LONGEST_CELL:
        raise BadTable(f"{whose}: {measure.column}: the cell has more than {LONGEST_CELL} characters")
    if text in EMPTY:
        return measure.blank_value
    if text.startswith(ROW):
        return _read_rows(measure, [part.strip() for part in text[1:].split(ROW)], f"{whose}: {measure.column}")
    if measure.type == "text":
        return text
    if measure.type == "date":
        return read_day(text, f"{whose}: {measure.column}")
    if measure.type == "number":
        return read_cell_number(text, f"{whose}: {measure.column}")
    parts = [part.strip() for part in re.split(r"[;；、|\n]", text)]
    if measure.type == "texts":
        parts = [part for part in parts if part not in EMPTY]
    return _read_list(measure, parts, f"{whose}: {measure.column}")


def _read_rows(measure: Measure, cells: Sequence[str], place: str) -> Value:
    """An entry for each row, so that those of one row stand at the same place of every list."""
    if measure.type not in LISTS:
        raise BadTable(f"{place}: stands in several rows; a ledger's columns have the type {', '.join(LISTS)}")
    if measure.type == "texts" and any(cell in EMPTY for cell in cells):
        raise BadTable(f"{place}: is empty in one of several rows; write a word for none there, such as 无")
    return _read_list(measure, cells, place)


def _read_list(measure: Measure, parts: Sequence[str], place: str) -> Value:
    if len(parts) > MOST_IN_A_LIST:
        raise BadTable(f"{place}: more than {MOST_IN_A_LIST} entries in a cell")
    if measure.type == "texts":
        return tuple(parts)
    read = read_day if measure.type == "dates" else read_cell_number
    return tuple(None if part in EMPTY else read(part, place) for part in parts)


def read_cell_number(text: str, place: str) -> Fraction:
    """Exactly as written. A per cent sign, a unit and commas between thousands say nothing: 98.06% is 98.06."""
    plain = text.translate(_FULL_WIDTH).replace(" ", "").rstrip(UNITS)
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise BadTable(f"{place}: {text[:40]!r} is not a number")
    try:
        value = read_number(place, plain.lstrip("+-").removesuffix("."))
    except BadRules as fault:
        raise BadTable(fault.detail) from None
    return -value if plain.startswith("-") else value


def read_day(text: str, place: str) -> Fraction:
    """Raises BadTable."""
    day = find_day(text)
    if day is None:
        raise BadTable(f"{place}: {text[:40]!r} is not a day such as 2024-03-05")
    return day
