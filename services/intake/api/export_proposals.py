"""Routes of exports that need a second person: asking, deciding, fetching."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import StreamingResponse

from services.intake.api.doors import doors
from services.intake.api.exports import FILES, send_file
from services.intake.api.fields import Cursor, Limit
from services.intake.api.proposals import (
    AskedState,
    DecidedProposal,
    ProposalDecisionBody,
    read_decision,
    read_place,
    show_page,
    show_proposal,
)
from services.intake.api.repeats import Keyed
from services.intake.exporting import Format
from services.intake.handlers import export_proposals
from shared.access.principal import Principal
from shared.answers import Page, gives, refuses, shows
from shared.database import Pool
from shared.edge import CodeText, ShortText
from shared.http import Body, describe_body, json_body, json_response, permit
from shared.identifiers import new_id
from shared.proposals import Proposal

router = APIRouter(prefix="/v1/export-proposals", tags=["registers"])


class ExportProposalBody(Body):
    register_name: CodeText
    format: Format = "csv"
    organisation_code: CodeText | None = None  # with all below it; needed unless the account acts everywhere
    purpose: ShortText


class ExportProposal(DecidedProposal):
    """`rows` is how many there were when it was asked for: a file has hardly more of them."""

    register_name: str
    format: Format
    organisation_code: str | None
    rows: int
    purpose: str | None


@router.post(
    "",
    status_code=201,
    responses=shows(ExportProposal, status=201, headers=("Location",)) | refuses(_404="There is no such register."),
    openapi_extra=describe_body(ExportProposalBody),
)
def propose_export(
    principal: Annotated[Principal, Depends(permit("register.propose_export"))],
    once: Keyed,
    body: Annotated[ExportProposalBody, Depends(json_body(ExportProposalBody))],
) -> Response:
    """Ask for more rows about people than one person carries out alone."""
    wanted = export_proposals.Wanted(
        register=body.register_name, format=body.format, organisation_code=body.organisation_code, purpose=body.purpose
    )

    def propose(pool: Pool) -> Response:
        asked = export_proposals.propose(pool, wanted, by=principal, proposal_id=new_id(), now=datetime.now(UTC))
        return json_response(_show(asked), status=201, headers={"Location": f"/v1/export-proposals/{asked.id}"})

    return once.run(propose)


@router.get("", responses=shows(Page[ExportProposal]))
def list_export_proposals(
    request: Request,
    _: Annotated[Principal, Depends(permit("register.read_export_proposals"))],
    state: AskedState = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The newest first."""
    found = export_proposals.list_proposals(
        doors(request).pool, status=state, before=read_place(cursor), limit=limit, now=datetime.now(UTC)
    )
    return json_response(show_page([_show(proposal) for proposal in found], limit))


@router.get("/{proposal_id}", responses=shows(ExportProposal))
def get_export_proposal(
    request: Request, _: Annotated[Principal, Depends(permit("register.read_export_proposals"))], proposal_id: UUID
) -> Response:
    return json_response(_show(export_proposals.get_proposal(doors(request).pool, proposal_id, now=datetime.now(UTC))))


@router.post(
    "/{proposal_id}/decision",
    responses=shows(ExportProposal) | refuses(_409="Decided before, expired, or one's own."),
    openapi_extra=describe_body(ProposalDecisionBody),
)
def decide_export_proposal(
    principal: Annotated[Principal, Depends(permit("register.decide_export"))],
    once: Keyed,
    proposal_id: UUID,
    body: Annotated[ProposalDecisionBody, Depends(json_body(ProposalDecisionBody))],
) -> Response:
    decision = read_decision(body, principal, datetime.now(UTC))
    return once.run(lambda pool: json_response(_show(export_proposals.decide(pool, proposal_id, decision))))


@router.post(
    "/{proposal_id}/result",
    response_class=StreamingResponse,
    responses=gives(200, description="The register as a file, once.", content=FILES)
    | refuses(_409="Not agreed to, fetched before, or agreed to more than three days ago."),
)
def fetch_export(
    request: Request,
    principal: Annotated[Principal, Depends(permit("register.disclose_approved"))],
    proposal_id: UUID,
) -> Response:
    """For whoever asked, within three days of the agreement."""
    now = datetime.now(UTC)
    asked, file = export_proposals.fetch(doors(request).pool, proposal_id, by=principal, now=now)
    return send_file(asked, file, now=now)


def _show(proposal: Proposal) -> dict[str, Any]:
    return {
        **show_proposal(proposal),
        "register_name": proposal.object_id,
        "organisation_code": proposal.organisation_code,
        **proposal.document,
    }
