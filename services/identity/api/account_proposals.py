"""What waits for a second person before it is done to an account: who asked for what, and that person's word."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.identity.api import shapes
from services.identity.api.doors import AppDesk
from services.identity.handlers import agreements
from shared import proposals
from shared.access.principal import Principal
from shared.answers import Listing, shows
from shared.database import transaction
from shared.edge import ShortText
from shared.http import Body, describe_body, json_body, json_response, permit
from shared.proposals import Decision, Proposal, ProposalStatus

router = APIRouter()
Reading = Annotated[Principal, Depends(permit("account.read_proposals"))]
Deciding = Annotated[Principal, Depends(permit("account.decide"))]


class ReasonBody(Body):
    reason: ShortText


@router.get("/v1/account-proposals", responses=shows(Listing[shapes.AccountProposal]))
def list_account_proposals(
    _: Reading,
    desk: AppDesk,
    state: ProposalStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: UUID | None = None,
) -> Response:
    """The newest first. What is approved is done once whoever asked for it asks again, within seven days."""
    with transaction(desk.pool) as connection:
        found = proposals.list_proposals(
            connection, agreements.KINDS, status=state, before=before, limit=limit, now=datetime.now(UTC)
        )
    return json_response({"items": [show_proposal(one) for one in found]})


@router.post(
    "/v1/account-proposals/{proposal_id}/approve",
    responses=shows(shapes.AccountProposal) | shapes.CONTRADICTS,
)
def approve_account_proposal(proposal_id: UUID, by: Deciding, desk: AppDesk) -> Response:
    decision = Decision(status="approved", by=by, at=datetime.now(UTC))
    decided = agreements.decide(desk, proposal_id, decision)
    return json_response(show_proposal(decided))


@router.post(
    "/v1/account-proposals/{proposal_id}/refuse",
    responses=shows(shapes.AccountProposal) | shapes.CONTRADICTS,
    openapi_extra=describe_body(ReasonBody),
)
def refuse_account_proposal(
    proposal_id: UUID, by: Deciding, desk: AppDesk, body: Annotated[ReasonBody, Depends(json_body(ReasonBody))]
) -> Response:
    decision = Decision(status="refused", by=by, at=datetime.now(UTC), reason=body.reason)
    decided = agreements.decide(desk, proposal_id, decision)
    return json_response(show_proposal(decided))


def show_proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "account_id": proposal.object_id,
        "asked_for": proposal.document,
        "state": proposal.status,
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
        "reason": proposal.reason,
        "done_at": proposal.used_at,
    }
