"""What assessment counts, and what it measures when somebody looks."""

from collections.abc import Callable, Iterator

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

events_taken_total = Counter("assessment_events_taken_total", "New events taken in as facts.")
messages_settled_total = Counter("assessment_messages_settled_total", "What became of messages.", ["outcome"])
scoring_passes_total = Counter("assessment_scoring_passes_total", "Scoring passes that had something to do.")
scoring_pass_seconds = Histogram("assessment_scoring_pass_seconds", "Time of a scoring pass.")
cells_tallied_total = Counter("assessment_cells_tallied_total", "Cells of cadre, organisation and month counted anew.")
scores_changed_total = Counter("assessment_scores_changed_total", "Scores that came to stand otherwise than before.")
scores_announced_total = Counter("assessment_scores_announced_total", "Scores announced to other services.")


class DueCollector(Collector):
    """Asks the database at every scrape. A database that is away leaves the figures out, and the scrape whole."""

    def __init__(
        self, measure_due: Callable[[], tuple[int, float]], measure_outbox: Callable[[], tuple[int, float]]
    ) -> None:
        self._measure_due = measure_due
        self._measure_outbox = measure_outbox

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            due, due_seconds = self._measure_due()
            unsent, unsent_seconds = self._measure_outbox()
        except Exception:  # noqa: BLE001 - a scrape must not fail for one figure; its absence is the alarm
            return
        yield GaugeMetricFamily("assessment_due", "Cells and subjects that wait to be scored.", value=due)
        yield GaugeMetricFamily("assessment_due_oldest_seconds", "How long the oldest has waited.", value=due_seconds)
        yield GaugeMetricFamily("assessment_outbox_unsent", "Events that wait to be sent.", value=unsent)
        yield GaugeMetricFamily(
            "assessment_outbox_oldest_seconds", "How long the oldest event has waited.", value=unsent_seconds
        )

    def describe(self) -> list[GaugeMetricFamily]:
        return []


def watch_backlog(
    measure_due: Callable[[], tuple[int, float]], measure_outbox: Callable[[], tuple[int, float]]
) -> None:
    REGISTRY.register(DueCollector(measure_due, measure_outbox))
