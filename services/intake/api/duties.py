"""Routes of duties."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Day
from services.intake.domain.commands.duties import DefineDuty
from shared.access.principal import Principal
from shared.contracts.intake.contacts import ContactKind
from shared.contracts.intake.duties import DutyPeriod
from shared.edge import CodeText
from shared.http import Body, describe_body, parse_body, permit

router = APIRouter(prefix="/v1/duties", tags=["duties"])
Writer = Annotated[Principal, Depends(permit("register.write"))]


class DutyBody(Body):
    id: UUID | None = None
    post_kind: CodeText
    contact_kind: ContactKind
    required_count: Annotated[int, Field(ge=1, le=10_000)]
    per: DutyPeriod
    valid_from: Day
    valid_until: Day | None = None


@router.post("", responses=ANSWERS, openapi_extra=describe_body(DutyBody))
async def define_duty(request: Request, principal: Writer) -> Response:
    body = parse_body(DutyBody, await request.body())
    command = DefineDuty(
        **await describe(request, principal, record_id=body.id),
        post_kind=body.post_kind,
        contact_kind=body.contact_kind,
        required_count=body.required_count,
        per=body.per,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
    )
    return answer(await doors(request).duties.submit(command))
