"""Answering who stands how: lists of scores, one score with its indicators, the periods there are."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.assessment.domain.periods import Period, periods_covering
from services.assessment.domain.schemes import Indicator, Scheme
from services.assessment.domain.scores import (
    Score,
    ScoreIndicator,
    Sort,
    Subject,
    SubjectKind,
    UnknownOrganisation,
    UnknownSubject,
    score_id_of,
)
from services.assessment.handlers.schemes import read_scheme_in_force, read_scheme_of
from services.assessment.scoring.composites import restore
from services.assessment.storage import reading, tallies
from services.assessment.storage.reading import After, ScoreFilter
from shared.database import Connection, Pool, transaction
from shared.reach import SYSTEM

LISTS: dict[Sort, Callable[..., list[Score]]] = {
    "-composite": reading.list_scores_descending,
    "composite": reading.list_scores_ascending,
    "code": reading.list_scores_by_code,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreQuery:
    subject_kind: SubjectKind
    period: Period
    organisation_code: str | None = None
    peer_group: str | None = None
    post_kind: str | None = None
    composite_from: Decimal | None = None
    composite_below: Decimal | None = None
    flag: str | None = None  # `any`, `none`, or a check
    sort: Sort = "-composite"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorReading:
    definition: Indicator
    result: ScoreIndicator
    measures: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReading:
    """A score with its indicators. `score` is None for somebody known of whom nothing is known in the period."""

    subject: Subject
    period: Period
    score: Score | None
    scheme: Scheme
    indicators: tuple[IndicatorReading, ...]


def list_scores(
    pool: Pool, query: ScoreQuery, *, after: After | None, limit: int
) -> tuple[list[Score], dict[UUID, list[ScoreIndicator]]]:
    """One page, with the indicators by score. Raises UnknownOrganisation."""
    with transaction(pool) as connection:
        organisation_ids = _list_wanted(connection, query.organisation_code)
        wanted = ScoreFilter(
            subject_kind=query.subject_kind,
            period=query.period,
            organisation_ids=None if organisation_ids is None else tuple(organisation_ids),
            peer_group=query.peer_group,
            post_kind=query.post_kind,
            composite_from=query.composite_from,
            composite_below=query.composite_below,
            flag=query.flag,
        )
        page = LISTS[query.sort](connection, wanted, after=after, limit=limit)
        indicators = {score.score_id: list_parts(connection, score) for score in page}
    return page, indicators


def list_parts(connection: Connection, score: Score) -> list[ScoreIndicator]:
    """What the score is made of, worked out anew from its counts by its scheme: the same figures as then."""
    parts = restore(score.counts, read_scheme_of(connection, score.scheme_hash)).indicators
    return [
        ScoreIndicator(
            score_id=score.score_id,
            indicator=part.indicator,
            numerator=int(part.numerator),
            denominator=int(part.denominator),
            value=part.value,
            points=part.points,
            weight=part.weight,
        )
        for part in parts
    ]


def _list_wanted(connection: Connection, organisation_code: str | None) -> list[UUID] | None:
    """The organisations asked about, or those within reach: named to the list, which then lives on its narrow index."""
    if organisation_code is None:
        return reading.list_reach(connection)
    organisation = reading.find_organisation(connection, organisation_code)
    if organisation is None:
        raise UnknownOrganisation("there is no such organisation")
    return reading.list_subtree(connection, organisation.subject_id)


def read_score(pool: Pool, kind: SubjectKind, code: str, period: Period, *, scheme_name: str) -> ScoreReading:
    """Raises UnknownSubject, UnknownScheme."""
    with transaction(pool) as connection:
        subject = find_subject(connection, kind, code)
        score_id = score_id_of(kind, subject.subject_id, period)
        score = find_score_within_reach(connection, subject, period)
        scheme = find_scheme_of(connection, score, scheme_name)
        results = {row.indicator: row for row in (list_parts(connection, score) if score is not None else ())}
        sums = tallies.sum_measures(connection, kind, [(subject.subject_id, period)])
    measures = sums.get((subject.subject_id, period), {})
    return ScoreReading(
        subject=subject,
        period=period,
        score=score,
        scheme=scheme,
        indicators=tuple(
            IndicatorReading(
                definition=definition,
                result=results.get(definition.key) or _nothing(score_id, definition.key),
                measures={name: measures.get(name, 0) for name in definition.measures},
            )
            for definition in scheme.indicators
        ),
    )


def find_score_within_reach(connection: Connection, subject: Subject, period: Period) -> Score | None:
    """The score. None where the subject is within reach and has none in the period.

    Raises UnknownSubject for a cadre who stood elsewhere in the period.
    """
    score = reading.find_score(connection, subject.subject_kind, subject.subject_id, period)
    is_cadre = subject.subject_kind == "cadre"
    if score is None and is_cadre and reading.stood_elsewhere(connection, subject.subject_id, period):
        raise UnknownSubject("there is no such cadre")
    return score


def find_subject(connection: Connection, kind: SubjectKind, code: str) -> Subject:
    """Raises UnknownSubject."""
    find = reading.find_cadre if kind == "cadre" else reading.find_organisation
    subject = find(connection, code)
    if subject is None:
        raise UnknownSubject(f"there is no such {kind}")
    return subject


def find_scheme_of(connection: Connection, score: Score | None, scheme_name: str) -> Scheme:
    """The scheme a score was computed with, or without a score the one in force. Raises UnknownScheme."""
    if score is not None:
        return read_scheme_of(connection, score.scheme_hash)
    return read_scheme_in_force(connection, scheme_name)


def list_periods(pool: Pool) -> list[Period]:
    """Every month with scores, and the quarters and years around them, newest first."""
    with transaction(pool) as connection:
        months = reading.list_months(connection)
    periods = {period for month in months for period in periods_covering(month)}
    return sorted(periods, key=lambda period: (period.next_start, period.days), reverse=True)


def list_post_kinds(pool: Pool) -> list[str]:
    """Those that somebody holds, or held, wherever that is: within a small reach it takes everybody else's posts."""
    with transaction(pool, reach=SYSTEM) as connection:
        return reading.list_post_kinds(connection)


def _nothing(score_id: UUID, indicator: str) -> ScoreIndicator:
    return ScoreIndicator(
        score_id=score_id, indicator=indicator, numerator=0, denominator=0, value=None, points=None, weight=Decimal(0)
    )
