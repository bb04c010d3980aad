"""The day has come: what was noted for it is entered by the use case that it is of, as if it were told today."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from services.intake import metrics
from services.intake.domain.commands.base import Command, Outcome
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.registers import (
    EndOrganisation,
    RecordDeparture,
    RegisterCadre,
    RegisterOrganisation,
)
from services.intake.domain.registers import day_in_china
from services.intake.handlers.categories import define_categories
from services.intake.handlers.departures import record_departures
from services.intake.handlers.mergers import end_organisations
from services.intake.handlers.registers import register_cadres, register_organisations
from services.intake.storage import coming as storage
from services.intake.storage.coming import ChangeKind
from shared.database import Pool, joined, transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting

CHANGES_A_COMMIT: Final = 100
DAYS: Final = ("from_on", "ended_on", "left_on")
ENTERING: Mapping[ChangeKind, tuple[type[Command], Callable[..., Sequence[Outcome]]]] = {
    "organisation": (RegisterOrganisation, register_organisations),
    "organisation_end": (EndOrganisation, end_organisations),
    "cadre": (RegisterCadre, register_cadres),
    "cadre_departure": (RecordDeparture, record_departures),
    "category": (DefineCategory, define_categories),
}


def enter_due(pool: Pool, *, now: datetime) -> int:
    """Enter what has come, also after days of downtime, each from its own day on; return how many were tried.

    All of a commit or none: one that cannot be entered is kept with the reason, and holds up nothing else.
    """
    with transaction(pool, reach=SYSTEM) as connection, acting(SYSTEM):
        due = storage.claim_due(connection, today=day_in_china(now), limit=CHANGES_A_COMMIT)
        tried = {}
        for change in due:
            kind, enter = ENTERING[change.kind]
            command = kind(id=new_id(), correlation_id=change.correlation_id, **_read(change.content))
            [outcome] = enter(joined(connection), [command], now=now)
            is_refused = outcome.status in {"rejected", "conflict"}
            tried[change.id] = outcome.code if is_refused else None
            metrics.coming_changes_total.labels("refused" if is_refused else "entered").inc()
        storage.set_tried(connection, tried, at=now)
    return len(due)


def _read(content: Mapping[str, Any]) -> dict[str, Any]:
    told = dict(content)
    for name in DAYS:
        if told.get(name) is not None:
            told[name] = date.fromisoformat(told[name])
    if "untold" in told:
        told["untold"] = frozenset(told["untold"])
    return told
