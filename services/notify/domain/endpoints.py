"""Webhook endpoints: where a partner wants to be told, and what may happen to such a place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from services.notify.domain.attempts import Health
from shared.errors import Conflict, NotFound, Rejected

# proposed -> unverified (a second person agreed) -> active (the receiver did) <-> paused, disabled; removed for good.
EndpointStatus = Literal["proposed", "refused", "unverified", "active", "paused", "disabled", "removed"]
DisabledBecause = Literal["gone", "failing", "handshake"]
DeliveryKind = Literal["event", "replay", "test"]
WebhookDeliveryStatus = Literal["due", "claimed", "delivered", "failed", "withdrawn"]
Step = Literal["approve", "refuse", "verify", "pause", "resume", "remove"]

MOST_ENDPOINTS: Final = 20  # of one agreement
MOST_KEYS: Final = 4  # that sign at the same time, of each kind two
OVERLAP: Final = timedelta(hours=24)  # for which an old key goes on signing beside the new one
LONGEST_OVERLAP: Final = timedelta(days=7)

# From which statuses a step is possible, and where it leads.
STEPS: Final[Mapping[Step, tuple[frozenset[EndpointStatus], EndpointStatus]]] = {
    "approve": (frozenset({"proposed"}), "unverified"),
    "refuse": (frozenset({"proposed"}), "refused"),
    "verify": (frozenset({"unverified", "disabled"}), "unverified"),
    "pause": (frozenset({"active"}), "paused"),
    "resume": (frozenset({"paused", "disabled"}), "active"),
    "remove": (frozenset({"proposed", "unverified", "active", "paused", "disabled"}), "removed"),
}


class UnknownEndpoint(NotFound):
    code = "unknown-endpoint"


class UnknownDelivery(NotFound):
    code = "unknown-delivery"


class StepNotPossible(Conflict):
    code = "endpoint-step-not-possible"


class AlreadyProposed(Conflict):
    """The same endpoint waits for somebody's decision: a repeat makes no second one."""

    code = "already-proposed"


class TooManyEndpoints(Conflict):
    code = "too-many-endpoints"


class TooManyKeys(Conflict):
    code = "too-many-keys"


class EmptyRange(Rejected):
    code = "empty-range"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointWish:
    """Types and organisation narrow what the agreement covers; none of them: all that it covers."""

    url: str
    event_types: tuple[str, ...] = ()
    organisation_id: UUID | None = None
    signs_with: Literal["v1", "v1a"] = "v1a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`position` is the event up to which deliveries have been made out of the log."""

    id: UUID
    agreement_id: UUID
    url: str
    event_types: list[str]
    organisation_id: UUID | None
    status: EndpointStatus
    version: int
    position: int
    rate_per_minute: int | None
    failures: int
    failing_since: datetime | None
    probe_at: datetime | None
    hold_until: datetime | None
    last_success_at: datetime | None
    handshakes: int
    handshake_fault: str | None
    disabled_because: DisabledBecause | None
    owner_told_at: datetime | None
    proposed_by: str
    proposer_person_id: str
    created_at: datetime

    @property
    def health(self) -> Health:
        return Health(
            failures=self.failures,
            failing_since=self.failing_since,
            probe_at=self.probe_at,
            hold_until=self.hold_until,
        )


def step_from(status: EndpointStatus, step: Step) -> EndpointStatus:
    """Raises StepNotPossible."""
    possible, following = STEPS[step]
    if status not in possible:
        raise StepNotPossible(f"an endpoint that is {status} cannot be taken this step")
    return following
