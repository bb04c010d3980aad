"""Scoring what is due: tallies from facts, sums up the organisation tree, scores of the periods touched."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment import metrics
from services.assessment.domain.duties import DutyTally, tally_duties
from services.assessment.domain.measures import NOBODY
from services.assessment.domain.organisations import depth_of, line_of
from services.assessment.domain.periods import Period, periods_covering
from services.assessment.domain.schemes import Scheme
from services.assessment.domain.scores import Placement, SubjectKind, score_id_of
from services.assessment.handlers.schemes import read_scheme_in_force
from services.assessment.scoring.composites import Result, compute_scores
from services.assessment.storage import due, rebuilding, scores, sweeps, tallies
from services.assessment.storage.duties import list_duty_units
from shared import crash, observability
from shared.database import Connection, Pool, transaction

CELLS_A_PASS = 1_000
SUBJECTS_A_PASS = 200
CADRES_A_SHARD = 200
CORRELATIONS_TOLD = 20

Cell = tuple[UUID, UUID, date]
Asked = tuple[SubjectKind, UUID, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSummary:
    cells: int = 0
    scores: int = 0
    changed: int = 0
    more: bool = False  # at its limit: there may be more
    correlation_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class Work:
    """What one pass has to do, each with the correlation id of what made it due."""

    cells: dict[Cell, str] = field(default_factory=dict)
    asked: dict[Asked, str] = field(default_factory=dict)  # whose periods around this month are to be scored
    organisation_months: set[tuple[UUID, date]] = field(default_factory=set)
    duties: dict[Cell, DutyTally] = field(default_factory=dict)

    def add_cell(self, cell: Cell, correlation_id: str) -> None:
        organisation_id, cadre_id, month = cell
        self.cells[cell] = correlation_id
        if cadre_id != NOBODY:
            self.asked["cadre", cadre_id, month] = correlation_id
        if organisation_id != NOBODY:
            self.asked["organisation", organisation_id, month] = correlation_id


def measure_due(pool: Pool, *, now: datetime) -> tuple[int, float]:
    """Return how many cells and subjects wait to be scored, and how many seconds the oldest has waited."""
    with transaction(pool) as connection:
        return due.measure_due(connection, now)


def score_due(pool: Pool, *, scheme_name: str, zone: ZoneInfo, now: datetime, limit: int = CELLS_A_PASS) -> PassSummary:
    """One pass over what has been due longest, in one transaction. While another is at it this one does nothing."""
    started = time.perf_counter()
    with transaction(pool) as connection:
        if not tallies.try_lock_scoring(connection):
            return PassSummary()
        cells = due.list_due_cells(connection, limit=limit)
        subjects = due.list_due_subjects(connection, limit=SUBJECTS_A_PASS)
        if not cells and not subjects:
            return PassSummary()
        scheme = read_scheme_in_force(connection, scheme_name)
        as_of = _latest_clock(connection, now)
        work = _plan(connection, cells, subjects)
        _add_duties(connection, work, today=as_of.astimezone(zone).date(), zone=zone)
        _tally(connection, work, as_of=as_of, zone=zone)
        crash.point("assessment.mid_scoring")
        written, changed = _score(connection, work, scheme, as_of=as_of, today=as_of.astimezone(zone).date())
        due.remove_due(connection, cells, subjects, seen_at=now)
    metrics.scoring_passes_total.inc()
    metrics.scoring_pass_seconds.observe(time.perf_counter() - started)
    metrics.cells_tallied_total.inc(len(work.cells))
    metrics.scores_changed_total.inc(changed)
    return PassSummary(
        cells=len(work.cells),
        scores=written,
        changed=changed,
        more=len(cells) == limit or len(subjects) == SUBJECTS_A_PASS,
        correlation_ids=tuple(
            sorted({cell.correlation_id for cell in cells} | {subject.correlation_id for subject in subjects})[
                :CORRELATIONS_TOLD
            ]
        ),
    )


def score_cadres(
    pool: Pool, cadre_ids: Sequence[UUID], *, scheme_name: str, zone: ZoneInfo, now: datetime
) -> PassSummary:
    """Count and score what is due of these cadres, beside others who do so for other cadres.

    No pass runs meanwhile; the next one sums the organisations that this has marked. What is not due is not touched.
    """
    with transaction(pool) as connection:
        tallies.share_scoring(connection)
        cells = due.list_due_cells_of(connection, cadre_ids)
        if not cells:
            return PassSummary()
        scheme = read_scheme_in_force(connection, scheme_name)
        as_of = _latest_clock(connection, now)
        today = as_of.astimezone(zone).date()
        work = _plan(connection, cells, [])
        _add_duties(connection, work, today=today, zone=zone)
        counted = sorted(work.cells)
        duties = [work.duties.get(cell, DutyTally()) for cell in counted]
        tallies.tally_cells(connection, counted, duties, as_of=as_of, time_zone=zone.key)
        work.asked = {asked: correlation for asked, correlation in work.asked.items() if asked[0] == "cadre"}
        written, changed = _score(connection, work, scheme, as_of=as_of, today=today)
        due.remove_due(connection, cells, [], seen_at=now)
        months = sorted({(cell[0], cell[2]) for cell in counted if cell[0] != NOBODY})
        due.mark_organisation_months(
            connection, months, nobody=NOBODY, marked_at=now, correlation_id=cells[0].correlation_id
        )
    metrics.cells_tallied_total.inc(len(counted))
    metrics.scores_changed_total.inc(changed)
    return PassSummary(cells=len(counted), scores=written, changed=changed)


def list_shards(pool: Pool, *, size: int = CADRES_A_SHARD) -> list[list[UUID]]:
    """The cadres of whom anything is due, a shard after another."""
    with transaction(pool) as connection:
        cadres = due.list_due_cadres(connection, NOBODY)
    return [cadres[start : start + size] for start in range(0, len(cadres), size)]


def mark_everything(pool: Pool, *, now: datetime) -> int:
    """Have everything counted and scored anew; return how many cells."""
    with transaction(pool) as connection:
        return rebuilding.mark_all_cells(connection, marked_at=now, correlation_id=observability.correlation_id())


def _latest_clock(connection: Connection, now: datetime) -> datetime:
    """Never before a sweep: what it marked as overdue must be seen so, even by a worker whose clock is behind."""
    swept = [sweeps.find_swept_until(connection, name) for name in ("overdue", "duty")]
    return max([now, *(instant for instant in swept if instant is not None)])


def _plan(connection: Connection, cells: list[due.DueCell], subjects: list[due.DueSubject]) -> Work:
    work = Work()
    by_subject = {(subject.subject_kind, subject.subject_id): subject.correlation_id for subject in subjects}
    cadre_ids = [subject_id for kind, subject_id in by_subject if kind == "cadre"]
    organisation_ids = [subject_id for kind, subject_id in by_subject if kind == "organisation"]
    for cell in tallies.list_cells_of_cadres(connection, cadre_ids) if cadre_ids else []:
        work.add_cell(cell, by_subject["cadre", cell[1]])
    for organisation_id, month in (
        tallies.list_months_of_organisations(connection, organisation_ids) if organisation_ids else []
    ):
        work.organisation_months.add((organisation_id, month))
        work.asked["organisation", organisation_id, month] = by_subject["organisation", organisation_id]
    for due_cell in cells:
        work.add_cell((due_cell.organisation_id, due_cell.cadre_id, due_cell.month), due_cell.correlation_id)
    return work


def _add_duties(connection: Connection, work: Work, *, today: date, zone: ZoneInfo) -> None:
    """Find what the touched cadres owe around the touched months, and add the cells in which that stands."""
    months: dict[UUID, dict[date, str]] = {}
    for (kind, cadre_id, month), correlation_id in work.asked.items():
        if kind == "cadre":
            months.setdefault(cadre_id, {})[month] = correlation_id
    wanted = sorted({(cadre_id, unit) for cadre_id, asked in months.items() for unit in _units_around(asked)})
    units = list_duty_units(connection, wanted, time_zone=zone.key) if wanted else []
    work.duties = tally_duties(units, today)
    for organisation_id, cadre_id, unit_start in work.duties:
        for month, correlation_id in months[cadre_id].items():
            if month.year == unit_start.year:
                work.cells.setdefault((organisation_id, cadre_id, unit_start), correlation_id)
                work.asked.setdefault(("organisation", organisation_id, month), correlation_id)


def _units_around(months: Iterable[date]) -> set[Period]:
    """Every duty unit that begins in the first month of a unit around these months: a cell is always counted whole."""
    starts = {period.start for month in months for period in periods_covering(month)}
    return {unit for start in starts for unit in periods_covering(start) if unit.start == start}


def _tally(connection: Connection, work: Work, *, as_of: datetime, zone: ZoneInfo) -> None:
    cells = sorted(work.cells)
    if cells:
        duties = [work.duties.get(cell, DutyTally()) for cell in cells]
        tallies.tally_cells(connection, cells, duties, as_of=as_of, time_zone=zone.key)
    touched = work.organisation_months | {(cell[0], cell[2]) for cell in cells if cell[0] != NOBODY}
    parents = _list_parents(connection, touched)
    rows = {(above, month) for organisation_id, month in touched for above in line_of(organisation_id, parents[month])}
    by_depth: dict[int, list[tuple[UUID, date]]] = {}
    for organisation_id, month in sorted(rows):
        by_depth.setdefault(depth_of(organisation_id, parents[month]), []).append((organisation_id, month))
    for depth in sorted(by_depth, reverse=True):
        tallies.tally_organisations(connection, by_depth[depth])
    for (kind, subject_id, month), correlation_id in list(work.asked.items()):
        if kind == "organisation":
            for above in line_of(subject_id, parents.get(month, {})):
                work.asked.setdefault(("organisation", above, month), correlation_id)


def _list_parents(connection: Connection, touched: set[tuple[UUID, date]]) -> dict[date, dict[UUID, UUID | None]]:
    """By month, under which parent each of these organisations, and each above them, stood on its first day."""
    parents: dict[date, dict[UUID, UUID | None]] = {month: {} for _, month in touched}
    for row in tallies.list_ancestry(connection, sorted(touched)):
        parents[row.on_day][row.organisation_id] = row.parent_id
    return parents


def _score(connection: Connection, work: Work, scheme: Scheme, *, as_of: datetime, today: date) -> tuple[int, int]:
    """Return how many scores were computed and how many changed."""
    rows: list[dict[str, Any]] = []
    results: dict[UUID, Result] = {}
    for kind in ("cadre", "organisation"):
        wanted = {
            (subject_id, period): correlation_id
            for (asked_kind, subject_id, month), correlation_id in work.asked.items()
            if asked_kind == kind
            for period in periods_covering(month)
        }
        if not wanted:
            continue
        subjects = sorted(wanted)
        measures = tallies.sum_measures(connection, kind, subjects)
        placed = [one for one in _place(connection, kind, subjects, today=today).items() if one[0] in measures]
        computed = compute_scores([measures[subject] for subject, _ in placed], scheme)
        for (subject, placement), result in zip(placed, computed, strict=True):
            row = _row(kind, subject, placement, result, scheme) | {"correlation_id": wanted[subject]}
            results[row["score_id"]] = result
            rows.append(row)
    changed = scores.upsert_scores(connection, rows, at=as_of)
    if changed:
        scores.upsert_indicators(connection, [row for id_ in sorted(changed) for row in _parts(id_, results[id_])])
        scores.remove_other_indicators(connection, list(changed), [indicator.key for indicator in scheme.indicators])
    return len(rows), len(changed)


def _place(
    connection: Connection, kind: str, subjects: list[tuple[UUID, Period]], *, today: date
) -> dict[tuple[UUID, Period], Placement]:
    if kind == "cadre":
        return scores.list_placements_of_cadres(connection, subjects, today=today)
    codes = scores.list_codes_of_organisations(connection, list({subject_id for subject_id, _ in subjects}))
    return {
        (subject_id, period): Placement(subject_code=codes.get(subject_id), organisation_id=subject_id)
        for subject_id, period in subjects
    }


def _row(
    kind: str, subject: tuple[UUID, Period], placement: Placement, result: Result, scheme: Scheme
) -> dict[str, Any]:
    subject_id, period = subject
    return {
        "score_id": score_id_of(kind, subject_id, period),
        "subject_kind": kind,
        "subject_id": subject_id,
        "subject_code": placement.subject_code,
        "organisation_id": placement.organisation_id,
        "peer_group": placement.peer_group,
        "period_kind": period.kind,
        "period_start": period.start,
        "scheme_name": scheme.name,
        "scheme_version": scheme.version,
        "composite": result.composite,
        "present_weight": result.present_weight,
        "digest": result.digest(scheme).hex(),
    }


def _parts(score_id: UUID, result: Result) -> list[dict[str, Any]]:
    return [
        {
            "score_id": score_id,
            "indicator": part.indicator,
            "numerator": part.numerator,
            "denominator": part.denominator,
            "value": part.value,
            "points": part.points,
            "weight": part.weight,
        }
        for part in result.indicators
    ]
