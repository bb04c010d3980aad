"""The chain as files that are only ever added: the records of a checkpoint, then the checkpoint itself."""

import os
from datetime import datetime
from pathlib import Path

from shared.audit.checkpoints import Checkpoint, find_unexported, set_exported
from shared.audit.records import lines_of, list_records
from shared.database import Pool, transaction


class ExportRefused(Exception):
    """A file of that name is there already, with other content. Nothing was overwritten."""


def records_name(checkpoint: Checkpoint) -> str:
    return f"records-{checkpoint.first_seq:015d}-{checkpoint.last_seq:015d}.jsonl"


def checkpoint_name(number: int) -> str:
    return f"checkpoint-{number:012d}.json"


def export(pool: Pool, directory: Path, *, now: datetime) -> int:
    """Write what the files do not hold yet; return how many checkpoints. Raises ExportRefused, OSError.

    After a crash the same bytes are written again, so a half-done export is completed and nothing stands there twice.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    exported = 0
    while True:
        with transaction(pool) as connection:
            checkpoint = find_unexported(connection)
            if checkpoint is None:
                return exported
            records = list_records(connection, first=checkpoint.first_seq, last=checkpoint.last_seq)
        add_file(directory / records_name(checkpoint), lines_of(records))
        add_file(directory / checkpoint_name(checkpoint.number), checkpoint.as_file())
        with transaction(pool) as connection:
            set_exported(connection, checkpoint.number, exported_at=now)
        exported += 1


def add_file(path: Path, content: bytes) -> None:
    """Leave a whole file that survives a crash of the machine, or raise ExportRefused and leave the one there."""
    if path.exists():
        if path.read_bytes() != content:
            raise ExportRefused(f"{path.name} is there with other content")
        return
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)  # unlike a rename, never over another file
    except FileExistsError:
        add_file(path, content)
    finally:
        beside.unlink(missing_ok=True)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
