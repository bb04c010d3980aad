"""Routes of how an issue ends: reply, closure, merger; and of what takes an ending back."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.doors import answer, describe_step, doors
from services.intake.domain.commands.issue_steps import CloseIssue, MergeIssue, OrderRedo, ReopenIssue, ReplyToIssue
from services.intake.domain.issues.ending import ClosureReason, RedoReason, ReopeningReason
from shared.access.principal import Principal
from shared.answers import GUARDED
from shared.contracts.intake.issues import IssueOutcome, ReplyMeans
from shared.edge import Instant, LongText
from shared.http import Body, describe_body, parse_body, permit

router = APIRouter(prefix="/v1/issues", tags=["issues"])


class ReplyBody(Body):
    text: LongText
    means: ReplyMeans
    replied_at: Instant | None = None


class ClosureBody(Body):
    outcome: IssueOutcome
    reply: LongText | None = None  # may be absent where the citizen was replied to already
    means: ReplyMeans | None = None
    reason_code: ClosureReason | None = None
    reply_to_merged: LongText | None = None
    closed_at: Instant | None = None


class MergeBody(Body):
    into_id: UUID
    reply: LongText  # to the citizen of the issue that ends
    means: ReplyMeans | None = None


class RedoBody(Body):
    reason_code: RedoReason
    note: LongText | None = None


class ReopeningBody(Body):
    reason_code: ReopeningReason
    asked_by: Literal["citizen", "clerk"]
    note: LongText | None = None


@router.post("/{issue_id}/replies", responses=GUARDED, openapi_extra=describe_body(ReplyBody))
async def reply_to_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.reply"))], issue_id: UUID
) -> Response:
    body = parse_body(ReplyBody, await request.body())
    command = ReplyToIssue(
        **await describe_step(request, principal, issue_id),
        text=body.text,
        means=body.means,
        happened_at=body.replied_at,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/closure", responses=GUARDED, openapi_extra=describe_body(ClosureBody))
async def close_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.close"))], issue_id: UUID
) -> Response:
    body = parse_body(ClosureBody, await request.body())
    command = CloseIssue(
        **await describe_step(request, principal, issue_id),
        outcome=body.outcome,
        reply=body.reply,
        means=body.means,
        reason_code=body.reason_code,
        reply_to_merged=body.reply_to_merged,
        closed_at=body.closed_at,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/merger", responses=GUARDED, openapi_extra=describe_body(MergeBody))
async def merge_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.close"))], issue_id: UUID
) -> Response:
    body = parse_body(MergeBody, await request.body())
    command = MergeIssue(
        **await describe_step(request, principal, issue_id),
        into_id=body.into_id,
        reply=body.reply,
        means=body.means,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/redos", responses=GUARDED, openapi_extra=describe_body(RedoBody))
async def order_redo(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.order_redo"))], issue_id: UUID
) -> Response:
    body = parse_body(RedoBody, await request.body())
    command = OrderRedo(
        **await describe_step(request, principal, issue_id),
        reason_code=body.reason_code,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))


@router.post("/{issue_id}/reopening", responses=GUARDED, openapi_extra=describe_body(ReopeningBody))
async def reopen_issue(
    request: Request, principal: Annotated[Principal, Depends(permit("issue.reopen"))], issue_id: UUID
) -> Response:
    body = parse_body(ReopeningBody, await request.body())
    command = ReopenIssue(
        **await describe_step(request, principal, issue_id),
        reason_code=body.reason_code,
        asked_by=body.asked_by,
        note=body.note,
    )
    return answer(await doors(request).steps.submit(command))
