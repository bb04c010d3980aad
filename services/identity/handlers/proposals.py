"""What one person asks for and another one decides: of machine clients and of accounts alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.identity.storage import proposals as storage
from services.identity.storage.proposals import Proposal, ProposalKind, ProposalStatus
from shared.access.principal import Principal
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, NotFound


class UnknownProposal(NotFound):
    code = "unknown-proposal"


class OwnProposal(Conflict):
    """The second person must be another one, whichever account they act by."""

    code = "own-proposal"


class AlreadyDecided(Conflict):
    code = "already-decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The second person's word."""

    status: ProposalStatus
    by: Principal
    at: datetime
    reason: str | None = None


def decide(connection: Connection, proposal_id: UUID, kinds: Sequence[ProposalKind], decision: Decision) -> Proposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided."""
    proposal = storage.lock_proposal(connection, proposal_id)
    if proposal is None or proposal.kind not in kinds:
        raise UnknownProposal("there is no such proposal")
    if proposal.status != "open":
        raise AlreadyDecided(f"it was {proposal.status} before")
    if proposal.proposer_person_id == decision.by.person_id:
        raise OwnProposal("whoever proposed it cannot decide it too")
    decided = replace(
        proposal,
        status=decision.status,
        decided_by=decision.by.name,
        decider_person_id=decision.by.person_id,
        decided_at=decision.at,
        reason=decision.reason,
    )
    storage.set_decided(connection, decided)
    return decided


def list_proposals(
    pool: Pool, kinds: Sequence[ProposalKind], *, status: ProposalStatus | None, before: UUID | None, limit: int
) -> list[Proposal]:
    with transaction(pool) as connection:
        return storage.list_proposals(connection, kinds, status=status, before=before, limit=limit)
