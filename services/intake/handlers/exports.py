"""Exporting a register to a file: as of one moment, within reach, marked with whose export it is, and on record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import UUID

from services.intake import exporting, metrics
from services.intake.domain.registers import CHINA
from services.intake.exporting import Format
from services.intake.storage import exports as storage
from shared.audit import chain
from shared.database import Connection, Pool, transaction
from shared.errors import NotFound, Rejected, TooMany
from shared.limits import Rate, take_in
from shared.reach import Reach, current

MOST_PERSONAL_ROWS = 10_000
MOST_PERSONAL_ROWS_A_DAY = 20_000
DAY_SECONDS = 86_400
NIGHT_BEGINS, NIGHT_ENDS = 21, 7
MOST_SHEET_ROWS = 1_000_000
BLOCK = 256 * 1024


class UnknownRegister(NotFound):
    code = "unknown-register"


class TooManyToday(TooMany):
    """What one person carries out in parts adds up."""

    code = "too-many-rows-today"


class TooManyRows(Rejected):
    """More than one person should carry out of the house at once, or than a sheet holds."""

    code = "too-many-rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    id: UUID
    register: str
    format: Format
    organisation_code: str | None = None
    proposal_id: UUID | None = None  # what a second person has agreed to


def export_register(pool: Pool, asked: ExportRequest, *, now: datetime) -> BinaryIO:
    """Return the opened file. What is told of it is committed first, of a refusal as well.

    Raises UnknownRegister, TooManyRows, TooManyToday.
    """
    register = find_register(asked.register)
    most = MOST_PERSONAL_ROWS if register.is_personal else MOST_SHEET_ROWS
    try:
        with opened() as file, transaction(pool) as connection:
            count = write_register(connection, file, asked, most=most, now=now)
            if register.is_personal:
                _take_of_today(connection, current(), count, now)
            note_export(connection, asked, count, now=now)
    except (TooManyRows, TooManyToday) as refusal:
        metrics.exports_refused_total.inc()
        chain.record(pool, _line(asked, now, decision="denied", reason=refusal.code))
        raise
    count_export(register, count, now=now)
    return file


def find_register(name: str) -> storage.Register:
    """Raises UnknownRegister."""
    register = storage.REGISTERS.get(name)
    if register is None:
        raise UnknownRegister("there is no such register")
    return register


@contextmanager
def opened() -> Iterator[BinaryIO]:
    """A file to be written and then to be read from its beginning; closed only where writing fails."""
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        yield file
        file.seek(0)
    except BaseException:
        file.close()
        raise


def write_register(connection: Connection, file: BinaryIO, asked: ExportRequest, *, most: int, now: datetime) -> int:
    """Return how many rows there are. Raises TooManyRows."""
    columns = find_register(asked.register).columns
    stored = storage.stream_rows(connection, asked.register, organisation_code=asked.organisation_code)
    rows = _bounded(stored, most=most)
    if asked.format == "csv":
        return exporting.write_csv(file, columns, rows, mark=_mark(asked, now))
    return exporting.write_xlsx(file, columns, rows, mark=_mark(asked, now), title=asked.register)


def note_export(connection: Connection, asked: ExportRequest, count: int, *, now: datetime) -> None:
    chain.note(connection, _line(asked, now, rows=count))


def count_export(register: storage.Register, count: int, *, now: datetime) -> None:
    if register.is_personal:
        metrics.people_exported_total.labels(_time_of_day(now)).inc(count)


def read_blocks(file: BinaryIO) -> Iterator[bytes]:
    """Give the file away block by block, and close it."""
    with file:
        while block := file.read(BLOCK):
            yield block


def _take_of_today(connection: Connection, acting: Reach | None, count: int, now: datetime) -> None:
    """Whoever has several accounts has one sum; the machine itself has none. Raises TooManyToday."""
    if acting is None or count == 0:
        return
    whose = acting.person_id or acting.account_id
    rate = Rate(limit=MOST_PERSONAL_ROWS_A_DAY, per_seconds=DAY_SECONDS)
    wait = take_in(connection, f"export:{whose}", rate, count=count, now=now)
    if wait is not None:
        raise TooManyToday(
            f"one person exports at most {MOST_PERSONAL_ROWS_A_DAY} rows about people in a day",
            retry_after_seconds=wait,
        )


def _mark(asked: ExportRequest, now: datetime) -> str:
    """Whose export it is, in every row of it."""
    acting = current()
    return f"{acting.actor if acting else 'system'} {now.astimezone(CHINA):%Y-%m-%d %H:%M} {asked.id}"


def _line(
    asked: ExportRequest,
    now: datetime,
    *,
    rows: int | None = None,
    decision: chain.Decision = "allowed",
    reason: str | None = None,
) -> chain.Line:
    details = {
        "register": asked.register,
        "format": asked.format,
        "mark": _mark(asked, now),
        "organisation": asked.organisation_code or "",
        **({} if rows is None else {"rows": rows}),
        **({} if asked.proposal_id is None else {"proposal": asked.proposal_id}),
    }
    return chain.Line(
        action="register.disclose",
        object_type="register_export",
        object_id=asked.id,
        decision=decision,
        reason=reason,
        details=details,
    )


def _time_of_day(now: datetime) -> str:
    return "day" if NIGHT_ENDS <= now.astimezone(CHINA).hour < NIGHT_BEGINS else "night"


def _bounded(rows: Iterator[tuple[exporting.Value, ...]], *, most: int) -> Iterator[tuple[exporting.Value, ...]]:
    for count, row in enumerate(rows):
        if count >= most:
            raise TooManyRows(f"an export has at most {most} rows; ask for one organisation after another")
        yield row
