"""A file cut into pieces that one transaction can take: rows mapped to commands, in bounded number and size."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

from services.intake.domain.commands.base import Command
from services.intake.importing.findings import FileRefused, Finding, flag
from services.intake.importing.mapping import MappedRow, Mapper, NewId
from services.intake.importing.plain import PlainRows
from services.intake.importing.profile import Profile
from services.intake.importing.reader import Reader, Row
from services.intake.importing.sheets import Roster, Sheet, is_sheet, refuse_old_office
from services.intake.importing.source import Limits, begins_with, read_blocks

UNREAD = "the profile reads nothing of this column; name it under file.ignored, with the reason, where that is meant"
ROWS_A_CHUNK = 2_000
PLAIN_ROWS_A_CHUNK = 4_000
CELL_CHARACTERS_A_CHUNK = 8 * 1024 * 1024


@dataclass(slots=True)
class Chunk:
    """Some rows of a file, up to and with `last_line`. `broken` is set in the last chunk of a file that breaks off.

    `passed_over` are rows that an earlier turn has taken: they are looked at, so that repeats of them are known.
    """

    rows_read: int = 0
    passed_over: int = 0
    last_line: int = 0
    size: int = 0
    rows: list[MappedRow] = field(default_factory=list)
    plain: PlainRows | None = None
    missing: list[Command] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    refused_count: int = 0
    broken: FileRefused | None = None


def read_chunks(
    file: BinaryIO, profile: Profile, limits: Limits, *, correlation_id: str, new_id: NewId, after: int = 0
) -> Iterator[Chunk]:
    """Raises FileRefused where not even the header can be used; a file that breaks off later still gives its rows.

    Rows of the lines up to and with `after` are passed over.
    """
    source: Reader | Sheet
    start = begins_with(file)
    if profile.file.format != "table":
        documents = "document_number" in profile.fields
        source = Roster(file, limits.sheets, place=profile.place_columns, kind=profile.file.format, documents=documents)
        return _cut(source, Mapper(profile, source.header, correlation_id=correlation_id, new_id=new_id), [], after)
    refuse_old_office(start, file, limits.sheets)
    if is_sheet(start):
        profile = profile.for_sheets()
        source = Sheet(file, limits.sheets, place=profile.place_columns, name=profile.file.sheet)
    else:
        blocks = read_blocks(file, limits)
        source = Reader(blocks, encoding=profile.file.encoding, delimiter=profile.file.delimiter)
    mapper = Mapper(profile, source.header, correlation_id=correlation_id, new_id=new_id)
    remarks = [flag(1, "unread-column", UNREAD, name) for name in profile.list_unread(source.header)]
    return _cut(source, mapper, remarks if after == 0 else [], after)


def _cut(source: Reader | Sheet, mapper: Mapper, remarks: list[Finding], after: int) -> Iterator[Chunk]:
    """`remarks` are about the header, and come with the first rows."""
    rows = source.rows()
    together = source if mapper.may_be_plain and isinstance(source, Reader) else None
    while True:
        chunk = _fill(rows, together, mapper, after)
        chunk.findings[:0] = remarks
        remarks = []
        is_empty = not chunk.rows_read and not chunk.passed_over
        if chunk.broken or not is_empty:
            yield chunk
        if chunk.broken or is_empty:
            return


def _fill(rows: Iterator[Row | Finding], together: Reader | None, mapper: Mapper, after: int) -> Chunk:
    chunk = Chunk()
    try:
        while not _is_full(chunk):
            if together is not None and _add_plain(chunk, together, mapper, after):
                continue
            row = next(rows, None)
            if row is None:
                break
            _add(chunk, row, mapper, after)
    except FileRefused as problem:
        chunk.broken = problem
    return chunk


def _is_full(chunk: Chunk) -> bool:
    plain_count = len(chunk.plain) if chunk.plain is not None else 0
    return (
        chunk.rows_read - plain_count >= ROWS_A_CHUNK
        or chunk.rows_read + chunk.passed_over >= PLAIN_ROWS_A_CHUNK
        or chunk.size >= CELL_CHARACTERS_A_CHUNK
    )


def _add(chunk: Chunk, row: Row | Finding, mapper: Mapper, after: int) -> None:
    found = MappedRow(row.line, findings=[row], is_refused=True) if isinstance(row, Finding) else mapper.map(*row)
    chunk.last_line = found.line
    if found.line <= after:
        chunk.passed_over += 1
        return
    chunk.rows_read += 1
    chunk.size += 0 if isinstance(row, Finding) else sum(map(len, row[1]))
    _take(chunk, found)


def _add_plain(chunk: Chunk, source: Reader, mapper: Mapper, after: int) -> bool:
    """Add some rows that can be read column by column; return whether the next were such."""
    lines, cells = source.take_plain(PLAIN_ROWS_A_CHUNK - chunk.rows_read - chunk.passed_over)
    if not cells:
        return False
    plain, others = mapper.map_plain(lines, cells)
    chunk.last_line = lines[-1]
    if lines[0] <= after:
        plain = plain.take([place for place, line in enumerate(plain.lines) if line > after])
        others = [row for row in others if row.line > after]
    new_count = sum(line > after for line in lines)
    chunk.passed_over += len(lines) - new_count
    if not new_count:
        return True
    if chunk.plain is None:
        chunk.plain = plain
    else:
        chunk.plain.add(plain)
    for row in others:
        _take(chunk, row)
    chunk.rows_read += new_count
    chunk.size += sum(map(len, chain.from_iterable(cells)))
    return True


def _take(chunk: Chunk, row: MappedRow) -> None:
    chunk.findings += row.findings
    if row.is_refused:
        chunk.refused_count += 1
        return
    chunk.missing += row.missing
    chunk.rows.append(row)
