"""Deliveries as people look at them, and what is sent again by hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.notify.domain.deliveries import DeliveryStatus, NotReplayable, UnknownDelivery
from services.notify.storage import circuits
from services.notify.storage import deliveries as storage
from services.notify.storage.deliveries import Attempt, Delivery, Said
from shared.audit.chain import Line, note
from shared.database import Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    delivery: Delivery
    attempts: list[Attempt]
    said: Said | None


def list_deliveries(pool: Pool, *, status: DeliveryStatus | None, before: UUID | None, limit: int) -> list[Delivery]:
    with transaction(pool) as connection:
        return storage.list_deliveries(connection, status=status, before=before, limit=limit)


def get_delivery(pool: Pool, delivery_id: UUID) -> DeliveryView:
    """Raises UnknownDelivery."""
    with transaction(pool) as connection:
        found = storage.find_delivery(connection, delivery_id)
        if found is None:
            raise UnknownDelivery("there is no such delivery")
        return DeliveryView(
            delivery=found,
            attempts=storage.list_attempts(connection, delivery_id),
            said=storage.find_said(connection, delivery_id),
        )


def replay_delivery(pool: Pool, delivery_id: UUID, *, valid_for: timedelta, now: datetime) -> DeliveryView:
    """Have it tried anew, with the same message id. Raises UnknownDelivery, NotReplayable."""
    with transaction(pool) as connection:
        if storage.find_delivery(connection, delivery_id) is None:
            raise UnknownDelivery("there is no such delivery")
        if not storage.set_due_by_hand(connection, delivery_id, now=now, valid_until=now + valid_for):
            raise NotReplayable("only what failed, expired or was not delivered, and is still kept, can be sent again")
        note(connection, Line(action="delivery.replay", object_type="delivery", object_id=str(delivery_id)))
    return get_delivery(pool, delivery_id)


def measure_backlog(pool: Pool) -> tuple[int, float]:
    with transaction(pool) as connection:
        return storage.measure_backlog(connection)


def measure_channels(pool: Pool) -> dict[str, tuple[int, float]]:
    with transaction(pool) as connection:
        return storage.measure_channels(connection)


def count_open_circuits(pool: Pool, *, now: datetime) -> dict[str, int]:
    with transaction(pool) as connection:
        return circuits.count_open(connection, now=now)
