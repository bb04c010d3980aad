"""Routes of issues and of the steps of their life."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.citizens import CitizenBody, read_citizen
from services.intake.api.doors import ANSWERS, answer, describe, describe_step, doors
from services.intake.api.fields import Instant
from services.intake.domain.commands.issue_steps import AssignIssue, CloseIssue, RespondToIssue
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.handlers import issues
from services.intake.handlers.texts import IssueRecord
from services.intake.settings import IntakeSettings
from shared.access.principal import Principal
from shared.answers import STEPS, shows
from shared.contracts.intake.issues import Channel, IssueOutcome, IssueType, Urgency
from shared.edge import CodeText, LongText, ShortText
from shared.http import Body, describe_body, json_response, parse_body, permit

router = APIRouter(prefix="/v1/issues", tags=["issues"])


class IssueBody(Body):
    id: UUID | None = None
    type: IssueType
    category: CodeText
    channel: Channel
    urgency: Urgency = "normal"
    title: ShortText
    description: LongText | None = None
    received_at: Instant | None = None
    due_at: Instant | None = None
    organisation_code: CodeText | None = None
    staff_number: CodeText | None = None
    contact_id: UUID | None = None
    citizen: CitizenBody | None = None
    subject_staff_number: CodeText | None = None  # the official whom the issue complains about


class AssignmentBody(Body):
    organisation_code: CodeText
    staff_number: CodeText | None = None


class ResponseBody(Body):
    responded_at: Instant | None = None


class ClosureBody(Body):
    outcome: IssueOutcome
    reply: LongText
    closed_at: Instant | None = None


@router.post("", status_code=201, responses=ANSWERS, openapi_extra=describe_body(IssueBody))
async def receive_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.receive"))]
) -> Response:
    body = parse_body(IssueBody, await request.body())
    command = command_of(body, await describe(request, principal, record_id=body.id), doors(request).settings)
    return answer(await doors(request).issues.submit(command), location=f"/v1/issues/{command.id}")


def command_of(body: IssueBody, told: dict[str, Any], settings: IntakeSettings) -> ReceiveIssue:
    """Raises NotValid."""
    return ReceiveIssue(
        **told,
        type=body.type,
        category=body.category,
        channel=body.channel,
        urgency=body.urgency,
        title=body.title,
        description=body.description,
        received_at=body.received_at,
        respond_within=settings.respond_within,
        due_at=body.due_at,
        organisation_code=body.organisation_code,
        staff_number=body.staff_number,
        contact_id=body.contact_id,
        citizen=read_citizen(body.citizen),
        subject_staff_number=body.subject_staff_number,
    )


@router.get("/{issue_id}", responses=shows(IssueRecord))
def get_issue(request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID) -> Response:
    return json_response(asdict(issues.get_issue(doors(request).pool, issue_id)))


@router.post("/{issue_id}/assignments", responses=STEPS, openapi_extra=describe_body(AssignmentBody))
async def assign_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.assign"))], issue_id: UUID
) -> Response:
    body = parse_body(AssignmentBody, await request.body())
    command = AssignIssue(
        **await describe_step(request, principal, issue_id),
        organisation_code=body.organisation_code,
        staff_number=body.staff_number,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/responses", responses=STEPS, openapi_extra=describe_body(ResponseBody))
async def respond_to_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.respond"))], issue_id: UUID
) -> Response:
    body = parse_body(ResponseBody, await request.body())
    command = RespondToIssue(**await describe_step(request, principal, issue_id), responded_at=body.responded_at)
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/closure", responses=STEPS, openapi_extra=describe_body(ClosureBody))
async def close_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.close"))], issue_id: UUID
) -> Response:
    body = parse_body(ClosureBody, await request.body())
    command = CloseIssue(
        **await describe_step(request, principal, issue_id),
        outcome=body.outcome,
        reply=body.reply,
        closed_at=body.closed_at,
    )
    return answer(await doors(request).steps.submit(command))
