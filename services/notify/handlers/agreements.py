"""Agreements with other systems: one person proposes, another one decides, and either side's end is the end at once."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.notify.domain.agreements import (
    Agreement,
    AgreementStatus,
    Terms,
    UnknownAgreement,
    UnsoundAgreement,
)
from services.notify.domain.audiences import open_types
from services.notify.storage import agreements as storage
from services.notify.storage import owners, webhook_deliveries
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.proposals import AlreadyDecided, OwnProposal


def propose_agreement(pool: Pool, terms: Terms, *, by: Principal, new_id: UUID, now: datetime) -> Agreement:
    """Raises UnsoundAgreement, NumberTaken."""
    terms.check(open_types=open_types(), now=now)
    with transaction(pool) as connection:
        if not storage.is_within_reach(connection, terms.organisation_id):
            raise UnsoundAgreement("no such organisation is known")
        storage.insert_agreement(connection, new_id, terms, by=(by.name, by.person_id), now=now)
        if by.kind == "person":
            owners.set_owner_of_agreement(connection, new_id, by.account_id, by.staff_number)
        agreement = _get(connection, new_id)
        note(connection, _line("agreement.propose", agreement))
    return agreement


def decide_agreement(
    pool: Pool,
    agreement_id: UUID,
    decision: Literal["agreed", "refused"],
    *,
    by: Principal,
    reason: str | None = None,
    now: datetime,
) -> Agreement:
    """Raises UnknownAgreement, OwnProposal, AlreadyDecided, UnsoundAgreement where it would be over already."""
    with transaction(pool) as connection:
        known = storage.lock_agreement(connection, agreement_id)
        if known is None:
            raise UnknownAgreement("there is no such agreement")
        status, proposer = known
        if status != "proposed":
            raise AlreadyDecided(f"it is {status}")
        if proposer == by.person_id:
            raise OwnProposal("whoever proposed it cannot decide it too")
        if decision == "agreed" and _get(connection, agreement_id).valid_until <= now:
            raise UnsoundAgreement("the agreement would be over already")
        storage.set_decided(connection, agreement_id, decision, by=(by.name, by.person_id), reason=reason, now=now)
        agreement = _get(connection, agreement_id)
        note(connection, _line("agreement.agree" if decision == "agreed" else "agreement.refuse", agreement, reason))
    return agreement


def end_agreement(pool: Pool, agreement_id: UUID, *, reason: str, now: datetime) -> Agreement:
    """From now on nothing more is told under it. Raises UnknownAgreement; a repeat changes nothing."""
    with transaction(pool) as connection:
        if storage.lock_agreement(connection, agreement_id) is None:
            raise UnknownAgreement("there is no such agreement")
        ended = storage.set_ended(connection, agreement_id, now=now)
        if ended:
            webhook_deliveries.withdraw_of_agreement(connection, agreement_id, reason="the agreement ended", now=now)
        agreement = _get(connection, agreement_id)
        if ended:
            note(connection, _line("agreement.end", agreement, reason))
    return agreement


def get_agreement(pool: Pool, agreement_id: UUID) -> Agreement:
    """Raises UnknownAgreement."""
    with transaction(pool) as connection:
        return _get(connection, agreement_id)


def list_agreements(pool: Pool, *, status: AgreementStatus | None, before: UUID | None, limit: int) -> list[Agreement]:
    with transaction(pool) as connection:
        return storage.list_agreements(connection, status=status, before=before, limit=limit)


def _get(connection: Connection, agreement_id: UUID) -> Agreement:
    found = storage.find_agreement(connection, agreement_id)
    if found is None:
        raise UnknownAgreement("there is no such agreement")
    return found


def _line(action: str, agreement: Agreement, reason: str | None = None) -> Line:
    return Line(
        action=action,
        object_type="agreement",
        object_id=agreement.id,
        reason=reason,
        details={
            "number": agreement.number,
            "client": agreement.client_id or "",
            "organisation": str(agreement.organisation_id or "everywhere"),
            "types": len(agreement.event_types),
            "content": agreement.content,
            "valid_until": agreement.valid_until.isoformat(),
        },
    )
