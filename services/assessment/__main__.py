"""The processes of assessment: python -m services.assessment serve | consume | relay | work | migrate | evaluate.

Each imports what it needs itself: a process that opens no door starts in half the time, and in less memory.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from services.assessment.settings import AssessmentSettings
from shared import commands
from shared.database import Pool
from shared.observability import get_logger

if TYPE_CHECKING:
    from services.assessment.domain.periods import Period
    from services.assessment.messaging import FactsDoor

HOME = Path(__file__).parent
WORKER_THREADS = 3

log = get_logger()


def serve(settings: AssessmentSettings, pool: Pool, _: Sequence[str]) -> int:
    from services.assessment.api.app import create_api
    from services.assessment.web.site import FORM_PATHS, add_site
    from shared import processes

    authenticator = processes.open_authenticator(settings, service="assessment")
    app = create_api(settings, pool, authenticator=authenticator, form_paths=FORM_PATHS)
    add_site(app, settings)
    return processes.serve_api(settings, pool, app)


def consume(settings: AssessmentSettings, pool: Pool, _: Sequence[str]) -> int:
    from services.assessment import messaging, metrics
    from shared import processes

    return processes.consume_events(
        settings,
        pool,
        {messaging.SUBSCRIPTION: _make_door(settings, pool).handle},
        settled=metrics.messages_settled_total,
    )


def relay(settings: AssessmentSettings, pool: Pool, _: Sequence[str]) -> int:
    from services.assessment import metrics
    from shared import processes

    return processes.relay_events(settings, pool, service="assessment", sent=metrics.events_sent_total)


def work(settings: AssessmentSettings, pool: Pool, _: Sequence[str]) -> int:
    from services.assessment.handlers import retention, signals
    from services.assessment.handlers.closings import measure_closing
    from services.assessment.handlers.rebuilding import measure_rebuild
    from services.assessment.handlers.scores import measure_due
    from services.assessment.tasks import create_worker, read_closing_rule
    from shared import chores, processes
    from shared.backlogs import watch_backlog

    watch_backlog(
        "assessment_due",
        "assessment_due_oldest_seconds",
        "Cells and subjects that wait to be scored",
        lambda: measure_due(pool, now=datetime.now(UTC)),
    )
    watch_backlog(
        "assessment_months_to_close",
        "assessment_months_to_close_oldest_seconds",
        "Months that should be closed by now",
        lambda: measure_closing(pool, rule=read_closing_rule(settings), now=datetime.now(UTC)),
    )
    watch_backlog(
        "assessment_rebuild_aggregates_left",
        "assessment_rebuild_seconds",
        "Aggregates whose facts a rebuild under way has still to make",
        lambda: measure_rebuild(pool, now=datetime.now(UTC)),
    )
    watch_backlog(
        "assessment_signals_open",
        "assessment_signals_oldest_seconds",
        "Signals that wait for a person's decision",
        lambda: signals.measure_open(pool, now=datetime.now(UTC)),
    )
    worker = create_worker(settings, pool)
    chores.add_chores(worker, chores.open_chores(settings, pool, retention.CLASSES, service="assessment"))
    return processes.work(settings, pool, worker, threads=WORKER_THREADS)


def migrate(settings: AssessmentSettings, pool: Pool, _: Sequence[str]) -> int:
    """Bring tables, topology and schemes up to date. The schemes are loaded as the runtime role: it owns no table."""
    from services.assessment import messaging
    from services.assessment.handlers.schemes import load_schemes
    from shared import processes

    processes.bring_up_to_date(
        settings, service="assessment", migrations=HOME / "migrations", subscriptions=[messaging.SUBSCRIPTION]
    )
    files = (HOME / "schemes").glob("*.toml")
    loaded = load_schemes(pool, files, indicators_file=HOME / "indicators.toml", now=datetime.now(UTC))
    log.info("schemes_loaded", names=loaded)
    return 0


def close(settings: AssessmentSettings, pool: Pool, _: Sequence[str]) -> int:
    """Close the months that have ended, without the time that a first load of old ones is given: it is complete."""
    from services.assessment.tasks import close_all

    close_all(settings, pool, spares_first_load=False)
    return 0


def look(settings: AssessmentSettings, pool: Pool, _: Sequence[str]) -> int:
    """Score the last four quarters by the fair scheme now, and note what asks for a look."""
    from services.assessment.tasks import look_at_all

    look_at_all(settings, pool)
    return 0


def replay(settings: AssessmentSettings, pool: Pool, arguments: Sequence[str]) -> int:
    """Compute a closed period again; or, without one, process again what the consumer set aside."""
    from services.assessment import messaging
    from shared import processes

    if arguments and not arguments[0].startswith("-"):
        return _replay_period(pool, arguments)
    door = _make_door(settings, pool)
    return processes.replay(settings, pool, {messaging.SUBSCRIPTION: door.handle}, arguments)


def _replay_period(pool: Pool, arguments: Sequence[str]) -> int:
    """Return 1 where what comes out is not what was published."""
    from services.assessment.domain.periods import parse_period
    from services.assessment.handlers.replays import replay_period

    parser = argparse.ArgumentParser(
        prog="python -m services.assessment replay",
        description="Compute a closed period again from what was frozen with it, and compare the hashes.",
    )
    parser.add_argument("period", help="2025-03, 2025Q1, 2025H1, 2025 or 2025-03-05..2025-04-20")
    parser.add_argument("--workers", type=int, default=1, help="in how many processes")
    options = parser.parse_args(arguments)
    found = replay_period(pool, parse_period(options.period), workers=options.workers)
    for one in found.differing:
        sys.stdout.write(f"{one.subject_kind} {one.subject_id}: published {one.expected}, now {one.found}\n")
    verdict = "same" if found.is_same else "DIFFERENT"
    sys.stdout.write(f"{verdict} {found.period.label} {found.found} {found.publications} publications\n")
    others = [_replay_fair(pool, found.period, workers=options.workers), _replay_places(pool, found.period)]
    return 0 if found.is_same and all(others) else 1


def _replay_fair(pool: Pool, period: "Period", *, workers: int) -> bool:
    """Whether the fair scores come out as they were closed; of periods of before these there are none."""
    from services.assessment.domain.scores import NotPublished
    from services.assessment.handlers import fair_results

    try:
        found = fair_results.replay(pool, period, workers=workers)
    except NotPublished:
        return True
    for cadre in found.differing:
        sys.stdout.write(f"fair score of {cadre}: differs\n")
    verdict = "same" if found.is_same else "DIFFERENT"
    sys.stdout.write(f"{verdict} fair {found.window} {found.found} {found.results} scores\n")
    return found.is_same


def _replay_places(pool: Pool, period: "Period") -> bool:
    """Whether what the schemes of places scored comes out as it was told; where none was put to it, nothing was."""
    from services.assessment.domain.scores import NotPublished
    from services.assessment.handlers.place_replays import replay_places

    try:
        found = replay_places(pool, period)
    except NotPublished:
        return True
    for kind, subject in found.differing:
        sys.stdout.write(f"score of {kind} {subject} by the scheme of its place: differs\n")
    verdict = "same" if found.is_same else "DIFFERENT"
    sys.stdout.write(f"{verdict} places {period.label} {found.found} {found.scores} scores\n")
    return found.is_same


def rebuild(settings: AssessmentSettings, pool: Pool, _: Sequence[str]) -> int:
    """Make all facts anew from the event log, while the other processes go on; the worker then counts them."""
    from services.assessment.handlers.rebuilding import rebuild_facts

    rebuilt = rebuild_facts(
        pool,
        zone=settings.zone,
        now=datetime.now(UTC),
        tell=lambda done: log.info("facts_remade", aggregates=done),
    )
    log.info("facts_rebuilt", aggregates=rebuilt.aggregates, strays=rebuilt.strays, cells=rebuilt.cells)
    return 0


def rescore(settings: AssessmentSettings, pool: Pool, arguments: Sequence[str]) -> int:
    """Have everybody scored anew: shards go to the workers, however many there are.

    What a lost shard leaves due the passes find.
    """
    from services.assessment.handlers.scores import list_shards, mark_everything, mark_scores
    from services.assessment.tasks import SHARD
    from shared.worker import connect_celery, make_celery, nudge

    parser = argparse.ArgumentParser(
        prog="python -m services.assessment rescore",
        description="Score everybody anew from what is counted, which every event keeps up.",
    )
    parser.add_argument("--recount", action="store_true", help="count everything anew from the facts first")
    mark = mark_everything if parser.parse_args(arguments).recount else mark_scores
    marked = mark(pool, now=datetime.now(UTC))
    celery = make_celery("assessment")
    shards = list_shards(pool)
    if settings.task_broker_url is not None:
        connect_celery(celery, settings.task_broker_url.get_secret_value())
        for shard in shards:
            nudge(celery, SHARD, subject_ids=",".join(map(str, shard)))
    log.info("rescoring_asked_for", marked=marked, shards=len(shards))
    return 0


def _make_door(settings: AssessmentSettings, pool: Pool) -> "FactsDoor":
    from services.assessment.messaging import FactsDoor
    from services.assessment.tasks import SCORE
    from shared.worker import connect_celery, make_celery, nudge

    celery = make_celery("assessment")
    can_nudge = settings.task_broker_url is not None
    if settings.task_broker_url is not None:
        connect_celery(celery, settings.task_broker_url.get_secret_value())
    return FactsDoor(
        pool,
        zone=settings.zone,
        nudge_scoring=lambda: nudge(celery, SCORE) if can_nudge else None,
        interval_seconds=settings.scoring_interval_seconds,
    )


def retain(settings: AssessmentSettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.assessment.handlers import retention
    from shared import chores

    return chores.retain(settings, pool, retention.CLASSES, arguments, service="assessment")


def export_audit(settings: AssessmentSettings, pool: Pool, arguments: Sequence[str]) -> int:
    from shared import chores

    return chores.export_audit(settings, pool, arguments, service="assessment")


COMMANDS = {
    "serve": serve,
    "consume": consume,
    "relay": relay,
    "work": work,
    "migrate": migrate,
    "rebuild": rebuild,
    "rescore": rescore,
    "replay": replay,
    "close": close,
    "look": look,
    "audit-export": export_audit,
    "retain": retain,
}

FILE_COMMANDS = ("check", "evaluate", "score-records", "simulate")  # these need neither settings nor a database


def run_on_files(name: str, arguments: Sequence[str]) -> int:
    if name == "score-records":
        from services.assessment.importing.records import cli

        return cli.main(arguments)
    from services.assessment.importing.commands import check_command, evaluate_command, simulate_command

    return {"check": check_command, "evaluate": evaluate_command, "simulate": simulate_command}[name](arguments)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in FILE_COMMANDS:
        sys.exit(run_on_files(sys.argv[1], sys.argv[2:]))
    sys.exit(commands.run("assessment", AssessmentSettings, COMMANDS, sys.argv[1:]))
