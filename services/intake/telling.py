"""The loop of `intake tell`: note which citizens are to be told, and tell them, until it is stopped."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.errors import Transient
from shared.observability import correlated, get_logger, new_correlation_id

ROUND_SECONDS = 2.0

log = get_logger()


@dataclass(slots=True, kw_only=True)
class Teller:
    """`note` goes through events and `send` through messages; each says how many that were, and both are repeated."""

    note: Callable[[], int]
    send: Callable[[], int]
    round_seconds: float = ROUND_SECONDS
    last_progress: float = field(default_factory=time.monotonic)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._stopped.is_set():
            if not self.go_round():
                self._stopped.wait(self.round_seconds)

    def stop(self) -> None:
        self._stopped.set()

    def go_round(self) -> int:
        """Once; how much there was to do. A database that is away is looked for again."""
        done = 0
        with correlated(new_correlation_id()):
            try:
                done = self.note() + self.send()
            except Transient as error:
                log.warning("telling_postponed", code=error.code)
        self.last_progress = time.monotonic()
        return done
