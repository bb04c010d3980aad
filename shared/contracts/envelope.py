"""The CloudEvents 1.0 envelope, in structured JSON: what the broker carries and what a reader takes apart."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError

from shared.contracts import assessment
from shared.contracts.base import Event
from shared.contracts.intake import (
    appraisals,
    categories,
    channels,
    citizens,
    clock_rules,
    contacts,
    deadlines,
    duties,
    issue_endings,
    issue_requests,
    issue_supervision,
    issue_work,
    issues,
    liaisons,
    participation,
    populations,
    ratings,
    registers,
    responsibility,
)
from shared.errors import Rejected

CONTENT_TYPE = "application/cloudevents+json"
EVENTS: tuple[type[Event], ...] = (
    *registers.EVENTS,
    *duties.EVENTS,
    *categories.EVENTS,
    *channels.EVENTS,
    *populations.EVENTS,
    *liaisons.EVENTS,
    *appraisals.EVENTS,
    *contacts.EVENTS,
    *issues.EVENTS,
    *issue_work.EVENTS,
    *issue_requests.EVENTS,
    *issue_endings.EVENTS,
    *issue_supervision.EVENTS,
    *responsibility.EVENTS,
    *clock_rules.EVENTS,
    *deadlines.EVENTS,
    *ratings.EVENTS,
    *participation.EVENTS,
    *citizens.EVENTS,
    *assessment.EVENTS,
)
LARGEST_SEQUENCE = 1_000_000_000
LONGEST_ATTRIBUTE = 200
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
BY_TYPE: dict[str, type[Event]] = {event.type: event for event in EVENTS}


class UnknownEvent(Rejected):
    """The type, or its major version, is not one this release knows: a newer producer, not a broken message."""

    code = "unknown-event"


class MalformedEvent(Rejected):
    """Not a CloudEvents envelope, or its data does not fit the contract."""

    code = "malformed-event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One received event with what the envelope says of it. `sequence` orders the events of one aggregate.

    `body` is the whole envelope as it was sent.
    """

    event_id: UUID
    source: str
    event: Event
    sequence: int
    recorded_at: datetime
    correlation_id: str
    raw_data: bytes
    body: bytes


def encode(  # noqa: PLR0913 - the attributes of a CloudEvents envelope
    *,
    event_id: UUID | str,
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
            "id": event_id,
            "source": source,
            "type": event_type,
            "subject": subject,
            "time": recorded_at,
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
            event_id=UUID(_text(document["id"])),
            source=_text(document["source"]),
            event=contract.model_validate(document["data"]),
            sequence=_sequence(_text(document["sequence"])),
            recorded_at=_instant(_text(document["time"])),
            correlation_id=_text(document["correlationid"]),
            raw_data=_raw_data(document["data"]),
            body=_checked(body),
        )
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors()[:5])
        raise MalformedEvent(f"the data does not fit its contract at: {places}") from None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise MalformedEvent(f"not a CloudEvents envelope: {type(error).__name__}") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_ATTRIBUTE or "\0" in value:
        raise MalformedEvent("an attribute of the envelope is no short text")
    return value


def _sequence(text: str) -> int:
    sequence = int(text)
    if not 1 <= sequence <= LARGEST_SEQUENCE:
        raise MalformedEvent("the envelope's sequence is out of range")
    return sequence


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise MalformedEvent("the envelope's time has no offset")
    return instant.astimezone(UTC)


def _raw_data(data: object) -> bytes:
    return _checked(orjson.dumps(data))


def _checked(raw: bytes) -> bytes:
    if _NUL.search(raw):
        raise MalformedEvent("the event holds a NUL character, which no database keeps")
    return raw
