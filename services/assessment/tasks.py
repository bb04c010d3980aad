"""The Celery door: when what is due is scored, what time makes due marked and told of, what is new announced."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.assessment.handlers.announcements import SCORES_A_BATCH, announce_scores
from services.assessment.handlers.closings import ClosingRule, close_months
from services.assessment.handlers.corrections import record_corrections
from services.assessment.handlers.fair import follow, look, read_fair_settings, read_settings_text
from services.assessment.handlers.fair_closings import FairClosing, close_fair
from services.assessment.handlers.fair_corrections import correct_fair
from services.assessment.handlers.fair_watching import watch_closed
from services.assessment.handlers.gauges import gauge_figures
from services.assessment.handlers.partitions import make_years_ahead
from services.assessment.handlers.place_scores import score_places
from services.assessment.handlers.reminders import load_reminders, remind
from services.assessment.handlers.scores import PassSummary, score_due, score_shard
from services.assessment.handlers.sweeps import sweep_duties, sweep_overdue
from services.assessment.settings import AssessmentSettings
from shared.database import Pool
from shared.errors import Transient
from shared.observability import correlated, get_logger, new_correlation_id
from shared.worker import RELIABLE, make_celery

SCORE = "assessment.score_due"
SHARD = "assessment.score_shard"
SWEEP = "assessment.sweep"
ANNOUNCE = "assessment.announce"
CLOSE = "assessment.close_months"
CORRECT = "assessment.record_corrections"
GAUGE = "assessment.gauge_figures"
LOOK = "assessment.look"
REMIND = "assessment.remind"
FOLLOW = "assessment.follow"
PREPARE = "assessment.make_years_ahead"
SWEEP_SECONDS = 1.0
CLOSING_SWEEP_SECONDS = 60.0
CORRECTION_SWEEP_SECONDS = 15.0
GAUGE_SECONDS = 300.0
LOOK_SECONDS = 3_600.0
REMIND_SECONDS = 60.0
FOLLOW_SECONDS = 1.0
PREPARE_SECONDS = 3_600.0
LEAST_LOOK_SECONDS = 60.0
LOOK_SHARE = 20  # what a look costs, so many times over, is left between two of them
LONGEST_PAUSE_SECONDS = 2.0

log = get_logger()


class ScoringPace:
    """One scoring at a time in a process, and between passes a pause as long as the last one took.

    So a bulk import, which makes the same cells due again and again, leaves half of the machine to itself.
    """

    def __init__(self, interval_seconds: float) -> None:
        self._interval_seconds = interval_seconds
        self._busy = threading.Lock()
        self._resume_at = time.monotonic()

    def begin(self) -> bool:
        """Wait for the pause to end. False where another thread already does: its pass will see what is due here."""
        if not self._busy.acquire(blocking=False):
            return False
        pause = self._resume_at - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        return True

    def end(self, seconds: float) -> None:
        pause = min(max(self._interval_seconds, seconds), max(LONGEST_PAUSE_SECONDS, self._interval_seconds))
        self._resume_at = time.monotonic() + pause
        self._busy.release()


class LookingPace:
    """When everybody is looked at again: some time after something was new, the longer the dearer a look is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_new = self._is_busy = False
        self._due_at = 0.0

    def begin(self, *, is_new: bool) -> bool:
        """Whether a look is due. Whoever is told so looks, and ends it; meanwhile nobody else is."""
        with self._lock:
            self._is_new |= is_new
            if self._is_busy or not self._is_new or time.monotonic() < self._due_at:
                return False
            self._is_busy, self._is_new = True, False
            return True

    def end(self, seconds: float) -> None:
        with self._lock:
            self._is_busy = False
            self._due_at = time.monotonic() + max(LEAST_LOOK_SECONDS, LOOK_SHARE * seconds)


