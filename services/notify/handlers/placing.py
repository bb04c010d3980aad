"""Whom an event concerns: what it names itself, and where it names none, who has what it tells of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.notify.domain.holdings import Holding
from services.notify.storage import posts, registers
from services.notify.storage.events import NewEvent
from shared.contracts.base import Event
from shared.contracts.envelope import Envelope
from shared.contracts.intake.categories import CategoryDefined
from shared.contracts.intake.duties import DutyDefined
from shared.contracts.intake.issue_endings import IssueReopened, RedoOrdered
from shared.contracts.intake.issue_work import AssistingUnitsSet
from shared.contracts.intake.issues import IssueAssigned, IssueClosed, IssueReceived
from shared.contracts.intake.populations import PopulationGroupDefined
from shared.contracts.intake.registers import OrganisationMerged
from shared.database import Connection

PLACED = frozenset({"reception_day", "consultation"})  # aggregates of whose events not all name an organisation


@dataclass(slots=True, kw_only=True)
class _Known:
    """What the registers say of everything that a batch names."""

    holdings: dict[UUID, Holding]
    places: dict[tuple[str, UUID], UUID]
    serving: dict[UUID, set[UUID]]  # of a cadre the organisations of the posts held today


def place_events(connection: Connection, batch: Sequence[Envelope], *, today: date) -> list[NewEvent]:
    """Say of each event of a batch whom it concerns, and keep what the batch tells of who has which issue."""
    known = _look_up(connection, [envelope.event for envelope in batch], today)
    placed = [_place(envelope, known) for envelope in batch]
    registers.upsert_holdings(connection, [known.holdings[issue_id] for issue_id in sorted(known.holdings)])
    registers.upsert_places(
        connection, [(aggregate, found, unit) for (aggregate, found), unit in sorted(known.places.items())]
    )
    return placed


def _look_up(connection: Connection, events: Sequence[Event], today: date) -> _Known:
    issue_ids = {issue_id for event in events for issue_id in _issues_of(event)}
    holdings = {
        issue_id: Holding(issue_id=issue_id, assisting_ids=[])
        for issue_id in issue_ids
        if any(event.aggregate == "issue" and event.aggregate_id == issue_id for event in events)
    }
    holdings |= {found.issue_id: found for found in registers.list_holdings(connection, sorted(issue_ids))}
    own = {(event.aggregate, event.aggregate_id) for event in events if event.aggregate in PLACED}
    cadre_ids = {cadre_id for event in events for cadre_id in _cadres_of(event)}
    return _Known(
        holdings=holdings,
        places=registers.find_places(connection, [found for _, found in own]) if own else {},
        serving=posts.find_serving(connection, sorted(cadre_ids), on=today) if cadre_ids else {},
    )


def _place(envelope: Envelope, known: _Known) -> NewEvent:
    event = envelope.event
    units = set(_named_by(event))
    for issue_id in _issues_of(event):
        holding = known.holdings.get(issue_id)
        if holding is not None:
            units |= holding.units  # also of the one who has it until this event: it is told where it went
            if event.aggregate == "issue" and issue_id == event.aggregate_id:
                _keep(holding, event, envelope.sequence)
                units |= holding.units
    if event.aggregate in PLACED:
        own = (event.aggregate, event.aggregate_id)
        for unit in units:
            known.places[own] = unit
        units |= {known.places[own]} if own in known.places else set()
    if not units:
        units = {unit for cadre_id in _cadres_of(event) for unit in known.serving.get(cadre_id, ())}
    return NewEvent(
        event_id=envelope.event_id,
        source=envelope.source,
        type=event.type,
        aggregate=event.aggregate,
        aggregate_id=event.aggregate_id,
        sequence=envelope.sequence,
        organisation_ids=tuple(sorted(units)),
        concerns_all=_concerns_all(event),
        occurred_at=event.happened_at,
        recorded_at=envelope.recorded_at,
        correlation_id=envelope.correlation_id,
        envelope=envelope.body.decode(),
    )


def _keep(holding: Holding, event: Event, sequence: int) -> None:
    if isinstance(event, IssueReceived | IssueAssigned):
        holding.assign(event.organisation_id, event.cadre_id, sequence=sequence)
    if isinstance(event, AssistingUnitsSet):
        holding.assist(list(event.organisation_ids), sequence=sequence)
    if isinstance(event, IssueClosed | IssueReopened | RedoOrdered):
        holding.close(is_closed=isinstance(event, IssueClosed), sequence=sequence)


def _named_by(event: Event) -> set[UUID]:
    named = {_value(event, "organisation_id"), *(_value(event, "organisation_ids") or ())}
    if event.aggregate == "organisation":
        named.add(event.aggregate_id)
    if isinstance(event, OrganisationMerged):
        named.add(event.successor_id)
    if event.aggregate == "score":
        named |= set(_value(event, "organisation_path") or ()) & {_value(event, "subject_id")}
    return named - {None}


def _issues_of(event: Event) -> set[UUID]:
    return {_value(event, "issue_id"), _value(event, "merged_into")} - {None}


def _cadres_of(event: Event) -> set[UUID]:
    return {_value(event, "cadre_id"), *(_value(event, "cadre_ids") or ())} - {None}


def _concerns_all(event: Event) -> bool:
    is_rule = isinstance(event, DutyDefined | CategoryDefined) and event.organisation_id is None
    return is_rule or isinstance(event, PopulationGroupDefined)


def _value(event: Event, field: str) -> Any:  # noqa: ANN401 - whatever the contract says of it
    return getattr(event, field, None)
