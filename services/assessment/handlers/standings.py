"""Answering how scores stand to one another: over periods, like with like, over an organisation, and by a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from services.assessment.domain.periods import Period, PeriodKind
from services.assessment.domain.scores import NotPublished, Score, ScoreIndicator, SubjectKind, UnknownOrganisation
from services.assessment.handlers.reading import find_score_within_reach, find_subject, list_parts
from services.assessment.storage import reading, standings
from services.assessment.storage.standings import PastScore, PublishedThen, Spread
from shared.database import Pool, transaction
from shared.errors import Rejected

LONGEST_HISTORY: Final = 60
MOST_COMPARED: Final = 20


class UnlikeSubjects(Rejected):
    """They are of different peer groups: what one figure is worth beside the other nobody knows."""

    code = "unlike-subjects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`ranks` by code, best first and equal ones alike; None unless league tables are switched on."""

    peer_group: str | None
    scores: list[Score]
    indicators: dict[str, list[ScoreIndicator]]
    spread: Spread | None
    ranks: dict[str, int] | None


def list_history(pool: Pool, kind: SubjectKind, code: str, per: PeriodKind, *, limit: int) -> list[PastScore]:
    """Raises UnknownSubject."""
    with transaction(pool) as connection:
        subject = find_subject(connection, kind, code)
        return standings.list_history(connection, kind, subject.subject_id, per, limit=limit)


def compare_cadres(pool: Pool, codes: Sequence[str], period: Period, *, with_ranks: bool) -> Compared:
    """Like with like: of one peer group, or not at all. Raises UnknownSubject, UnlikeSubjects."""
    wanted = list(dict.fromkeys(codes))
    if len(wanted) > MOST_COMPARED:
        raise UnlikeSubjects(f"at most {MOST_COMPARED} are compared")
    with transaction(pool) as connection:
        found = []
        for code in wanted:
            subject = find_subject(connection, "cadre", code)
            score = find_score_within_reach(connection, subject, period)
            if score is None:
                raise UnlikeSubjects(f"{code} has no score in that period")
            found.append(score)
        groups = {score.peer_group for score in found}
        if len(groups) != 1 or None in groups:
            raise UnlikeSubjects("only cadres of one peer group are compared")
        indicators = {score.subject_code: list_parts(connection, score) for score in found}
        within = reading.list_reach(connection)
        peers = standings.list_spreads(connection, within, period) if within is not None else []
    (group,) = groups
    return Compared(
        peer_group=group,
        scores=found,
        indicators=indicators,
        spread=next((spread for spread in peers if spread.peer_group == group), None),
        ranks=_rank(found) if with_ranks else None,
    )


def list_spreads(pool: Pool, organisation_code: str, period: Period) -> list[Spread]:
    """Raises UnknownOrganisation."""
    with transaction(pool) as connection:
        organisation = reading.find_organisation(connection, organisation_code)
        if organisation is None:
            raise UnknownOrganisation("there is no such organisation")
        below = reading.list_subtree(connection, organisation.subject_id)
        return standings.list_spreads(connection, below, period)


def read_published_then(
    pool: Pool, kind: SubjectKind, code: str, period: Period, *, on: date, zone: ZoneInfo
) -> PublishedThen:
    """What stood published at the end of that day. Raises NotPublished."""
    by = datetime.combine(on + timedelta(days=1), time(), tzinfo=zone)
    with transaction(pool) as connection:
        found = standings.find_published_then(connection, kind, code, period, by=by)
    if found is None:
        raise NotPublished("nothing was published of that by then")
    return found


def _rank(scores: Sequence[Score]) -> dict[str, int]:
    better: dict[str, int] = {}
    for score in scores:
        own = score.composite if score.composite is not None else Decimal(-1)
        above = [one for one in scores if one.composite is not None and one.composite > own]
        better[score.subject_code] = len(above) + 1
    return better