def create_worker(settings: AssessmentSettings, pool: Pool) -> Any:  # noqa: ANN401 - Celery has no types
    app = make_celery("assessment")
    pace = ScoringPace(settings.scoring_interval_seconds)

    @app.task(name=SCORE, **RELIABLE)
    def score() -> None:
        score_all_due(settings, pool, pace)

    @app.task(name=SHARD, **RELIABLE)
    def score_one_shard(subject_ids: str) -> None:
        ids = [UUID(text) for text in subject_ids.split(",")]
        with correlated(new_correlation_id()):
            score_shard(pool, ids, scheme_name=settings.scheme, zone=settings.zone, now=_now())

    @app.task(name=SWEEP, **RELIABLE)
    def sweep() -> None:
        with correlated(new_correlation_id()):
            sweep_time(settings, pool)

    @app.task(name=ANNOUNCE, **RELIABLE)
    def announce() -> None:
        with correlated(new_correlation_id()):
            announce_all(pool)

    @app.task(name=CLOSE, **RELIABLE)
    def close() -> None:
        with correlated(new_correlation_id()):
            close_all(settings, pool)

    @app.task(name=CORRECT, **RELIABLE)
    def correct() -> None:
        with correlated(new_correlation_id()):
            correct_all(settings, pool)

    _add_upkeep(app, settings, pool)
    _add_looking(app, settings, pool)
    _add_reminding(app, settings, pool)
    # A tick that no thread took in time is dropped: the next one asks the same.
    app.conf.beat_schedule = {
        name: {"task": name, "schedule": seconds, "options": {"expires": max(seconds, 5.0)}}
        for name, seconds in (
            (SCORE, SWEEP_SECONDS),
            (SWEEP, SWEEP_SECONDS),
            (ANNOUNCE, settings.announce_interval_seconds),
            (CLOSE, CLOSING_SWEEP_SECONDS),
            (CORRECT, CORRECTION_SWEEP_SECONDS),
            (GAUGE, GAUGE_SECONDS),
            (LOOK, LOOK_SECONDS),
            (REMIND, REMIND_SECONDS),
            (FOLLOW, FOLLOW_SECONDS),
            (PREPARE, PREPARE_SECONDS),
        )
    }
    return app


def _add_upkeep(app: Any, settings: AssessmentSettings, pool: Pool) -> None:  # noqa: ANN401 - Celery has no types
    @app.task(name=GAUGE, **RELIABLE)
    def gauge() -> None:
        with correlated(new_correlation_id()):
            gauge_figures(pool, level=settings.gauge_level, zone=settings.zone, now=_now())

    @app.task(name=PREPARE, **RELIABLE)
    def prepare_years() -> None:
        with correlated(new_correlation_id()):
            made = make_years_ahead(pool, today=_now().astimezone(settings.zone).date())
            if made:
                log.info("years_made", parts=made)


def _add_looking(app: Any, settings: AssessmentSettings, pool: Pool) -> None:  # noqa: ANN401 - Celery has no types
    pace = LookingPace()

    @app.task(name=LOOK, **RELIABLE)
    def look_for_signals() -> None:
        with correlated(new_correlation_id()):
            look_at_all(settings, pool)

    @app.task(name=FOLLOW, **RELIABLE)
    def follow_events() -> None:
        with correlated(new_correlation_id()):
            follow_all(settings, pool, pace)


def _add_reminding(app: Any, settings: AssessmentSettings, pool: Pool) -> None:  # noqa: ANN401 - Celery has no types
    reminders = load_reminders(settings.reminders)

    @app.task(name=REMIND, **RELIABLE)
    def remind_of_duties() -> None:
        with correlated(new_correlation_id()):
            told = remind(pool, reminders, zone=settings.zone, now=_now())
            if told:
                log.info("duty_shortfalls_found", cadres=told)


def score_all_due(settings: AssessmentSettings, pool: Pool, pace: ScoringPace) -> None:
    if not pace.begin():
        return
    started = time.perf_counter()
    try:
        while _score_once(settings, pool).more:
            pass
    except Transient as error:
        log.warning("scoring_postponed", code=error.code, detail=error.detail)
    finally:
        pace.end(time.perf_counter() - started)


