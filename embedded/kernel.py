"""What /proc tells about processes: who descends from whom, how much memory they hold, which are leftovers of ours."""

import os
import time
from pathlib import Path

PROC = Path("/proc")


def _read(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def all_pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> tuple[str, int, int]:
    """State, parent and start time in ticks; the name in brackets may itself hold blanks and brackets."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return (fields[0].decode(), int(fields[1]), int(fields[19])) if len(fields) > 19 else ("X", 0, 0)


def is_alive(pid: int) -> bool:
    return _stat(pid)[0] not in "ZX"


def start_ticks(pid: int) -> int:
    """Tell one process from a later one that was given the same number."""
    return _stat(pid)[2]


def with_descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for other in all_pids():
        children.setdefault(_stat(other)[1], []).append(other)
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        queue.extend(children.get(current, []))
    return found


def memory_bytes(pid: int) -> int | None:
    """Proportional set size: pages shared by n processes count as 1/n in each; None where we may not look."""
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return None


def tree_memory_bytes(pid: int) -> int | None:
    sizes = [size for each in with_descendants(pid) if (size := memory_bytes(each)) is not None]
    return sum(sizes) if sizes else None


def age_seconds(pid: int) -> float:
    uptime = float((PROC / "uptime").read_text().split()[0])
    return uptime - start_ticks(pid) / os.sysconf("SC_CLK_TCK")


def leftovers(marker: str, folders: list[Path]) -> list[int]:
    """Processes that carry our marker in their environment, or that are PostgreSQL's and work in one of the folders.

    PostgreSQL writes its status over its environment, so it can only be told by the folder it works in.
    """
    wanted = marker.encode()
    roots = [str(folder) for folder in folders]
    found = []
    for pid in all_pids():
        if pid == os.getpid() or not is_alive(pid):
            continue
        if wanted in _read(pid, "environ").split(b"\0") or _works_in(pid, roots):
            found.append(pid)
    return found


def _works_in(pid: int, roots: list[str]) -> bool:
    try:
        place = os.readlink(PROC / str(pid) / "cwd")
    except OSError:
        return False
    return _read(pid, "comm").startswith(b"postgres") and any(
        place == root or place.startswith(root + "/") for root in roots
    )


def wait_until_gone(pids: list[int], *, timeout_seconds: float) -> list[int]:
    """Give back those that are still there at the end."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        pids = [pid for pid in pids if is_alive(pid)]
        if not pids or time.monotonic() > deadline:
            return pids
        time.sleep(0.05)
