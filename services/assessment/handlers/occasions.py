"""Events of which there are few, read when somebody asks.

Invitations, reception days, checks of channels, who lives where, and what categories are called.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from services.assessment.storage import categories, occasions
from shared.contracts.base import Event
from shared.contracts.envelope import Envelope
from shared.contracts.intake.categories import CategoryDefined
from shared.contracts.intake.channels import ReachabilityChecked
from shared.contracts.intake.participation import ReceptionDayCancelled, ReceptionDayHeld, ReceptionDayOffered
from shared.contracts.intake.populations import PlacePopulationRecorded
from shared.contracts.intake.ratings import RatingInvited
from shared.database import Connection

Kind = str
Rows = dict[UUID, dict[str, Any]]
KINDS: Final[Mapping[type[Event], Kind]] = {
    CategoryDefined: "categories",
    PlacePopulationRecorded: "populations",
    RatingInvited: "invitations",
    ReachabilityChecked: "channel_checks",
    ReceptionDayCancelled: "receptions",
    ReceptionDayHeld: "receptions",
    ReceptionDayOffered: "receptions",
}
WRITERS: Final[Mapping[Kind, Callable[[Connection, list[dict[str, Any]]], None]]] = {
    "categories": categories.insert_versions,
    "channel_checks": occasions.upsert_channel_checks,
    "invitations": occasions.upsert_invitations,
    "populations": occasions.upsert_populations,
    "receptions": occasions.merge_receptions,
}


def collect_occasion(rows: dict[Kind, Rows], envelope: Envelope) -> None:
    """Keep the newest that is told of each; of a reception day, every part of it; of a category, every version."""
    event = envelope.event
    kept = rows.setdefault(KINDS[type(event)], {})
    known = kept.get(event.aggregate_id)
    if KINDS[type(event)] == "receptions":
        nothing = {"is_cancelled": False, "offered_sequence": 0, "held_sequence": 0}
        row = kept.setdefault(event.aggregate_id, {"reception_day_id": event.aggregate_id, **nothing})
        row |= _newer_part(event, envelope.sequence, row)
    elif KINDS[type(event)] == "categories":
        kept[envelope.event_id] = {**dict(event), "sequence": envelope.sequence}
    elif known is None or known["sequence"] < envelope.sequence:
        kept[event.aggregate_id] = {**dict(event), "sequence": envelope.sequence}


def write_occasions(connection: Connection, rows: dict[Kind, Rows]) -> None:
    for kind, of_kind in sorted(rows.items()):
        WRITERS[kind](connection, list(of_kind.values()))


def _newer_part(event: Event, sequence: int, row: dict[str, Any]) -> dict[str, Any]:
    names = ("organisation_id", "cadre_id", "from_at")
    if isinstance(event, ReceptionDayOffered) and sequence > row["offered_sequence"]:
        return {name: getattr(event, name) for name in names} | {"offered_sequence": sequence}
    if isinstance(event, ReceptionDayHeld) and sequence > row["held_sequence"]:
        return {f"held_{name}": getattr(event, name) for name in names} | {"held_sequence": sequence}
    return {"is_cancelled": True} if isinstance(event, ReceptionDayCancelled) else {}
