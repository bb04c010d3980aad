"""Routes behind the citizen's shield: showing, restricting and erasing citizens, and their own access to their data."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, model_validator

from services.intake.api.doors import doors
from services.intake.api.repeats import Keyed
from services.intake.domain.citizens import IdKind
from services.intake.handlers import disclosures, proposals, reveals
from services.intake.handlers.reveals import Reason, ReasonCode, RevealedCitizen
from services.intake.storage import proposals as storage
from services.intake.storage.disclosures import DisclosedContact, DisclosedHousehold, DisclosedRating
from shared.access.principal import Principal
from shared.answers import Listing, Shown, refuses, shows
from shared.conditions import tagged
from shared.database import Pool
from shared.edge import Day, ShortText
from shared.http import Body, describe_body, json_body, json_response, permit, told_as
from shared.identifiers import new_id

router = APIRouter(tags=["citizens"])
SomeIssues = Annotated[list[UUID], Field(min_length=1, max_length=proposals.MOST_ISSUES)]


class RevealBody(Body):
    reason_code: ReasonCode
    reason: ShortText


class ProposalBody(Body):
    """Either a list of issues whose citizens are to be shown, or one citizen to restrict, free or erase."""

    model_config = told_as(
        (
            {
                "required": ["issue_ids"],
                "properties": {
                    "kind": {"const": "reveal"},
                    "issue_ids": {"type": "array"},
                    "citizen_ref": {"type": "null"},
                },
            },
            {
                "required": ["citizen_ref"],
                "properties": {
                    "kind": {"enum": ["restrict", "lift", "erase"]},
                    "issue_ids": {"type": "null"},
                    "citizen_ref": {"type": "string"},
                },
            },
        )
    )

    kind: Literal["reveal", "restrict", "lift", "erase"]
    reason_code: ReasonCode
    reason: ShortText
    citizen_ref: UUID | None = None
    issue_ids: SomeIssues | None = None
    review_on: Day | None = None

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        if (self.kind == "reveal") != (self.issue_ids is not None):
            raise ValueError("issue_ids belong to a reveal, and to nothing else")
        if (self.kind == "reveal") != (self.citizen_ref is None):
            raise ValueError("a citizen_ref belongs to everything but a reveal")
        return self


class DecisionBody(Body):
    decision: Literal["approve", "refuse"]


class ProposalState(Shown):
    id: UUID
    state: Literal["open", "approved", "refused"]


class DisclosedCitizen(Shown):
    """`withheld`: other records, out of the officer's reach, tell more of the citizen than is shown."""

    name: str | None
    phone: str | None
    id_number: str | None
    id_kind: IdKind | None
    address: str | None
    recorded_at: datetime
    withheld: bool


class DisclosedIssue(Shown):
    id: UUID
    type: str
    category: str
    channel: str
    title: str | None
    description: str | None
    reply: str | None
    received_at: datetime
    status: str
    closed_at: datetime | None
    outcome: str | None


class DisclosedData(Shown):
    citizen: DisclosedCitizen
    issues: list[DisclosedIssue]
    contacts: list[DisclosedContact]
    ratings: list[DisclosedRating]
    households: list[DisclosedHousehold]


class ShownProposal(Shown):
    id: UUID
    kind: storage.ProposalKind
    citizen_ref: UUID | None
    issue_ids: list[UUID]
    reason_code: str
    reason: str | None
    review_on: date | None
    proposed_at: datetime
    state: storage.ProposalState
    decided_at: datetime | None
    finished_at: datetime | None
    outcome_code: str | None


