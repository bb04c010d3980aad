"""The virtual environment `.venv`, made from a lock file that names every package with its hash."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from embedded.errors import EmbeddedError
from embedded.layout import Layout, read_json, write_whole
from embedded.packages import find_pip_wheel, has_installer
from embedded.process import last_lines

OLDEST_PYTHON = (3, 11)
RUN_LOCK = "requirements.lock"
DEVELOPMENT_LOCK = "requirements-dev.lock"  # holds everything of the other one too


def ensure(layout: Layout, *, development: bool, tell: Callable[[str], None]) -> None:
    """Make or complete the environment; a look at a small file when nothing has changed."""
    if sys.version_info < OLDEST_PYTHON:
        raise EmbeddedError(f"Python 3.11 or later is needed, and this is {sys.version.split()[0]}")
    stamp_file = layout.environment / "lianxin.json"
    lock = layout.root / (DEVELOPMENT_LOCK if development else RUN_LOCK)
    wanted = _fingerprint(lock)
    stamp = read_json(stamp_file)
    if stamp.get(lock.name) == wanted and _works(layout):
        return
    if stamp and not _works(layout):
        shutil.rmtree(layout.environment)
        stamp = {}
    log = layout.log / "setup.log"
    tell(f"installing the Python packages of {lock.name} into {layout.environment}")
    _make(layout, log)
    _install(layout, lock, log)
    # The larger set contains the smaller one, so that `make run` after `make test` has nothing to do.
    also = {RUN_LOCK: _fingerprint(layout.root / RUN_LOCK)} if development else {}
    write_whole(stamp_file, json.dumps(stamp | {lock.name: wanted} | also))


def _fingerprint(lock: Path) -> str:
    try:
        content = lock.read_bytes()
    except FileNotFoundError:
        raise EmbeddedError(f"{lock} is missing: is the checkout complete?") from None
    return hashlib.sha256(content + sys.version.encode()).hexdigest()


def _works(layout: Layout) -> bool:
    return layout.python.exists() and subprocess.run([layout.python, "-c", ""], check=False).returncode == 0


def _make(layout: Layout, log: Path) -> None:
    if layout.python.exists() and _works(layout):
        return
    installer = [] if has_installer() else ["--without-pip"]
    _run([sys.executable, "-m", "venv", *installer, "--clear", str(layout.environment)], log)


def _install(layout: Layout, lock: Path, log: Path) -> None:
    command = [str(layout.python), "-m", "pip", "install", "--require-hashes", "--no-deps", "-r", str(lock)]
    variables = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    if not next(layout.environment.glob("lib/python*/site-packages/pip"), None):
        wheel = find_pip_wheel(layout)
        if wheel is None:
            raise EmbeddedError("neither ensurepip nor a pip wheel was found: apt-get install python3-venv")
        variables["PYTHONPATH"] = str(wheel)  # pip runs straight out of its wheel
    _run(command, log, **variables)


def _run(command: list[str], log: Path, **variables: str) -> None:
    with log.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        result = subprocess.run(
            command,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode != 0:
        raise EmbeddedError(f"`{' '.join(command[1:4])}` failed ({log}):\n{last_lines(log)}")
