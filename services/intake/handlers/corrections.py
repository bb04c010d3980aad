"""Putting contacts right and voiding them; what they were before is kept, and may be read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from services.intake.domain import corrections as domain
from services.intake.domain.commands.base import Command, Outcome, Status
from services.intake.domain.commands.corrections import AmendContact, VoidContact
from services.intake.domain.commands.reviews import DecideReview
from services.intake.domain.contacts import CHINA, check_content, sum_people
from services.intake.domain.corrections import Contact, Content
from services.intake.domain.repeats import not_found, outdated
from services.intake.domain.times import TimeCheck
from services.intake.handlers.batches import Events, run_batch
from services.intake.sealing import vault
from services.intake.storage import contacts as contact_storage
from services.intake.storage import corrections as storage
from services.intake.storage.corrections import LockedContact
from shared.ciphers import SymmetricKey
from shared.contracts.intake.contacts import ContactAmended, ContactReviewed, ContactVoided
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, Rejected
from shared.outbox import OutgoingEvent

AnyCorrection = TypeVar("AnyCorrection", bound=Command)


class Refused(Rejected):
    """Its code is the instance's own."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.code = outcome.code


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactVersion:
    """A contact as it stood; `change` and what follows tell why the next version took its place, and are absent of
    the one that stands.
    """

    version: int
    kind: str
    occurred_at: datetime
    first_on: date | None
    last_on: date | None
    duration_minutes: int | None
    population_group: str | None
    people_count: int | None
    people_by_group: dict[str, int] | None
    companions: list[str]
    place_code: str | None
    note: str | None
    texts_withheld: bool
    counts: bool
    change: str | None
    replaced_at: datetime | None
    replaced_by: UUID | None
    reason_code: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One correction that was done: how the contact stood before it and stands after it, and why."""

    before: Contact
    after: Contact
    change: str
    reason_code: str
    reason: str | None
    correlation_id: str


def amend_contacts(pool: Pool, commands: Sequence[AmendContact], *, now: datetime) -> list[Outcome]:
    """Amend contacts. What stands so already changes nothing."""

    def run(connection: Connection, fresh: list[AmendContact], events: Events) -> list[Outcome]:
        named = {number for command in fresh for number in command.companions}
        companion_ids = storage.find_companion_ids(connection, named) if named else {}
        said = {command.place_code for command in fresh if command.place_code is not None}
        places = storage.list_places(connection, said) if said else set()

        def step(contact: Contact, command: AmendContact) -> Contact:
            _refuse_unfit(command, companion_ids, places, contact=contact, now=now)
            content = _content_of(command, [companion_ids[number] for number in command.companions])
            if content != contact.content:
                domain.refuse_closed(contact, command.reach, within=command.correct_within, now=now)
            excused = domain.is_officer(command.reach)
            moved = domain.amend(
                contact, content, version=command.version, earliest=None if excused else command.record_within
            )
            if moved.content.occurred_at != contact.content.occurred_at and not excused:
                _refuse_before_first_post(connection, moved)
            return moved

        return correct(connection, fresh, step, events, change="amended", now=now)

    return run_batch("amend_contacts", pool, commands, run, now=now)


def void_contacts(pool: Pool, commands: Sequence[VoidContact], *, now: datetime) -> list[Outcome]:
    """Void contacts: they stay, and count for nothing. A void one changes nothing."""

    def step(contact: Contact, command: VoidContact) -> Contact:
        if contact.voided_at is None:
            domain.refuse_closed(contact, command.reach, within=command.correct_within, now=now)
        return domain.void(contact, at=now)

    def run(connection: Connection, fresh: list[VoidContact], events: Events) -> list[Outcome]:
        return correct(connection, fresh, step, events, change="voided", now=now)

    return run_batch("void_contacts", pool, commands, run, now=now)


def list_versions(pool: Pool, contact_id: UUID) -> list[ContactVersion]:
    """List a contact as it was and, last, as it is. Raises ContactNotFound."""
    with transaction(pool) as connection:
        contact = contact_storage.get_contact(connection, contact_id)
        rows = storage.list_versions(connection, contact_id)
    key = None if contact.citizen_ref is None else vault().open_key(contact.citizen_ref, contact.citizen_key)
    return [_open_version(contact_id, row, key) for row in rows]


def _open_version(contact_id: UUID, row: storage.SealedVersion, key: SymmetricKey | None) -> ContactVersion:
    note = vault().open("contact", "note", contact_id, row.note_sealed, key)
    plain = {name: getattr(row, name) for name in ContactVersion.__slots__ if hasattr(row, name)}
    return ContactVersion(
        **plain,
        note=note,
        texts_withheld=note is None and row.note_sealed is not None,
        reason=vault().open("contact_version", _reason_column(row.version), contact_id, row.reason_sealed, key),
    )


def _refuse_unfit(
    command: AmendContact, companion_ids: Mapping[str, UUID], places: set[str], *, contact: Contact, now: datetime
) -> None:
    """Raises Refused."""
    check = TimeCheck(now=now, allow_odd=False)
    if check.bounded(command.occurred_at):
        check.not_in_future("occurred_in_future", command.occurred_at)
        if command.occurred_at != contact.content.occurred_at:
            check.in_order("recorded_before_occurred", command.occurred_at, contact.recorded_at)
    refusal = check.refusal or check_content(command, now=now)
    if refusal is not None:
        raise Refused(refusal)
    if not companion_ids.keys() >= set(command.companions):
        raise Refused(Outcome(status="rejected", code="unknown-companion", detail="no such companion is registered"))
    if contact.cadre_id in {companion_ids[number] for number in command.companions}:
        detail = "who led a contact did not come along to it"
        raise Refused(Outcome(status="rejected", code="companion-led", detail=detail))
    if command.place_code is not None and command.place_code not in places | {contact.content.place_code}:
        raise Refused(Outcome(status="rejected", code="unknown-place", detail="no such place is registered"))


def _refuse_before_first_post(connection: Connection, contact: Contact) -> None:
    """Raises Refused."""
    since = storage.find_served_since(connection, [contact.cadre_id]).get(contact.cadre_id)
    if since is not None and contact.content.occurred_at.astimezone(CHINA).date() < since:
        detail = "the cadre held no post yet; an officer amends it so"
        raise Refused(Outcome(status="rejected", code="before-first-post", detail=detail))


def _content_of(command: AmendContact, companion_ids: Iterable[UUID]) -> Content:
    population_group, people_count = sum_people(command)
    return Content(
        kind=command.kind,
        occurred_at=command.occurred_at,
        duration_minutes=command.duration_minutes,
        population_group=population_group,
        people_count=people_count,
        people_by_group=dict(command.people_by_group) if command.people_by_group else None,
        companion_ids=tuple(sorted(companion_ids)),
        first_on=command.first_on,
        last_on=command.last_on,
        place_code=command.place_code,
        note=command.note,
    )


def correct(
    connection: Connection,
    commands: list[AnyCorrection],
    step: Callable[[Contact, AnyCorrection], Contact],
    events: Events,
    *,
    change: str,
    now: datetime,
) -> list[Outcome]:
    """Take one step a command under the contacts' row locks, several of one contact in their order."""
    locked = storage.lock_contacts(connection, [command.id for command in commands])
    keys = {contact_id: _key_of(row) for contact_id, row in locked.items()}
    standing = {contact_id: _open(row, keys[contact_id]) for contact_id, row in locked.items()}
    steps: list[Step] = []
    outcomes = []
    for command in commands:
        contact = standing.get(command.id)
        if contact is None:
            outcomes.append(not_found("contact"))
            continue
        if command.expected is not None and contact.sequence not in command.expected:
            outcomes.append(outdated(contact.id))
            continue
        try:
            moved = step(contact, command)
        except (Conflict, Rejected) as error:
            status: Status = "conflict" if isinstance(error, Conflict) else "rejected"
            outcomes.append(Outcome(status=status, id=contact.id, code=error.code, detail=error.detail))
            continue
        outcomes.append(Outcome(status="unchanged" if moved is contact else "changed", id=contact.id))
        if moved is not contact:
            steps.append(_step(command, contact, moved, change))
            standing[contact.id] = moved
    _write(connection, steps, locked, keys, now=now)
    events.extend(_event(done, now=now) for done in steps)
    return outcomes


