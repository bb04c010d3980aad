"""A message on its way: by which channel, in what state, and what became of one attempt."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.notify.domain.messages import Language
from shared.errors import Conflict, NotFound

DeliveryStatus = Literal["due", "claimed", "sent", "failed", "expired"]

INBOX: Final = "inbox"  # a table of our own: writing the message is its delivery
CHANNEL_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


class UnknownDelivery(NotFound):
    code = "unknown-delivery"


class NotReplayable(Conflict):
    """It is under way or arrived, or what it said is not kept any more."""

    code = "not-replayable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
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


def message_id_of(delivery_id: UUID, domain: str) -> str:
    """The same for every attempt, so that a receiver recognises a mail that it was handed twice."""
    return f"<{delivery_id}@{domain}>"
