"""Taking in what a gateway tells afterwards, in whatever order and however often."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.notify import metrics
from services.notify.domain.deliveries import UnknownDelivery
from services.notify.storage import claims
from services.notify.storage import receipts as storage
from shared.database import Connection, Pool, transaction
from shared.gateways.receipts import Told
from shared.observability import get_logger
from shared.reach import SYSTEM

AHEAD = timedelta(minutes=5)  # how far a gateway's clock may run ahead of ours
BEHIND = timedelta(days=400)

log = get_logger()


def take_receipts(pool: Pool, channel: str, receipts: Sequence[Told], *, now: datetime) -> int:
    """Return how many were new. Raises UnknownDelivery where none of them is of a delivery of ours.

    The sender has proved to be the gateway: it acts for nobody in particular.
    """
    new = known = 0
    for told in receipts:
        with transaction(pool, reach=SYSTEM) as connection:
            delivery_id = storage.lock_delivery(connection, channel, told.reference, _own_id(told.reference))
            if delivery_id is None:
                metrics.receipts_total.labels(channel, "unknown").inc()
                continue
            known += 1
            is_new = _enter(connection, delivery_id, told, now)
        new += is_new
        metrics.receipts_total.labels(channel, told.state if is_new else "repeated").inc()
        log.info("receipt_taken", delivery_id=str(delivery_id), state=told.state, is_new=is_new)
    if receipts and not known:
        raise UnknownDelivery("none of these is of a delivery of ours")
    return new


def _enter(connection: Connection, delivery_id: UUID, told: Told, now: datetime) -> bool:
    at = told.at if told.at is not None and now - BEHIND <= told.at <= now + AHEAD else now
    if not storage.insert_receipt(connection, delivery_id, told.state, reported_at=at, heard_at=now):
        return False
    storage.set_receipt(connection, delivery_id)
    if told.state == "delivered":
        # It may be the first to tell: the gateway's own answer was lost, and the message would be sent again.
        claims.set_sent(connection, delivery_id, at=now)
    return True


def _own_id(reference: str) -> UUID | None:
    try:
        return UUID(reference)
    except ValueError:
        return None
