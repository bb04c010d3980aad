"""Keeps the processes up: starts them in order, restarts those that die, and stops all in reverse order."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from embedded.errors import EmbeddedError
from embedded.process import Child, Command, last_lines, launch

LOG_BYTES_MAX = 8 * 1024 * 1024
FAILURES_MAX = 3  # while starting; later a process is started again for ever, ever more slowly
SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30
STEADY_SECONDS = 60  # a process that lived this long is forgiven its earlier failures
TICK_SECONDS = 1.0


class StopRequested(BaseException):
    """Ctrl-C or SIGTERM. Like KeyboardInterrupt no kind of Exception, so that nothing swallows it."""


@dataclass(slots=True, kw_only=True)
class Entry:
    child: Child
    stage: int  # stopped in descending order of stages
    port: int | None = None
    started_at: float = 0
    failures: int = 0
    restarts: int = 0
    due_at: float | None = None  # when to start it again, while it is down


@dataclass(slots=True)
class Supervisor:
    tell: Callable[[str], None]
    changed: Callable[["Supervisor"], None] = lambda _: None
    entries: list[Entry] = field(default_factory=list)
    is_starting: bool = True

    def start(self, children: Sequence[Child], *, stage: int) -> None:
        for child in children:
            entry = Entry(child=child, stage=stage)
            self.entries.append(entry)
            self._launch(entry)
        self.changed(self)

    def wait_until_ready(self, children: Sequence[Child], *, timeout_seconds: float) -> None:
        """Wait for all. Raises EmbeddedError with the last words of those that do not come up."""
        waiting = list(children)
        deadline = time.monotonic() + timeout_seconds
        while True:
            self.tend()
            waiting = [child for child in waiting if child.pid is None or not child.is_ready()]
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    "\n\n".join(
                        child.complaint(f"was not ready after {timeout_seconds:.0f} seconds") for child in waiting
                    )
                )
            pause(0.2)

    def run_to_the_end(
        self, commands: Sequence[Command], *, timeout_seconds: float, hear: Callable[[str], None] = lambda _: None
    ) -> None:
        """Run these beside the processes and pass on what they say. Raises EmbeddedError when one fails."""
        for command in commands:
            begin_anew(command.log)
        voices = [Voice(command.log) for command in commands]
        running = [launch(command) for command in commands]
        deadline = time.monotonic() + timeout_seconds
        try:
            while any(process.poll() is None for process in running):
                self.tend()
                pause(0.2)
                pass_on(voices, hear)
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"{commands[0].name} took longer than {timeout_seconds:.0f} seconds")
        finally:
            for process in running:
                process.kill()  # does nothing to one that has ended
                process.wait()
        pass_on(voices, hear)
        for command, process in zip(commands, running, strict=True):
            if process.returncode != 0:
                words = last_lines(command.log)
                raise EmbeddedError(f"{command.name} failed with code {process.returncode} ({command.log}):\n{words}")

    def replace(self, name: str, child: Child) -> None:
        """Stop the process of this name and start this one in its place."""
        entry = next(entry for entry in self.entries if entry.child.command.name == name)
        entry.child.stop()
        entry.child = child
        self._launch(entry)
        self.changed(self)

    def run_for_ever(self) -> None:
        self.is_starting = False
        while True:
            self.tend()
            pause(self._seconds_until_due())

    def tend(self) -> None:
        """Note deaths, start what is due, and keep the logs within bounds."""
        now = time.monotonic()
        for entry in self.entries:
            if entry.child.pid is None and entry.due_at is None:
                self._note_death(entry, now)
            if entry.due_at is not None and now >= entry.due_at:
                self._launch(entry)
                entry.restarts += 1
                self.changed(self)
            shorten(entry.child.command.log)

    def _launch(self, entry: Entry) -> None:
        entry.due_at = None
        entry.started_at = time.monotonic()
        entry.child.launch()

    def _note_death(self, entry: Entry, now: float) -> None:
        if now - entry.started_at > STEADY_SECONDS:
            entry.failures = 0
        entry.failures += 1
        name, code = entry.child.command.name, entry.child.exit_code
        if self.is_starting and entry.failures >= FAILURES_MAX:
            raise EmbeddedError(entry.child.complaint(f"ended {entry.failures} times, at last with code {code}"))
        seconds = min(SHORTEST_PAUSE_SECONDS * 2 ** (entry.failures - 1), LONGEST_PAUSE_SECONDS)
        entry.due_at = now + seconds
        self.tell(f"{name} ended with code {code}; it starts again in {seconds:.1f} s")
        self.changed(self)

    def _seconds_until_due(self) -> float:
        due = [entry.due_at for entry in self.entries if entry.due_at is not None]
        return max(0.0, min([TICK_SECONDS, *(each - time.monotonic() for each in due)]))

    def stop(self) -> None:
        """Ask stage by stage, the last started first, and kill what does not end in its time."""
        for stage in sorted({entry.stage for entry in self.entries}, reverse=True):
            group = [entry.child for entry in self.entries if entry.stage == stage]
            for child in group:
                child.ask_to_stop()
            asked_at = time.monotonic()
            for child in group:
                left = asked_at + child.command.stop_seconds - time.monotonic()
                if not child.finish(max(left, 0.1)):
                    self.tell(f"{child.command.name} did not stop in {child.command.stop_seconds:.0f} s and was killed")
        self.entries.clear()


def pause(seconds: float) -> None:
    """Sleep, but no longer than until a child dies."""
    if _wakeup is None:
        time.sleep(seconds)
        return
    readable, _, _ = select.select([_wakeup], [], [], seconds)
    if readable:
        with contextlib.suppress(BlockingIOError):
            os.read(_wakeup, 4096)


_wakeup: int | None = None


@contextlib.contextmanager
def stop_signals() -> Iterator[None]:
    """Within, Ctrl-C, SIGTERM and a closed terminal raise StopRequested once; further ones are ignored meanwhile."""
    global _wakeup  # as the handlers are, too
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    _wakeup = reading
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # it is ignored under nohup, and shall stay so
        numbers.append(signal.SIGHUP)

    def request(number: int, _: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise StopRequested(signal.Signals(number).name)

    earlier = {number: signal.signal(number, request) for number in numbers}
    earlier[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        _wakeup = None
        os.close(reading)
        os.close(writing)


class Voice:
    """The whole lines that have been added to a log since we last asked."""

    def __init__(self, log: Path | None) -> None:
        self._log = log
        self._heard = 0

    def new_lines(self) -> list[str]:
        if self._log is None or not self._log.exists():
            return []
        with self._log.open("rb") as file:
            file.seek(self._heard)
            whole, end, _ = file.read(64 * 1024).rpartition(b"\n")
        self._heard += len(whole) + len(end)
        return whole.decode("utf-8", "replace").splitlines()


def pass_on(voices: Sequence[Voice], hear: Callable[[str], None]) -> None:
    for voice in voices:
        for line in voice.new_lines():
            hear(line)


def begin_anew(log: Path | None) -> None:
    """Forget what a step said at an earlier start, so that its last words are those of this one."""
    if log is not None:
        log.unlink(missing_ok=True)


def shorten(log: Path | None) -> None:
    """Keep one older log. Children append, so that emptying the file under them loses at most the line just written."""
    if log is None or not log.exists() or log.stat().st_size < LOG_BYTES_MAX:
        return
    older = log.with_suffix(".log.1")
    with log.open("rb") as source, older.open("wb") as target:
        os.fchmod(target.fileno(), 0o600)
        while chunk := source.read(1024 * 1024):
            target.write(chunk)
    os.truncate(log, 0)
