"""Routes of contacts."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.citizens import CitizenBody, read_citizen
from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Instant
from services.intake.domain.commands.contacts import RecordContact
from services.intake.handlers import contacts
from services.intake.handlers.texts import ContactRecord
from shared.access.principal import Principal
from shared.answers import shows
from shared.contracts.intake.contacts import ContactKind, Minutes, PeopleCount
from shared.edge import CodeText, LongText
from shared.http import Body, describe_body, json_response, parse_body, permit

router = APIRouter(prefix="/v1/contacts", tags=["contacts"])


class ContactBody(Body):
    id: UUID | None = None
    staff_number: CodeText
    organisation_code: CodeText | None = None
    kind: ContactKind
    occurred_at: Instant
    duration_minutes: Minutes | None = None
    population_group: CodeText | None = None
    people_count: PeopleCount | None = None
    place_code: CodeText | None = None
    note: LongText | None = None
    citizen: CitizenBody | None = None


@router.post("", status_code=201, responses=ANSWERS, openapi_extra=describe_body(ContactBody))
async def record_contact(
    request: Request, principal: Annotated[Principal, Depends(permit("contact.record"))]
) -> Response:
    body = parse_body(ContactBody, await request.body())
    command = RecordContact(
        **await describe(request, principal, record_id=body.id),
        staff_number=body.staff_number,
        organisation_code=body.organisation_code,
        kind=body.kind,
        occurred_at=body.occurred_at,
        duration_minutes=body.duration_minutes,
        population_group=body.population_group,
        people_count=body.people_count,
        place_code=body.place_code,
        note=body.note,
        citizen=read_citizen(body.citizen),
    )
    return answer(await doors(request).contacts.submit(command), location=f"/v1/contacts/{command.id}")


@router.get("/{contact_id}", responses=shows(ContactRecord))
def get_contact(
    request: Request, _: Annotated[Principal, Depends(permit("contact.read"))], contact_id: UUID
) -> Response:
    return json_response(asdict(contacts.get_contact(doors(request).pool, contact_id)))
