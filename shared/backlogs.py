"""What waits and for how long, read from the database whenever Prometheus asks."""

from collections.abc import Callable, Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

Measure = Callable[[], tuple[int, float]]  # how many wait, and how many seconds the oldest has waited


class _Backlog(Collector):
    def __init__(self, count_name: str, oldest_name: str, what: str, measure: Measure) -> None:
        self._count_name = count_name
        self._oldest_name = oldest_name
        self._what = what
        self._measure = measure

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Registering must not ask the database."""
        yield GaugeMetricFamily(self._count_name, f"{self._what}.")
        yield GaugeMetricFamily(self._oldest_name, f"{self._what}: how long the oldest has waited.")

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            values = self._measure()
        except Exception:  # noqa: BLE001 - a scrape must not fail for one figure; its absence is the alarm
            return
        for family, value in zip(self.describe(), values, strict=True):
            family.add_metric([], value)
            yield family


def watch_backlog(count_name: str, oldest_name: str, what: str, measure: Measure) -> None:
    REGISTRY.register(_Backlog(count_name, oldest_name, what, measure))
