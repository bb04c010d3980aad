"""What notify counts."""

from prometheus_client import Counter, Histogram

events_taken_total = Counter("notify_events_taken_total", "Events taken into the log, repeats not counted")
news_received_total = Counter("notify_news_received_total", "Events of new scores taken in, repeats not counted")
news_recorded_total = Counter("notify_news_recorded_total", "Scores that came to stand anew, late events not counted")
messages_settled_total = Counter(
    "notify_messages_settled_total", "Messages taken from the broker, by what became of them", ["outcome"]
)
digests_composed_total = Counter("notify_digests_composed_total", "Digests composed")
delivery_attempts_total = Counter(
    "notify_delivery_attempts_total",
    "Attempts at deliveries, by channel and what became of them",
    ["channel", "result"],
)
deliveries_abandoned_total = Counter(
    "notify_deliveries_abandoned_total", "Deliveries given up for their age or their many attempts"
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
