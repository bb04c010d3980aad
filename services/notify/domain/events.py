"""Events as they were heard, in the one order in which all of notify reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

# What tells of single ratings, of live figures that move with every rating, or of grades: it is never passed on to
# other systems, whatever they may reach. The policy of the table says the same.
CONFIDENTIAL: Final = frozenset({"rating", "rating_invitation", "score", "appraisal_result"})
# Fields of pseudonyms, by which another system could put records of one citizen together.
WITHHELD: Final = frozenset({"citizen_ref", "rater_ref"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardEvent:
    """One event with its place in the log. `envelope` is the CloudEvents envelope, byte for byte as it was sent."""

    position: int
    event_id: UUID
    source: str
    type: str
    aggregate: str
    aggregate_id: UUID
    sequence: int
    organisation_ids: list[UUID]
    concerns_all: bool
    occurred_at: datetime | None
    recorded_at: datetime
    heard_at: datetime
    correlation_id: str
    envelope: str
