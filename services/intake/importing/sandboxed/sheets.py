"""One worksheet of an XLSX workbook as rows of texts: checked first, then read by the Rust library calamine."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from io import BytesIO
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from services.intake.importing.sandboxed import markup
from services.intake.importing.sandboxed.archives import unpack
from services.intake.importing.sandboxed.refusals import Refused

# What a sheet may not bring along, by the beginning of its path in the workbook.
UNWANTED: Final = {
    "vbaproject": "sheet-macros",
    "vbadata": "sheet-macros",
    "macrosheets/": "sheet-macros",
    "dialogsheets/": "sheet-macros",
    "externallinks/": "sheet-external-links",
    "connections": "sheet-external-links",
    "querytables/": "sheet-external-links",
    "embeddings/": "sheet-embedded",
    "activex/": "sheet-embedded",
    "ctrlprops/": "sheet-embedded",
}
MARKUP: Final = (".xml", ".rels", ".vml")
WORKSHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
CELL: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)
FARTHEST: Final = 1_048_576
EXACT_BELOW: Final = 10**15  # a cell's number keeps 15 digits; an identity number of 18 comes out as another one
IMPRECISE, FORMULA_ERROR = "imprecise-number", "formula-error"
Row = tuple[int, list[str], list[tuple[int, str]]]


def read_sheet(data: bytes, *, most_rows: int, most_columns: int, name: str | None = None) -> Iterator[Row]:
    """Yield number, texts and faulty places of each row that is not blank. Raises Refused."""
    parts = unpack(data)
    _refuse_unwanted(parts)
    extents = {part: _Extent(most_rows, most_columns) for part in parts if WORKSHEET.fullmatch(part)}
    errors = {part: extent.measure(parts[part]) for part, extent in extents.items()}
    for part, content in parts.items():
        if part not in extents and part.lower().endswith(MARKUP):
            _check_part(part, content)
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(_packed_anew(parts)))
        names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        empty = {part for part, extent in extents.items() if extent.is_empty}
        chosen = _choose(names, [one for one in names if _part_of(parts, one) not in empty], name)
        broken = errors.get(_part_of(parts, chosen), set())
        sheet = workbook.get_sheet_by_name(chosen)
        for number, cells in enumerate(sheet.to_python(skip_empty_area=False), 1):
            if number > most_rows or len(cells) > most_columns:
                raise Refused("sheet-rows" if number > most_rows else "sheet-columns")
            if any(cell != "" for cell in cells):
                yield _row(number, cells, broken)
    except CalamineError:
        raise Refused("sheet-broken") from None


def _refuse_unwanted(parts: dict[str, bytes]) -> None:
    if "[Content_Types].xml" not in parts or not any(part.lower().startswith("xl/") for part in parts):
        raise Refused("not-a-sheet")
    for part in parts:
        inner = part.lower().removeprefix("xl/")
        for beginning, code in UNWANTED.items():
            if inner.startswith(beginning):
                raise Refused(code)
    if b"macroEnabled" in parts["[Content_Types].xml"]:
        raise Refused("sheet-macros")


def _check_part(part: str, content: bytes) -> None:
    if not part.lower().endswith(".rels"):
        markup.check(content)
        return

    def start(_: str, attributes: dict[str, str]) -> None:
        # The address behind a link that a reader may click is text like any other; whatever else lies outside is not.
        if attributes.get("TargetMode") == "External" and not attributes.get("Type", "").endswith("/hyperlink"):
            raise Refused("sheet-external-links")

    markup.walk(content, start=start)


class _Extent:
    """How far a worksheet's values reach: one far away would make the library fill everything before it."""

    def __init__(self, most_rows: int, most_columns: int) -> None:
        self._most_rows = most_rows
        self._most_columns = most_columns
        self._row = 0
        self._column = 0
        self._errors: set[tuple[int, int]] = set()
        self.is_empty = True

    def measure(self, content: bytes) -> set[tuple[int, int]]:
        """Return where formulas gave errors, which the library reads as nothing. Raises Refused."""
        markup.walk(content, start=self._start)
        return self._errors

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        plain = name.rpartition(":")[2]
        if plain == "c":
            self._move(attributes.get("r"))
            if attributes.get("t") == "e":
                self._errors.add((self._row, self._column - 1))
        elif plain in {"v", "is"}:
            self.is_empty = False
            if self._row > self._most_rows:
                raise Refused("sheet-rows")
            if self._column > self._most_columns:
                raise Refused("sheet-columns")
        elif plain == "row":
            told = attributes.get("r", "")
            self._row = int(told) if told.isascii() and told.isdigit() and len(told) <= 7 else self._row + 1
            self._column = 0

    def _move(self, place: str | None) -> None:
        if place is None:
            self._column += 1
            return
        found = CELL.fullmatch(place)
        if found is None or int(found[2]) > FARTHEST:
            raise Refused("sheet-broken")
        self._row = int(found[2])
        self._column = 0
        for letter in found[1]:
            self._column = self._column * 26 + ord(letter) - ord("A") + 1


def _packed_anew(parts: dict[str, bytes]) -> bytes:
    """The checked parts and nothing else, so that no two readers of one archive see two different things."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for part, content in parts.items():
            if part.lower().endswith((".xml", ".rels")):
                archive.writestr(part, content)
    return buffer.getvalue()


def _choose(names: Sequence[str], filled: Sequence[str], name: str | None) -> str:
    """The one that is asked for, or the one that holds anything: programs add empty ones by themselves."""
    if name is not None:
        if name not in names:
            raise Refused("sheet-missing")
        return name
    if len(filled) > 1:
        raise Refused("several-sheets")
    if not names:
        raise Refused("not-a-sheet")
    return (*filled, *names)[0]


def _part_of(parts: dict[str, bytes], name: str) -> str:
    """The part that holds the sheet of this name, by way of the workbook's relations."""
    marks: dict[str, str] = {}
    targets: dict[str, str] = {}

    def listed(element: str, attributes: dict[str, str]) -> None:
        if element.rpartition(":")[2] == "sheet":
            marks[attributes.get("name", "")] = next(
                (value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), ""
            )

    def related(_: str, attributes: dict[str, str]) -> None:
        targets[attributes.get("Id", "")] = attributes.get("Target", "")

    markup.walk(parts.get("xl/workbook.xml", b"<none/>"), start=listed)
    markup.walk(parts.get("xl/_rels/workbook.xml.rels", b"<none/>"), start=related)
    target = targets.get(marks.get(name, ""), "")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _row(number: int, cells: Sequence[object], broken: set[tuple[int, int]]) -> Row:
    faults = [(place, FORMULA_ERROR) for place in range(len(cells)) if (number, place) in broken] if broken else []
    texts = []
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            text = cell
        elif isinstance(cell, bool):
            text = "true" if cell else "false"
        elif isinstance(cell, int | float):
            text = format(cell, ".15g") if abs(cell) < EXACT_BELOW else ""
            if not text:
                faults.append((place, IMPRECISE))
        else:
            text = _text_of_time(cell)
        texts.append(text)
    return number, texts, faults


def _text_of_time(cell: object) -> str:
    if isinstance(cell, datetime):
        return _nearest_second(cell).isoformat(sep=" ")
    return cell.isoformat(timespec="seconds") if isinstance(cell, time) else str(cell)


def _nearest_second(moment: datetime) -> datetime:
    """A sheet counts days in fractions: half past nine may come as 29 minutes and 59.999999 seconds."""
    return (moment + timedelta(microseconds=500_000)).replace(microsecond=0)
