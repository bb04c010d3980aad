"""Routes of whether a rating counts, and of what raters said in own words."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.doors import doors
from services.intake.api.fields import Cursor, Limit
from services.intake.api.paging import Place, page, place_after
from services.intake.api.ratings import CommentText
from services.intake.api.repeats import Keyed
from services.intake.domain.ratings import RatingState
from services.intake.handlers import rating_cases, rating_comments
from services.intake.handlers.rating_cases import OpenedCase, ReasonCode, RequestedKind, Why
from services.intake.storage.rating_cases import CaseKind, CaseState, Decision
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.conditions import read_expected
from shared.database import Pool
from shared.edge import ShortText
from shared.http import Body, describe_body, json_body, json_response, permit

router = APIRouter(tags=["rating reviews"])


class CaseBody(Body):
    kind: RequestedKind
    reason_code: ReasonCode
    reason: ShortText


class CaseDecisionBody(Body):
    decision: Decision
    reason_code: ReasonCode
    reason: ShortText


class ParaphraseBody(Body):
    paraphrase: CommentText


class MadeCase(Shown):
    id: UUID
    state: Literal["open"]


class DecidedCase(Shown):
    id: UUID
    state: Literal["decided"]
    rating_state: RatingState


class ShownCase(Shown):
    id: UUID
    at: datetime
    rating_id: UUID
    kind: CaseKind
    state: CaseState
    signals: list[str]
    rules: str | None
    reason_code: str | None
    reason: str | None
    decision: Decision | None
    decision_code: str | None
    decision_reason: str | None
    decided_at: datetime | None


class ShownComment(Shown):
    """`id` is the rating's. `version` may be sent back in If-Match with a paraphrase."""

    id: UUID
    at: datetime
    text: str | None
    paraphrase: str | None
    version: int


class TurnedComment(Shown):
    rating_id: UUID
    is_accusation: bool


class Paraphrased(Shown):
    rating_id: UUID
    status: Literal["changed"]


@router.post(
    "/v1/ratings/{rating_id}/cases",
    status_code=201,
    responses=shows(MadeCase, status=201, headers=("Location",))
    | refuses(_409="A case about the rating is open, or it is in no state for that."),
    openapi_extra=describe_body(CaseBody),
)
def open_case(
    principal: Annotated[Principal, Depends(permit("rating_case.open"))],
    once: Keyed,
    rating_id: UUID,
    body: Annotated[CaseBody, Depends(json_body(CaseBody))],
) -> Response:
    """Ask for a rating to be taken out, or to be put back in. Somebody else decides."""
    why = Why(code=body.reason_code, text=body.reason)

    def open_once(pool: Pool) -> Response:
        case_id = rating_cases.open_case(pool, rating_id, body.kind, why, principal, now=datetime.now(UTC))
        location = {"Location": f"/v1/rating-cases/{case_id}"}
        return json_response({"id": case_id, "state": "open"}, status=201, headers=location)

    return once.run(open_once)


