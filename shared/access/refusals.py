"""Who is refused although we knew them once, and how much of it the audit is told: the first of many, and a count."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from prometheus_client import Counter

from shared.errors import Unauthenticated

Reason = Literal[
    "account-disabled",
    "client-not-active",
    "second-factor-needed",
    "session-ended",
    "session-over",
    "token-expired",
    "wrong-audience",
    "wrong-network",
]
TOLD_AGAIN_SECONDS: Final = 600.0
MOST_A_MINUTE: Final = 60  # of one process, whoever they are about
MOST_REMEMBERED: Final = 10_000

refused_total = Counter("authentication_refused_total", "Refusals of those known once, by reason.", ["reason", "told"])


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOnce:
    """A session or a machine client that was good at another time, or is good elsewhere."""

    reason: Reason
    object_type: Literal["session", "machine_client"]
    object_id: str
    actor: str
    account_id: UUID | None = None


class NoLonger(Unauthenticated):
    """To the sender the same, word for word, as if nobody had ever known them."""

    def __init__(self, detail: str, known: KnownOnce) -> None:
        super().__init__(detail)
        self.known = known


class Refusals:
    """Says of each refusal whether it is to be told, and of how many before it nothing was."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._minute, self._told_in_minute = 0, 0

    def count(self, known: KnownOnce) -> int | None:
        """How many of the same were passed over since one was told; None where this one is passed over as well."""
        now, key = self._clock(), (known.object_id, known.reason)
        until, passed_over = self._told.pop(key, (0.0, 0))
        is_told = now >= until and self._has_room(now)
        self._told[key] = (now + TOLD_AGAIN_SECONDS, 0) if is_told else (until, passed_over + 1)
        while len(self._told) > MOST_REMEMBERED:
            self._told.popitem(last=False)
        refused_total.labels(known.reason, "yes" if is_told else "no").inc()
        return passed_over if is_told else None

    def _has_room(self, now: float) -> bool:
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._told_in_minute = minute, 0
        if self._told_in_minute >= MOST_A_MINUTE:
            return False
        self._told_in_minute += 1
        return True
