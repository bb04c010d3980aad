"""What every service does by the clock beside its own work: sign over and export its audit, remove what is over."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shared.audit.checkpoints import PURPOSE
from shared.audit.exporting import ExportRefused
from shared.audit.keeping import AuditKeeper, measure_unexported, measure_unsigned
from shared.audit.records import ChainBroken
from shared.backlogs import watch_backlog
from shared.commands import open_keys
from shared.database import Pool
from shared.observability import correlated, new_correlation_id
from shared.retention.jobs import DataClass, report, run, run_daily
from shared.retention.records import audit_classes
from shared.schedule import load_schedule
from shared.settings import ProcessSettings
from shared.worker import RELIABLE

TICK_SECONDS: Final = 600.0  # a chore knows itself whether it is due: a clock that restarts must not forget it

Chore = Callable[[], None]


def open_chores(
    settings: ProcessSettings, pool: Pool, classes: Sequence[DataClass], *, service: str
) -> Mapping[str, Chore]:
    """The chores of one service, over a system pool. Raises UnsafeSetting without a key to sign with."""
    keeper = make_audit_keeper(settings, pool, service=service)
    watch_backlog(
        "audit_records_unsigned",
        "audit_records_unsigned_oldest_seconds",
        "Audit records under no checkpoint yet",
        measure_unsigned(pool),
    )
    watch_backlog(
        "audit_records_unexported",
        "audit_records_unexported_oldest_seconds",
        "Audit records in no file yet",
        measure_unexported(pool),
    )
    schedule = load_schedule(settings.retention_schedule)
    everything = [*classes, *audit_classes(keeper.directory)]

    def retain() -> None:
        run_daily(pool, schedule, everything, now=datetime.now(UTC))

    return {"keep_audit": lambda: keeper.keep_hourly(now=datetime.now(UTC)), "retain": retain}


def add_chores(app: Any, chores: Mapping[str, Chore]) -> None:  # noqa: ANN401 - Celery has no types
    """Let a Celery worker do them at its clock. Two workers do no harm to one another."""
    for name, chore in chores.items():
        task = f"{app.main}.{name}"
        app.task(name=task, **RELIABLE)(_correlated(chore))
        app.conf.beat_schedule[task] = {
            "task": task,
            "schedule": TICK_SECONDS,
            "options": {"expires": TICK_SECONDS},
        }


def _correlated(chore: Chore) -> Chore:
    def run() -> None:
        with correlated(new_correlation_id()):
            chore()

    return run


def make_audit_keeper(settings: ProcessSettings, pool: Pool, *, service: str) -> AuditKeeper:
    directory = settings.audit_export_directory
    return AuditKeeper(
        pool=pool,
        signer=open_keys(settings, signing=[PURPOSE]),
        directory=directory / service if directory is not None else None,
        chain=service,
    )


def retain(
    settings: ProcessSettings, pool: Pool, classes: Sequence[DataClass], arguments: Sequence[str], *, service: str
) -> int:
    """Show what is over, or remove it now. Return 1 where something waits for approval or could not be removed."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{service} retain",
        description="Remove what is over by the schedule; once a day this happens by itself.",
    )
    parser.add_argument("--dry-run", action="store_true", help="count and show it, and remove nothing")
    options = parser.parse_args(arguments)
    directory = settings.audit_export_directory
    everything = [*classes, *audit_classes(directory / service if directory is not None else None)]
    schedule, now = load_schedule(settings.retention_schedule), datetime.now(UTC)
    act = report if options.dry_run else run
    findings = act(pool, schedule, everything, now=now)
    for finding in findings:
        oldest = finding.oldest.isoformat(timespec="seconds") if finding.oldest else "-"
        sys.stdout.write(
            f"{finding.name:<22} keep {finding.keep.text:<10} over {finding.count:>9}  oldest {oldest:<25} "
            f"{finding.state} {finding.removed}\n"
        )
    return 1 if {finding.state for finding in findings} & {"waits_for_approval", "failed"} else 0


def export_audit(settings: ProcessSettings, pool: Pool, arguments: Sequence[str], *, service: str) -> int:
    """Sign and export now, or print the public keys. Return 1 where the chain does not hold."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{service} audit-export",
        description="Sign over the audit records that are new and write them into audit_export_directory.",
    )
    parser.add_argument("--public-keys", action="store_true", help="print the keys that checkpoints are verified with")
    options = parser.parse_args(arguments)
    if options.public_keys:
        public = open_keys(settings, signing=[PURPOSE]).public_keys(PURPOSE)
        sys.stdout.write(json.dumps({str(kid): key.hex() for kid, key in sorted(public.items())}) + "\n")
        return 0
    try:
        made, exported = make_audit_keeper(settings, pool, service=service).keep(now=datetime.now(UTC))
    except (ChainBroken, ExportRefused) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{made} checkpoints made, {exported} exported\n")
    return 0
