"""The Celery door: imports that were asked for are run, and those that were left behind are found again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.intake.domain.rating_rules import RatingRules
from services.intake.handlers import (
    coming_days,
    epochs,
    erasures,
    imports,
    likeness,
    rating_invitations,
    rating_signals,
    reviews,
)
from services.intake.handlers.alarms import sweep_alarms as raise_alarms
from services.intake.handlers.import_runs import ImportSettings
from services.intake.handlers.rating_rules import load_rating_rules
from services.intake.settings import IntakeSettings
from shared.database import Pool
from shared.observability import correlated, new_correlation_id
from shared.worker import RELIABLE, make_celery, nudge

SWEEP_SECONDS = 15.0
SWEEP_ALARMS_SECONDS = 15.0
SWEEP_FILES_SECONDS = 3_600.0
SWEEP_PROPOSALS_SECONDS = 15.0
EXAMINE_SECONDS = 15.0
ROTATE_KEYS_SECONDS = 3_600.0
SWEEP_RATINGS_SECONDS = 3_600.0
SKETCH_SECONDS = 60.0
ENTER_COMING_SECONDS = 60.0
SWEEP_ALARMS = "intake.sweep_alarms"
RUN_IMPORT = "intake.run_import"
SWEEP_IMPORTS = "intake.sweep_imports"
SWEEP_FILES = "intake.sweep_import_files"
SWEEP_PROPOSALS = "intake.sweep_citizen_proposals"
ROTATE_KEYS = "intake.rotate_keys"
SWEEP_RATINGS = "intake.sweep_ratings"
SKETCH_ISSUES = "intake.sketch_issues"
EXAMINE_CONTACTS = "intake.examine_contacts"
ENTER_COMING = "intake.enter_coming_changes"


@dataclass(slots=True)
class _Wiring:
    """What the tasks work with. It is there once the process has opened it: nothing happens at import."""

    pool: Pool | None = None
    settings: ImportSettings | None = None
    rating_rules: RatingRules | None = None

    def opened(self) -> tuple[Pool, ImportSettings]:
        if self.pool is None or self.settings is None:
            raise RuntimeError("wire() must run before the worker starts")
        return self.pool, self.settings


celery = make_celery("intake")
celery.conf.beat_schedule = {
    "sweep-alarms": {
        "task": SWEEP_ALARMS,
        "schedule": SWEEP_ALARMS_SECONDS,
        "options": {"expires": SWEEP_ALARMS_SECONDS},
    },
    "sweep-imports": {"task": SWEEP_IMPORTS, "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}},
    "sweep-import-files": {"task": SWEEP_FILES, "schedule": SWEEP_FILES_SECONDS, "options": {"expires": 600}},
    "sweep-citizen-proposals": {
        "task": SWEEP_PROPOSALS,
        "schedule": SWEEP_PROPOSALS_SECONDS,
        "options": {"expires": SWEEP_PROPOSALS_SECONDS},
    },
    "sweep-ratings": {"task": SWEEP_RATINGS, "schedule": SWEEP_RATINGS_SECONDS, "options": {"expires": 600}},
    "sketch-issues": {"task": SKETCH_ISSUES, "schedule": SKETCH_SECONDS, "options": {"expires": SKETCH_SECONDS}},
    "examine-contacts": {
        "task": EXAMINE_CONTACTS,
        "schedule": EXAMINE_SECONDS,
        "options": {"expires": EXAMINE_SECONDS},
    },
    "enter-coming-changes": {
        "task": ENTER_COMING,
        "schedule": ENTER_COMING_SECONDS,
        "options": {"expires": ENTER_COMING_SECONDS},
    },
    "rotate-keys": {"task": ROTATE_KEYS, "schedule": ROTATE_KEYS_SECONDS, "options": {"expires": 600}},
}
wiring = _Wiring()


def wire(pool: Pool, settings: IntakeSettings) -> None:
    wiring.pool = pool
    wiring.settings = imports.settings_of(settings)
    wiring.rating_rules = load_rating_rules(settings)


@celery.task(name=RUN_IMPORT, **RELIABLE)
def run_import(*, import_id: str) -> None:
    """One turn of an import. One that is not done within its turn is asked for again."""
    pool, settings = wiring.opened()
    with correlated(UUID(import_id).hex):
        if imports.run_import(pool, UUID(import_id), settings) == "due":
            nudge(celery, RUN_IMPORT, import_id=import_id)


@celery.task(name=SWEEP_ALARMS, **RELIABLE)
def sweep_alarms() -> None:
    pool, _ = wiring.opened()
    with correlated(new_correlation_id()):
        raise_alarms(pool, now=datetime.now(UTC))


@celery.task(name=SWEEP_IMPORTS, **RELIABLE)
def sweep_imports() -> None:
    pool, _ = wiring.opened()
    for import_id in imports.list_waiting_imports(pool, now=datetime.now(UTC)):
        nudge(celery, RUN_IMPORT, import_id=str(import_id))


@celery.task(name=SWEEP_PROPOSALS, **RELIABLE)
def sweep_proposals() -> None:
    """Until nothing is left that can be done now, as when a whole county's cases are over at once."""
    pool, _ = wiring.opened()
    while erasures.carry_out_approved(pool, now=datetime.now(UTC)):
        pass


@celery.task(name=EXAMINE_CONTACTS, **RELIABLE)
def examine_contacts() -> None:
    """Until nothing is left that nobody has looked at; what a turn that was cut short left is found by the next one."""
    pool, _ = wiring.opened()
    while reviews.examine_contacts(pool, now=datetime.now(UTC)):
        pass


@celery.task(name=ROTATE_KEYS, **RELIABLE)
def rotate_keys() -> None:
    """In the first hour of a month there is something to do."""
    pool, _ = wiring.opened()
    epochs.rotate_keys(pool, now=datetime.now(UTC))


@celery.task(name=SWEEP_RATINGS, **RELIABLE)
def sweep_ratings() -> None:
    """Find whom nobody has asked to rate yet, and cadres whose ratings are like nobody else's."""
    pool, _ = wiring.opened()
    if wiring.rating_rules is not None:
        now = datetime.now(UTC)
        rating_invitations.sweep_invitations(pool, wiring.rating_rules, now=now)
        rating_signals.sweep_outliers(pool, wiring.rating_rules, now=now)


@celery.task(name=SKETCH_ISSUES, **RELIABLE)
def sketch_issues() -> None:
    """So that duplicates can be suggested of what came in the last minute as well."""
    pool, _ = wiring.opened()
    likeness.sketch_new_issues(pool, now=datetime.now(UTC))


@celery.task(name=ENTER_COMING, **RELIABLE)
def enter_coming_changes() -> None:
    """In the first minute of a day there may be something to do."""
    pool, _ = wiring.opened()
    with correlated(new_correlation_id()):
        while coming_days.enter_due(pool, now=datetime.now(UTC)):
            pass


@celery.task(name=SWEEP_FILES, **RELIABLE)
def sweep_files() -> None:
    pool, settings = wiring.opened()
    imports.sweep_files(pool, settings.directory, now=datetime.now(UTC))
