"""Routes of what looks odd about contacts: the list that waits for a person and the decision."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.doors import answer, describe, doors
from services.intake.api.fields import Cursor, Limit
from services.intake.domain.commands.reviews import DecideReview, Decision, ReviewReason
from services.intake.handlers import reviews
from services.intake.storage.reviews import Review
from shared.access.principal import Principal
from shared.answers import STEPS, Page, shows
from shared.edge import LongText
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter(prefix="/v1", tags=["contacts"])


class DecisionBody(Body):
    decision: Decision
    reason_code: ReviewReason
    reason: LongText | None = None


@router.get("/contacts/reviews", responses=shows(Page[Review]))
def list_reviews(
    request: Request,
    _: Annotated[Principal, Depends(permit("contact.read_review"))],
    state: Literal["open", "decided"] = "open",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    found = reviews.list_reviews(doors(request).pool, is_open=state == "open", after=_after(cursor), limit=limit)
    last = found[-1] if len(found) == limit else None
    following = encode_cursor([last.noted_at.isoformat(), str(last.contact_id)]) if last is not None else None
    return json_response({"items": [asdict(one) for one in found], "next_cursor": following})


@router.post("/contacts/reviews/{contact_id}/decision", responses=STEPS, openapi_extra=describe_body(DecisionBody))
async def decide_review(
    request: Request, principal: Annotated[Principal, Depends(permit("contact.review"))], contact_id: UUID
) -> Response:
    body = parse_body(DecisionBody, await request.body())
    command = DecideReview(
        **await describe(request, principal, record_id=contact_id),
        decision=body.decision,
        reason_code=body.reason_code,
        reason=body.reason,
    )
    return answer(await doors(request).reviews.submit(command))


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Raises BadCursor."""
    if cursor is None:
        return None
    at, contact_id = decode_cursor(cursor, length=2)
    try:
        return datetime.fromisoformat(at or ""), UUID(contact_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None
