"""The processes of intake: python -m services.intake serve | relay | work | tell | migrate | import | count-entries.

Each imports what it needs itself: all doors together take longer to load than a file of thousands of rows to import.
"""

import argparse
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from services.intake import sealing
from services.intake.settings import IntakeSettings
from shared import commands
from shared.database import Pool
from shared.errors import Transient
from shared.observability import get_logger
from shared.settings import UnsafeSetting

if TYPE_CHECKING:
    from services.intake.domain.citizen_messages import TellingRules
    from services.intake.telling import Teller
    from shared.gateways.described import Gateway

WORKER_THREADS = 2
LONGEST_IMPORT_SECONDS = 3_600  # a rehearsal is one task, and two of them leave no thread for anything else

log = get_logger()


def serve(settings: IntakeSettings, pool: Pool, _: Sequence[str]) -> int:
    from services.intake import tasks
    from services.intake.api.app import create_intake_app
    from services.intake.web.pages import add_pages
    from services.intake.web.site import FORM_PATHS, add_site
    from shared import processes
    from shared.worker import connect_celery, nudge

    open_vault(settings)
    open_calendar(settings, pool)
    if settings.task_broker_url is not None:
        connect_celery(tasks.celery, settings.task_broker_url.get_secret_value())
    app = create_intake_app(
        settings,
        pool,
        authenticator=processes.open_authenticator(settings, service="intake"),
        nudge_import=lambda import_id: nudge(tasks.celery, tasks.RUN_IMPORT, import_id=import_id),
        form_paths=FORM_PATHS,
    )
    add_pages(app)
    add_site(app, settings)
    return processes.serve_api(settings, pool, app)


def relay(settings: IntakeSettings, pool: Pool, _: Sequence[str]) -> int:
    from services.intake import metrics
    from shared import processes

    return processes.relay_events(settings, pool, service="intake", sent=metrics.events_sent_total)


def work(settings: IntakeSettings, pool: Pool, _: Sequence[str]) -> int:
    from services.intake import tasks
    from services.intake.handlers import retention, reviews
    from services.intake.handlers.alarms import measure_due
    from shared import chores, processes
    from shared.backlogs import watch_backlog

    open_vault(settings)
    open_calendar(settings, pool)
    watch_backlog(
        "intake_alarms_due",
        "intake_alarms_due_oldest_seconds",
        "Issues whose deadlines have to be looked at",
        lambda: measure_due(pool),
    )
    tasks.wire(pool, settings)
    watch_backlog(
        "intake_contact_reviews_open",
        "intake_contact_reviews_oldest_seconds",
        "Contacts that look odd and wait for a decision",
        lambda: reviews.measure_open(pool, now=datetime.now(UTC)),
    )
    chores.add_chores(tasks.celery, chores.open_chores(settings, pool, retention.CLASSES, service="intake"))
    return processes.work(
        settings, pool, tasks.celery, threads=WORKER_THREADS, longest_task_seconds=LONGEST_IMPORT_SECONDS
    )


def tell(settings: IntakeSettings, pool: Pool, _: Sequence[str]) -> int:
    """Tell citizens by messages. Raises UnsafeSetting where no gateway is set."""
    from services.intake.handlers import citizen_noting
    from services.intake.handlers.citizen_rules import load_telling, open_citizen_gateway
    from shared import processes
    from shared.backlogs import watch_backlog

    gateway = open_citizen_gateway(settings)
    if gateway is None:
        raise UnsafeSetting(
            "refusing to start: LIANXIN_INTAKE_CITIZEN_GATEWAY: there is no gateway to tell citizens by"
        )
    open_vault(settings)
    watch_backlog(
        "intake_citizen_messages_open",
        "intake_citizen_messages_oldest_seconds",
        "Messages to citizens that have neither gone out nor failed",
        lambda: citizen_noting.measure_open(pool, now=datetime.now(UTC)),
    )
    return processes.run_until_stopped(settings, pool, make_teller(pool, load_telling(settings), gateway))


