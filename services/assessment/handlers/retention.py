"""Which kinds of assessment's data come to an end, by the names that the schedule has for them."""

from services.assessment.storage import retention as storage
from shared.retention.jobs import DataClass, sent_events

CLASSES = (
    DataClass(name="scores", measure=storage.measure_scores, remove=storage.delete_scores, held_as=("score",)),
    DataClass(name="signals", measure=storage.measure_signals, remove=storage.delete_signals, held_as=("signal",)),
    sent_events(),
)
