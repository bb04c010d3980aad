"""What notify counts, and what it measures when it is asked."""

from collections.abc import Callable, Iterator

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

NEWS_RECEIVED = Counter("notify_news_received_total", "Events of new scores taken in, repeats not counted")
NEWS_RECORDED = Counter("notify_news_recorded_total", "Scores that came to stand anew, out-of-date events not counted")
MESSAGES_SETTLED = Counter(
    "notify_messages_settled_total", "Messages taken from the broker, by what became of them", ["result"]
)
DIGESTS_COMPOSED = Counter("notify_digests_composed_total", "Digests composed")
DELIVERY_ATTEMPTS = Counter(
    "notify_delivery_attempts_total",
    "Attempts at deliveries, by channel and what became of them",
    ["channel", "result"],
)
DELIVERIES_ABANDONED = Counter(
    "notify_deliveries_abandoned_total", "Deliveries given up for their age or their many attempts"
)


class BacklogCollector(Collector):
    """Reads the deliveries that are still due at every scrape; the figures are missing while the database is away."""

    def __init__(self, read: Callable[[], tuple[int, float]]) -> None:
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Registering must not ask the database."""
        yield GaugeMetricFamily("notify_deliveries_due", "Deliveries that have neither arrived nor failed")
        yield GaugeMetricFamily("notify_deliveries_due_oldest_seconds", "Age of the oldest such delivery")

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            count, oldest_seconds = self._read()
        except Exception:  # noqa: BLE001 - a scrape must give the other figures even now
            return
        due, oldest = self.describe()
        due.add_metric([], count)
        oldest.add_metric([], oldest_seconds)
        yield due
        yield oldest
