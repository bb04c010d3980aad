"""How a machine client comes to be, or to be allowed something else: one person proposes, another one decides."""

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.identity.domain.clients import Registration
from services.identity.storage import client_proposals, clients
from services.identity.storage.client_proposals import ClientProposal, ProposalStatus
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, NotFound


class UnknownProposal(NotFound):
    code = "unknown-proposal"


class OwnProposal(Conflict):
    """The second person must be another one, whichever account they act by."""

    code = "own-proposal"


class AlreadyDecided(Conflict):
    code = "already-decided"


def propose(
    pool: Pool,
    registration: Registration,
    *,
    by: Principal,
    known_scopes: Collection[str],
    new_id: UUID,
    now: datetime,
) -> ClientProposal:
    """For a new client, or one that is there and keeps its rights until the decision. Raises UnsafeRegistration."""
    registration.check(known_scopes=known_scopes, now=now)
    proposal = ClientProposal(
        id=new_id,
        client_id=registration.client_id,
        registration={**asdict(registration), "expires_at": registration.expires_at.isoformat()},
        status="open",
        proposed_by=by.name,
        proposer_person_id=by.person_id,
        proposed_at=now,
        decided_by=None,
        decider_person_id=None,
        decided_at=None,
        reason=None,
    )
    with transaction(pool) as connection:
        client_proposals.insert_proposal(connection, proposal)
        note(connection, _line("client.propose", proposal))
    return proposal


def approve(
    pool: Pool, proposal_id: UUID, *, by: Principal, known_scopes: Collection[str], new_id: UUID, now: datetime
) -> ClientProposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided, and UnsafeRegistration where it came too late."""
    with transaction(pool) as connection:
        proposal = _decide(connection, proposal_id, "approved", by=by, reason=None, now=now)
        registration = read_registration(proposal.registration)
        registration.check(known_scopes=known_scopes, now=now)
        clients.put_client(
            connection, registration, new_id=new_id, proposed_by=proposal.proposed_by, approved_by=by.name, now=now
        )
        note(connection, _line("client.approve", proposal))
    return proposal


def refuse(pool: Pool, proposal_id: UUID, *, by: Principal, reason: str, now: datetime) -> ClientProposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided."""
    with transaction(pool) as connection:
        proposal = _decide(connection, proposal_id, "refused", by=by, reason=reason, now=now)
        note(connection, _line("client.refuse", proposal, reason=reason))
    return proposal


def list_proposals(
    pool: Pool, *, status: ProposalStatus | None, before: UUID | None, limit: int
) -> list[ClientProposal]:
    with transaction(pool) as connection:
        return client_proposals.list_proposals(connection, status=status, before=before, limit=limit)


def read_registration(document: dict[str, Any]) -> Registration:
    lists = {name: tuple(document[name]) for name in ("scopes", "organisation_codes", "allowed_networks")}
    return Registration(**{**document, **lists, "expires_at": datetime.fromisoformat(document["expires_at"])})


def _decide(
    connection: Connection,
    proposal_id: UUID,
    status: ProposalStatus,
    *,
    by: Principal,
    reason: str | None,
    now: datetime,
) -> ClientProposal:
    proposal = client_proposals.lock_proposal(connection, proposal_id)
    if proposal is None:
        raise UnknownProposal("there is no such proposal")
    if proposal.status != "open":
        raise AlreadyDecided(f"it was {proposal.status} before")
    if proposal.proposer_person_id == by.person_id:
        raise OwnProposal("whoever proposed it cannot decide it too")
    decided = replace(
        proposal, status=status, decided_by=by.name, decider_person_id=by.person_id, decided_at=now, reason=reason
    )
    client_proposals.set_decided(connection, decided)
    return decided


def _line(action: str, proposal: ClientProposal, *, reason: str | None = None) -> Line:
    details = {
        "proposal": str(proposal.id),
        "scopes": " ".join(proposal.registration["scopes"]),
        "organisations": " ".join(proposal.registration["organisation_codes"]) or "everywhere",
    }
    return Line(
        action=action,
        object_type="machine_client",
        object_id=proposal.client_id,
        decision="allowed",
        reason=reason,
        details=details,
    )
