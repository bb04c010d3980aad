"""Parts of scores and tallies for the years to come, made before anything is written into them."""

from datetime import date
from typing import Final

from services.assessment.storage import partitions
from shared.database import Pool, transaction

YEARS_AHEAD: Final = 2


def make_years_ahead(pool: Pool, *, today: date) -> int:
    """Return how many parts were made."""
    with transaction(pool) as connection:
        return partitions.make_years(connection, first=today.year - 1, last=today.year + YEARS_AHEAD)
