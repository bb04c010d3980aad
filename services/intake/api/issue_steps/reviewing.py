"""Routes of what others say of an issue: exclusion from assessment, supervision, escalation."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, model_validator

from services.intake.api.doors import answer, describe_step, doors
from services.intake.domain.commands.issue_steps import DecideExclusion, EscalateIssue, RequestExclusion, SuperviseIssue
from services.intake.domain.issues.reviewing import EscalationReason, SupervisionReason
from shared.access.principal import Principal
from shared.answers import GUARDED
from shared.edge import CodeText, LongText
from shared.http import Body, describe_body, parse_body, permit, told_as

router = APIRouter(prefix="/v1/issues", tags=["issues"])


class ExclusionBody(Body):
    reason_code: CodeText
    note: LongText | None = None


class ExclusionDecisionBody(Body):
    model_config = told_as(
        (
            {
                "required": ["reason_code"],
                "properties": {"decision": {"const": "exclude"}, "reason_code": {"type": "string"}},
            },
            {"properties": {"decision": {"const": "refuse"}, "reason_code": {"type": "null"}}},
        )
    )

    decision: Literal["exclude", "refuse"]
    reason_code: CodeText | None = None
    note: LongText | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if (self.decision == "exclude") != (self.reason_code is not None):
            raise ValueError("a reason_code belongs to leaving an issue out, and to nothing else")
        return self


class SupervisionBody(Body):
    reason_code: SupervisionReason
    note: LongText | None = None


class EscalationBody(Body):
    level: Annotated[int, Field(ge=1, le=9)]
    reason_code: EscalationReason
    organisation_code: CodeText | None = None
    note: LongText | None = None


@router.post("/{issue_id}/exclusions", responses=GUARDED, openapi_extra=describe_body(ExclusionBody))
async def request_exclusion(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.request_exclusion"))], issue_id: UUID
) -> Response:
    body = parse_body(ExclusionBody, await request.body())
    command = RequestExclusion(
        **await describe_step(request, principal, issue_id),
        reason_code=body.reason_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/exclusions/decision", responses=GUARDED, openapi_extra=describe_body(ExclusionDecisionBody))
async def decide_exclusion(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.decide_exclusion"))], issue_id: UUID
) -> Response:
    body = parse_body(ExclusionDecisionBody, await request.body())
    command = DecideExclusion(
        **await describe_step(request, principal, issue_id),
        reason_code=body.reason_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/supervisions", responses=GUARDED, openapi_extra=describe_body(SupervisionBody))
async def supervise_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.supervise"))], issue_id: UUID
) -> Response:
    body = parse_body(SupervisionBody, await request.body())
    command = SuperviseIssue(
        **await describe_step(request, principal, issue_id),
        reason_code=body.reason_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/escalations", responses=GUARDED, openapi_extra=describe_body(EscalationBody))
async def escalate_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.escalate"))], issue_id: UUID
) -> Response:
    body = parse_body(EscalationBody, await request.body())
    command = EscalateIssue(
        **await describe_step(request, principal, issue_id),
        level=body.level,
        reason_code=body.reason_code,
        organisation_code=body.organisation_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))
