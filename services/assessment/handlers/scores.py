"""Scoring what is due, by passes over what has been due longest, or by shards side by side."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment import metrics
from services.assessment.domain.measures import NOBODY
from services.assessment.handlers.counting import Moment, Months, count_cells, sum_organisations
from services.assessment.handlers.lanes import divide, score_beside, score_lane
from services.assessment.handlers.replacing import replace_scores
from services.assessment.handlers.schemes import read_scheme_in_force
from services.assessment.storage import due, marking, rebuilding, sweeps, tallies, units
from shared import crash, observability
from shared.database import Connection, Pool, transaction

CELLS_A_PASS = 2_000
SUBJECTS_A_PASS = 1_000
CADRES_A_SHARD = 500
UNITS_A_SHARD = 50
CORRELATIONS_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSummary:
    cells: int = 0
    subjects: int = 0
    changed: int = 0  # scores that stand otherwise now
    more: bool = False  # at its limit: there may be more
    correlation_ids: tuple[str, ...] = ()


def measure_due(pool: Pool, *, now: datetime) -> tuple[int, float]:
    """Return how many cells and subjects wait to be scored, and how many seconds the oldest has waited."""
    with transaction(pool) as connection:
        return due.measure_due(connection, now)


def score_due(pool: Pool, *, scheme_name: str, zone: ZoneInfo, now: datetime, limit: int = CELLS_A_PASS) -> PassSummary:
    """One pass over what has been due longest, in one transaction, and of many cadres half in another one beside it.

    While another pass is at it this one does nothing.
    """
    started = time.perf_counter()
    with transaction(pool) as connection:
        if not tallies.try_lock_scoring(connection):
            return PassSummary()
        cells = due.list_due_cells(connection, limit=limit)
        subjects = due.list_due_subjects(connection, limit=SUBJECTS_A_PASS)
        if not cells and not subjects:
            return PassSummary()
        scheme = read_scheme_in_force(connection, scheme_name)
        moment = Moment(as_of=_latest_clock(connection, now), zone=zone)
        division = divide(cells, subjects, may_divide=pool.max_size > 1)
        whose = tallies.find_backend(connection)
        with ThreadPoolExecutor(max_workers=1) as executor:
            promise = executor.submit(score_beside, pool, division.beside, scheme, moment, now=now, whose=whose)
            own = score_lane(connection, division.own, subjects, scheme, moment)
            crash.point("assessment.mid_scoring")
        beside = promise.result()
        of_units = due.list_due_cells_of_units(connection, {*division.units, *beside.left}, nobody=NOBODY)
        left = own.left | count_cells(connection, of_units, moment).organisations
        summed = sum_organisations(connection, left | _list_months_of_units(connection, subjects))
        changed = own.changed + beside.changed
        changed += replace_scores(connection, "organisation", summed, subjects, scheme, moment)
        due.remove_due(connection, [*division.own.cells, *of_units], subjects, seen_at=now)
    metrics.scoring_passes_total.inc()
    metrics.scoring_pass_seconds.observe(time.perf_counter() - started)
    metrics.cells_tallied_total.inc(len(cells))
    metrics.scores_changed_total.inc(changed)
    return PassSummary(
        cells=len(cells),
        subjects=len(subjects),
        changed=changed,
        more=len(cells) == limit or len(subjects) == SUBJECTS_A_PASS,
        correlation_ids=_tell_correlations(cells, subjects),
    )


def score_shard(
    pool: Pool, subject_ids: Sequence[UUID], *, scheme_name: str, zone: ZoneInfo, now: datetime
) -> PassSummary:
    """Count and score what is due of these cadres, and of organisations with none below, beside other shards.

    No pass runs meanwhile; the next one sums the organisations that this has marked, and those above them. What is not
    due is not touched.
    """
    with transaction(pool) as connection:
        tallies.share_scoring(connection)
        cells = due.list_due_cells_of(connection, subject_ids)
        subjects = due.list_due_subjects_among(connection, subject_ids)
        if not cells and not subjects:
            return PassSummary()
        scheme = read_scheme_in_force(connection, scheme_name)
        moment = Moment(as_of=_latest_clock(connection, now), zone=zone)
        counted = count_cells(connection, cells, moment)
        marked = _list_months_of_units(connection, subjects)
        summed = set(units.tally_organisations(connection, list(marked)))
        changed = replace_scores(connection, "cadre", counted.cadres, subjects, scheme, moment)
        changed += replace_scores(connection, "organisation", marked, subjects, scheme, moment)
        due.remove_due(connection, cells, subjects, seen_at=now)
        waited_for = due.list_units_waited_for(connection, sorted({unit for unit, _ in marked}))
        again = {key: one for key, one in marked.items() if key in summed or key[0] not in waited_for}
        waiting = counted.organisations | again
        marking.mark_organisation_months(connection, waiting, nobody=NOBODY, marked_at=now)
    metrics.cells_tallied_total.inc(len(cells))
    metrics.scores_changed_total.inc(changed)
    return PassSummary(cells=len(cells), subjects=len(subjects), changed=changed)


def list_shards(pool: Pool, *, cadres: int = CADRES_A_SHARD, units_alone: int = UNITS_A_SHARD) -> list[list[UUID]]:
    """Of whom anything is due, a shard after another: cadres, and organisations that need nothing but their own sum."""
    with transaction(pool) as connection:
        due_cadres = due.list_due_cadres(connection, NOBODY)
        due_units = due.list_due_units_alone(connection)
    return [
        ids[start : start + size]
        for ids, size in ((due_cadres, cadres), (due_units, units_alone))
        for start in range(0, len(ids), size)
    ]


def mark_scores(pool: Pool, *, now: datetime) -> int:
    """Have everybody scored anew from what is counted; return how many subjects."""
    with transaction(pool) as connection:
        return marking.mark_all_subjects(
            connection, nobody=NOBODY, marked_at=now, correlation_id=observability.correlation_id()
        )


def mark_everything(pool: Pool, *, now: datetime) -> int:
    """Have everything counted from the facts and scored anew; return how many cells and subjects."""
    with transaction(pool) as connection:
        correlation_id = observability.correlation_id()
        cells = rebuilding.mark_all_cells(connection, marked_at=now, correlation_id=correlation_id)
        return cells + marking.mark_all_subjects(
            connection, nobody=NOBODY, marked_at=now, correlation_id=correlation_id
        )


def _latest_clock(connection: Connection, now: datetime) -> datetime:
    """Never before a sweep: what it marked as overdue must be seen so, even by a worker whose clock is behind."""
    swept = [sweeps.find_swept_until(connection, name) for name in ("overdue", "duty")]
    return max([now, *(instant for instant in swept if instant is not None)])


def _list_months_of_units(connection: Connection, subjects: Sequence[due.DueSubject]) -> Months:
    marked = {one.subject_id: one.correlation_id for one in subjects if one.subject_kind == "organisation"}
    if not marked:
        return {}
    known = units.list_months_of_organisations(connection, list(marked))
    return {(organisation_id, month): marked[organisation_id] for organisation_id, month in known}


def _tell_correlations(cells: Sequence[due.DueCell], subjects: Sequence[due.DueSubject]) -> tuple[str, ...]:
    told = {cell.correlation_id for cell in cells} | {subject.correlation_id for subject in subjects}
    return tuple(sorted(told)[:CORRELATIONS_TOLD])
