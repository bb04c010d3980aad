"""The event door: which queue is answered by which handler, and the nudge to tell people after the commit."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from services.notify.handlers.events import take_events
from shared.broker.topology import Subscription
from shared.contracts.envelope import Envelope
from shared.database import Pool
from shared.observability import get_logger

# By the name under which the inbox knows them.
SUBSCRIPTIONS: Mapping[str, Subscription] = {
    "notify.events": Subscription(
        service="notify", queue="q.notify.events", exchange="evt.assessment", patterns=("assessment.#",)
    ),
    "notify.intake": Subscription(
        service="notify", queue="q.notify.intake", exchange="evt.intake", patterns=("intake.#",)
    ),
}
SECONDS_BETWEEN_NUDGES: Final = 0.2
log = get_logger()


class Nudging:
    """Nudges soon after it was asked to, and once for all who ask meanwhile; the last to ask is never forgotten.

    On a thread of its own: a broker of tasks that hangs must not hold up who takes events in.
    """

    def __init__(self, nudge: Callable[[], None], *, pause_seconds: float = SECONDS_BETWEEN_NUDGES) -> None:
        self._nudge = nudge
        self._pause_seconds = pause_seconds
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nudge", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()
        self._thread.join()

    def ask(self) -> None:
        self._wanted.set()

    def _run(self) -> None:
        while self._wanted.wait() and not self._stopping.is_set():
            self._wanted.clear()
            try:
                self._nudge()
            except Exception:
                # The edge of this thread: it goes on, and the sweep finds what the nudge was for.
                log.exception("nudge_failed")
            self._stopping.wait(self._pause_seconds)


def make_doors(
    pool: Pool, *, zone: ZoneInfo, told: Callable[[], None] = lambda: None
) -> dict[Subscription, Callable[[Sequence[Envelope]], None]]:
    """`told` is called after the commit of what was new."""
    return {
        subscription: partial(_handle, pool, consumer, zone, told) for consumer, subscription in SUBSCRIPTIONS.items()
    }


def _handle(pool: Pool, consumer: str, zone: ZoneInfo, told: Callable[[], None], batch: Sequence[Envelope]) -> None:
    if take_events(pool, consumer, batch, zone=zone, now=datetime.now(UTC)):
        told()
