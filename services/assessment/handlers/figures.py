"""The figures of every indicator of the registry: what is kept, and what is counted now, of one subject or of many."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.indicators import Definition, Figure, Registry, compute_figure, read_registry
from services.assessment.domain.measures import MEASURES, SPANNED
from services.assessment.domain.periods import Period, units_within
from services.assessment.domain.scores import Subject, SubjectKind
from services.assessment.handlers.reading import find_score_within_reach, find_subject
from services.assessment.handlers.turns import Turns
from services.assessment.handlers.windows import WindowQuery, sum_measures
from services.assessment.storage import reading, spans
from services.assessment.storage.duty_sums import sum_duties
from services.assessment.storage.spans import Counts, Span
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
# A front door waits for a minute: one waits for a turn and is counted within that, or is told so.
LONGEST_SECONDS: Final = 50
LARGE_ONES: Final = Turns(at_once=1, waiting=3, patience_seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureReading:
    subject: Subject
    period: Period
    figures: tuple[tuple[Definition, Figure], ...]


@cache
def load_registry() -> Registry:
    """As it is shipped. Raises BadIndicator."""
    return read_registry(REGISTRY_FILE.read_text("utf-8"))


def read_figures(
    pool: Pool, query: WindowQuery, *, zone: ZoneInfo, now: datetime, turns: Turns = LARGE_ONES
) -> FigureReading:
    """Live figures, ratings among them: for officers and auditors.

    Raises UnknownSubject, CountingTooLong, and where much lies below an organisation CountingBusy. Whether the reader
    may know is asked within the reader's reach; the figures are those of everything.
    """
    with transaction(pool) as connection:
        subject = find_subject(connection, query.subject_kind, query.code)
        find_score_within_reach(connection, subject, query.period)
    whom = subject.subject_id
    with transaction(pool, reach=SYSTEM) as connection:
        span = find_span(connection, query.subject_kind, [whom], query.period, zone=zone, now=now)
    with (
        turns.take() if span.is_large else nullcontext(),
        transaction(pool, reach=SYSTEM) as connection,
        spans.limiting(connection, seconds=LONGEST_SECONDS) as limit,
    ):
        measures = count_span(connection, span, [whom], limit=limit)[whom]
    return FigureReading(
        subject=subject,
        period=query.period,
        figures=tuple((one, compute_figure(one, measures)) for one in load_registry().definitions),
    )


def count_everything(
    connection: Connection,
    kind: SubjectKind,
    subject_ids: Sequence[UUID],
    period: Period,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> Counts:
    """Every measure there is, of each subject: each family of them is asked for once, of all together."""
    return count_span(connection, find_span(connection, kind, subject_ids, period, zone=zone, now=now), subject_ids)


def find_span(
    connection: Connection,
    kind: SubjectKind,
    subject_ids: Sequence[UUID],
    period: Period,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> Span:
    """The subjects with all that is theirs."""
    pairs = [(subject_id, subject_id) for subject_id in subject_ids]
    if kind == "organisation":
        pairs = reading.list_subtrees(connection, subject_ids, on=period.start)
    return Span(
        kind=kind,
        subjects=[subject_id for subject_id, _ in pairs],
        owners=[owner_id for _, owner_id in pairs],
        period=period,
        time_zone=zone.key,
        as_of=now,
    )


def count_span(
    connection: Connection, span: Span, subject_ids: Sequence[UUID], *, limit: Callable[[], None] = lambda: None
) -> Counts:
    """The same of what was found; `limit` is called before each family."""
    zone = ZoneInfo(span.time_zone)
    measures = count_kept(connection, span.kind, subject_ids, span.period, zone=zone, now=span.as_of)
    for count in COUNTS:
        limit()
        for subject_id, counts in count(connection, span).items():
            measures[subject_id] |= counts
    if units := units_within(span.period):
        limit()
        for subject_id, counts in sum_duties(connection, span, units, today=span.as_of.astimezone(zone).date()).items():
            measures[subject_id] |= counts
    return measures


def count_kept(
    connection: Connection,
    kind: SubjectKind,
    subject_ids: Sequence[UUID],
    period: Period,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> Counts:
    """What follows every event, of each subject: enough for indicators that are tallied."""
    measures = {subject_id: dict.fromkeys((*MEASURES, *SPANNED), 0) for subject_id in subject_ids}
    kept = sum_measures(connection, kind, [(subject_id, period) for subject_id in subject_ids], as_of=now, zone=zone)
    for (subject_id, _), counts in kept.items():
        measures[subject_id] |= counts
    return measures
