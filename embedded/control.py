"""What a person does to a running instance from another terminal: status, logs, stop, clean."""

import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from embedded import kernel
from embedded.accounts import remove_folder
from embedded.applications import answers
from embedded.errors import EmbeddedError
from embedded.layout import Layout, State, read_json
from embedded.process import MARKER

STOP_SECONDS = 120
NOT_RUNNING = 3


class RunningAlready(Exception):
    pass


@contextmanager
def only_one(layout: Layout) -> Iterator[None]:
    """Hold the checkout's lock; the kernel gives it back however we end. Raises RunningAlready."""
    if not os.access(layout.run, os.W_OK):
        raise EmbeddedError(f"{layout.run} belongs to another user: run as that user, or remove it")
    with layout.lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunningAlready from None
        yield


def is_running(layout: Layout) -> bool:
    if not layout.lock.exists():
        return False
    try:
        with only_one(layout):
            return False
    except RunningAlready:
        return True


def end_leftovers(layout: Layout) -> int:
    """End what a killed run left behind, which has been told to stop by the kernel already; how many there were."""
    folders = [Path(folder) for folder in State(layout.state).get("data_folders", [])]
    found = kernel.leftovers(f"{MARKER}={layout.run}", folders)
    remaining = kernel.wait_until_gone(found, timeout_seconds=15) if found else []
    for pid in remaining:
        os.kill(pid, signal.SIGKILL)
    kernel.wait_until_gone(remaining, timeout_seconds=5)
    return len(found)


def stop(layout: Layout) -> int:
    if not is_running(layout):
        if layout.run.exists() and end_leftovers(layout):
            print("Lianxin was not running; what an earlier run had left behind is stopped now.")
        else:
            print("Lianxin is not running.")
        return 0
    pid = int(read_json(layout.running).get("pid", 0))
    if pid == 0:
        raise EmbeddedError("another command is at work in this checkout and has not begun to run processes yet")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while is_running(layout):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            end_leftovers(layout)
            print("Lianxin did not stop in time and was killed. Nothing that was accepted is lost.")
            return 1
        time.sleep(0.1)
    print("Lianxin has stopped.")
    return 0


def status(layout: Layout) -> int:
    """Print a line for each process; 0 when all are ready, 1 when one is not, 3 when nothing runs."""
    if not is_running(layout):
        print("Lianxin is not running. `make run` starts it.")
        return NOT_RUNNING
    running = read_json(layout.running)
    print(f"{'process':<20} {'pid':>8}  {'state':<10} {'memory':>9}  {'age':>9}  {'restarts':>8}")
    total, all_ready = 0, True
    for row in [{"name": "supervisor", "pid": running.get("pid")}, *running.get("processes", [])]:
        line, memory, is_ready = _describe(row)
        print(line)
        total += memory
        all_ready = all_ready and is_ready
    print(f"{'together':<20} {'':>8}  {'':<10} {total / 1e6:>6.0f} MB")
    for name, address in running.get("addresses", {}).items():
        print(f"  {name:<12} {address}")
    return 0 if all_ready else 1


def _describe(row: dict[str, Any]) -> tuple[str, int, bool]:
    pid, port = row.get("pid"), row.get("port")
    if not pid or not kernel.is_alive(pid):
        return f"{row['name']:<20} {'-':>8}  {'down':<10} {'':>9}  {'':>9}  {row.get('restarts', 0):>8}", 0, False
    is_ready = port is None or answers(port, "/readyz")
    # The supervisor's own line must not count its children a second time.
    memory = (kernel.memory_bytes(pid) if row["name"] == "supervisor" else kernel.tree_memory_bytes(pid)) or 0
    age = timedelta(seconds=int(kernel.age_seconds(pid)))
    state = "up, ready" if is_ready else "up, busy"
    text = f"{row['name']:<20} {pid:>8}  {state:<10} {memory / 1e6:>6.0f} MB  {age!s:>9}  {row.get('restarts', 0):>8}"
    return text, memory, is_ready


def logs(layout: Layout, name: str | None) -> int:
    """Follow all logs, or one, until Ctrl-C."""
    known = sorted(layout.log.glob("*.log")) if layout.log.exists() else []
    chosen = [path for path in known if name in (None, path.stem)]
    if not chosen:
        names = ", ".join(path.stem for path in known) or "none yet"
        raise EmbeddedError(f"there is no log of {name or 'any process'}; there are: {names}")
    sys.stdout.flush()
    os.execvp("tail", ["tail", "-n", "20", "-F", *map(str, chosen)])  # noqa: S606 - becomes tail, no shell wanted


def clean(layout: Layout) -> int:
    """Stop, and remove everything that was made here: data, servers, logs, the environment."""
    if layout.run.exists():
        stop(layout)
        for folder in (layout.postgres, layout.rabbitmq):
            remove_folder(folder)
        shutil.rmtree(layout.run)
    if layout.environment.exists():
        shutil.rmtree(layout.environment)
    for cache in (".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache"):
        shutil.rmtree(layout.root / cache, ignore_errors=True)
    print("Removed .run and .venv. The next `make run` begins afresh.")
    return 0


def show_addresses(layout: Layout) -> None:
    running = read_json(layout.running)
    print(f"Lianxin is running already in this checkout (pid {running.get('pid', '?')}).")
    for name, address in running.get("addresses", {}).items():
        print(f"  {name:<12} {address}")
    print(f"  sign-ins     {layout.sign_ins}")


def remember(path: Path, content: dict[str, Any]) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    beside.replace(path)
