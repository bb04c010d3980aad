"""Recording contacts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.contacts import check_contact, digest_contact
from services.intake.domain.repeats import id_taken, out_of_reach, settle_repeat, unknown
from services.intake.handlers.batches import BatchRaced, Events, run_batch
from services.intake.handlers.citizens import KnownCitizen, settle_new, take_back_unused
from services.intake.handlers.records import Candidate, created, hexadecimal, sort_out
from services.intake.handlers.texts import ContactRecord, open_contact
from services.intake.sealing import vault
from services.intake.storage import contacts as storage
from services.intake.storage import registers
from services.intake.storage.reach import is_id_taken
from shared.contracts.intake.contacts import ContactRecorded
from shared.database import Connection, Pool, transaction
from shared.outbox import OutgoingEvent


def record_contacts(
    pool: Pool, commands: Sequence[RecordContact], *, now: datetime, allow_odd: bool = False
) -> list[Outcome]:
    """Record contacts. A repeat with the same content changes nothing; with other content it is a conflict."""

    def run(connection: Connection, fresh: list[RecordContact], events: Events) -> list[Outcome]:
        candidates = [
            Candidate(
                command=command,
                check=(check := check_contact(command, now=now, allow_odd=allow_odd)),
                content_hash=vault().keyed(digest_contact(command)) if check.refusal is None else b"",
            )
            for command in fresh
        ]
        settled = settle_new(
            connection, candidates, lambda some: storage.list_standing_contacts(connection, some), now=now
        )
        rows = [
            _row(candidate, settled.get(position), now)
            for position, candidate in enumerate(candidates)
            if candidate.check.refusal is None
        ]
        inserted = storage.insert_contacts(connection, rows) if rows else []
        take_back_unused(connection, settled.values(), {contact.citizen_ref for contact in inserted})
        outcomes = []
        for item in sort_out(candidates, inserted, lambda some: storage.list_standing_contacts(connection, some)):
            command, check = item.candidate.command, item.candidate.check
            if check.refusal is not None:
                outcomes.append(check.refusal)
            elif item.made is not None:
                events.append(_event(command, item.made))
                outcomes.append(created(item.made, check))
            elif item.met is not None:
                outcomes.append(settle_repeat(command, item.met, item.candidate.content_hash))
            else:
                outcomes.append(_refuse_unknown(connection, command))
        return outcomes

    outcomes = run_batch("record_contacts", pool, commands, run, now=now)
    metrics.contacts_recorded_total.inc(sum(outcome.status == "created" for outcome in outcomes))
    return outcomes


def get_contact(pool: Pool, contact_id: UUID) -> ContactRecord:
    """Raises ContactNotFound."""
    with transaction(pool) as connection:
        row = storage.get_contact(connection, contact_id)
    return open_contact(row)


def _row(candidate: Candidate[RecordContact], citizen: KnownCitizen | None, now: datetime) -> dict[str, object]:
    command = candidate.command
    return {
        "id": command.id,
        "source": command.source,
        "source_number": command.source_number,
        "staff_number": command.staff_number,
        "organisation_code": command.organisation_code,
        "kind": command.kind,
        "occurred_at": command.occurred_at,
        "recorded_at": command.recorded_at or now,
        "duration_minutes": command.duration_minutes,
        "population_group": command.population_group,
        "people_count": command.people_count,
        "place_code": command.place_code,
        "note_sealed": vault().seal_if("contact", "note", command.id, command.note, citizen.key if citizen else None),
        "citizen_ref": citizen.ref if citizen else None,
        "flags": candidate.check.flags,
        "content_hash": hexadecimal(candidate.content_hash),
    }


def _event(command: RecordContact, contact: storage.StoredContact) -> OutgoingEvent:
    event = ContactRecorded(
        contact_id=contact.id,
        cadre_id=contact.cadre_id,
        organisation_id=contact.organisation_id,
        kind=command.kind,
        occurred_at=command.occurred_at,
        recorded_at=contact.recorded_at,
        duration_minutes=command.duration_minutes,
        population_group=command.population_group,
        people_count=command.people_count,
        place_code=command.place_code,
    )
    return OutgoingEvent(event=event, sequence=1, correlation_id=command.correlation_id)


def _refuse_unknown(connection: Connection, command: RecordContact) -> Outcome:
    if not registers.find_cadre_ids(connection, [command.staff_number]):
        return unknown("cadre")
    if command.organisation_code and not registers.find_organisation_ids(connection, [command.organisation_code]):
        return unknown("organisation")
    if is_id_taken(connection, "contact", command.id):
        return id_taken()
    if not storage.may_enter_contact(
        connection,
        staff_number=command.staff_number,
        organisation_code=command.organisation_code,
        occurred_at=command.occurred_at,
    ):
        return out_of_reach()
    raise BatchRaced("a register changed while the batch ran")
