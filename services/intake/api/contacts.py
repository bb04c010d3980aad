"""Routes of contacts."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.citizens import CitizenBody, read_citizen
from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.contacts import MOST_COMPANIONS
from services.intake.handlers import contacts
from services.intake.handlers.texts import ContactRecord
from services.intake.settings import IntakeSettings
from shared.access.principal import Principal
from shared.answers import shows
from shared.conditions import tagged
from shared.contracts.intake.contacts import ContactKind, Minutes, PeopleCount
from shared.edge import CodeText, Day, Instant, LongText
from shared.errors import Rejected
from shared.http import Body, describe_body, parse_body, permit, read_body

router = APIRouter(prefix="/v1/contacts", tags=["contacts"])


class GroupTwice(Rejected):
    code = "group-named-twice"


class ParticipantsBody(Body):
    """Of one group of the population, how many were met."""

    population_group: CodeText
    people_count: PeopleCount


class ContentBody(Body):
    """What is said of a contact: either one group and a count, or `participants`, each group with its count."""

    kind: ContactKind
    occurred_at: Instant
    duration_minutes: Minutes | None = None
    population_group: CodeText | None = None
    people_count: PeopleCount | None = None
    participants: Annotated[tuple[ParticipantsBody, ...], Field(max_length=20)] = ()
    companions: Annotated[tuple[CodeText, ...], Field(max_length=MOST_COMPANIONS)] = ()
    first_on: Day | None = None
    last_on: Day | None = None
    place_code: CodeText | None = None
    note: LongText | None = None


class ContactBody(ContentBody):
    id: UUID | None = None
    staff_number: CodeText
    organisation_code: CodeText | None = None
    late_reason: LongText | None = None
    citizen: CitizenBody | None = None


@router.post("", status_code=201, responses=ANSWERS, openapi_extra=describe_body(ContactBody))
async def record_contact(
    request: Request, principal: Annotated[Principal, Depends(permit("contact.record"))]
) -> Response:
    body = parse_body(ContactBody, await read_body(request))
    told = await describe(request, principal, record_id=body.id)
    command = command_of(body, told, principal, doors(request).settings)
    under_way = doors(request).contacts.hand_in(command)
    await asyncio.sleep(0)  # until the batch waits for the database: what nearly all answers say is written meanwhile
    created = answer(Outcome(status="created", id=command.id), location=f"/v1/contacts/{command.id}")
    outcome = await under_way
    return created if outcome.status == "created" else answer(outcome)


@router.get("/{contact_id:uuid}", responses=shows(ContactRecord, headers=("ETag",)))  # what else stands here is no id
def get_contact(
    request: Request, _: Annotated[Principal, Depends(permit("contact.read"))], contact_id: UUID
) -> Response:
    contact = contacts.get_contact(doors(request).pool, contact_id)
    return tagged(request, contact, version=contact.version)


def command_of(
    body: ContactBody, told: dict[str, Any], principal: Principal, settings: IntakeSettings
) -> RecordContact:
    """Raises GroupTwice, NotValid. A system tells what it kept when it was; only people are held to the days."""
    return RecordContact(
        **told,
        staff_number=body.staff_number,
        organisation_code=body.organisation_code,
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
        late_reason=body.late_reason,
        record_within=timedelta(days=settings.record_within_days) if principal.kind == "person" else None,
        citizen=read_citizen(body.citizen),
    )


def read_groups(participants: Sequence[ParticipantsBody]) -> dict[str, int] | None:
    """Raises GroupTwice."""
    groups = {one.population_group: one.people_count for one in participants}
    if len(groups) != len(participants):
        raise GroupTwice("each group is named once, with all of its people")
    return groups or None
