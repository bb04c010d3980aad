"""Exporting a register to a file: as of one moment, within reach, marked with whose export it is, and on record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import UUID

from services.intake import exporting
from services.intake.domain.registers import CHINA
from services.intake.exporting import Format
from services.intake.storage import exports as storage
from shared.audit import chain
from shared.database import Pool, transaction
from shared.errors import NotFound, Rejected
from shared.reach import current

MOST_PERSONAL_ROWS = 10_000
MOST_SHEET_ROWS = 1_000_000
BLOCK = 256 * 1024


class UnknownRegister(NotFound):
    code = "unknown-register"


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
    """Return the file, opened at its beginning. What is told of it is committed first. Raises TooManyRows."""
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
            details = {
                "register": asked.register,
                "format": asked.format,
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
    return file


def read_blocks(file: BinaryIO) -> Iterator[bytes]:
    """Give the file away block by block, and close it."""
    with file:
        while block := file.read(BLOCK):
            yield block


def _bounded(rows: Iterator[tuple[exporting.Value, ...]], *, most: int) -> Iterator[tuple[exporting.Value, ...]]:
    for count, row in enumerate(rows):
        if count >= most:
            raise TooManyRows(f"an export has at most {most} rows; ask for one organisation after another")
        yield row
