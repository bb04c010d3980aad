"""Agreements with other systems, for the people who propose, decide, end and audit them."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.notify.api.paging import Cursor, Limit, page, read_id
from services.notify.domain.agreements import Agreement, AgreementStatus, Content, Terms
from services.notify.handlers import agreements
from shared.access.principal import Principal
from shared.answers import Page, refuses, shows
from shared.conditions import tagged
from shared.edge import CodeText, Instant, ShortText
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit
from shared.identifiers import new_id

router = APIRouter(prefix="/v1/agreements", tags=["agreements"])
Proposing = Annotated[Principal, Depends(permit("agreement.propose"))]
Deciding = Annotated[Principal, Depends(permit("agreement.decide"))]
Ending = Annotated[Principal, Depends(permit("agreement.end"))]
Reading = Annotated[Principal, Depends(permit("agreement.read"))]


class AgreementBody(Body):
    """Without types it covers all that are open to partners, without an organisation everything.

    `client_id` is the machine client that may read the feed under it and keep endpoints of its own.
    """

    number: CodeText
    partner: ShortText
    client_id: Annotated[CodeText, Field(min_length=3)] | None = None
    event_types: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=200)] = ()
    organisation_id: UUID | None = None
    content: Content = "ids"
    valid_from: Instant
    valid_until: Instant


class ReasonBody(Body):
    reason: ShortText


@router.post(
    "",
    status_code=201,
    openapi_extra=describe_body(AgreementBody),
    responses=shows(Agreement, status=201) | refuses(_409="There is an agreement of that number."),
)
def post_agreement(
    by: Proposing, pool: AppPool, body: Annotated[AgreementBody, Depends(json_body(AgreementBody))]
) -> Response:
    """Propose an agreement. It covers nothing until another person agrees to it."""
    terms = Terms(**body.model_dump())
    made = agreements.propose_agreement(pool, terms, by=by, new_id=new_id(), now=datetime.now(UTC))
    return json_response(made, status=201)


@router.post("/{agreement_id}/approve", responses=shows(Agreement) | refuses(409))
def approve_agreement(agreement_id: UUID, by: Deciding, pool: AppPool) -> Response:
    """Agree, as somebody else than whoever proposed it."""
    return json_response(agreements.decide_agreement(pool, agreement_id, "agreed", by=by, now=datetime.now(UTC)))


@router.post(
    "/{agreement_id}/refuse",
    openapi_extra=describe_body(ReasonBody),
    responses=shows(Agreement) | refuses(409),
)
def refuse_agreement(
    agreement_id: UUID, by: Deciding, pool: AppPool, body: Annotated[ReasonBody, Depends(json_body(ReasonBody))]
) -> Response:
    """Refuse it, with a reason."""
    decided = agreements.decide_agreement(
        pool, agreement_id, "refused", by=by, reason=body.reason, now=datetime.now(UTC)
    )
    return json_response(decided)


@router.post("/{agreement_id}/end", openapi_extra=describe_body(ReasonBody), responses=shows(Agreement))
def end_agreement(
    agreement_id: UUID, _: Ending, pool: AppPool, body: Annotated[ReasonBody, Depends(json_body(ReasonBody))]
) -> Response:
    """From now on nothing more is told under it. A repeat changes nothing."""
    return json_response(agreements.end_agreement(pool, agreement_id, reason=body.reason, now=datetime.now(UTC)))


@router.get("", responses=shows(Page[Agreement]))
def list_agreements(
    _: Reading, pool: AppPool, state: AgreementStatus | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The newest first. A machine client sees those with itself."""
    found = agreements.list_agreements(pool, status=state, before=read_id(cursor), limit=limit + 1)
    shown, next_cursor = page(found, limit, [str(item.id) for item in found])
    return json_response({"items": shown, "next_cursor": next_cursor})


@router.get("/{agreement_id}", responses=shows(Agreement, headers=("ETag",)))
def get_agreement(request: Request, agreement_id: UUID, _: Reading, pool: AppPool) -> Response:
    return tagged(request, agreements.get_agreement(pool, agreement_id))
