"""Turns: how many long questions of a kind are counted at once in a process, so that all others find a connection."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import Transient


class CountingBusy(Transient):
    """Others count much already; the same question may be answered a little later."""

    code = "counting-busy"


class Turns:
    """Some at once, some more that wait for so long; whoever comes on top of these is told at once."""

    def __init__(self, *, at_once: int, waiting: int, patience_seconds: float) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._patience_seconds = patience_seconds

    @contextmanager
    def take(self) -> Iterator[None]:
        """To be taken before a connection is: who waits holds none. Raises CountingBusy."""
        if not self._places.acquire(blocking=False):
            raise CountingBusy("too much is being counted at this moment; try again")
        try:
            if not self._turns.acquire(timeout=self._patience_seconds):
                raise CountingBusy("too much is being counted at this moment; try again")
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()
