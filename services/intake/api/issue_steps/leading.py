"""Routes of who leads an issue: dispatch, transfer and return, signature, objection, assisting units."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.doors import answer, describe_step, doors
from services.intake.domain.commands.issue_steps import (
    AssignIssue,
    DecideObjection,
    RaiseObjection,
    ReturnIssue,
    SetAssistingUnits,
    SignIssue,
)
from services.intake.domain.issues.leading import ObjectionReason
from shared.access.principal import Principal
from shared.answers import GUARDED
from shared.edge import CodeText, Instant, LongText
from shared.http import Body, describe_body, parse_body, permit

router = APIRouter(prefix="/v1/issues", tags=["issues"])


class AssignmentBody(Body):
    organisation_code: CodeText
    staff_number: CodeText | None = None
    kind: Literal["dispatch", "transfer", "redispatch"] | None = None
    reason_code: CodeText | None = None
    note: LongText | None = None


class ReturnBody(Body):
    reason_code: ObjectionReason
    note: LongText | None = None


class SignatureBody(Body):
    signed_at: Instant | None = None


class ObjectionBody(Body):
    reason_code: ObjectionReason
    note: LongText | None = None


class ObjectionDecisionBody(Body):
    decision: Literal["uphold", "dismiss"]
    note: LongText | None = None


class AssistingBody(Body):
    organisation_codes: Annotated[list[CodeText], Field(max_length=20)]


@router.post("/{issue_id}/assignments", responses=GUARDED, openapi_extra=describe_body(AssignmentBody))
async def assign_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.assign"))], issue_id: UUID
) -> Response:
    body = parse_body(AssignmentBody, await request.body())
    command = AssignIssue(
        **await describe_step(request, principal, issue_id),
        organisation_code=body.organisation_code,
        staff_number=body.staff_number,
        kind=body.kind,
        reason_code=body.reason_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/return", responses=GUARDED, openapi_extra=describe_body(ReturnBody))
async def return_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.object"))], issue_id: UUID
) -> Response:
    body = parse_body(ReturnBody, await request.body())
    command = ReturnIssue(
        **await describe_step(request, principal, issue_id),
        reason_code=body.reason_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/signature", responses=GUARDED, openapi_extra=describe_body(SignatureBody))
async def sign_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.work"))], issue_id: UUID
) -> Response:
    body = parse_body(SignatureBody, await request.body())
    command = SignIssue(
        **await describe_step(request, principal, issue_id),
        happened_at=body.signed_at,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/objections", responses=GUARDED, openapi_extra=describe_body(ObjectionBody))
async def object_to_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.object"))], issue_id: UUID
) -> Response:
    body = parse_body(ObjectionBody, await request.body())
    command = RaiseObjection(
        **await describe_step(request, principal, issue_id),
        reason_code=body.reason_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/objections/decision", responses=GUARDED, openapi_extra=describe_body(ObjectionDecisionBody))
async def decide_objection(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.decide_objection"))], issue_id: UUID
) -> Response:
    body = parse_body(ObjectionDecisionBody, await request.body())
    command = DecideObjection(
        **await describe_step(request, principal, issue_id),
        upheld=body.decision == "uphold",
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.put("/{issue_id}/assisting-units", responses=GUARDED, openapi_extra=describe_body(AssistingBody))
async def set_assisting_units(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.arrange"))], issue_id: UUID
) -> Response:
    body = parse_body(AssistingBody, await request.body())
    command = SetAssistingUnits(
        **await describe_step(request, principal, issue_id),
        assisting_codes=tuple(body.organisation_codes),
    )
    return answer(await doors(request).steps.submit(command))
