"""Asking a receiver whether it wants our webhooks, before the first one: the handshake of CloudEvents for webhooks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.notify.channels.webhooks import Reply
from services.notify.domain.attempts import JITTER, PAUSES, is_taken
from services.notify.handlers.webhook_deliveries import disable
from services.notify.storage import endpoints as storage
from shared.audit.chain import Line, note
from shared.database import Pool, transaction

REQUESTED_RATE: Final = 600  # a minute
LARGEST_RATE: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One asking. `asked_before` counts those that came to nothing."""

    endpoint_id: UUID
    url: str
    asked_before: int


def claim_handshakes(pool: Pool, *, now: datetime, lease: timedelta, limit: int) -> list[Handshake]:
    with transaction(pool) as connection:
        rows = storage.claim_handshakes(connection, now=now, lease_until=now + lease, limit=limit)
    return [Handshake(endpoint_id=row[0], url=row[1], asked_before=row[2]) for row in rows]


def make_headers(origin: str) -> dict[str, str]:
    return {"WebHook-Request-Origin": origin, "WebHook-Request-Rate": str(REQUESTED_RATE)}


def record_handshake(
    pool: Pool, handshake: Handshake, reply: Reply, *, origin: str, now: datetime, draw: Callable[[], float]
) -> bool:
    """Return whether the receiver agreed. It is asked again on the schedule of deliveries, and then no more."""
    fault = find_fault(reply, origin=origin)
    with transaction(pool) as connection:
        if fault is None:
            rate = read_rate(reply.headers.get("webhook-allowed-rate"))
            agreed = storage.set_verified(connection, handshake.endpoint_id, rate_per_minute=rate)
            if agreed:
                note(connection, _line(handshake, "endpoint.verified", {"rate_per_minute": rate or 0}))
            return agreed
        asked = handshake.asked_before + 1
        exhausted = asked >= len(PAUSES)
        again_at = now if exhausted else now + PAUSES[asked] * (1 + JITTER * draw())
        storage.set_handshake_failed(connection, handshake.endpoint_id, fault=fault, again_at=again_at)
        if exhausted:
            disable(connection, handshake.endpoint_id, "handshake", now=now)
    return False


def find_fault(reply: Reply, *, origin: str) -> str | None:
    """Why the receiver did not agree; None where it did."""
    if not is_taken(reply.answer):
        return reply.answer.reason
    allowed = reply.headers.get("webhook-allowed-origin")
    if allowed is None:
        return "no WebHook-Allowed-Origin"
    if allowed.strip() != "*" and allowed.strip().lower() != origin.lower():
        return "WebHook-Allowed-Origin names somebody else"
    return None


def read_rate(text: str | None) -> int | None:
    """Deliveries a minute; None for as many as we like."""
    asked = (text or "").strip()
    if not asked.isascii() or not asked.isdigit() or len(asked) > 12:
        return None
    return min(max(int(asked), 1), LARGEST_RATE)


def _line(handshake: Handshake, action: str, details: dict[str, object]) -> Line:
    return Line(action=action, object_type="webhook_endpoint", object_id=handshake.endpoint_id, details=details)
