"""Routes of the clocks: how an issue stands, and the rules that say so."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Cursor, Day, Limit
from services.intake.domain.commands.clocks import DefineClockRule
from services.intake.handlers.clocks import reading, rules
from services.intake.storage.clock_rules import StoredRule
from shared.access.principal import Principal
from shared.answers import Listing, Page, shows
from shared.contracts.intake.issues import Channel, IssueType, Urgency
from shared.edge import CodeText, ShortText
from shared.http import Body, describe_body, json_response, parse_body, permit
from shared.pages import decode_cursor, encode_cursor

router = APIRouter(prefix="/v1", tags=["clocks"])
PathCode = Annotated[CodeText, Path()]
Codes = Annotated[list[CodeText], Field(min_length=1, max_length=100)]
Count = Annotated[int, Field(ge=0, le=9_999)]
LimitText = Annotated[
    str, Field(pattern=r"^[1-9][0-9]{0,3} (minutes|hours|working_hours|natural_days|working_days)$", max_length=20)
]
Delay = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,3}) (hours|working_days)$", max_length=20)]
Delays = Annotated[list[Delay], Field(max_length=10)]


class ClockRuleBody(Body):
    clock: Literal["dispatch", "sign_in", "first_contact", "close", "reply", "dispatch_objection"]
    limit: LimitText
    organisation_code: CodeText | None = None  # with all below it
    issue_types: Annotated[list[IssueType], Field(min_length=1)] | None = None
    categories: Codes | None = None
    channels: Annotated[list[Channel], Field(min_length=1)] | None = None
    urgencies: Annotated[list[Urgency], Field(min_length=1)] | None = None
    occasions: (
        Annotated[list[Literal["first", "transferred", "redo_ordered", "reopened"]], Field(min_length=1)] | None
    ) = None
    valid_from: Day
    valid_until: Day | None = None
    starts_on: Literal["received", "assigned", "signed"] | None = None
    counts_first_day: bool | None = None
    ends: Literal["end_of_day", "end_of_working_day", "same_time"] | None = None
    restarts_on: list[Literal["transferred", "redo_ordered", "reopened"]] | None = None
    pause_reasons: Codes | None = None
    pause_budget: Count | Literal["unlimited"] | None = None
    extension_most: Count | None = None
    extension_counts_from: Literal["decision", "request"] | None = None
    warnings: Delays | None = None
    escalations: Delays | None = None
    source: ShortText | None = None


@router.get("/issues/{issue_id}/clocks", responses=shows(Listing[reading.ClockView]))
def get_clocks(request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID) -> Response:
    return json_response({"items": reading.read_clocks(doors(request).pool, issue_id, now=datetime.now(UTC))})


@router.put("/clock-rules/{code}", responses=ANSWERS, openapi_extra=describe_body(ClockRuleBody))
async def define_clock_rule(
    request: Request, principal: Annotated[Principal, Depends(permit("clock_rule.write"))], code: PathCode
) -> Response:
    body = parse_body(ClockRuleBody, await request.body())
    command = DefineClockRule(
        **await describe(request, principal), code=code, document=body.model_dump(exclude_none=True)
    )
    return answer(await doors(request).clock_rules.submit(command), location="/v1/clock-rules")


@router.get("/clock-rules", responses=shows(Page[StoredRule]))
def list_clock_rules(
    request: Request,
    _: Annotated[Principal, Depends(permit("clock_rule.read"))],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    after = ("", 0)
    if cursor is not None:
        code, version = decode_cursor(cursor, length=2)
        after = (code or "", int(version) if version and version.isdigit() else 0)
    entries = rules.list_clock_rules(doors(request).pool, after=after, limit=limit)
    following = encode_cursor([entries[-1].code, str(entries[-1].version)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})
