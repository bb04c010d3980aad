"""Processes of the suite as the harness holds them: started, killed, frozen, and kept alive by a thread."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from embedded.process import Child, Command, last_lines

KEEP_SECONDS = 0.2


class Process:
    """One process with its lives. What `start` adds to the environment holds for one life only."""

    def __init__(self, command: Command, is_ready: Callable[[], bool]) -> None:
        self.command = command
        self.is_ready = is_ready
        self.deaths: list[int] = []  # how each life ended that nobody had asked to end; -9 is SIGKILL
        self.wanted = False
        self._coming: deque[Mapping[str, str]] = deque()
        self._child = Child(command, is_ready)
        self._lock = threading.RLock()

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        with self._lock:
            command = replace(self.command, environment={**self.command.environment, **(environment or {})})
            self._child = Child(command, self.is_ready)
            self._child.launch()
            self.wanted = True

    def stop(self) -> int | None:
        """Ask it to end, as a supervisor does; return its exit code."""
        with self._lock:
            self.wanted = False
            self._child.stop()
            return self._child.exit_code

    def live(self, lives: Iterable[Mapping[str, str]]) -> None:
        """Kill it and start it anew at once, with these variables: of one life after another, each ended by a death.

        The killing is not counted as one.
        """
        with self._lock:
            self._child.kill9()
            self._coming = deque(lives)
            self._begin_life()

    def _begin_life(self) -> None:
        self.start(self._coming.popleft() if self._coming else None)

    def kill9(self) -> None:
        """Kill it; the keeper starts it again."""
        with self._lock:
            self._child.kill9()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)

    def revive(self) -> None:
        """Start it again if it has died, and note how it died."""
        with self._lock:
            if self.wanted and self._child.pid is None and self._child.exit_code is not None:
                self.deaths.append(self._child.exit_code)
                self._begin_life()

    def wait_until_ready(self, timeout_seconds: float) -> None:
        self._child.wait_until_ready(timeout_seconds)

    def last_lines(self, count: int) -> str:
        return last_lines(self.command.log, count)


class Keeper:
    """Restarts whatever has died, like the supervisor of an installation.

    The kernel ends a process together with the thread that started it, so this thread must outlive them all.
    """

    def __init__(self, processes: Callable[[], Iterable[Process]]) -> None:
        self._processes = processes
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Call it when all processes have been stopped."""
        self._ending.set()
        self._thread.join(10)

    def _keep(self) -> None:
        while not self._ending.wait(KEEP_SECONDS):
            for process in self._processes():
                process.revive()


def cpu_seconds(processes: Iterable[Process]) -> dict[str, float]:
    """What each that lives has spent since it was started, by name. Ratios of these say more than a clock does."""
    spent = {}
    for process in processes:
        if process.pid is not None:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            spent[process.command.name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent
