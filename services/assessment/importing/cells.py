"""What stands in a cell: a number, a text, or a list of them; or nothing."""

import re
from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.faults import BadRules, BadTable
from services.assessment.domain.rules.formulas import read_number
from services.assessment.domain.rules.schemes import Measure
from services.assessment.scoring.workspace import Value

EMPTY: Final = frozenset({"", "-", "--", "—", "——", "－", "/", "NULL", "null", "N/A", "n/a"})
LONGEST_CELL: Final = 20_000
MOST_IN_A_LIST: Final = 1_000

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_FULL_WIDTH: Final = str.maketrans("０１２３４５６７８９．－＋，％", "0123456789.-+,%")


def read_cell(measure: Measure, text: str, *, whose: str) -> Value:
    """Raises BadTable, naming the row and the column."""
    text = text.strip()
    if len(text) > LONGEST_CELL:
        raise BadTable(f"{whose}: {measure.column}: the cell has more than {LONGEST_CELL} characters")
    if text in EMPTY:
        return measure.blank_value
    if measure.type == "text":
        return text
    if measure.type == "number":
        return read_cell_number(text, f"{whose}: {measure.column}")
    parts = [part.strip() for part in re.split(r"[;；、|\n]", text)]
    if len(parts) > MOST_IN_A_LIST:
        raise BadTable(f"{whose}: {measure.column}: more than {MOST_IN_A_LIST} entries in a cell")
    if measure.type == "texts":
        return tuple(part for part in parts if part not in EMPTY)
    return tuple(None if part in EMPTY else read_cell_number(part, f"{whose}: {measure.column}") for part in parts)


def read_cell_number(text: str, place: str) -> Fraction:
    """Exactly as written. A per cent sign and commas between thousands say nothing of the value: 98.06% is 98.06."""
    plain = text.translate(_FULL_WIDTH).replace(" ", "").removesuffix("%")
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise BadTable(f"{place}: {text[:40]!r} is not a number")
    try:
        value = read_number(place, plain.lstrip("+-").removesuffix("."))
    except BadRules as fault:
        raise BadTable(fault.detail) from None
    return -value if plain.startswith("-") else value
