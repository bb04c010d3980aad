"""Handing endpoints out to threads, so that one that is slow holds nobody else: a bulkhead for each channel."""

import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from services.notify.channels.protocol import Channel, Channels
from services.notify.handlers.delivering import Chances, DeliveryRules, deliver_batch, find_due, find_pause, share_of
from shared.database import Pool
from shared.errors import Transient
from shared.observability import get_logger

LONGEST_PAUSE: Final = timedelta(seconds=0.5)
log = get_logger()


class Dispatcher:
    """An endpoint is worked on by as many threads of a process as its channel has hands, a channel by its workers.

    Threads of their own, because the few of the worker are for everything else that falls due.
    """

    def __init__(self, pool: Pool, channels: Channels, rules: DeliveryRules, chances: Chances) -> None:
        self._pool = pool
        self._channels = channels
        self._rules = rules
        self._chances = chances
        self._lock = threading.Lock()
        self._busy: Counter[tuple[str, str]] = Counter()  # threads by channel and endpoint
        self._asked: set[str] = set()  # endpoints that have been found to have something due since they were looked at
        self._threads = ThreadPoolExecutor(
            max_workers=max(1, sum(channel.workers for channel in channels.values())), thread_name_prefix="deliver"
        )

    def sweep(self) -> list[Future[None]]:
        """Begin with every endpoint for which something is due and that has a hand free."""
        found = find_due(self._pool, self._channels, self._rules, now=self._chances.clock())
        return [
            self._threads.submit(self._work, name, endpoint) for name, endpoint in found if self._take(name, endpoint)
        ]

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _take(self, name: str, endpoint: str) -> bool:
        channel = self._channels[name]
        with self._lock:
            at_channel = sum(count for (busy, _), count in self._busy.items() if busy == name)
            is_busy = self._busy[name, endpoint] > 0
            is_free = self._busy[name, endpoint] < channel.hands and at_channel < channel.workers
            if is_busy or is_free:
                self._asked.add(endpoint)
            self._busy[name, endpoint] += is_free
            return is_free

    def _leave(self, name: str, endpoint: str) -> None:
        self._busy[name, endpoint] -= 1
        if not self._busy[name, endpoint]:
            del self._busy[name, endpoint]

    def _goes_on(self, name: str, endpoint: str) -> bool:
        """False leaves the endpoint to others: whoever finds something due from then on begins anew."""
        with self._lock:
            if endpoint in self._asked:
                self._asked.remove(endpoint)
                return True
            self._leave(name, endpoint)
            return False

    def _work(self, name: str, endpoint: str) -> None:
        channel = self._channels[name]
        try:
            while self._goes_on(name, endpoint):
                while self._deliver(name, endpoint) or self._waits_for_its_pace(channel, endpoint):
                    pass
        except Exception as error:
            if isinstance(error, Transient):
                log.warning("delivering_postponed", endpoint=endpoint, code=error.code)
            else:
                # The edge of this thread: nobody else would say so. The lease runs out, and the next sweep tries again.
                log.exception("delivering_failed", endpoint=endpoint)
            with self._lock:
                self._leave(name, endpoint)

    def _deliver(self, name: str, endpoint: str) -> int:
        """Where a whole share was there to be taken, there may be more than one hand can do."""
        channel = self._channels[name]
        tried = deliver_batch(self._pool, channel, endpoint, self._rules, self._chances)
        if channel.hands > 1 and tried >= share_of(channel, self._rules) and self._take(name, endpoint):
            self._call_help(name, endpoint)
        return tried

    def _call_help(self, name: str, endpoint: str) -> None:
        try:
            self._threads.submit(self._work, name, endpoint)
        except RuntimeError:  # the process is about to end
            with self._lock:
                self._leave(name, endpoint)

    def _waits_for_its_pace(self, channel: Channel, endpoint: str) -> bool:
        """A moment is waited for here: a sweep comes seconds later, and a pace that waits for it is another pace."""
        pause = find_pause(self._pool, channel, endpoint, now=self._chances.clock())
        if pause is None or pause > LONGEST_PAUSE:
            return False
        time.sleep(pause.total_seconds())
        return True