def sweep_time(settings: AssessmentSettings, pool: Pool) -> None:
    now = _now()
    overdue = sweep_overdue(pool, zone=settings.zone, now=now)
    elapsed = sweep_duties(pool, zone=settings.zone, now=now)
    if overdue or elapsed:
        log.info("time_made_due", overdue_cells=overdue, duty_cells=elapsed)


def announce_all(pool: Pool) -> None:
    total = 0
    while count := announce_scores(pool, now=_now()):
        total += count
        if count < SCORES_A_BATCH:
            break
    if total:
        log.info("scores_announced", scores=total)


def read_closing_rule(settings: AssessmentSettings, *, spares_first_load: bool = True) -> ClosingRule:
    return ClosingRule(
        raters_needed=settings.release_raters,
        delay=timedelta(days=settings.closing_delay_days),
        scheme_name=settings.scheme,
        zone=settings.zone,
        spares_first_load=spares_first_load,
    )


def close_all(settings: AssessmentSettings, pool: Pool, *, spares_first_load: bool = True) -> None:
    rule = read_closing_rule(settings, spares_first_load=spares_first_load)
    closed = close_months(pool, rule=rule, now=_now())
    if closed:
        log.info("months_closed", months=[month.isoformat() for month in closed])
    scored = score_places(pool, now=_now())
    if scored:
        log.info("periods_scored_by_place", periods=[period.label for period in scored])
    closing = FairClosing(
        settings=read_fair_settings(),
        settings_text=read_settings_text(),
        region_level=settings.gauge_level,
        zone=settings.zone,
        workers=settings.fair_processes,
    )
    fair = close_fair(pool, closing, now=_now())
    if fair:
        log.info("periods_scored_fairly", periods=[period.label for period in fair])
    watched = watch_closed(pool)
    if watched:
        log.info("closed_periods_watched", windows=len(watched))


def correct_all(settings: AssessmentSettings, pool: Pool) -> None:
    made = record_corrections(pool, zone=settings.zone, now=_now())
    made += correct_fair(pool, region_level=settings.gauge_level, zone=settings.zone, now=_now())
    if made:
        log.info("corrections_recorded", corrections=made)


def follow_all(settings: AssessmentSettings, pool: Pool, pace: LookingPace) -> None:
    """Measure anew those of whom something is new; look at everybody where that is due, or where nobody has yet."""
    fair = read_fair_settings()
    followed = follow(pool, fair, region_level=settings.gauge_level, zone=settings.zone, now=_now())
    count = followed.cadres
    while followed.more:
        followed = follow(pool, fair, region_level=settings.gauge_level, zone=settings.zone, now=_now())
        count += followed.cadres
    if count:
        log.info("fair_scores_followed", cadres=count)
    if not pace.begin(is_new=count > 0 or not followed.is_framed):
        return
    started = time.perf_counter()
    try:
        look_at_all(settings, pool)
    finally:
        pace.end(time.perf_counter() - started)


def look_at_all(settings: AssessmentSettings, pool: Pool) -> None:
    started = time.perf_counter()
    looked = look(
        pool,
        read_fair_settings(),
        region_level=settings.gauge_level,
        zone=settings.zone,
        now=_now(),
        workers=settings.fair_processes,
    )
    log.info(
        "fair_scores_computed",
        cadres=looked.cadres,
        signals=looked.signals,
        new_signals=looked.new_signals,
        milliseconds=round((time.perf_counter() - started) * 1000),
    )


def _score_once(settings: AssessmentSettings, pool: Pool) -> PassSummary:
    started = time.perf_counter()
    summary = score_due(pool, scheme_name=settings.scheme, zone=settings.zone, now=_now())
    if summary.cells or summary.subjects:
        log.info(
            "scores_computed",
            cells=summary.cells,
            subjects=summary.subjects,
            changed=summary.changed,
            milliseconds=round((time.perf_counter() - started) * 1000),
            correlation_ids=summary.correlation_ids,
        )
    return summary


def _now() -> datetime:
    return datetime.now(UTC)
