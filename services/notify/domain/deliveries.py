"""A message on its way: by which channel, in what state, and what became of one attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.notify.domain.messages import Language

Channel = Literal["inbox", "email"]
DeliveryStatus = Literal["due", "claimed", "sent", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One attempt at one delivery. `attempt` tells a late answer to an earlier attempt from the answer to this one."""

    delivery_id: UUID
    attempt: int
    message_id: str
    recipient_name: str
    address: str
    language: Language
    subject: str
    text_body: str
    html_body: str
    composed_at: datetime
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of an attempt. `unused` means that it was not made: there was no time left for it."""

    outcome: Literal["sent", "retry", "failed", "unused"]
    reason: str | None = None


def message_id_of(delivery_id: UUID, domain: str) -> str:
    """The same for every attempt, so that a receiver recognises a mail that it was handed twice."""
    return f"<{delivery_id}@{domain}>"
