"""Ending organisations: merged into a successor, or dissolved. What they were before that day stays as it was."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.registers import EndOrganisation
from services.intake.domain.registers import BEFORE_LAST_CHANGE, BEGINNING, rejected
from services.intake.domain.repeats import not_found, other_content, unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.coming import Ahead, put_off
from services.intake.handlers.registers import announce, row_of
from services.intake.storage import registers as storage
from services.intake.storage import versions
from shared.contracts.intake.registers import OrganisationDissolved, OrganisationMerged
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent

TOLD_TWICE = 2  # by its entry, which now stands below the successor, and by the end itself
ENDS: Final[Ahead[EndOrganisation]] = Ahead(
    kind="organisation_end", begins=lambda command: command.ended_on, names=lambda command: command.code
)


def end_organisations(pool: Pool, commands: Sequence[EndOrganisation], *, now: datetime) -> list[Outcome]:
    """End organisations, one after another. Ending one again in the same way changes nothing.

    From that day on a merged one stands below its successor, with the records that are its own, and what stood below
    it stands directly below the successor.
    """

    def run(connection: Connection, fresh: list[EndOrganisation], events: Events) -> list[Outcome]:
        storage.lock_organisations(connection)
        known = storage.find_organisation_ids(connection, [command.code for command in fresh])
        return put_off(
            connection,
            fresh,
            ENDS,
            lambda some: [_end(connection, command, events, now) for command in some],
            now=now,
            check=lambda command: None if command.code in known else not_found("organisation"),
        )

    return run_batch("end_organisations", pool, commands, run, now=now)


def _end(connection: Connection, command: EndOrganisation, events: Events, now: datetime) -> Outcome:
    named = [code for code in (command.code, command.successor_code) if code is not None]
    standing = storage.list_organisations_upwards(connection, named)
    ended = standing.get(command.code)
    if ended is None:
        return not_found("organisation")
    successor = standing.get(command.successor_code or "")
    settled = _settle(command, ended, successor)
    if settled is not None:
        return settled
    if successor is not None and _stands_below(successor, ended, standing):
        return rejected("circular-organisation", "an organisation cannot go up in one that stands below it")
    children = versions.list_children_codes(connection, ended.id)
    if successor is None and children:
        return rejected("has-children", "other organisations stand below it; merge it, or move them first")
    below = storage.list_organisations_upwards(connection, children)
    ids = {code: entry.id for code, entry in (below | standing).items()}
    parent_id = successor.id if successor is not None else ids.get(ended.parent_code or "")
    rows = [
        row_of(ended, organisation_id=ended.id, parent_id=parent_id, from_on=command.ended_on)
        | {"ended_on": command.ended_on, "successor_id": successor and successor.id, "steps": TOLD_TWICE}
    ]
    for code in children:
        day = max(command.ended_on, below[code].from_on or BEGINNING)
        rows.append(row_of(below[code], organisation_id=below[code].id, parent_id=parent_id, from_on=day))
    written = storage.upsert_organisations(connection, rows, recorded_at=now)
    for row in written:
        is_ended = row.id == ended.id
        events.append(announce(row, row.sequence - is_ended, command.correlation_id))
        if is_ended:
            end = _tell(ended.id, successor.id if successor is not None else None, command.ended_on)
            events.append(replace(end, sequence=row.sequence, correlation_id=command.correlation_id))
    return Outcome(status="changed", id=ended.id)


def _settle(
    command: EndOrganisation, ended: storage.Organisation, successor: storage.Organisation | None
) -> Outcome | None:
    """Return what becomes of the command without doing anything, or None where there is something to do."""
    if command.successor_code is not None and successor is None:
        return unknown("successor")
    if ended.ended_on is not None:
        same = (ended.ended_on, ended.successor_code) == (command.ended_on, command.successor_code)
        return Outcome(status="unchanged", id=ended.id) if same else other_content(ended.id)
    if command.ended_on < (ended.from_on or BEGINNING):
        return replace(BEFORE_LAST_CHANGE, id=ended.id)
    if successor is not None and successor.ended_on is not None:
        return rejected("successor-ended", "the successor is no more itself")
    return None


def _stands_below(
    one: storage.Organisation, other: storage.Organisation, standing: dict[str, storage.Organisation]
) -> bool:
    step: storage.Organisation | None = one
    while step is not None:
        if step.id == other.id:
            return True
        step = standing.get(step.parent_code or "")
    return False


def _tell(organisation_id: UUID, successor_id: UUID | None, day: date) -> OutgoingEvent:
    if successor_id is None:
        return OutgoingEvent(event=OrganisationDissolved(organisation_id=organisation_id, dissolved_on=day), sequence=1)
    merged = OrganisationMerged(organisation_id=organisation_id, successor_id=successor_id, merged_on=day)
    return OutgoingEvent(event=merged, sequence=1)
