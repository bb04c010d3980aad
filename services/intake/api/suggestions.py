"""Routes of what becomes of suggestions."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.doors import answer, describe, doors
from services.intake.domain.commands.suggestions import DecideSuggestion
from services.intake.domain.consultations import Decision
from services.intake.handlers import suggestions
from services.intake.handlers.suggestions import ShownDecision
from shared.access.principal import Principal
from shared.answers import STEPS, shows
from shared.edge import Instant, LongText
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.identifiers import new_id

router = APIRouter(prefix="/v1/issues/{issue_id}/adoption", tags=["issues"])


class AdoptionBody(Body):
    adoption: Decision
    explanation: LongText
    decided_at: Instant | None = None


@router.put("", responses=STEPS, openapi_extra=describe_body(AdoptionBody))
async def decide_suggestion(
    request: Request, principal: Annotated[Principal, Depends(permit("suggestion.decide"))], issue_id: UUID
) -> Response:
    """Say once whether the suggestion is adopted, and why. The citizen is told by a reply."""
    body = parse_body(AdoptionBody, await request.body())
    command = DecideSuggestion(
        **await describe(request, principal, record_id=issue_id),
        decision_id=new_id(),
        adoption=body.adoption,
        explanation=body.explanation,
        decided_by=principal.account_id,
        decided_at=body.decided_at,
    )
    return answer(await doors(request).adoptions.submit(command))


@router.get("", responses=shows(ShownDecision))
def get_decision(request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID) -> Response:
    return json_response(asdict(suggestions.get_decision(doors(request).pool, issue_id)))
