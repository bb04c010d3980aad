"""The figures of every indicator of the registry for one subject: what is kept, and what is counted now."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.indicators import Definition, Figure, Registry, compute_figure, read_registry
from services.assessment.domain.measures import CONTACT_KINDS, MEASURES
from services.assessment.domain.periods import Period, periods_covering
from services.assessment.domain.scores import Subject, SubjectKind
from services.assessment.handlers.reading import find_score_within_reach, find_subject
from services.assessment.handlers.windows import WindowQuery, sum_measures
from services.assessment.storage import reading, spans
from services.assessment.storage.duties import list_duty_units
from services.assessment.storage.spans import Span
from shared.database import Connection, Pool, transaction
from shared.reach import SYSTEM

REGISTRY_FILE: Final = Path(__file__).parents[1] / "indicators.toml"
COUNTS: Final = (
    spans.count_recurring,
    spans.count_invitations,
    spans.count_breadth,
    spans.count_spans,
    spans.count_receptions,
    spans.count_channels,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureReading:
    subject: Subject
    period: Period
    figures: tuple[tuple[Definition, Figure], ...]


@cache
def load_registry() -> Registry:
    """As it is shipped. Raises BadIndicator."""
    return read_registry(REGISTRY_FILE.read_text("utf-8"))


def read_figures(pool: Pool, query: WindowQuery, *, zone: ZoneInfo, now: datetime) -> FigureReading:
    """Raises UnknownSubject. Live figures, ratings among them: for officers and auditors.

    Whether the reader may know is asked within the reader's reach; the figures are those of everything.
    """
    with transaction(pool) as connection:
        subject = find_subject(connection, query.subject_kind, query.code)
        find_score_within_reach(connection, subject, query.period)
    with transaction(pool, reach=SYSTEM) as connection:
        measures = count_everything(
            connection, query.subject_kind, subject.subject_id, query.period, zone=zone, now=now
        )
    return FigureReading(
        subject=subject,
        period=query.period,
        figures=tuple((one, compute_figure(one, measures)) for one in load_registry().definitions),
    )


def count_everything(
    connection: Connection, kind: SubjectKind, subject_id: UUID, period: Period, *, zone: ZoneInfo, now: datetime
) -> dict[str, int]:
    """Every measure there is."""
    asked = [(subject_id, period)]
    kept = sum_measures(connection, kind, asked, as_of=now, zone=zone).get(asked[0], {})
    below = reading.list_subtree(connection, subject_id, on=period.start) if kind == "organisation" else []
    span = Span(
        period=period,
        time_zone=zone.key,
        as_of=now,
        cadre_id=subject_id if kind == "cadre" else None,
        organisation_ids=below,
    )
    measures = {name: kept.get(name, 0) for name in MEASURES}
    for count in COUNTS:
        measures |= count(connection, span)
    return measures | _count_duties(connection, span, zone=zone, now=now)


def _count_duties(connection: Connection, span: Span, *, zone: ZoneInfo, now: datetime) -> dict[str, int]:
    """Owed and met by kind of contact, by units that lie whole in the period."""
    today = now.astimezone(zone).date()
    cadres = (
        [span.cadre_id] if span.cadre_id else spans.list_cadres_owing(connection, span.organisation_ids, span.period)
    )
    units = {
        unit
        for month in span.period.months_touched
        for unit in periods_covering(month.start)
        if span.period.contains(unit)
    }
    counts = dict.fromkeys((f"{what}_{kind}" for kind in CONTACT_KINDS for what in ("owed", "met")), 0)
    wanted = [(cadre_id, unit) for cadre_id in cadres for unit in sorted(units)]
    for unit in list_duty_units(connection, wanted, time_zone=span.time_zone) if wanted else []:
        if span.cadre_id is not None or unit.organisation_id in set(span.organisation_ids):
            counts[f"owed_{unit.contact_kind}"] += unit.owed(today)
            counts[f"met_{unit.contact_kind}"] += unit.met(today)
    return counts
