"""Routes of what cadre files told: careers, and who the persons of such files may be."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from services.intake.api.doors import answer, describe, doors
from services.intake.api.fields import Cursor, Limit
from services.intake.domain.commands.rosters import DecideCandidate
from services.intake.handlers import careers, roster_persons
from services.intake.handlers.careers import ShownCareer
from services.intake.handlers.roster_persons import ShownCandidate
from shared.access.principal import Principal
from shared.answers import STEPS, Page, shows
from shared.edge import CodeText
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

PathCode = Annotated[CodeText, Path()]

router = APIRouter(prefix="/v1", tags=["registers"])


class CandidateBody(Body):
    decision: Literal["same", "another"]


@router.get("/cadres/{staff_number}/career", responses=shows(ShownCareer))
def read_career(
    request: Request, _: Annotated[Principal, Depends(permit("career.read"))], staff_number: PathCode
) -> Response:
    """Ranks, results of annual appraisals and lines of the CV, as cadre files told them; the posts are the cadre's."""
    return json_response(asdict(careers.read_career(doors(request).pool, staff_number)))


@router.get("/roster-candidates", responses=shows(Page[ShownCandidate]))
def list_candidates(
    request: Request,
    _: Annotated[Principal, Depends(permit("roster.read_candidates"))],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Who the persons of cadre files may be that nobody has matched yet: each a guess for a person to decide on."""
    found = roster_persons.list_candidates(doors(request).pool, after=_after(cursor), limit=limit)
    last = found[-1] if len(found) == limit else None
    following = encode_cursor([last.suggested_at.isoformat(), str(last.id)]) if last is not None else None
    return json_response({"items": [asdict(one) for one in found], "next_cursor": following})


@router.post("/roster-candidates/{candidate_id}/decision", responses=STEPS, openapi_extra=describe_body(CandidateBody))
async def decide_candidate(
    request: Request, principal: Annotated[Principal, Depends(permit("roster.match"))], candidate_id: UUID
) -> Response:
    """Whoever is the `same` is matched: the next import of the file takes over what it tells of the person."""
    body = parse_body(CandidateBody, await request.body())
    command = DecideCandidate(
        **await describe(request, principal, record_id=candidate_id), is_same=body.decision == "same"
    )
    return answer(await doors(request).candidates.submit(command))


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Raises BadCursor."""
    if cursor is None:
        return None
    at, candidate_id = decode_cursor(cursor, length=2)
    try:
        return datetime.fromisoformat(at or ""), UUID(candidate_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None
