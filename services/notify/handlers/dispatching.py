"""Handing endpoints out to threads, so that one that is slow holds nobody else: a bulkhead for each channel."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from services.notify.channels.protocol import Channel, Channels
from services.notify.handlers.delivering import Chances, DeliveryRules, deliver_batch, find_due, find_pause
from shared.database import Pool
from shared.errors import Transient
from shared.observability import get_logger

LONGEST_PAUSE: Final = timedelta(seconds=0.5)
log = get_logger()


class Dispatcher:
    """An endpoint is worked on by one thread of a process at most, a channel by as many as it says.

    Threads of their own, because the few of the worker are for everything else that falls due.
    """

    def __init__(self, pool: Pool, channels: Channels, rules: DeliveryRules, chances: Chances) -> None:
        self._pool = pool
        self._channels = channels
        self._rules = rules
        self._chances = chances
        self._lock = threading.Lock()
        self._busy: dict[str, str] = {}  # channels by endpoint
        self._asked: set[str] = set()  # endpoints that have been found to have something due since they were looked at
        self._threads = ThreadPoolExecutor(
            max_workers=max(1, sum(channel.workers for channel in channels.values())), thread_name_prefix="deliver"
        )

    def sweep(self) -> list[Future[None]]:
        """Begin with every endpoint for which something is due and that nobody of this process is at."""
        found = find_due(self._pool, self._channels, self._rules, now=self._chances.clock())
        return [
            self._threads.submit(self._work, name, endpoint) for name, endpoint in found if self._take(name, endpoint)
        ]

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _take(self, name: str, endpoint: str) -> bool:
        with self._lock:
            if endpoint in self._busy:
                self._asked.add(endpoint)
                return False
            if sum(busy == name for busy in self._busy.values()) >= self._channels[name].workers:
                return False
            self._busy[endpoint] = name
            self._asked.add(endpoint)
            return True

    def _goes_on(self, endpoint: str) -> bool:
        """False leaves the endpoint to others: whoever finds something due from then on begins anew."""
        with self._lock:
            if endpoint in self._asked:
                self._asked.remove(endpoint)
                return True
            del self._busy[endpoint]
            return False

    def _work(self, name: str, endpoint: str) -> None:
        channel = self._channels[name]
        try:
            while self._goes_on(endpoint):
                while deliver_batch(
                    self._pool, channel, endpoint, self._rules, self._chances
                ) or self._waits_for_its_pace(channel, endpoint):
                    pass
        except Exception as error:
            if isinstance(error, Transient):
                log.warning("delivering_postponed", endpoint=endpoint, code=error.code)
            else:
                # The edge of this thread: nobody else would say so. The lease runs out, and the next sweep tries again.
                log.exception("delivering_failed", endpoint=endpoint)
            with self._lock:
                self._asked.discard(endpoint)
                del self._busy[endpoint]

    def _waits_for_its_pace(self, channel: Channel, endpoint: str) -> bool:
        """A moment is waited for here: a sweep comes seconds later, and a pace that waits for it is another pace."""
        pause = find_pause(self._pool, channel, endpoint, now=self._chances.clock())
        if pause is None or pause > LONGEST_PAUSE:
            return False
        time.sleep(pause.total_seconds())
        return True