def _step(command: Command, before: Contact, after: Contact, change: str) -> Step:
    assert isinstance(command, AmendContact | VoidContact | DecideReview)  # noqa: S101 - which of both says the caller's type
    return Step(
        before=before,
        after=after,
        change=change,
        reason_code=command.reason_code,
        reason=command.reason,
        correlation_id=command.correlation_id,
    )


def _write(
    connection: Connection,
    steps: Sequence[Step],
    locked: Mapping[UUID, LockedContact],
    keys: Mapping[UUID, SymmetricKey | None],
    *,
    now: datetime,
) -> None:
    """A note that did not change stays sealed as it is, also where nobody can open it any more."""
    notes = {contact_id: _hexadecimal(row.note_sealed) for contact_id, row in locked.items()}
    versions = []
    rows: dict[UUID, dict[str, object]] = {}
    for done in steps:
        contact_id, key = done.before.id, keys[done.before.id]
        column = _reason_column(done.before.sequence)
        versions.append(
            {
                **_row_of(done.before, notes[contact_id]),
                "version": done.before.sequence,
                "change": done.change,
                "replaced_at": now,
                "reason_code": done.reason_code,
                "reason_sealed": vault().seal_if("contact_version", column, contact_id, done.reason, key),
            }
        )
        if done.after.content.note != done.before.content.note:
            notes[contact_id] = vault().seal_if("contact", "note", contact_id, done.after.content.note, key)
        rows[contact_id] = _row_of(done.after, notes[contact_id])
    storage.keep_versions(connection, versions)
    storage.set_contents(connection, list(rows.values()))


