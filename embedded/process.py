"""Starting one program so that it cannot outlive us, and stopping it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from embedded import kernel
from embedded.accounts import Account, drop_arguments
from embedded.errors import EmbeddedError

# In the environment of every child, so that a later run can tell what an earlier one left behind.
MARKER = "LIANXIN_RUN_FOLDER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20
    log: Path | None = field(default=None)  # None: what it writes is thrown away


def launch(command: Command) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, and have the kernel stop it when we die, even by kill -9.

    Call this from the main thread: the kernel watches the thread that started the child, not the whole process. setpriv
    asks for that signal after it has changed the account, which would otherwise cancel it, and spares us code between
    fork and exec. A session of its own keeps the terminal's Ctrl-C for us, who stop the children in order.
    """
    signal_name = command.stop_signal.name.removeprefix("SIG")
    wrapper = ["setpriv", "--pdeathsig", signal_name, *drop_arguments(command.account), "--"]
    output = os.open(command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if command.log else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            [*wrapper, *command.arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(command.environment),
            cwd=command.folder,
            start_new_session=True,
        )
    except OSError as error:
        raise EmbeddedError(f"{command.name} could not be started: {error}") from error
    finally:
        if output != subprocess.DEVNULL:
            os.close(output)


def last_lines(path: Path | None, count: int = 15) -> str:
    if path is None or not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 64 * 1024))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-count:])


class Child:
    """One program that may be started, stopped, killed and started again."""

    def __init__(self, command: Command, is_ready: Callable[[], bool]) -> None:
        self.command = command
        self.is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    def launch(self) -> None:
        self._process = launch(self.command)

    def wait_until_ready(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not self.is_ready():
            if self.pid is None:
                raise EmbeddedError(self.complaint(f"ended with code {self.exit_code} while starting"))
            if time.monotonic() > deadline:
                raise EmbeddedError(self.complaint(f"was not ready after {timeout_seconds:.0f} seconds"))
            time.sleep(0.1)

    def complaint(self, what: str) -> str:
        lines = last_lines(self.command.log)
        return f"{self.command.name} {what}" + (f"; its last words ({self.command.log}):\n{lines}" if lines else "")

    def ask_to_stop(self) -> None:
        if self.pid is not None and self._process is not None:
            self._process.send_signal(self.command.stop_signal)

    def finish(self, timeout_seconds: float) -> bool:
        """Wait for its end and kill what remains; whether it ended by itself."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill9()
            return False
        return True

    def stop(self) -> None:
        self.ask_to_stop()
        self.finish(self.command.stop_seconds)

    def kill9(self) -> None:
        """Kill this one process and wait until its own children have noticed, as a machine's operator would see it."""
        if self._process is None or self.pid is None:
            return
        family = kernel.with_descendants(self._process.pid)
        self._process.kill()
        self._process.wait()
        for pid in kernel.wait_until_gone(family, timeout_seconds=10):
            os.kill(pid, signal.SIGKILL)
