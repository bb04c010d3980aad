"""Routes by which a contact is put right or voided, and by which it is read as it was."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.contacts import ContentBody, read_groups
from services.intake.api.doors import answer, describe, doors
from services.intake.domain.commands.corrections import AmendContact, AmendReason, VoidContact, VoidReason
from services.intake.handlers import corrections
from services.intake.handlers.corrections import ContactVersion
from shared.access.principal import Principal
from shared.answers import GUARDED, Listing, shows
from shared.edge import LongText
from shared.http import Body, describe_body, json_response, parse_body, permit

router = APIRouter(prefix="/v1/contacts/{contact_id}", tags=["contacts"])


class AmendmentBody(ContentBody):
    """The contact as it should have been recorded: what is left out was not so."""

    version: Annotated[int, Field(ge=1)] | None = None
    reason_code: AmendReason
    reason: LongText | None = None


class VoidBody(Body):
    reason_code: VoidReason
    reason: LongText | None = None


@router.post("/amendments", responses=GUARDED, openapi_extra=describe_body(AmendmentBody))
async def amend_contact(
    request: Request, principal: Annotated[Principal, Depends(permit("contact.correct"))], contact_id: UUID
) -> Response:
    body = parse_body(AmendmentBody, await request.body())
    settings = doors(request).settings
    command = AmendContact(
        **await describe(request, principal, record_id=contact_id),
        kind=body.kind,
        occurred_at=body.occurred_at,
        duration_minutes=body.duration_minutes,
        population_group=body.population_group,
        people_count=body.people_count,
        people_by_group=read_groups(body.participants),
        companions=body.companions,
        first_on=body.first_on,
        last_on=body.last_on,
        place_code=body.place_code,
        note=body.note,
        version=body.version,
        reason_code=body.reason_code,
        reason=body.reason,
        correct_within=timedelta(days=settings.correct_within_days),
        record_within=timedelta(days=settings.record_within_days),
    )
    return answer(await doors(request).amendments.submit(command))


@router.post("/void", responses=GUARDED, openapi_extra=describe_body(VoidBody))
async def void_contact(
    request: Request, principal: Annotated[Principal, Depends(permit("contact.correct"))], contact_id: UUID
) -> Response:
    body = parse_body(VoidBody, await request.body())
    command = VoidContact(
        **await describe(request, principal, record_id=contact_id),
        reason_code=body.reason_code,
        reason=body.reason,
        correct_within=timedelta(days=doors(request).settings.correct_within_days),
    )
    return answer(await doors(request).voids.submit(command))


@router.get("/versions", responses=shows(Listing[ContactVersion]))
def list_versions(
    request: Request, _: Annotated[Principal, Depends(permit("contact.read"))], contact_id: UUID
) -> Response:
    versions = corrections.list_versions(doors(request).pool, contact_id)
    return json_response({"items": [asdict(version) for version in versions]})
