"""The event as another system is told of it: CloudEvents 1.0, with no more in it than the agreement covers.

It is also a payload of Standard Webhooks: `type`, `timestamp` and `data` stand where that wants them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.notify.domain.agreements import Content
from services.notify.domain.audiences import TEST_TYPE, without_withheld

CONTENT_TYPE: Final = "application/cloudevents+json"
SOURCE: Final = "/lianxin/notify"
# Where the record that an event tells of can be read, by whoever may: behind the front door.
READ_AT: Final[Mapping[str, str]] = {
    "contact": "/intake/v1/contacts/",
    "issue": "/intake/v1/issues/",
}


def tell(envelope: Mapping[str, Any], content: Content) -> dict[str, Any]:
    """What is said outside of an event whose envelope came in. `subject` is `aggregate/id`; `sequence` orders it."""
    aggregate, _, aggregate_id = str(envelope["subject"]).partition("/")
    told: dict[str, Any] = {
        "specversion": "1.0",
        "id": envelope["id"],
        "source": envelope["source"],
        "type": envelope["type"],
        "subject": envelope["subject"],
        "time": envelope["time"],
        "timestamp": envelope["time"],
        "datacontenttype": "application/json",
        "sequence": envelope["sequence"],
    }
    if aggregate in READ_AT:
        told["dataref"] = READ_AT[aggregate] + aggregate_id
    told["data"] = without_withheld(envelope["data"]) if content == "facts" else {f"{aggregate}_id": aggregate_id}
    return told


def tell_test(event_id: UUID, *, at: datetime) -> dict[str, Any]:
    """A delivery that tells of nothing: whether the receiver takes what we sign."""
    written = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {
        "specversion": "1.0",
        "id": str(event_id),
        "source": SOURCE,
        "type": TEST_TYPE,
        "subject": f"webhook_endpoint/{event_id}",
        "time": written,
        "timestamp": written,
        "datacontenttype": "application/json",
        "sequence": "1",
        "data": {},
    }
