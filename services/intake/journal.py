"""The list of erased citizens beside the keys, where restoring an old database does not take it back."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

FILE: Final = "erasures.txt"
MODE: Final = 0o600


def note_erasure(directory: Path, citizen_ref: UUID, *, at: datetime) -> None:
    """Durable before it returns. A line that a crash cut short begins no other one."""
    handle = os.open(directory / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, MODE)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, f"{chr(10) if torn else ''}{citizen_ref} {at.isoformat()}\n".encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)


def list_erased(directory: Path) -> list[UUID]:
    """List every citizen whose erasure was begun; a torn line was never followed by one."""
    try:
        lines = (directory / FILE).read_text("ascii").splitlines()
    except FileNotFoundError:
        return []
    refs = []
    for line in lines:
        try:
            refs.append(UUID(line.split(" ")[0]))
        except ValueError:
            continue
    return list(dict.fromkeys(refs))
