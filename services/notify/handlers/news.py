"""Keeping what is newest of every score, for the digests."""

from collections.abc import Sequence

from services.notify.domain.news import News, newest_per_score
from services.notify.storage import news as storage
from shared.database import Connection


def keep_newest(connection: Connection, news: Sequence[News]) -> int:
    """Return how many scores moved. Order and repeats do not matter."""
    newest = newest_per_score(news)
    if not newest:
        return 0
    first_change = storage.take_changes(connection, len(newest))
    return storage.upsert_news(connection, newest, first_change=first_change)
