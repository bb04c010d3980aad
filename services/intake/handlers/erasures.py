"""Restricting, freeing and erasing citizens once two persons have agreed; whatever dies on the way is done again."""

from datetime import datetime, timedelta
from uuid import UUID

from services.intake import metrics
from services.intake.domain.citizens import Citizen, handles_of
from services.intake.handlers.reveals import open_citizen
from services.intake.journal import list_erased, note_erasure
from services.intake.sealing import vault
from services.intake.storage import citizens, erasures
from services.intake.storage import proposals as storage
from shared import crash, outbox
from shared.audit import chain
from shared.contracts.intake.citizens import CitizenErased
from shared.database import Connection, Pool, transaction
from shared.observability import correlation_id, get_logger
from shared.outbox import OutgoingEvent
from shared.reach import SYSTEM

ALL_BUCKETS = range(256)
REVIEW_AFTER = timedelta(days=90)
OPEN_CASE = "open-case"

log = get_logger()


def carry_out_approved(pool: Pool, *, now: datetime, limit: int = 1_000) -> int:
    """Do what was approved and is not done; return how many. Safe to be cut short anywhere and to run twice at once."""
    with transaction(pool, reach=SYSTEM) as connection:
        waiting = storage.list_approved_ids(connection, limit=limit)
    return sum(carry_out(pool, proposal_id, now=now) for proposal_id in waiting)


def carry_out(pool: Pool, proposal_id: UUID, *, now: datetime) -> bool:
    """One transaction, with the event and the audit line in it.

    False where somebody else was faster, or where the citizen has an open case: then it waits for that to be closed.
    """
    with transaction(pool, reach=SYSTEM) as connection:
        proposal = storage.lock_proposal(connection, proposal_id)
        if proposal.state != "approved" or proposal.citizen_ref is None:
            return False
        # No batch is settling any citizen now: one that found this one would seal under a key that goes away.
        citizens.lock_handles(connection, ALL_BUCKETS)
        erasures.lock_citizen(connection, proposal.citizen_ref)
        if proposal.kind == "erase" and erasures.has_open_case(connection, proposal.citizen_ref):
            _hold_back(connection, proposal, proposal.citizen_ref, now)
            return False
        outcome_code = _do(connection, proposal, now)
        storage.set_finished(connection, proposal_id, at=now, outcome_code=outcome_code)
        crash.point("intake.before_proposal_commit")
        _note(connection, proposal, outcome_code)
    crash.point("intake.after_proposal_commit")
    if proposal.kind == "erase" and outcome_code is None:
        metrics.erasures_total.inc()
    return True


def erase_again(pool: Pool, *, now: datetime) -> int:
    """Erase whom the journal names and the database still knows: it was restored from before their erasure."""
    named = list_erased(vault().ring.directory)
    with transaction(pool, reach=SYSTEM) as connection:
        standing = erasures.list_standing(connection, named) if named else []
    for citizen_ref in standing:
        with transaction(pool, reach=SYSTEM) as connection:
            citizens.lock_handles(connection, ALL_BUCKETS)
            _erase(connection, citizen_ref, proposal_id=None, reason_code="journal", now=now)
    if standing:
        log.warning("erased_again", count=len(standing))
    return len(standing)


def _hold_back(connection: Connection, proposal: storage.Proposal, ref: UUID, now: datetime) -> None:
    """Nobody is erased out of an open case: until it is closed the citizen is kept from use, which looks the same."""
    erasures.set_restricted(connection, ref, at=now, review_on=(now + REVIEW_AFTER).date())
    if storage.set_held(connection, proposal.id, at=now):
        _note(connection, proposal, OPEN_CASE)


def _do(connection: Connection, proposal: storage.Proposal, now: datetime) -> str | None:
    """Return why it was not done after all, or None."""
    ref = proposal.citizen_ref
    if ref is None:
        raise ValueError("a proposal about nobody is not carried out")
    if proposal.kind == "restrict":
        review_on = proposal.review_on or (now + REVIEW_AFTER).date()
        return None if erasures.set_restricted(connection, ref, at=now, review_on=review_on) else "not-active"
    if proposal.kind == "lift":
        return None if erasures.set_active(connection, ref, _handles(connection, ref)) else "not-restricted"
    note_erasure(vault().ring.directory, ref, at=now)
    crash.point("intake.erasure_journalled")
    _erase(connection, ref, proposal_id=proposal.id, reason_code=proposal.reason_code, now=now)
    return None


def _erase(
    connection: Connection, citizen_ref: UUID, *, proposal_id: UUID | None, reason_code: str, now: datetime
) -> None:
    if not erasures.set_erased(connection, citizen_ref, at=now, proposal_id=proposal_id, reason_code=reason_code):
        return
    crash.point("intake.citizen_erased")
    event = OutgoingEvent(event=CitizenErased(citizen_ref=citizen_ref, erased_at=now), sequence=1)
    outbox.append(connection, [event], recorded_at=now, correlation_id=correlation_id())


def _handles(connection: Connection, citizen_ref: UUID) -> list[dict[str, object]]:
    revealed = open_citizen(citizen_ref, citizens.get_citizen(connection, citizen_ref), withheld=False)
    citizen = Citizen(name=revealed.name, phone=revealed.phone, id_number=revealed.id_number, id_kind=revealed.id_kind)
    return [
        {"kind": kind, "digest": "\\x" + vault().handle(kind, value).hex(), "citizen_ref": citizen_ref}
        for kind, value in handles_of(citizen)
    ]


def _note(connection: Connection, proposal: storage.Proposal, outcome_code: str | None) -> None:
    chain.note(
        connection,
        chain.Line(
            action=f"citizen.{proposal.kind}",
            object_type="citizen_proposal",
            object_id=proposal.id,
            decision="allowed" if outcome_code is None else "denied",
            reason=outcome_code or proposal.reason_code,
        ),
    )
