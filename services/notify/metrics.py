"""What notify counts."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

events_taken_total = Counter("notify_events_taken_total", "Events taken into the log, repeats not counted")
news_received_total = Counter("notify_news_received_total", "Events of new scores taken in, repeats not counted")
news_recorded_total = Counter("notify_news_recorded_total", "Scores that came to stand anew, late events not counted")
messages_settled_total = Counter(
    "notify_messages_settled_total", "Messages taken from the broker, by what became of them", ["outcome"]
)
notices_made_total = Counter("notify_notices_made_total", "Things noted to be told to somebody")
notices_told_total = Counter("notify_notices_told_total", "Things told, alone or in a digest")
notices_put_off_total = Counter("notify_notices_put_off_total", "Things that joined the next digest for a day's cap")
notices_dropped_total = Counter(
    "notify_notices_dropped_total", "Things not told, because they were too old or settled by then", ["why"]
)
digests_composed_total = Counter("notify_digests_composed_total", "Digests composed")
delivery_attempts_total = Counter(
    "notify_delivery_attempts_total",
    "Attempts at deliveries, by channel and what became of them",
    ["channel", "result"],
)
deliveries_abandoned_total = Counter("notify_deliveries_abandoned_total", "Deliveries given up after too many attempts")
deliveries_expired_total = Counter(
    "notify_deliveries_expired_total", "Deliveries not made because what they say was too old by then"
)
webhook_attempts_total = Counter(
    "notify_webhook_attempts_total", "Attempts at webhook deliveries, by the answer or the fault", ["answer"]
)
webhook_endpoints_disabled_total = Counter(
    "notify_webhook_endpoints_disabled_total", "Endpoints that were switched off, by the reason", ["because"]
)
webhook_handed_over_seconds = Histogram(
    "notify_webhook_handed_over_seconds",
    "From the commit that an event tells of to the first attempt at telling an endpoint.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
feed_events_total = Counter("notify_feed_events_total", "Events told to machines over the feed")
circuits_opened_total = Counter(
    "notify_circuits_opened_total", "Times that an endpoint was left alone for a while, since it failed", ["channel"]
)
receipts_total = Counter("notify_receipts_total", "What gateways told afterwards of deliveries", ["channel", "outcome"])


class _ByChannel(Collector):
    """Figures that are read from the database whenever Prometheus asks: their absence is the alarm."""

    def __init__(self, name: str, help_text: str, measure: Callable[[], Mapping[str, float]]) -> None:
        self._name = name
        self._help_text = help_text
        self._measure = measure

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Registering must not ask the database."""
        yield GaugeMetricFamily(self._name, self._help_text, labels=["channel"])

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            measured = self._measure()
        except Exception:  # noqa: BLE001 - a scrape must not fail for one figure
            return
        [family] = self.describe()
        for channel, value in sorted(measured.items()):
            family.add_metric([channel], value)
        yield family


def watch_channels(
    waiting: Callable[[], Mapping[str, tuple[int, float]]], open_circuits: Callable[[], Mapping[str, int]]
) -> None:
    """Publish by channel what waits, for how long the oldest has, and how many endpoints are left alone."""
    figures: dict[str, tuple[str, Callable[[], Mapping[str, float]]]] = {
        "notify_channel_waiting": (
            "Deliveries that have neither arrived nor been given up",
            lambda: {name: float(count) for name, (count, _) in waiting().items()},
        ),
        "notify_channel_oldest_seconds": (
            "For how long the oldest of these has waited",
            lambda: {name: seconds for name, (_, seconds) in waiting().items()},
        ),
        "notify_circuits_open": (
            "Endpoints that are left alone for a while, or only tried again, since they failed",
            lambda: {name: float(count) for name, count in open_circuits().items()},
        ),
    }
    for name, (help_text, measure) in figures.items():
        REGISTRY.register(_ByChannel(name, f"{help_text}.", measure))