@router.get("/v1/rating-cases", responses=shows(Page[ShownCase]))
def list_cases(
    request: Request,
    _: Annotated[Principal, Depends(permit("rating_case.read"))],
    state: CaseState = "open",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The oldest first."""
    cases = rating_cases.list_cases(doors(request).pool, state, after=place_after(cursor), limit=limit)
    return page([_shape(case) for case in cases], limit)


@router.get("/v1/rating-cases/{case_id}", responses=shows(ShownCase))
def get_case(request: Request, _: Annotated[Principal, Depends(permit("rating_case.read"))], case_id: UUID) -> Response:
    return json_response(_shape(rating_cases.get_case(doors(request).pool, case_id)))


@router.post(
    "/v1/rating-cases/{case_id}/decision",
    responses=shows(DecidedCase) | refuses(_409="It is decided, or another person has to decide."),
    openapi_extra=describe_body(CaseDecisionBody),
)
def decide_case(
    principal: Annotated[Principal, Depends(permit("rating_case.decide"))],
    once: Keyed,
    case_id: UUID,
    body: Annotated[CaseDecisionBody, Depends(json_body(CaseDecisionBody))],
) -> Response:
    why = Why(code=body.reason_code, text=body.reason)

    def decide(pool: Pool) -> Response:
        state = rating_cases.decide_case(pool, case_id, body.decision, why, principal, now=datetime.now(UTC))
        return json_response({"id": case_id, "state": "decided", "rating_state": state})

    return once.run(decide)


@router.get("/v1/rating-comments", responses=shows(Page[ShownComment]))
def list_comments(
    request: Request,
    _: Annotated[Principal, Depends(permit("rating_comment.read"))],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What raters said, without accusations."""
    return _comments(request, after=place_after(cursor), limit=limit, is_accusation=False)


@router.get("/v1/rating-accusations", responses=shows(Page[ShownComment]))
def list_accusations(
    request: Request,
    _: Annotated[Principal, Depends(permit("rating_comment.read_accusations"))],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The restricted queue: comments that accuse somebody, by a word of the list or because somebody said so."""
    return _comments(request, after=place_after(cursor), limit=limit, is_accusation=True)


@router.post("/v1/rating-comments/{rating_id}/accusation", responses=shows(TurnedComment))
def flag_comment(
    principal: Annotated[Principal, Depends(permit("rating_comment.flag"))], once: Keyed, rating_id: UUID
) -> Response:
    def flag(pool: Pool) -> Response:
        rating_comments.flag_comment(pool, rating_id, principal)
        return json_response({"rating_id": rating_id, "is_accusation": True})

    return once.run(flag)


@router.delete("/v1/rating-comments/{rating_id}/accusation", responses=shows(TurnedComment))
def clear_comment(
    request: Request, principal: Annotated[Principal, Depends(permit("rating_comment.clear"))], rating_id: UUID
) -> Response:
    rating_comments.clear_comment(doors(request).pool, rating_id, principal)
    return json_response({"rating_id": rating_id, "is_accusation": False})


@router.put(
    "/v1/rating-comments/{rating_id}/paraphrase",
    responses=shows(Paraphrased) | refuses(412),
    openapi_extra=describe_body(ParaphraseBody),
)
def paraphrase_comment(
    request: Request,
    principal: Annotated[Principal, Depends(permit("rating_comment.paraphrase"))],
    rating_id: UUID,
    body: Annotated[ParaphraseBody, Depends(json_body(ParaphraseBody))],
) -> Response:
    """Say in other words what may be passed on. Eight characters in a row of the rater's own are refused."""
    rating_comments.paraphrase_comment(
        doors(request).pool, rating_id, body.paraphrase, principal, expected=read_expected(request)
    )
    return json_response({"rating_id": rating_id, "status": "changed"})


def _comments(request: Request, *, after: Place | None, limit: int, is_accusation: bool) -> Response:
    found = rating_comments.list_comments(doors(request).pool, is_accusation=is_accusation, after=after, limit=limit)
    items: list[dict[str, Any]] = [
        {
            "id": comment.rating_id,
            "at": comment.recorded_at,
            "text": comment.text,
            "paraphrase": comment.paraphrase,
            "version": comment.version,
        }
        for comment in found
    ]
    return page(items, limit)


def _shape(opened: OpenedCase) -> dict[str, Any]:
    case = opened.case
    return {
        "id": case.id,
        "at": case.opened_at,
        "rating_id": case.rating_id,
        "kind": case.kind,
        "state": case.state,
        "signals": case.signals,
        "rules": case.rules,
        "reason_code": case.reason_code,
        "reason": opened.reason,
        "decision": case.decision,
        "decision_code": case.decision_code,
        "decision_reason": opened.decision_reason,
        "decided_at": case.decided_at,
    }
