"""Processor time by process: what a request costs, whatever else the machine does meanwhile."""

import os
from collections.abc import Sequence
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, USER, SYSTEM, USER_OF_ENDED, SYSTEM_OF_ENDED = 1, 11, 12, 13, 14  # fields of stat behind the command's name


def seconds_of(process: int) -> float:
    """Of one process, without its children."""
    fields = _fields(process)
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS if fields else 0.0


def seconds_of_family(process: int) -> float:
    """Of a process and its children, those that have ended too: PostgreSQL has one a connection."""
    fields = _fields(process)
    own = sum(int(fields[place]) for place in (USER, SYSTEM, USER_OF_ENDED, SYSTEM_OF_ENDED)) / TICKS if fields else 0.0
    children = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return own + sum(seconds_of(child) for child in children if _is_child(child, process))


def _is_child(process: int, parent: int) -> bool:
    fields = _fields(process)
    return bool(fields) and int(fields[PARENT]) == parent


def _fields(process: int) -> Sequence[str]:
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ()
