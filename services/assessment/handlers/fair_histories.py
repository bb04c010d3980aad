"""One cadre's fair scores over periods, and as they stood by a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.assessment.domain.periods import Period, PeriodKind
from services.assessment.domain.scores import NotPublished
from services.assessment.handlers.fair_results import ShownFairScore, UnknownFairScore, list_scores_of
from services.assessment.storage import fair_closings, fair_histories
from services.assessment.storage.fair_closings import FairCorrection
from services.assessment.storage.fair_histories import PastFairScore
from shared.database import Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class FairThen:
    """`correction` is the last one that was known by then."""

    score: ShownFairScore
    done_at: datetime
    correction: FairCorrection | None


def get_score(pool: Pool, staff_number: str, period: Period | None) -> ShownFairScore:
    """Raises UnknownFairScore, also for what is out of reach, and NotPublished."""
    with transaction(pool) as connection:
        found = list_scores_of(connection, staff_number, period)
    if not found:
        raise UnknownFairScore("there is no such score")
    return found[0]


def list_history(pool: Pool, staff_number: str, kinds: Sequence[PeriodKind], *, limit: int) -> list[PastFairScore]:
    """Closed periods of these kinds, the newest first. Raises UnknownFairScore, also for what is out of reach."""
    with transaction(pool) as connection:
        found = fair_histories.list_history(connection, staff_number, kinds, limit=limit)
        if not found and not list_scores_of(connection, staff_number, None):
            raise UnknownFairScore("there is no such score")
    return found


def read_then(pool: Pool, staff_number: str, period: Period, *, on: date, zone: ZoneInfo) -> FairThen:
    """What stood at the end of that day. Raises NotPublished, UnknownFairScore."""
    by = datetime.combine(on + timedelta(days=1), time(), tzinfo=zone)
    with transaction(pool) as connection:
        done_at = fair_histories.find_done_at(connection, period)
        days = fair_closings.find_days(connection, period)
        if done_at is None or done_at >= by or days is None:
            raise NotPublished("that period was not scored by then")
        found = list_scores_of(connection, staff_number, period)
        if not found:
            raise UnknownFairScore("there is no such score")
        correction = fair_histories.find_correction_by(connection, days, staff_number, by=by)
    return FairThen(score=found[0], done_at=done_at, correction=correction)
