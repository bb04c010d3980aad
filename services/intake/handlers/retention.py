"""Which kinds of intake's data come to an end, by the names that the schedule has for them."""

from datetime import datetime

from services.intake.storage import citizens, forgetting, opinions, receptions
from services.intake.storage import retention as storage
from shared.database import Connection
from shared.retention.jobs import DataClass, Step, sent_events

ALL_BUCKETS = range(256)


def forget_citizens(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """No batch settles any citizen meanwhile: one that found this one would say so under a name that goes away."""
    citizens.lock_handles(connection, ALL_BUCKETS)
    return forgetting.forget_citizens(connection, before, batch)


def forget_bookings(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    forgotten = receptions.forget_known(connection, before, batch)
    return Step(removed=forgotten, seen=forgotten)


def forget_opinions(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    forgotten = opinions.forget_known(connection, before, batch)
    return Step(removed=forgotten, seen=forgotten)


CLASSES = (
    DataClass(
        name="citizen_identifiers",
        measure=forgetting.measure_citizens,
        remove=forget_citizens,
        held_as=("citizen", "issue"),
    ),
    DataClass(
        name="citizen_message_texts",
        measure=storage.measure_message_texts,
        remove=storage.forget_message_texts,
        held_as=("issue",),
    ),
    DataClass(
        name="citizen_messages",
        measure=storage.measure_messages,
        remove=storage.delete_messages,
        held_as=("issue",),
    ),
    DataClass(name="citizen_links", measure=storage.measure_links, remove=storage.delete_links),
    DataClass(name="idempotency_keys", measure=storage.measure_keys, remove=storage.delete_keys),
    DataClass(
        name="import_files",
        measure=storage.measure_import_files,
        remove=storage.forget_import_files,
        held_as=("import",),
    ),
    DataClass(
        name="rating_links",
        measure=storage.measure_rating_links,
        remove=storage.unlink_ratings,
        held_as=("rating", "issue", "contact"),
    ),
    DataClass(name="opinions", measure=opinions.measure_known, remove=forget_opinions, held_as=("consultation",)),
    DataClass(
        name="reception_bookings",
        measure=receptions.measure_known,
        remove=forget_bookings,
        held_as=("reception_day",),
    ),
    DataClass(name="rating_traces", measure=storage.measure_traces, remove=storage.delete_traces),
    sent_events(),
)
