"""Which kinds of intake's data come to an end, by the names that the schedule has for them."""

from services.intake.storage import retention as storage
from shared.retention.jobs import DataClass, sent_events

CLASSES = (
    DataClass(name="idempotency_keys", measure=storage.measure_keys, remove=storage.delete_keys),
    DataClass(name="import_files", measure=storage.measure_import_files, remove=storage.forget_import_files),
    DataClass(name="rating_links", measure=storage.measure_rating_links, remove=storage.unlink_ratings),
    sent_events(),
)
