"""Routes of issues: receiving one, and looking at it. The steps of its life are in issue_steps."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.intake.api.citizens import CitizenBody, read_citizen
from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Cursor, Limit
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.issues.life import State
from services.intake.handlers import issues, likeness, responsibility, worklist
from services.intake.handlers.issue_steps import log
from services.intake.handlers.issue_steps.log import StepRecord
from services.intake.handlers.likeness import LikelyDuplicate
from services.intake.handlers.responsibility import ShownLedger
from services.intake.handlers.texts import IssueRecord
from services.intake.handlers.worklist import WorklistItem
from services.intake.settings import IntakeSettings
from services.intake.storage.worklist import Wanted
from shared.access.principal import Principal
from shared.answers import Listing, Page, shows
from shared.conditions import tagged
from shared.contracts.intake.issues import Channel, IssueType, Urgency
from shared.edge import CodeText, Instant, LongText, ShortText
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

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


class ListQuery(BaseModel):
    """`organisation_code` stands for the unit with everything below it."""

    model_config = ConfigDict(extra="forbid")

    status: State | None = None
    is_open: bool | None = None
    organisation_code: CodeText | None = None
    staff_number: CodeText | None = None
    category: CodeText | None = None
    type: IssueType | None = None
    urgency: Urgency | None = None
    overdue: bool | None = None
    problem: bool | None = None
    updated_since: Instant | None = None
    cursor: Cursor = None
    limit: Limit = 50


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


@router.get("", responses=shows(Page[WorklistItem]))
def list_issues(
    request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], query: Annotated[ListQuery, Query()]
) -> Response:
    """Oldest first; with `updated_since`, in the order of their changes, the last of which may be shown again."""
    after_at, after_id = _read_cursor(query)
    asked = query.model_dump(exclude={"cursor"})
    wanted = Wanted(**asked, now=datetime.now(UTC), after_at=after_at, after_id=after_id)
    page = worklist.list_issues(doors(request).pool, wanted)
    following = None
    if page.next_at is not None:
        following = encode_cursor([wanted.order, page.next_at.isoformat(), str(page.next_id)])
    return json_response({"items": [asdict(item) for item in page.items], "next_cursor": following})


def _read_cursor(query: ListQuery) -> tuple[datetime | None, UUID | None]:
    """Raises BadCursor."""
    if query.cursor is None:
        return None, None
    order, at, issue_id = decode_cursor(query.cursor, length=3)
    if order != ("received_at" if query.updated_since is None else "updated_at"):
        raise BadCursor("the cursor belongs to another list")
    try:
        instant = datetime.fromisoformat(at or "")
        if instant.tzinfo is None:
            raise BadCursor("the cursor is not one of ours")
        return instant, UUID(issue_id)
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None


@router.get("/{issue_id}", responses=shows(IssueRecord, headers=("ETag",)))
def get_issue(request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID) -> Response:
    issue = issues.get_issue(doors(request).pool, issue_id)
    return tagged(request, issue, version=issue.version)


@router.get("/{issue_id}/duplicates", responses=shows(Listing[LikelyDuplicate]))
def list_duplicates(
    request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID
) -> Response:
    """Issues of the last ninety days that may be the same, by text and place: for a person to look at, and to merge."""
    found = likeness.list_duplicates(doors(request).pool, issue_id)
    return json_response({"items": [asdict(one) for one in found]})


@router.get("/{issue_id}/responsibility", responses=shows(ShownLedger))
def get_responsibility(
    request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID
) -> Response:
    """Who answers for an issue, and for how much of it, slice by slice of its time."""
    shown = responsibility.get_responsibility(doors(request).pool, issue_id, now=datetime.now(UTC))
    return json_response(asdict(shown))


@router.get("/{issue_id}/steps", responses=shows(Listing[StepRecord]))
def list_steps(request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID) -> Response:
    """What became of an issue, step by step: who, when, why, and when that was recorded."""
    return json_response({"items": [asdict(step) for step in log.list_steps(doors(request).pool, issue_id)]})
