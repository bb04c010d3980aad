"""The CloudEvents 1.0 envelope, in structured JSON: what the broker carries and what a reader takes apart."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError

from shared.contracts.assessment import ScoreComputed
from shared.contracts.base import Event
from shared.contracts.intake import (
    CadreRegistered,
    ContactRecorded,
    DutyDefined,
    IssueAssigned,
    IssueClosed,
    IssueReceived,
    IssueResponded,
    OrganisationRegistered,
    PostRecorded,
    RatingSubmitted,
)
from shared.errors import Rejected

CONTENT_TYPE = "application/cloudevents+json"
EVENTS: tuple[type[Event], ...] = (
    OrganisationRegistered,
    CadreRegistered,
    PostRecorded,
    DutyDefined,
    ContactRecorded,
    IssueReceived,
    IssueAssigned,
    IssueResponded,
    IssueClosed,
    RatingSubmitted,
    ScoreComputed,
)
BY_TYPE: dict[str, type[Event]] = {event.type: event for event in EVENTS}


class UnknownEvent(Rejected):
    """The type, or its major version, is not one this release knows: a newer producer, not a broken message."""

    code = "unknown-event"


class MalformedEvent(Rejected):
    """Not a CloudEvents envelope, or its data does not fit the contract."""

    code = "malformed-event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One received event with what the envelope says of it. `sequence` orders the events of one aggregate."""

    event_id: UUID
    event: Event
    sequence: int
    recorded_at: datetime
    correlation_id: str
    raw_data: bytes


def encode(  # noqa: PLR0913 - the attributes of a CloudEvents envelope
    *,
    event_id: UUID,
    event_type: str,
    source: str,
    subject: str,
    sequence: int,
    recorded_at: datetime,
    correlation_id: str,
    data: Any,  # noqa: ANN401 - the event's data as plain JSON values, or orjson.Fragment
) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(event_id),
            "source": source,
            "type": event_type,
            "subject": subject,
            "time": recorded_at.isoformat(),
            "datacontenttype": "application/json",
            "sequence": str(sequence),
            "correlationid": correlation_id,
            "data": data,
        }
    )


def decode(body: bytes) -> Envelope:
    """Raises UnknownEvent for a type of another release, MalformedEvent for anything that is not a valid event."""
    try:
        document = orjson.loads(body)
        event_type = document["type"]
        if document["specversion"] != "1.0" or not isinstance(event_type, str):
            raise MalformedEvent("the envelope is not CloudEvents 1.0")
        contract = BY_TYPE.get(event_type)
        if contract is None:
            raise UnknownEvent("no contract of this release has this type")
        return Envelope(
            event_id=UUID(document["id"]),
            event=contract.model_validate(document["data"]),
            sequence=int(document["sequence"]),
            recorded_at=_instant(document["time"]),
            correlation_id=str(document["correlationid"]),
            raw_data=orjson.dumps(document["data"]),
        )
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors()[:5])
        raise MalformedEvent(f"the data does not fit its contract at: {places}") from None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise MalformedEvent(f"not a CloudEvents envelope: {type(error).__name__}") from None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise MalformedEvent("the envelope's time has no offset")
    return instant
