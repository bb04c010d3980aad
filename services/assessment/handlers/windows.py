"""Any days from one to another: measures summed from whole months and counted at the edges, and a score of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.measures import COUNTED, MEASURES
from services.assessment.domain.periods import Period
from services.assessment.domain.scores import Placement, Score, ScoreIndicator, Subject, SubjectKind, score_id_of
from services.assessment.handlers.reading import (
    IndicatorReading,
    ScoreReading,
    find_score_within_reach,
    find_subject,
)
from services.assessment.handlers.schemes import read_scheme_in_force
from services.assessment.scoring.composites import Result, compute_score
from services.assessment.storage import reading, scores, tallies
from shared.database import Connection, Pool, transaction
from shared.observability import correlation_id
from shared.reach import SYSTEM

Asked = tuple[UUID, Period]
Window = tuple[UUID, UUID, date, date]


def sum_measures(
    connection: Connection, kind: SubjectKind, asked: Sequence[Asked], *, as_of: datetime, zone: ZoneInfo
) -> dict[Asked, dict[str, int]]:
    """The measures of subjects in whatever periods. Who has nothing there is absent."""
    sums = tallies.sum_measures(connection, kind, asked)
    for subject_id, period in asked:
        edges = [month for month in period.months_touched if not period.contains(month)]
        if not edges:
            continue
        windows = [
            (cell[0], cell[1], max(month.start, period.start), min(month.next_start, period.next_start))
            for month in edges
            for cell in _list_cells(connection, kind, subject_id, month.start)
        ]
        rows = tallies.count_windows(connection, windows, as_of=as_of, time_zone=zone.key) if windows else []
        if rows:
            known = sums.setdefault((subject_id, period), dict.fromkeys(MEASURES, 0))
            for name in COUNTED:
                known[name] += sum(row[name] for row in rows)
    return sums


def _list_cells(connection: Connection, kind: SubjectKind, subject_id: UUID, month: date) -> list[tallies.Cell]:
    if kind == "cadre":
        return tallies.list_cells_within(connection, month, cadre_ids=[subject_id])
    below = reading.list_subtree(connection, subject_id, on=month)
    return tallies.list_cells_within(connection, month, organisation_ids=below)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowQuery:
    subject_kind: SubjectKind
    code: str
    period: Period


def read_custom_score(
    pool: Pool, query: WindowQuery, *, scheme_name: str, zone: ZoneInfo, now: datetime
) -> ScoreReading:
    """What is not kept, computed as it is asked for. Raises UnknownSubject, UnknownScheme.

    Whether the reader may know is asked within the reader's reach; the figures are those of everything, as kept ones.
    """
    kind, period = query.subject_kind, query.period
    with transaction(pool) as connection:
        subject = find_subject(connection, kind, query.code)
        find_score_within_reach(connection, subject, period)
    with transaction(pool, reach=SYSTEM) as connection:
        scheme = read_scheme_in_force(connection, scheme_name)
        asked = [(subject.subject_id, period)]
        measures = sum_measures(connection, kind, asked, as_of=now, zone=zone).get(asked[0])
        placement = Placement(organisation_id=subject.subject_id)
        if kind == "cadre":
            placement = scores.list_placements_of_cadres(connection, asked, today=now.astimezone(zone).date())[asked[0]]
        organisation = reading.find_organisation_by_id(connection, placement.organisation_id)
    amounts = measures or dict.fromkeys(MEASURES, 0)
    result = compute_score(amounts, scheme)
    score_id = score_id_of(kind, subject.subject_id, period)
    parts = {part.indicator: part for part in result.indicators}
    return ScoreReading(
        subject=subject,
        period=period,
        score=_score(subject, placement, organisation, period, result, scheme_of=(scheme.name, scheme.version), at=now)
        if measures
        else None,
        scheme=scheme,
        indicators=tuple(
            IndicatorReading(
                definition=definition,
                result=ScoreIndicator(
                    score_id=score_id,
                    indicator=definition.key,
                    numerator=int(parts[definition.key].numerator),
                    denominator=int(parts[definition.key].denominator),
                    value=parts[definition.key].value,
                    points=parts[definition.key].points,
                    weight=parts[definition.key].weight,
                ),
                measures={name: amounts[name] for name in definition.measures},
            )
            for definition in scheme.indicators
        ),
    )


def _score(  # noqa: PLR0913 - what a score is made of
    subject: Subject,
    placement: Placement,
    organisation: Subject | None,
    period: Period,
    result: Result,
    *,
    scheme_of: tuple[str, int],
    at: datetime,
) -> Score:
    return Score(
        score_id=score_id_of(subject.subject_kind, subject.subject_id, period),
        subject_kind=subject.subject_kind,
        subject_id=subject.subject_id,
        subject_code=subject.code,
        subject_name=subject.name,
        organisation_code=organisation.code if organisation else None,
        organisation_name=organisation.name if organisation else None,
        peer_group=placement.peer_group,
        period_kind=period.kind,
        period_start=period.start,
        period_last=period.last,
        scheme_name=scheme_of[0],
        scheme_version=scheme_of[1],
        composite=result.composite,
        present_weight=result.present_weight,
        as_of=at,
        computed_at=at,
        revision=1,
        correlation_id=correlation_id(),
    )
