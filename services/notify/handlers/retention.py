"""Which kinds of notify's data come to an end, by the names that the schedule has for them."""

from services.notify.storage import disclosures
from services.notify.storage import retention as storage
from shared.retention.jobs import DataClass

CLASSES = (
    DataClass(name="event_log", measure=storage.measure_events, remove=storage.delete_events),
    DataClass(name="disclosures", measure=disclosures.measure_disclosures, remove=disclosures.delete_disclosures),
    DataClass(
        name="inbox_messages", measure=storage.measure_inbox, remove=storage.delete_messages, held_as=("message",)
    ),
    DataClass(
        name="notification_content",
        measure=storage.measure_content,
        remove=storage.remove_content,
        held_as=("delivery",),
    ),
    DataClass(name="told_notices", measure=storage.measure_notices, remove=storage.delete_notices),
    DataClass(
        name="notification_status",
        measure=storage.measure_status,
        remove=storage.delete_deliveries,
        held_as=("delivery",),
    ),
    DataClass(
        name="webhook_deliveries",
        measure=disclosures.measure_deliveries,
        remove=disclosures.delete_deliveries,
        held_as=("webhook_delivery",),
    ),
)
