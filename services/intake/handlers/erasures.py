"""Restricting, freeing and erasing citizens once two persons have agreed; whatever dies on the way is done again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.intake import metrics
from services.intake.domain.citizens import Citizen, handles_of
from services.intake.handlers.reveals import open_citizen
from services.intake.journal import list_erased, note_erasures
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
ERASURES_A_COMMIT = 250  # requests that enter a citizen wait for so many: some hundredths of a second
REVIEW_AFTER = timedelta(days=90)
OPEN_CASE = "open-case"

log = get_logger()


def carry_out_approved(pool: Pool, *, now: datetime, limit: int = 1_000) -> int:
    """Do what was approved and is not done; return how many. Safe to be cut short anywhere and to run twice at once.

    Erasures come last, so that nobody is found to be erased whom somebody agreed to restrict before.
    """
    with transaction(pool, reach=SYSTEM) as connection:
        waiting = storage.list_approved_ids(connection, limit=limit)
    done = sum(carry_out(pool, proposal_id, now=now) for proposal_id in waiting)
    while done < limit:
        claimed, erased = erase_some(pool, now=now, limit=min(ERASURES_A_COMMIT, limit - done))
        done += erased
        if claimed == 0:
            break
    return done


def carry_out(pool: Pool, proposal_id: UUID, *, now: datetime) -> bool:
    """Restrict or free a citizen, with the audit line, in one transaction. False where somebody else was faster."""
    with transaction(pool, reach=SYSTEM) as connection:
        proposal = storage.lock_proposal(connection, proposal_id)
        if proposal.state != "approved" or proposal.citizen_ref is None:
            return False
        # No batch is settling any citizen now: one that found this one would seal under a key that goes away.
        citizens.lock_handles(connection, ALL_BUCKETS)
        erasures.lock_citizens(connection, [proposal.citizen_ref])
        outcome_code = _do(connection, proposal, proposal.citizen_ref, now)
        storage.set_finished(connection, [proposal_id], at=now, outcome_code=outcome_code)
        crash.point("intake.before_proposal_commit")
        chain.note(connection, _line(proposal, outcome_code))
    crash.point("intake.after_proposal_commit")
    return True


def erase_some(pool: Pool, *, now: datetime, limit: int) -> tuple[int, int]:
    """Carry out some erasures in one transaction, each with its event and its audit line.

    Return how many were looked at and how many erased. A citizen with an open case is kept from use until it is closed.
    """
    with transaction(pool, reach=SYSTEM) as connection:
        claimed = [(one.citizen_ref, one) for one in storage.claim_erasures(connection, limit=limit)]
        found = {ref: proposal for ref, proposal in claimed if ref is not None}
        if not found:
            return 0, 0
        citizens.lock_handles(connection, ALL_BUCKETS)  # as in carry_out
        erasures.lock_citizens(connection, list(found))
        busy = erasures.list_with_open_case(connection, list(found))
        lines = [line for ref in busy for line in _hold_back(connection, found[ref], ref, now)]
        ready = [
            erasures.Erasure(citizen_ref=ref, proposal_id=proposal.id, reason_code=proposal.reason_code)
            for ref, proposal in found.items()
            if ref not in busy
        ]
        if ready:
            note_erasures(vault().ring.directory, [one.citizen_ref for one in ready], at=now)
            crash.point("intake.erasure_journalled")
            _erase(connection, ready, now=now)
            storage.set_finished(connection, [found[one.citizen_ref].id for one in ready], at=now)
        crash.point("intake.before_proposal_commit")
        chain.note(connection, *lines, *(_line(found[one.citizen_ref], None) for one in ready))
    crash.point("intake.after_proposal_commit")
    metrics.erasures_total.inc(len(ready))
    return len(found), len(ready)


def erase_again(pool: Pool, *, now: datetime) -> int:
    """Erase whom the journal names and the database still knows: it was restored from before their erasure."""
    named = list_erased(vault().ring.directory)
    with transaction(pool, reach=SYSTEM) as connection:
        standing = erasures.list_standing(connection, named) if named else []
    for start in range(0, len(standing), ERASURES_A_COMMIT):
        some = standing[start : start + ERASURES_A_COMMIT]
        with transaction(pool, reach=SYSTEM) as connection:
            citizens.lock_handles(connection, ALL_BUCKETS)
            erasures.lock_citizens(connection, some)
            _erase(connection, [erasures.Erasure(citizen_ref=ref, reason_code="journal") for ref in some], now=now)
    if standing:
        log.warning("erased_again", count=len(standing))
    return len(standing)


def _hold_back(connection: Connection, proposal: storage.Proposal, ref: UUID, now: datetime) -> list[chain.Line]:
    """Nobody is erased out of an open case: until it is closed the citizen is kept from use, which looks the same."""
    erasures.set_restricted(connection, ref, at=now, review_on=(now + REVIEW_AFTER).date())
    return [_line(proposal, OPEN_CASE)] if storage.set_held(connection, proposal.id, at=now) else []


def _do(connection: Connection, proposal: storage.Proposal, ref: UUID, now: datetime) -> str | None:
    """Return why it was not done after all, or None."""
    if proposal.kind == "restrict":
        review_on = proposal.review_on or (now + REVIEW_AFTER).date()
        return None if erasures.set_restricted(connection, ref, at=now, review_on=review_on) else "not-active"
    if proposal.kind == "lift":
        return None if erasures.set_active(connection, ref, _handles(connection, ref)) else "not-restricted"
    raise ValueError(f"a proposal to {proposal.kind} is not carried out alone")


def _erase(connection: Connection, wanted: Sequence[erasures.Erasure], *, now: datetime) -> None:
    gone = erasures.set_erased(connection, wanted, at=now)
    crash.point("intake.citizen_erased")
    events = [OutgoingEvent(event=CitizenErased(citizen_ref=ref, erased_at=now), sequence=1) for ref in gone]
    outbox.append(connection, events, recorded_at=now, correlation_id=correlation_id())


def _handles(connection: Connection, citizen_ref: UUID) -> list[dict[str, object]]:
    revealed = open_citizen(citizen_ref, citizens.get_citizen(connection, citizen_ref), withheld=False)
    citizen = Citizen(name=revealed.name, phone=revealed.phone, id_number=revealed.id_number, id_kind=revealed.id_kind)
    return [
        {"kind": kind, "digest": "\\x" + vault().handle(kind, value).hex(), "citizen_ref": citizen_ref}
        for kind, value in handles_of(citizen)
    ]


def _line(proposal: storage.Proposal, outcome_code: str | None) -> chain.Line:
    return chain.Line(
        action=f"citizen.{proposal.kind}",
        object_type="citizen_proposal",
        object_id=proposal.id,
        decision="allowed" if outcome_code is None else "denied",
        reason=outcome_code or proposal.reason_code,
    )
