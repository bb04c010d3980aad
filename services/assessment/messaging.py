"""The event door: which event is answered by which handler, and the nudge to score after the commit."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.assessment.handlers.facts import take_facts
from shared.broker.topology import Subscription
from shared.contracts.envelope import Envelope
from shared.database import Pool

SUBSCRIPTION = Subscription(
    service="assessment", queue="q.assessment.facts", exchange="evt.intake", patterns=("intake.#",)
)


class FactsDoor:
    """Takes batches in, and asks for scoring at most once an interval: the sweep finds what comes in between."""

    def __init__(
        self, pool: Pool, *, zone: ZoneInfo, nudge_scoring: Callable[[], None], interval_seconds: float
    ) -> None:
        self._pool = pool
        self._zone = zone
        self._nudge_scoring = nudge_scoring
        self._interval_seconds = interval_seconds
        self._nudged_at = float("-inf")

    def handle(self, batch: Sequence[Envelope]) -> None:
        taken = take_facts(self._pool, batch, zone=self._zone, now=datetime.now(UTC))
        if taken and time.monotonic() - self._nudged_at >= self._interval_seconds:
            self._nudged_at = time.monotonic()
            self._nudge_scoring()
