"""Taking in what assessment tells."""

from collections.abc import Sequence
from uuid import UUID

from services.notify import metrics
from services.notify.domain.news import News, newest_per_score
from services.notify.storage import news as storage
from shared import inbox
from shared.database import Connection, Pool, transaction

CONSUMER = "notify.events"


def record_news(pool: Pool, event_ids: Sequence[UUID], news: Sequence[tuple[UUID, News]]) -> int:
    """Keep the newest news of every score; return how many scores moved. A repeat, alone or in any company, moves none.

    `event_ids` are all events of the batch, also those of kinds that say nothing to notify.
    """
    with transaction(pool) as connection:
        fresh = inbox.claim_new(connection, CONSUMER, event_ids)
        newest = newest_per_score(item for event_id, item in news if event_id in fresh)
        moved = _upsert(connection, newest) if newest else 0
    metrics.news_received_total.inc(len({event_id for event_id, _ in news} & fresh))
    metrics.news_recorded_total.inc(moved)
    return moved


def _upsert(connection: Connection, newest: list[News]) -> int:
    first_change = storage.take_changes(connection, len(newest))
    return storage.upsert_news(connection, newest, first_change=first_change)
