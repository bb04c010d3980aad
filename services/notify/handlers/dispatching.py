"""Handing endpoints out to threads, so that one that is slow holds nobody else: a bulkhead for each channel."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from services.notify.channels.protocol import Channels
from services.notify.handlers.delivering import Chances, DeliveryRules, deliver_batch, find_due
from shared.database import Pool
from shared.errors import Transient
from shared.observability import get_logger

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
            full = sum(busy == name for busy in self._busy.values()) >= self._channels[name].workers
            if full or endpoint in self._busy:
                return False
            self._busy[endpoint] = name
            return True

    def _work(self, name: str, endpoint: str) -> None:
        try:
            while deliver_batch(self._pool, self._channels[name], endpoint, self._rules, self._chances):
                pass
        except Transient as error:
            log.warning("delivering_postponed", endpoint=endpoint, code=error.code)
        except Exception:
            # The edge of this thread: nobody else would say so. The lease runs out, and the next sweep tries again.
            log.exception("delivering_failed", endpoint=endpoint)
        finally:
            with self._lock:
                del self._busy[endpoint]
