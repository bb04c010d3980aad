"""Exporting a register to a file: as of one moment, within reach, marked with whose export it is, and on record."""

from collections.abc import Iterator
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


def export_register(pool: Pool, asked: ExportRequest, *, now: datetime) -> BinaryIO:
    """Return the opened file. What is told of it is committed first. Raises TooManyRows, TooManyToday."""
    register = storage.REGISTERS.get(asked.register)
    if register is None:
        raise UnknownRegister("there is no such register")
    acting = current()
    mark = f"{acting.actor if acting else 'system'} {now.astimezone(CHINA):%Y-%m-%d %H:%M} {asked.id}"
    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        with transaction(pool) as connection:
            rows = _bounded(
                storage.stream_rows(connection, asked.register, organisation_code=asked.organisation_code),
                most=MOST_PERSONAL_ROWS if register.is_personal else MOST_SHEET_ROWS,
            )
            if asked.format == "csv":
                count = exporting.write_csv(file, register.columns, rows, mark=mark)
            else:
                count = exporting.write_xlsx(file, register.columns, rows, mark=mark, title=asked.register)
            if register.is_personal:
                _take_of_today(connection, acting, count, now)
            details = {
                "register": asked.register,
                "format": asked.format,
                "mark": mark,
                "rows": count,
                "organisation": asked.organisation_code or "",
            }
            line = chain.Line(
                action="register.disclose", object_type="register_export", object_id=asked.id, details=details
            )
            chain.note(connection, line)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    if register.is_personal:
        metrics.people_exported_total.labels(_time_of_day(now)).inc(count)
    return file


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
        metrics.exports_refused_total.inc()
        raise TooManyToday(
            f"one person exports at most {MOST_PERSONAL_ROWS_A_DAY} rows about people in a day",
            retry_after_seconds=wait,
        )


def _time_of_day(now: datetime) -> str:
    return "day" if NIGHT_ENDS <= now.astimezone(CHINA).hour < NIGHT_BEGINS else "night"


def _bounded(rows: Iterator[tuple[exporting.Value, ...]], *, most: int) -> Iterator[tuple[exporting.Value, ...]]:
    for count, row in enumerate(rows):
        if count >= most:
            raise TooManyRows(f"an export has at most {most} rows; ask for one organisation after another")
        yield row
