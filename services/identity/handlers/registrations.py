"""How a machine client comes to be, or to be allowed something else: one person proposes, another one decides."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.identity.domain.clients import Registration
from services.identity.storage import clients
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Pool, transaction
from shared.proposals import Decision, Proposal, decide, insert_proposal

KINDS: Final = ("client.register",)


def propose(
    pool: Pool,
    registration: Registration,
    *,
    by: Principal,
    known_scopes: Collection[str],
    new_id: UUID,
    now: datetime,
) -> Proposal:
    """For a new client, or one that is there and keeps its rights until the decision. Raises UnsafeRegistration."""
    registration.check(known_scopes=known_scopes, now=now)
    proposal = Proposal(
        id=new_id,
        kind="client.register",
        object_id=registration.client_id,
        document={**asdict(registration), "expires_at": registration.expires_at.isoformat()},
        proposed_by=by.name,
        proposer_person_id=by.person_id,
        proposed_at=now,
    )
    with transaction(pool) as connection:
        insert_proposal(connection, proposal)
        note(connection, _line("client.propose", proposal))
    return proposal


def approve(
    pool: Pool, proposal_id: UUID, *, by: Principal, known_scopes: Collection[str], new_id: UUID, now: datetime
) -> Proposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided, ProposalExpired; UnsafeRegistration where it is too late."""
    with transaction(pool) as connection:
        proposal = decide(connection, proposal_id, KINDS, Decision(status="approved", by=by, at=now))
        registration = read_registration(proposal.document)
        registration.check(known_scopes=known_scopes, now=now)
        clients.put_client(
            connection, registration, new_id=new_id, proposed_by=proposal.proposed_by, approved_by=by.name, now=now
        )
        note(connection, _line("client.approve", proposal))
    return proposal


def refuse(pool: Pool, proposal_id: UUID, *, by: Principal, reason: str, now: datetime) -> Proposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided, ProposalExpired."""
    with transaction(pool) as connection:
        proposal = decide(connection, proposal_id, KINDS, Decision(status="refused", by=by, at=now, reason=reason))
        note(connection, _line("client.refuse", proposal, reason=reason))
    return proposal


def read_registration(document: Mapping[str, Any]) -> Registration:
    lists = {name: tuple(document[name]) for name in ("scopes", "organisation_codes", "allowed_networks")}
    return Registration(**{**document, **lists, "expires_at": datetime.fromisoformat(document["expires_at"])})


def _line(action: str, proposal: Proposal, *, reason: str | None = None) -> Line:
    details = {
        "proposal": str(proposal.id),
        "scopes": " ".join(proposal.document["scopes"]),
        "organisations": " ".join(proposal.document["organisation_codes"]) or "everywhere",
    }
    return Line(
        action=action,
        object_type="machine_client",
        object_id=proposal.object_id,
        decision="allowed",
        reason=reason,
        details=details,
    )
