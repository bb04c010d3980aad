"""Recording contacts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.contacts import check_contact, digest_contact, sum_people
from services.intake.domain.corrections import is_officer
from services.intake.domain.repeats import out_of_reach, settle_repeat, unknown
from services.intake.domain.times import TimeCheck
from services.intake.handlers.batches import BatchRaced, Events, run_batch
from services.intake.handlers.citizens import KnownCitizen, by_record, keep_used, settle_new
from services.intake.handlers.records import Candidate, created, hexadecimal, refuse_taken, sort_out
from services.intake.handlers.texts import ContactRecord, open_contact
from services.intake.sealing import vault
from services.intake.storage import contacts as storage
from services.intake.storage import corrections, entering, registers
from shared.contracts.intake.contacts import ContactRecorded
from shared.database import Connection, Pool, transaction
from shared.identifiers import new_digits
from shared.outbox import refusing_taken_ids

BEFORE_FIRST_POST = Outcome(
    status="rejected",
    code="before-first-post",
    detail="the cadre held no post yet; an officer enters it, with the reason (late_reason)",
)

LATE_REASON_MISSING = Outcome(
    status="rejected", code="late-reason-missing", detail="an officer says why a contact is entered late (late_reason)"
)


def record_contacts(
    pool: Pool,
    commands: Sequence[RecordContact],
    *,
    now: datetime,
    allow_odd: bool = False,
    are_tried: bool = False,
) -> list[Outcome]:
    """Record contacts. A repeat with the same content changes nothing; with other content it is a conflict.

    `are_tried` says that they had rows among those entered, and made nothing: they are not sent once more.
    """

    def run(connection: Connection, fresh: list[RecordContact], _: Events) -> list[Outcome]:
        candidates = [examine(command, now=now, allow_odd=allow_odd) for command in fresh]
        settled = settle_new(
            connection, candidates, lambda some: storage.list_standing_contacts(connection, some), now=now
        )
        rows = [
            row_of(candidate, settled.get(position), now, allow_odd=allow_odd)
            for position, candidate in enumerate(candidates)
            if candidate.check.refusal is None and not are_tried
        ]
        with refusing_taken_ids():
            inserted = entering.insert_contacts(connection, rows, recorded_at=now) if rows else []
        keep_used(connection, "contact", by_record(fresh, settled), inserted)
        outcomes = []
        for item in sort_out(candidates, inserted, lambda some: storage.list_standing_contacts(connection, some)):
            command, check = item.candidate.command, item.candidate.check
            if check.refusal is not None:
                outcomes.append(check.refusal)
            elif item.made is not None:
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
        issues = storage.list_raised_issues(connection, contact_id)
    return open_contact(row, issues)


def examine(command: RecordContact, *, now: datetime, allow_odd: bool) -> Candidate[RecordContact]:
    check = check_contact(command, now=now, allow_odd=allow_odd, may_be_late=_may_be_late(command))
    check = _refuse_officer(command, check)
    content_hash = vault().keyed(digest_contact(command)) if check.refusal is None else b""
    return Candidate(command=command, check=check, content_hash=content_hash)


def _refuse_officer(command: RecordContact, check: TimeCheck) -> TimeCheck:
    """An officer who is no clerk enters what others may no longer, and says why; the rest is for who was there."""
    if command.reach is not None and command.reach.role == "department_officer" and command.late_reason is None:
        check.refusal = check.refusal or LATE_REASON_MISSING
    return check


def _may_be_late(command: RecordContact) -> bool:
    return command.late_reason is not None and is_officer(command.reach)


def row_of(
    candidate: Candidate[RecordContact], citizen: KnownCitizen | None, now: datetime, *, allow_odd: bool
) -> dict[str, object]:
    command = candidate.command
    key = citizen.key if citizen else None
    population_group, people_count = sum_people(command)
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
        "population_group": population_group,
        "people_count": people_count,
        "people_by_group": command.people_by_group or None,
        "companions": list(command.companions) or None,
        "first_on": command.first_on,
        "last_on": command.last_on,
        "place_code": command.place_code,
        "note_sealed": vault().seal_if("contact", "note", command.id, command.note, key),
        "late_reason_sealed": vault().seal_if("contact", "late_reason", command.id, command.late_reason, key),
        "any_place": allow_odd,  # another system's places are its own
        "any_day": allow_odd or _may_be_late(command),
        "citizen_ref": citizen.ref if citizen else None,
        "flags": candidate.check.flags,
        "content_hash": hexadecimal(candidate.content_hash),
        **_event(command, citizen, now),
    }


def _event(command: RecordContact, citizen: KnownCitizen | None, now: datetime) -> dict[str, object]:
    """The event but for the ids that only the statement finds which enters the contact."""
    population_group, people_count = sum_people(command)
    event = ContactRecorded(
        contact_id=command.id,
        cadre_id=command.id,  # any id, for the shape; it is not written
        kind=command.kind,
        occurred_at=command.occurred_at,
        recorded_at=command.recorded_at or now,
        duration_minutes=command.duration_minutes,
        population_group=population_group,
        people_count=people_count,
        place_code=command.place_code,
        people_by_group=dict(command.people_by_group) if command.people_by_group else None,
        first_on=command.first_on,
        last_on=command.last_on,
        citizen_ref=citizen.ref if citizen else None,
    )
    told = event.model_dump_json(exclude_none=True, exclude=set(storage.FOUND_ON_ENTRY))
    return {"event_id": new_digits(1)[0], "correlation_id": command.correlation_id, "event": orjson.Fragment(told)}


def _refuse_unknown(connection: Connection, command: RecordContact) -> Outcome:
    """Raises BatchRaced where nothing speaks against it any more."""
    unregistered = _find_unregistered(connection, command)
    if unregistered is not None:
        return unknown(unregistered)
    taken = refuse_taken(connection, "contact", command)
    if taken is not None:
        return taken
    if not storage.may_enter_contact(
        connection,
        staff_number=command.staff_number,
        organisation_code=command.organisation_code,
        occurred_at=command.occurred_at,
    ):
        return out_of_reach()
    if not _may_be_late(command) and storage.is_before_first_post(
        connection, staff_number=command.staff_number, occurred_at=command.occurred_at
    ):
        return BEFORE_FIRST_POST
    raise BatchRaced("a register changed while the batch ran")


def _find_unregistered(connection: Connection, command: RecordContact) -> str | None:
    """What the command names that is not there, or that its sender does not see."""
    if not registers.find_cadre_ids(connection, [command.staff_number]):
        return "cadre"
    if command.organisation_code and not registers.find_organisation_ids(connection, [command.organisation_code]):
        return "organisation"
    if command.companions:
        known = corrections.find_companion_ids(connection, command.companions)
        if not known.keys() >= set(command.companions):
            return "companion"
    if command.place_code and not corrections.list_places(connection, [command.place_code]):
        return "place"
    return None
