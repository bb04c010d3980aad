"""Rows out of CSV text that nobody promised to be well formed: a broken row is named, and the next one is read."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from typing_extensions import override

from services.intake.importing.findings import FileRefused, Finding, error
from services.intake.importing.lines import LONGEST_LINE, LongLine, read_lines

MOST_LINES_A_RECORD = 1000
LONGEST_STRIDE = 2_048  # lines that are taken together; fewer for a while where one of them was not plain
STRIDE_FACTOR = 4
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
ENCODINGS = ("utf-8", "gb18030", "big5", "windows-1252", "iso-8859-1")  # none hides a line end inside a character
UTF16 = (b"\xff\xfe", b"\xfe\xff")
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class _Fault:
    code: str
    detail: str
    position: int  # characters of the line before it


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    fault: _Fault | None


class _BrokenRecord(Exception):
    """The record that was begun cannot be completed within its bounds."""


class _Lines(Iterator[bytes | None]):
    """The lines of a file, of which several can be taken together and given back."""

    def __init__(self, lines: Iterable[bytes | None]) -> None:
        self._coming = iter(lines)
        self._given_back: deque[bytes | None] = deque()
        self._end: Exception | None = None  # how the file broke off, until what came before has been read

    @override
    def __next__(self) -> bytes | None:
        if self._given_back:
            return self._given_back.popleft()
        if self._end is not None:
            raise self._end
        return next(self._coming)

    def take(self, most: int) -> list[bytes | None]:
        """Take the lines that are left, as many as told or as there is room for."""
        taken: list[bytes | None] = []
        size = 0
        try:
            for line in self:
                taken.append(line)
                size += len(line or b"")
                if len(taken) >= most or size > LONGEST_LINE:
                    break
        except FileRefused as problem:
            self._end = problem
        return taken

    def give_back(self, lines: Sequence[bytes | None]) -> None:
        self._given_back.extendleft(reversed(lines))


class Reader:
    """The rows of one file, each with the number of its first line. `header` is there as soon as the reader is made."""

    def __init__(self, blocks: Iterable[bytes], *, encoding: str, delimiter: str) -> None:
        self._lines = _Lines(read_lines(blocks))
        self._encoding = encoding
        self._delimiter = delimiter
        self._number = 0
        self._stride = LONGEST_STRIDE
        self._waiting: deque[_Line] = deque()
        self._taken: list[_Line] = []
        self._size = 0
        self.header = self._read_header()

    def rows(self) -> Iterator[Row | Finding]:
        """Yield each row, or the finding that stands for a row which cannot be one. Raises FileRefused on the way."""
        records = csv.reader(self._feed(), delimiter=self._delimiter, strict=True)
        width = len(self.header)
        taken = self._taken
        while True:
            taken.clear()
            self._size = 0
            try:
                cells = next(records)
            except StopIteration:
                if not taken:
                    return
                cells = []
            except (csv.Error, _BrokenRecord) as problem:
                yield self._give_up(problem)
                records = csv.reader(self._feed(), delimiter=self._delimiter, strict=True)
                continue
            if len(cells) == width and len(taken) == 1 and taken[0].fault is None:
                yield taken[0].number, cells
            elif not _is_blank(cells, taken):
                yield self._judge(cells)

    def take_plain(self, most: int) -> tuple[range, list[list[str]]]:
        """Take rows together while each is one line and nothing is wrong with any; none where the next is not so.

        To be called between two rows: what is not taken is still there for `rows`.
        """
        nothing: tuple[range, list[list[str]]] = (range(0), [])
        if self._waiting:
            return nothing
        raws = self._lines.take(min(most, self._stride))
        cells = self._take_apart(raws)
        if cells is None:
            self._lines.give_back(raws)
            self._stride = max(self._stride // STRIDE_FACTOR, 1)
            return nothing
        self._stride = min(self._stride * STRIDE_FACTOR, LONGEST_STRIDE)
        first = self._number + 1
        self._number += len(raws)
        return range(first, self._number + 1), cells

    def _take_apart(self, raws: Sequence[bytes | None]) -> list[list[str]] | None:
        if not all(raws):  # a line too long to keep, or an empty one
            return None
        try:
            text = b"\n".join(raws).decode(self._encoding)  # type: ignore[arg-type] # looked at above
            if CONTROLS.search(text):
                return None
            rows = list(csv.reader(text.split("\n"), delimiter=self._delimiter, strict=True))
        except (UnicodeDecodeError, csv.Error):
            return None
        return rows if len(rows) == len(raws) and set(map(len, rows)) <= {len(self.header)} else None

    def _judge(self, cells: list[str]) -> Row | Finding:
        first = self._taken[0].number
        for place, line in enumerate(self._taken):
            if line.fault is not None:
                return error(first, line.fault.code, line.fault.detail, self._column_of(place, line.fault))
        if len(cells) == len(self.header):
            return first, cells
        if len(self._taken) > 1:
            return self._give_up(_BrokenRecord())
        code = "too-few-columns" if len(cells) < len(self.header) else "too-many-columns"
        return error(first, code, f"{len(cells)} columns where the header has {len(self.header)}")

    def _give_up(self, problem: Exception) -> Finding:
        """Blame the first line alone, and read the lines that it dragged along again, as rows of their own."""
        first = self._taken[0]
        dragged = self._taken[1:]
        self._waiting.extendleft(reversed(dragged))
        if first.fault is not None:
            return error(first.number, first.fault.code, first.fault.detail, self._column_of(0, first.fault))
        if dragged or "end of data" in str(problem):
            return error(first.number, "unclosed-quote", "a quotation mark opens in this line and never closes")
        if "field larger" in str(problem):
            return error(first.number, "cell-too-long", f"a cell has more than {csv.field_size_limit()} characters")
        return error(first.number, "bad-quoting", "something other than a delimiter follows a closing quotation mark")

    def _feed(self) -> Iterator[str]:
        taken = self._taken
        waiting = self._waiting
        while True:
            line = waiting.popleft() if waiting else self._read_line()
            if line is None:
                return
            taken.append(line)
            self._size += len(line.text)
            if len(taken) > 1 and self._is_beyond_bounds(line):
                raise _BrokenRecord
            yield line.text + "\n"

    def _is_beyond_bounds(self, line: _Line) -> bool:
        too_long = line.fault is not None and line.fault.code == "line-too-long"
        return too_long or len(self._taken) > MOST_LINES_A_RECORD or self._size > LONGEST_LINE

    def _read_line(self) -> _Line | None:
        try:
            raw = next(self._lines)
        except StopIteration:
            return None
        self._number += 1
        if raw is LongLine:
            detail = f"the line has more than {LONGEST_LINE} bytes; it was skipped"
            return _Line(self._number, "", _Fault("line-too-long", detail, 0))
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError as problem:
            before = len(raw[: problem.start].decode(self._encoding))
            fault = _Fault("bad-encoding", f"bytes that are no {self._encoding} text", before)
            return _Line(self._number, raw.decode(self._encoding, "replace"), fault)
        if text.isprintable():
            return _Line(self._number, text, None)
        control = CONTROLS.search(text)
        if control is None:
            return _Line(self._number, text, None)
        fault = _Fault("control-character", f"control character U+{ord(control[0]):04X}", control.start())
        return _Line(self._number, text, fault)

    def _column_of(self, place: int, fault: _Fault) -> str:
        """Name the column that a fault lies in, as far as the line can be taken apart."""
        if fault.code == "line-too-long":
            return ""
        before = [line.text + "\n" for line in self._taken[:place]]
        text = [*before, self._taken[place].text[: fault.position]]
        try:
            cells = next(csv.reader(text, delimiter=self._delimiter), [])
        except csv.Error:  # a cell before the fault is over the limit
            return ""
        place_in_row = max(len(cells) - 1, 0)
        return self.header[place_in_row] if place_in_row < len(self.header) else ""

    def _read_header(self) -> list[str]:
        """Raises FileRefused where the first line is no header."""
        raw = next(self._lines, b"")
        self._number = 1
        if raw is LongLine:
            raise FileRefused("bad-header", "the first line is no header: it is too long")
        if raw.startswith(UTF16) or b"\0" in raw:
            raise FileRefused("utf-16", f"the file is UTF-16 or binary; save it as {self._encoding}")
        if self._encoding == "utf-8":
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            text = raw.decode(self._encoding)
            names = [name.strip() for name in next(csv.reader([text], delimiter=self._delimiter, strict=True), [])]
        except UnicodeDecodeError:
            raise FileRefused("bad-encoding", f"the header is no {self._encoding} text") from None
        except csv.Error:
            raise FileRefused("bad-header", "the first line is no header: its quotation marks do not pair") from None
        if not any(names):
            raise FileRefused("empty-file", "the file is empty, or its first line is: a header row is needed")
        return names


def _is_blank(cells: list[str], taken: list[_Line]) -> bool:
    return all(line.fault is None for line in taken) and len(cells) <= 1 and not "".join(cells).strip()