def _row_of(contact: Contact, note_sealed: str | None) -> dict[str, object]:
    content = contact.content
    return {
        "contact_id": contact.id,
        "sequence": contact.sequence,
        "counts": contact.counts,
        "voided_at": contact.voided_at,
        "note_sealed": note_sealed,
        **{name: getattr(content, name) for name in Content.__slots__ if name != "note"},
        "companion_ids": list(content.companion_ids),
    }


def _event(done: Step, *, now: datetime) -> OutgoingEvent:
    contact, content = done.after, done.after.content
    whole = {
        "contact_id": contact.id,
        "cadre_id": contact.cadre_id,
        "organisation_id": contact.organisation_id,
        "recorded_at": contact.recorded_at,
        "citizen_ref": contact.citizen_ref,
        "reason_code": done.reason_code,
        **{name: getattr(content, name) for name in Content.__slots__ if name not in {"note", "companion_ids"}},
        "companion_ids": content.companion_ids or None,
    }
    event: ContactAmended | ContactReviewed | ContactVoided
    if done.change == "voided":
        event = ContactVoided(**whole, voided_at=now)
    elif done.change == "reviewed":
        event = ContactReviewed(**whole, reviewed_at=now, counts=contact.counts)
    else:
        event = ContactAmended(**whole, amended_at=now, counts=contact.counts)
    return OutgoingEvent(event=event, sequence=contact.sequence, correlation_id=done.correlation_id)


def _open(row: LockedContact, key: SymmetricKey | None) -> Contact:
    note = row.contact.content.note or vault().open("contact", "note", row.contact.id, row.note_sealed, key)
    return replace(row.contact, content=replace(row.contact.content, note=note))


def _key_of(row: LockedContact) -> SymmetricKey | None:
    return None if row.citizen_ref is None else vault().open_key(row.citizen_ref, row.citizen_key)


def _hexadecimal(sealed: bytes | None) -> str | None:
    return None if sealed is None else "\\x" + sealed.hex()


def _reason_column(version: int) -> str:
    return f"reason {version}"
