"""Which kinds of identity's data come to an end, by the names that the schedule has for them."""

from services.identity.storage import sessions
from shared.retention.jobs import DataClass

CLASSES = (
    DataClass(name="sessions", measure=sessions.measure_over, remove=sessions.delete_over, held_as=("account",)),
)
