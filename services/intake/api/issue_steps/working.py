"""Routes of the work on an issue: first contact, start, pauses, urgency, a later deadline."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.doors import answer, describe_step, doors
from services.intake.domain.commands.issue_steps import (
    DecideExtension,
    PauseIssue,
    RequestExtension,
    RespondToIssue,
    ResumeIssue,
    SetUrgency,
    StartIssue,
)
from services.intake.domain.issues.working import ExtensionReason, PauseReason, UrgencyReason
from shared.access.principal import Principal
from shared.answers import GUARDED
from shared.contracts.intake.issues import Urgency
from shared.edge import Instant, LongText
from shared.http import Body, describe_body, parse_body, permit

router = APIRouter(prefix="/v1/issues", tags=["issues"])


class ResponseBody(Body):
    responded_at: Instant | None = None


class StartBody(Body):
    started_at: Instant | None = None


class PauseBody(Body):
    reason_code: PauseReason
    paused_at: Instant | None = None
    note: LongText | None = None


class ResumptionBody(Body):
    resumed_at: Instant | None = None


class UrgencyBody(Body):
    urgency: Urgency
    reason_code: UrgencyReason


class ExtensionBody(Body):
    due_at: Instant
    reason_code: ExtensionReason
    note: LongText | None = None


class ExtensionDecisionBody(Body):
    decision: Literal["grant", "refuse"]
    note: LongText | None = None


@router.post("/{issue_id}/responses", responses=GUARDED, openapi_extra=describe_body(ResponseBody))
async def respond_to_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.respond"))], issue_id: UUID
) -> Response:
    body = parse_body(ResponseBody, await request.body())
    command = RespondToIssue(
        **await describe_step(request, principal, issue_id),
        responded_at=body.responded_at,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/start", responses=GUARDED, openapi_extra=describe_body(StartBody))
async def start_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.work"))], issue_id: UUID
) -> Response:
    body = parse_body(StartBody, await request.body())
    command = StartIssue(
        **await describe_step(request, principal, issue_id),
        happened_at=body.started_at,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/pauses", responses=GUARDED, openapi_extra=describe_body(PauseBody))
async def pause_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.work"))], issue_id: UUID
) -> Response:
    body = parse_body(PauseBody, await request.body())
    command = PauseIssue(
        **await describe_step(request, principal, issue_id),
        reason_code=body.reason_code,
        happened_at=body.paused_at,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/resumption", responses=GUARDED, openapi_extra=describe_body(ResumptionBody))
async def resume_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.work"))], issue_id: UUID
) -> Response:
    body = parse_body(ResumptionBody, await request.body())
    command = ResumeIssue(
        **await describe_step(request, principal, issue_id),
        happened_at=body.resumed_at,
    )
    return answer(await doors(request).steps.submit(command))


@router.put("/{issue_id}/urgency", responses=GUARDED, openapi_extra=describe_body(UrgencyBody))
async def set_urgency(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.arrange"))], issue_id: UUID
) -> Response:
    body = parse_body(UrgencyBody, await request.body())
    command = SetUrgency(
        **await describe_step(request, principal, issue_id),
        urgency=body.urgency,
        reason_code=body.reason_code,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/extensions", responses=GUARDED, openapi_extra=describe_body(ExtensionBody))
async def request_extension(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.request_extension"))], issue_id: UUID
) -> Response:
    body = parse_body(ExtensionBody, await request.body())
    command = RequestExtension(
        **await describe_step(request, principal, issue_id),
        due_at=body.due_at,
        reason_code=body.reason_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/extensions/decision", responses=GUARDED, openapi_extra=describe_body(ExtensionDecisionBody))
async def decide_extension(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.decide_extension"))], issue_id: UUID
) -> Response:
    body = parse_body(ExtensionDecisionBody, await request.body())
    command = DecideExtension(
        **await describe_step(request, principal, issue_id),
        granted=body.decision == "grant",
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))
