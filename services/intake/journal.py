"""The list of erased citizens beside the keys, where restoring an old database does not take it back."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

FILE: Final = "erasures.txt"
MODE: Final = 0o600


def note_erasures(directory: Path, citizen_refs: Sequence[UUID], *, at: datetime) -> None:
    """Durable before it returns. A line that a crash cut short begins no other one."""
    handle = os.open(directory / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, MODE)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        lines = "".join(f"{citizen_ref} {at.isoformat()}\n" for citizen_ref in citizen_refs)
        written = f"{chr(10) if torn else ''}{lines}".encode("ascii")
        while written:
            written = written[os.write(handle, written) :]
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
