"""Routes of duties, and of ready sets of them."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import NO_ID, Cursor, Limit, OnDay, decode_id, read_day
from services.intake.domain.commands.duties import DefineDuty, DutyUnit
from services.intake.handlers import duties, duty_presets
from services.intake.storage.duties import ListedDuty
from shared.access.principal import Principal
from shared.answers import Page, Shown, shows
from shared.contracts.intake.contacts import ContactKind
from shared.contracts.intake.duties import DutyPeriod
from shared.edge import CodeText, Day
from shared.http import Body, describe_body, json_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1/duties", tags=["duties"])
Reader = Annotated[Principal, Depends(permit("register.read"))]
Writer = Annotated[Principal, Depends(permit("register.write"))]


class DutyBody(Body):
    """`organisation_code` says where it is owed, with everything below; absent, everywhere. `unit` says of what."""

    id: UUID | None = None
    organisation_code: CodeText | None = None
    post_kind: CodeText
    post_level: CodeText | None = None
    contact_kind: ContactKind
    required_count: Annotated[int, Field(ge=1, le=10_000)]
    unit: DutyUnit = "count"
    per: DutyPeriod
    valid_from: Day
    valid_until: Day | None = None


class PresetBody(Body):
    organisation_code: CodeText | None = None
    valid_from: Day
    valid_until: Day | None = None


class ShownPresets(Shown):
    items: list[duty_presets.Preset]
    left_out: list[duty_presets.LeftOut]


class TakenDuty(Shown):
    """What became of one duty of a preset; `code` says why where nothing did."""

    id: UUID | None
    post_kind: str
    contact_kind: ContactKind
    status: Literal["created", "changed", "unchanged", "rejected", "conflict"]
    code: str


class TakenPreset(Shown):
    name: str
    items: list[TakenDuty]


@router.post("", responses=ANSWERS, openapi_extra=describe_body(DutyBody))
async def define_duty(request: Request, principal: Writer) -> Response:
    body = parse_body(DutyBody, await request.body())
    command = DefineDuty(
        **await describe(request, principal, record_id=body.id),
        organisation_code=body.organisation_code,
        post_kind=body.post_kind,
        post_level=body.post_level,
        contact_kind=body.contact_kind,
        required_count=body.required_count,
        unit=body.unit,
        per=body.per,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
    )
    return answer(await doors(request).duties.submit(command), location="/v1/duties")


@router.get("", responses=shows(Page[ListedDuty]))
def list_duties(request: Request, _: Reader, limit: Limit = 100, cursor: Cursor = None, on: OnDay = None) -> Response:
    """List all duties that ever were defined, or those of the day `on`."""
    after = decode_id(decode_cursor(cursor, length=1)[0] if cursor is not None else NO_ID)
    entries = duties.list_duties(doors(request).pool, on=read_day(on), after=after, limit=limit)
    following = encode_cursor([str(entries[-1].id)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/presets", responses=shows(ShownPresets))
def list_presets(_: Reader) -> Response:
    """List the ready sets of duties, each with place, year and reliability; and the rules that no duty is made of."""
    document = {
        "items": [preset.model_dump() for preset in duty_presets.list_presets()],
        "left_out": [row.model_dump() for row in duty_presets.list_left_out()],
    }
    return json_response(document)


@router.post("/presets/{name}", responses=shows(TakenPreset), openapi_extra=describe_body(PresetBody))
def load_preset(
    request: Request, _: Writer, name: str, body: Annotated[PresetBody, Depends(json_body(PresetBody))]
) -> Response:
    """Define the duties of a preset for a place from a day on. The same again changes nothing."""
    asked = duty_presets.PresetRequest(
        name=name,
        organisation_code=body.organisation_code,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
    )
    taken = duty_presets.load_preset(doors(request).pool, asked, now=datetime.now(UTC))
    items = [
        {
            "id": outcome.id,
            "post_kind": command.post_kind,
            "contact_kind": command.contact_kind,
            "status": outcome.status,
            "code": outcome.code,
        }
        for command, outcome in taken
    ]
    return json_response({"name": name, "items": items})
