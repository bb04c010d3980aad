"""Failed processings, counted in assessment's own database."""

from collections.abc import Sequence

from services.assessment.handlers.facts import CONSUMER
from shared import inbox
from shared.database import Pool, transaction


class FailureBook:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def record(self, message_id: str, reason: str) -> int:
        """Return how often this message has failed."""
        with transaction(self._pool) as connection:
            return inbox.record_failure(connection, CONSUMER, message_id, reason)

    def forget(self, message_ids: Sequence[str]) -> None:
        with transaction(self._pool) as connection:
            inbox.forget_failures(connection, CONSUMER, message_ids)
