"""How much waits, and for how long: for the metrics."""

from datetime import UTC, datetime

from services.assessment.storage import due
from shared import outbox
from shared.database import Pool, transaction


def measure_due(pool: Pool) -> tuple[int, float]:
    with transaction(pool) as connection:
        return due.measure_due(connection, datetime.now(UTC))


def measure_outbox(pool: Pool) -> tuple[int, float]:
    with transaction(pool) as connection:
        return outbox.measure_backlog(connection)