def make_teller(pool: Pool, rules: "TellingRules", gateway: "Gateway") -> "Teller":
    import random

    from services.intake.handlers import citizen_noting
    from services.intake.handlers.citizen_sending import Chances, SendingRules, send_batch
    from services.intake.telling import Teller

    sending = SendingRules(gateway=gateway, telling=rules)
    chances = Chances(clock=lambda: datetime.now(UTC), draw=random.random)
    return Teller(
        note=lambda: citizen_noting.note_citizens(pool, rules, now=datetime.now(UTC)),
        send=lambda: send_batch(pool, sending, chances),
    )


def migrate(settings: IntakeSettings, pool: Pool, _: Sequence[str]) -> int:
    """What an older release wrote in clear text is sealed here, where the keys are: SQL has none.

    And whoever was erased after the backup that a database was restored from is erased again, before any door opens.
    """
    from services.intake.handlers import changes, erasures
    from services.intake.handlers.backlog import seal_backlog
    from shared import processes

    open_vault(settings)
    processes.bring_up_to_date(settings, service="intake", migrations=Path(__file__).parent / "migrations")
    seal_backlog(pool)
    changes.renumber_restored(pool)
    erasures.erase_again(pool, now=datetime.now(UTC))
    return 0


def import_file(settings: IntakeSettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.intake.handlers import imports
    from services.intake.importing import cli

    open_vault(settings)
    own = imports.settings_of(settings)

    def run(file: Path, profile: str, dry_run: bool, report: cli.Report) -> cli.Result:  # noqa: FBT001 - as cli calls it
        if not imports.is_of_contacts(profile, own):
            open_calendar(settings, pool)
        return imports.import_for_command(pool, file, profile, own, dry_run=dry_run, report=report)

    return cli.main(arguments, run)


def list_profiles(settings: IntakeSettings, _: Pool, __: Sequence[str]) -> int:
    """Say of every import profile whether it can be used, and of the others what is wrong."""
    from services.intake.handlers import imports
    from services.intake.importing import profile

    directories = imports.settings_of(settings).profile_directories
    faults = profile.check_profiles(directories)
    for name in profile.list_profiles(directories):
        sys.stdout.write(f"{name:<24} {faults.get(name, 'good')}\n")
    return 1 if faults else 0


def retain(settings: IntakeSettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.intake.handlers import retention
    from shared import chores

    return chores.retain(settings, pool, retention.CLASSES, arguments, service="intake")


def export_audit(settings: IntakeSettings, pool: Pool, arguments: Sequence[str]) -> int:
    from shared import chores

    return chores.export_audit(settings, pool, arguments, service="intake")


def recount(settings: IntakeSettings, pool: Pool, arguments: Sequence[str]) -> int:
    """Return 1 where a deadline comes out otherwise than it stands."""
    from services.intake.handlers.clocks import recounting

    parser = argparse.ArgumentParser(
        prog="python -m services.intake recount",
        description="Count every deadline again from the log, by the calendar that it was counted by, and compare.",
    )
    parser.add_argument("--apply", action="store_true", help="count open issues by the calendar in use, and keep that")
    options = parser.parse_args(arguments)
    open_calendar(settings, pool)
    found = recounting.recount(pool, now=datetime.now(UTC), apply=options.apply)
    sys.stdout.write(f"{found.counted} issues counted, {found.differing} differ, {found.uncounted} not counted yet\n")
    return 1 if found.differing and not options.apply else 0


def propose_clock_rules(_: IntakeSettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.intake.handlers.clocks import rules as clock_rules

    parser = argparse.ArgumentParser(
        prog="python -m services.intake clock-rules", description="List the sets of time limits, or propose one."
    )
    parser.add_argument("--propose", metavar="SET", help="an approver decides; what stands already stays")
    parser.add_argument("--organisation", metavar="CODE", help="for this organisation and all below it alone")
    options = parser.parse_args(arguments)
    if options.propose is None:
        for name, rules in sorted(clock_rules.read_presets().items()):
            sys.stdout.write(f"{name:<20} {', '.join(sorted(rules))}\n")
        return 0
    asked = clock_rules.propose_preset(
        pool, options.propose, organisation_code=options.organisation, now=datetime.now(UTC)
    )
    if isinstance(asked, clock_rules.Standing):
        sys.stdout.write("all of them stand already\n")
    else:
        sys.stdout.write(f"proposal {asked.id} waits for an approver: {len(asked.document['rules'])} rules\n")
    return 0


def open_calendar(settings: IntakeSettings, pool: Pool) -> None:
    """Raises UnsafeSetting: deadlines are not counted by a calendar that is half read."""
    from services.intake.handlers.clocks import recounting
    from shared import calendars

    try:
        calendars.use(calendars.load_calendar(settings.calendar_file, zone=settings.zone))
    except calendars.BadCalendar as fault:
        raise UnsafeSetting(f"refusing to start: LIANXIN_INTAKE_CALENDAR_FILE: {fault}") from None
    try:
        recounting.keep_calendar(pool, now=datetime.now(UTC))
    except Transient as error:
        log.warning("calendar_not_kept", code=error.code)


def rotate_keys(settings: IntakeSettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.intake.handlers import epochs

    parser = argparse.ArgumentParser(
        prog="python -m services.intake rotate-keys",
        description="Make this month's keys, wrap every citizen's key anew, and destroy the epoch before the last.",
    )
    parser.add_argument("--at-once", action="store_true", help="a further epoch now, and none of the earlier ones left")
    options = parser.parse_args(arguments)
    open_vault(settings)
    count = epochs.rotate_keys(pool, now=datetime.now(UTC), at_once=options.at_once)
    sys.stdout.write(f"{count} keys wrapped anew; the epochs are {', '.join(map(str, epochs.list_epochs()))}\n")
    return 0


def draw_sample(settings: IntakeSettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.intake.domain.rating_samples import digest_secret
    from services.intake.handlers import rating_samples
    from services.intake.handlers.rating_rules import load_rating_rules

    parser = argparse.ArgumentParser(
        prog="python -m services.intake draw-sample",
        description="Draw which closed issues are called back. What was drawn before is shown as it was.",
    )
    parser.add_argument("organisation", help="its code; what lies below it is drawn unit by unit")
    parser.add_argument("period", help="2026-03, 2026Q1, 2026H1 or 2026")
    parser.add_argument("--seed", help="one that was drawn in public; else one is made")
    options = parser.parse_args(arguments)
    open_vault(settings)
    drawn = rating_samples.draw_sample(
        pool,
        options.organisation,
        options.period,
        seeds=rating_samples.Seeds(given=options.seed, spare=secrets.token_hex(16), secret=secrets.token_hex(16)),
        rules=load_rating_rules(settings),
        now=datetime.now(UTC),
    )
    sample = drawn.sample
    secret = "none" if sample.secret is None else digest_secret(sample.secret)
    sys.stdout.write(f"sample {sample.id}\nseed {sample.seed}\nsecret-hash {secret}\n")
    sys.stdout.write(f"list {sample.list_hash.hex()}\nshare {sample.share}\n")
    for issue_id in rating_samples.list_drawn(pool, sample.id):
        sys.stdout.write(f"{issue_id}\n")
    return 0


def open_vault(settings: IntakeSettings) -> None:
    """Raises UnsafeSetting: nothing that a citizen says is ever written in clear text for want of a key."""
    sealing.use(sealing.Vault(commands.open_keys(settings, *sealing.PURPOSES)))


COMMANDS = {
    "serve": serve,
    "relay": relay,
    "work": work,
    "tell": tell,
    "migrate": migrate,
    "import": import_file,
    "profiles": list_profiles,
    "audit-export": export_audit,
    "retain": retain,
    "rotate-keys": rotate_keys,
    "draw-sample": draw_sample,
    "recount": recount,
    "clock-rules": propose_clock_rules,
}


def tell_entries() -> int:
    """How much a clerk fills in for a visit, counted in the form that is served; without settings and database."""
    from services.intake.web import entries

    sys.stdout.writelines(f"{line}\n" for line in entries.describe(entries.count_entries(entries.render_empty_form())))
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["count-entries"]:
        sys.exit(tell_entries())
    sys.exit(commands.run("intake", IntakeSettings, COMMANDS, sys.argv[1:]))
