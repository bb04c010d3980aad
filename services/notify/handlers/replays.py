"""Sending an endpoint a stretch of the past again."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from services.notify.domain.agreements import NotInForce
from services.notify.domain.endpoints import StepNotPossible, UnknownEndpoint
from services.notify.handlers.webhook_deliveries import passing
from services.notify.storage import agreements, endpoints
from services.notify.storage import webhook_deliveries as storage
from shared.audit.chain import Line, note
from shared.database import Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Of the log, by position or by when it was heard; what is None has no end."""

    from_position: int | None = None
    to_position: int | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    only_failed: bool = False
    most: int = 1_000


def order_replay(pool: Pool, endpoint_id: UUID, span: Span, *, now: datetime) -> tuple[int, int | None]:
    """Owe again what passes of a range, but for what is owed anyway; return how many, and the last position of them.

    It ends where the endpoint stands in the log: what comes behind is owed once. Raises UnknownEndpoint, NotInForce,
    StepNotPossible for an endpoint that is sent nothing.
    """
    with transaction(pool) as connection:
        endpoint = endpoints.lock_endpoint(connection, endpoint_id)
        if endpoint is None:
            raise UnknownEndpoint("there is no such endpoint")
        if endpoint.status not in {"active", "paused", "disabled"}:
            raise StepNotPossible(f"an endpoint that is {endpoint.status} is sent nothing")
        agreement = agreements.find_agreement(connection, endpoint.agreement_id)
        if agreement is None or not agreement.is_in_force(now):
            raise NotInForce("the agreement is not in force")
        count, last = storage.replay_range(
            connection,
            endpoint_id,
            span=asdict(span),
            passing=passing(
                (agreement.event_types, endpoint.event_types),
                (agreement.organisation_id, endpoint.organisation_id),
            ),
            now=now,
        )
        details: dict[str, object] = {"count": count, "only_failed": span.only_failed}
        note(
            connection,
            Line(action="endpoint.replay", object_type="webhook_endpoint", object_id=endpoint_id, details=details),
        )
    return count, last