@router.post(
    "/v1/issues/{issue_id}/citizen/reveal", responses=shows(RevealedCitizen), openapi_extra=describe_body(RevealBody)
)
def reveal_citizen(
    principal: Annotated[Principal, Depends(permit("citizen.reveal"))],
    once: Keyed,
    issue_id: UUID,
    body: Annotated[RevealBody, Depends(json_body(RevealBody))],
) -> Response:
    reason = Reason(code=body.reason_code, text=body.reason)

    def reveal(pool: Pool, *, is_repeat: bool = False) -> Response:
        now = datetime.now(UTC)
        shown = reveals.reveal_citizen(pool, issue_id, reason, principal, now=now, is_repeat=is_repeat)
        return json_response(asdict(shown))

    return once.run(reveal, again=partial(reveal, is_repeat=True))  # nobody's name is kept for an answer


@router.post(
    "/v1/citizen-proposals",
    status_code=201,
    responses=shows(ProposalState, status=201, headers=("Location",)) | refuses(404, 409),
    openapi_extra=describe_body(ProposalBody),
)
def propose(
    principal: Annotated[Principal, Depends(permit("citizen.propose"))],
    once: Keyed,
    body: Annotated[ProposalBody, Depends(json_body(ProposalBody))],
) -> Response:
    wanted = proposals.Wanted(
        id=new_id(),
        kind=body.kind,
        reason=Reason(code=body.reason_code, text=body.reason),
        citizen_ref=body.citizen_ref,
        issue_ids=tuple(body.issue_ids or ()),
        review_on=body.review_on,
    )

    def propose_once(pool: Pool) -> Response:
        proposals.propose(pool, wanted, principal, now=datetime.now(UTC))
        location = {"Location": f"/v1/citizen-proposals/{wanted.id}"}
        return json_response({"id": wanted.id, "state": "open"}, status=201, headers=location)

    return once.run(propose_once)


@router.get("/v1/citizen-proposals/{proposal_id}", responses=shows(ShownProposal, headers=("ETag",)))
def get_proposal(
    request: Request, _: Annotated[Principal, Depends(permit("citizen.read_proposal"))], proposal_id: UUID
) -> Response:
    proposal, reason = proposals.get_proposal(doors(request).pool, proposal_id)
    return tagged(
        request,
        {
            "id": proposal.id,
            "kind": proposal.kind,
            "citizen_ref": proposal.citizen_ref,
            "issue_ids": proposal.issue_ids,
            "reason_code": proposal.reason_code,
            "reason": reason,
            "review_on": proposal.review_on,
            "proposed_at": proposal.proposed_at,
            "state": proposal.state,
            "decided_at": proposal.decided_at,
            "finished_at": proposal.finished_at,
            "outcome_code": proposal.outcome_code,
        },
    )


@router.post(
    "/v1/citizen-proposals/{proposal_id}/decision",
    responses=shows(ProposalState) | refuses(409),
    openapi_extra=describe_body(DecisionBody),
)
def decide(
    principal: Annotated[Principal, Depends(permit("citizen.decide"))],
    once: Keyed,
    proposal_id: UUID,
    body: Annotated[DecisionBody, Depends(json_body(DecisionBody))],
) -> Response:
    approve = body.decision == "approve"

    def decide_once(pool: Pool) -> Response:
        proposals.decide_proposal(pool, proposal_id, principal, approve=approve, now=datetime.now(UTC))
        return json_response({"id": proposal_id, "state": "approved" if approve else "refused"})

    return once.run(decide_once)


@router.post("/v1/citizen-proposals/{proposal_id}/result", responses=shows(Listing[RevealedCitizen]) | refuses(409))
def fetch_result(
    request: Request, principal: Annotated[Principal, Depends(permit("citizen.reveal_many"))], proposal_id: UUID
) -> Response:
    shown = reveals.fetch_revealed(doors(request).pool, proposal_id, principal, now=datetime.now(UTC))
    return json_response({"items": [asdict(citizen) for citizen in shown]})


@router.get("/v1/citizens/{citizen_ref}/export", responses=shows(DisclosedData))
def disclose(
    request: Request, _: Annotated[Principal, Depends(permit("citizen.disclose"))], citizen_ref: UUID
) -> Response:
    return json_response(asdict(disclosures.disclose(doors(request).pool, citizen_ref)))
