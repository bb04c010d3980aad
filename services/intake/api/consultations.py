"""Routes of public consultations: what is asked and answered is open to everybody, what was said to who answers."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Cursor, Limit
from services.intake.api.repeats import Keyed
from services.intake.domain.commands.consultations import (
    AnnounceConsultation,
    AnswerConsultation,
    WithdrawConsultation,
)
from services.intake.domain.consultations import MOST_THEMES, Decision, Stance, Theme
from services.intake.handlers import consultations, opinions
from services.intake.handlers.consultations import Publication
from shared.access.principal import Principal
from shared.answers import STEPS, Page, Shown, refuses, shows
from shared.database import Pool
from shared.edge import CodeText, Instant, LongText, ShortText
from shared.http import Body, describe_body, json_body, json_response, leave_open, network_behind, parse_body, permit
from shared.identifiers import new_id
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter(prefix="/v1/consultations", tags=["consultations"])
START = (datetime(1900, 1, 1, tzinfo=UTC), UUID(int=0))
Place = tuple[datetime, UUID]


class ConsultationBody(Body):
    id: UUID | None = None
    organisation_code: CodeText
    title: ShortText
    question: LongText
    opens_at: Instant
    closes_at: Instant


class WithdrawalBody(Body):
    reason_code: CodeText


class ThemeBody(Body):
    title: ShortText
    opinion_count: Annotated[int, Field(ge=1, le=1_000_000)]
    decision: Decision
    explanation: LongText


class AnswerBody(Body):
    answer: LongText
    themes: Annotated[list[ThemeBody], Field(max_length=MOST_THEMES)]


class OpinionBody(Body):
    stance: Stance | None = None
    text: LongText | None = None
    name: ShortText | None = None
    phone: ShortText | None = None


class TakenOpinion(Shown):
    id: UUID
    status: Literal["created"]


@router.post("", status_code=201, responses=ANSWERS, openapi_extra=describe_body(ConsultationBody))
async def announce_consultation(
    request: Request, principal: Annotated[Principal, Depends(permit("consultation.announce"))]
) -> Response:
    body = parse_body(ConsultationBody, await request.body())
    command = AnnounceConsultation(
        **await describe(request, principal, record_id=body.id),
        organisation_code=body.organisation_code,
        title=body.title,
        question=body.question,
        opens_at=body.opens_at,
        closes_at=body.closes_at,
    )
    outcome = await doors(request).consultations.submit(command)
    return answer(outcome, location=f"/v1/consultations/{command.id}")


@router.get("", responses=shows(Page[Publication]), dependencies=[Depends(leave_open("consultation.read"))])
def list_consultations(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What is or was asked, newest first. The themes of an answer are told by the consultation itself."""
    found = consultations.list_published(doors(request).pool, before=_place(cursor), limit=limit, now=datetime.now(UTC))
    last = found[-1] if len(found) == limit else None
    following = encode_cursor([last.opens_at.isoformat(), str(last.id)]) if last else None
    return json_response({"items": [asdict(one) for one in found], "next_cursor": following})


@router.get(
    "/{consultation_id}",
    responses=shows(Publication) | refuses(404),
    dependencies=[Depends(leave_open("consultation.read"))],
)
def get_consultation(request: Request, consultation_id: UUID) -> Response:
    return json_response(
        asdict(consultations.get_published(doors(request).pool, consultation_id, now=datetime.now(UTC)))
    )


@router.post("/{consultation_id}/withdrawal", responses=STEPS, openapi_extra=describe_body(WithdrawalBody))
async def withdraw_consultation(
    request: Request,
    principal: Annotated[Principal, Depends(permit("consultation.announce"))],
    consultation_id: UUID,
) -> Response:
    body = parse_body(WithdrawalBody, await request.body())
    command = WithdrawConsultation(
        **await describe(request, principal, record_id=consultation_id), reason_code=body.reason_code
    )
    return answer(await doors(request).withdrawals.submit(command))


@router.post("/{consultation_id}/answer", responses=STEPS, openapi_extra=describe_body(AnswerBody))
async def answer_consultation(
    request: Request,
    principal: Annotated[Principal, Depends(permit("consultation.answer"))],
    consultation_id: UUID,
) -> Response:
    body = parse_body(AnswerBody, await request.body())
    themes = tuple(
        Theme(
            title=theme.title,
            opinion_count=theme.opinion_count,
            decision=theme.decision,
            explanation=theme.explanation,
        )
        for theme in body.themes
    )
    command = AnswerConsultation(
        **await describe(request, principal, record_id=consultation_id), text=body.answer, themes=themes
    )
    return answer(await doors(request).consultation_answers.submit(command))


@router.post(
    "/{consultation_id}/opinions",
    status_code=201,
    responses=shows(TakenOpinion, status=201) | refuses(404, 409),
    dependencies=[Depends(leave_open("opinion.give"))],
    openapi_extra=describe_body(OpinionBody),
)
def give_opinion(
    request: Request, consultation_id: UUID, body: Annotated[OpinionBody, Depends(json_body(OpinionBody))]
) -> Response:
    """Say what one thinks, without an account; who says so may be left out."""
    pool, now = doors(request).pool, datetime.now(UTC)
    opinions.count_try(pool, network_behind(request), now=now)
    given = _given(body)
    opinions.give_opinion(pool, consultation_id, given, channel="web", now=now)
    return json_response({"id": given.id, "status": "created"}, status=201)


@router.post(
    "/{consultation_id}/received-opinions",
    status_code=201,
    responses=shows(TakenOpinion, status=201) | refuses(409),
    openapi_extra=describe_body(OpinionBody),
)
def enter_opinion(
    _: Annotated[Principal, Depends(permit("opinion.enter"))],
    once: Keyed,
    consultation_id: UUID,
    body: Annotated[OpinionBody, Depends(json_body(OpinionBody))],
) -> Response:
    """Enter what came on paper or was said at a counter."""
    given = _given(body)

    def enter(pool: Pool) -> Response:
        opinions.give_opinion(pool, consultation_id, given, channel="staff", now=datetime.now(UTC))
        return json_response({"id": given.id, "status": "created"}, status=201)

    return once.run(enter)


@router.get("/{consultation_id}/opinions", responses=shows(Page[opinions.Opinion]))
def list_opinions(
    request: Request,
    _: Annotated[Principal, Depends(permit("opinion.read"))],
    consultation_id: UUID,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    found = opinions.list_opinions(doors(request).pool, consultation_id, after=_place(cursor) or START, limit=limit)
    last = found[-1] if len(found) == limit else None
    following = encode_cursor([last.given_at.isoformat(), str(last.id)]) if last else None
    return json_response({"items": [asdict(one) for one in found], "next_cursor": following})


def _given(body: OpinionBody) -> opinions.Given:
    return opinions.Given(id=new_id(), stance=body.stance, text=body.text, name=body.name, phone=body.phone)


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    at, record_id = decode_cursor(cursor, length=2)
    try:
        return datetime.fromisoformat(at or ""), UUID(record_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None
