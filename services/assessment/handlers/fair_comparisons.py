"""Fair scores side by side: several cadres of one peer group, one cadre in two periods, or both."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.assessment.domain.periods import Period
from services.assessment.domain.scores import NotPublished
from services.assessment.handlers.fair_results import FairProfile, get_profile
from services.assessment.handlers.standings import MOST_COMPARED, UnlikeSubjects
from shared.database import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`apart` are the numbers of the columns whose intervals this one's does not touch: all else is chance."""

    period: Period | None
    profile: FairProfile
    apart: tuple[int, ...]


def compare_fair(pool: Pool, staff_numbers: Sequence[str], periods: Sequence[Period | None]) -> list[Column]:
    """For each cadre in turn the periods that were scored. Raises UnlikeSubjects, UnknownFairScore, NotPublished."""
    if len(staff_numbers) > MOST_COMPARED:
        raise UnlikeSubjects(f"at most {MOST_COMPARED} are compared")
    scored = [period for period in periods if _is_scored(pool, staff_numbers[0], period)]
    if not scored:
        raise NotPublished("none of these periods is closed")
    found = [(period, get_profile(pool, number, period)) for number in staff_numbers for period in scored]
    for period in scored:
        groups = {profile.score.peer_group for own, profile in found if own == period}
        if len(groups) != 1 or (None in groups and len(staff_numbers) > 1):
            raise UnlikeSubjects("only cadres of one peer group are compared")
    apart = tell_apart([(Decimal(profile.score.lower), Decimal(profile.score.upper)) for _, profile in found])
    return [
        Column(period=period, profile=profile, apart=others)
        for (period, profile), others in zip(found, apart, strict=True)
    ]


def tell_apart(spans: Sequence[tuple[Decimal, Decimal]]) -> list[tuple[int, ...]]:
    """For each interval the numbers of those that it does not touch."""
    return [tuple(at for at, (low, high) in enumerate(spans) if high < lower or low > upper) for lower, upper in spans]


def _is_scored(pool: Pool, staff_number: str, period: Period | None) -> bool:
    """Raises UnknownFairScore."""
    try:
        get_profile(pool, staff_number, period)
    except NotPublished:
        return False
    return True
