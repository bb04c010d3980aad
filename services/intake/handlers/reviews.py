"""Noting what looks odd about contacts, and what a person says of it. A sign alone never changes what counts."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.intake import metrics
from services.intake.domain import corrections as domain
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.reviews import DecideReview
from services.intake.domain.corrections import Contact
from services.intake.domain.sketches import sketch
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.corrections import correct
from services.intake.sealing import vault
from services.intake.storage import reviews as storage
from services.intake.storage.reviews import Origin, Review, Unexamined
from shared.database import Connection, Pool, transaction
from shared.errors import Rejected
from shared.reach import SYSTEM

CONTACTS_A_TURN = 200


class NotReviewed(Rejected):
    """Nothing looks odd about it, so that nobody has to decide."""

    code = "review-not-found"


class OwnReview(Rejected):
    """Nobody decides about what they recorded, or about what they did."""

    code = "own-review"


def examine_contacts(pool: Pool, *, now: datetime, limit: int = CONTACTS_A_TURN) -> int:
    """Look at contacts that nobody has looked at yet; return how many. Safe to be cut short, and to run twice."""
    with transaction(pool, reach=SYSTEM) as connection:
        contacts = storage.lock_unexamined(connection, limit=limit)
        if not contacts:
            return 0
        storage.insert_sketches(connection, [row for one in contacts if (row := _sketch(one)) is not None])
        noted = _note_signs(connection, [one.id for one in contacts], now=now)
        storage.set_examined(connection, [one.id for one in contacts])
    metrics.contacts_examined_total.inc(len(contacts))
    metrics.reviews_noted_total.inc(noted)
    return len(contacts)


def list_reviews(pool: Pool, *, is_open: bool, after: tuple[datetime, UUID] | None, limit: int) -> list[Review]:
    with transaction(pool) as connection:
        return storage.list_reviews(connection, is_open=is_open, after=after, limit=limit)


def measure_open(pool: Pool, *, now: datetime) -> tuple[int, float]:
    """Return how many contacts wait for a decision, and how many seconds the oldest has waited."""
    with transaction(pool, reach=SYSTEM) as connection:
        return storage.measure_open(connection, now)


def decide_reviews(pool: Pool, commands: Sequence[DecideReview], *, now: datetime) -> list[Outcome]:
    """Decide whether contacts count. The same decision again changes nothing, another one takes its place."""

    def run(connection: Connection, fresh: list[DecideReview], events: Events) -> list[Outcome]:
        origins = storage.list_origins(connection, [command.id for command in fresh])

        def step(contact: Contact, command: DecideReview) -> Contact:
            _refuse_own(origins.get(contact.id), command)
            return domain.review(contact, counts=command.decision == "counts")

        outcomes = correct(connection, fresh, step, events, change="reviewed", now=now)
        decided = {
            command.id: command.decision
            for command, outcome in zip(fresh, outcomes, strict=True)
            if outcome.status in {"changed", "unchanged"}
        }
        rows = [{"contact_id": contact_id, "decision": decision} for contact_id, decision in decided.items()]
        storage.set_decisions(connection, rows, decided_at=now)
        return outcomes

    return run_batch("decide_reviews", pool, commands, run, now=now)


def _refuse_own(origin: Origin | None, command: DecideReview) -> None:
    """Raises NotReviewed, OwnReview."""
    if origin is None:
        raise NotReviewed("nothing is to be decided about this contact")
    reach = command.reach
    if reach is None:
        return
    is_own = origin.recorded_by is not None and origin.recorded_by == reach.account_id
    if is_own or origin.staff_number in {reach.staff_number, reach.actor_staff_number}:
        raise OwnReview("somebody else decides, who neither recorded it nor led it")


def _sketch(contact: Unexamined) -> dict[str, object] | None:
    """None for a note that is too short to tell, or that nobody can open any more."""
    key = None if contact.citizen_ref is None else vault().open_key(contact.citizen_ref, contact.citizen_key)
    note = vault().open("contact", "note", contact.id, contact.note_sealed, key)
    lanes = sketch(note, vault().keyed(b"sketch of a note"))
    if lanes is None:
        return None
    return {"contact_id": contact.id, "cadre_id": contact.cadre_id, "occurred_at": contact.occurred_at, "lanes": lanes}


def _note_signs(connection: Connection, ids: Sequence[UUID], *, now: datetime) -> int:
    signals: dict[UUID, set[str]] = defaultdict(set)
    others: dict[UUID, set[UUID]] = defaultdict(set)
    for sign in storage.list_signs(connection, ids):
        signals[sign.contact_id].add(sign.signal)
        if sign.other_contact_id is not None:
            others[sign.contact_id].add(sign.other_contact_id)
    rows = [
        {"contact_id": one, "signals": sorted(found), "other_contact_ids": sorted(others[one])[:50]}
        for one, found in signals.items()
    ]
    return storage.insert_reviews(connection, rows, noted_at=now) if rows else 0
