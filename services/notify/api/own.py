"""What a person is told, over HTTP: the settings, the inbox, and the inbox as it fills."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.notify.api.paging import Cursor, Limit, page
from services.notify.domain.messages import Language
from services.notify.domain.notices import OwnMessage
from services.notify.domain.rules import Preferred, Rule
from services.notify.handlers import own
from services.notify.handlers.own import OwnSettings
from shared.access.principal import Principal
from shared.answers import Listing, Page, Shown, refuses, shows
from shared.conditions import read_expected, tagged
from shared.edge import CodeText
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit
from shared.identifiers import new_id
from shared.pages import BadCursor, decode_cursor

router = APIRouter(tags=["own"])
NEWEST = 2**62
MOST_EXACT = 2**53 - 1  # beyond that, readers of JSON differ about a number
OwnChannel = Literal["inbox", "email", "sms"]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
RuleCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Rules = Annotated[dict[RuleCode, Preferred], Field(max_length=200, json_schema_extra={"additionalProperties": False})]
Reading = Annotated[Principal, Depends(permit("own.read"))]
Changing = Annotated[Principal, Depends(permit("own.change"))]


class OwnSettingsBody(Body):
    """All of it: what is left out is as it is for everybody."""

    language: Language = "zh"
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    mobile: Annotated[str, Field(min_length=11, max_length=11)] | None = None
    channels: Annotated[tuple[OwnChannel, ...], Field(min_length=1, max_length=3)] = ("inbox",)
    quiet_from: Clock = "21:00"
    quiet_until: Clock = "07:30"
    digest_at: Clock = "08:30"
    daily_cap: Annotated[int, Field(ge=1, le=1_000)] = 20
    rules: Rules = Field(default_factory=dict)


class ShownSettings(Shown):
    """As it was sent, so that it can be changed and sent back."""

    language: Language
    email: str | None
    mobile: str | None
    channels: list[str]
    quiet_from: Clock
    quiet_until: Clock
    digest_at: Clock
    daily_cap: int
    rules: dict[str, Preferred]


class ReadThroughBody(Body):
    through: Annotated[int, Field(ge=0, le=MOST_EXACT)]


class RulesBody(Body):
    rules: Rules


class ReadMark(Shown):
    id: UUID
    read_at: datetime


class ReadCount(Shown):
    read: int


class ShownRule(Shown):
    code: str
    event: str
    to: str
    topic: str
    mode: str
    is_compulsory: bool


class UnitRules(Shown):
    organisation_code: str
    rules: dict[str, Preferred]


async def rules_of(request: Request) -> Sequence[Rule]:
    """By which people are told, here."""
    rules: Sequence[Rule] = request.app.state.rules
    return rules


AppRules = Annotated[Sequence[Rule], Depends(rules_of)]


@router.get("/v1/own/settings", responses=shows(ShownSettings))
def get_own_settings(request: Request, principal: Reading, pool: AppPool) -> Response:
    settings, version = own.get_settings(pool, principal, new_id=new_id())
    return tagged(request, _show(settings), version=version)


@router.put(
    "/v1/own/settings",
    openapi_extra=describe_body(OwnSettingsBody),
    responses=shows(ShownSettings) | refuses(412),
)
def put_own_settings(
    request: Request,
    principal: Changing,
    pool: AppPool,
    rules: AppRules,
    body: Annotated[OwnSettingsBody, Depends(json_body(OwnSettingsBody))],
) -> Response:
    """Where and when one wants to be told. What is compulsory comes at once or in a digest, but comes."""
    wanted = OwnSettings(
        language=body.language,
        email=body.email,
        mobile=body.mobile,
        channels=list(dict.fromkeys(body.channels)),
        quiet_from=time.fromisoformat(body.quiet_from),
        quiet_until=time.fromisoformat(body.quiet_until),
        digest_at=time.fromisoformat(body.digest_at),
        daily_cap=body.daily_cap,
        rules=dict(body.rules),
    )
    done = own.put_settings(
        pool, principal, wanted, known=_codes(rules), expected=read_expected(request), new_id=new_id()
    )
    return json_response(_show(done))


@router.get("/v1/own/messages", responses=shows(Page[OwnMessage]))
def list_own_messages(
    principal: Reading, pool: AppPool, *, unread: bool = False, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    found = own.list_messages(pool, principal, unread_only=unread, before=_number(cursor) or NEWEST, limit=limit + 1)
    items, next_cursor = page(found, limit, [str(item.number) for item in found])
    return json_response({"items": items, "next_cursor": next_cursor})


@router.post("/v1/own/messages/{message_id}/read", responses=shows(ReadMark))
def mark_own_read(message_id: UUID, principal: Changing, pool: AppPool) -> Response:
    read_at = own.mark_read(pool, principal, message_id, at=datetime.now(UTC))
    return json_response({"id": message_id, "read_at": read_at})


@router.post("/v1/own/messages/read", openapi_extra=describe_body(ReadThroughBody), responses=shows(ReadCount))
def mark_own_read_through(
    principal: Changing, pool: AppPool, body: Annotated[ReadThroughBody, Depends(json_body(ReadThroughBody))]
) -> Response:
    """Everything up to a number, and nothing that came meanwhile."""
    return json_response({"read": own.mark_all_read(pool, principal, through=body.through, at=datetime.now(UTC))})


@router.get("/v1/rules", responses=shows(Listing[ShownRule]))
def list_rules(_: Annotated[Principal, Depends(permit("rule.read"))], rules: AppRules) -> Response:
    """Who is told of what, when and how, where nobody has said otherwise."""
    shown = [
        ShownRule(
            code=rule.code,
            event=rule.event,
            to=rule.to,
            topic=rule.topic,
            mode=rule.mode,
            is_compulsory=rule.is_compulsory,
        )
        for rule in rules
    ]
    return json_response({"items": [item.model_dump() for item in shown]})


@router.get("/v1/organisations/{code}/preferences", responses=shows(UnitRules))
def get_unit_preferences(
    request: Request, code: CodeText, _: Annotated[Principal, Depends(permit("preference.read"))], pool: AppPool
) -> Response:
    stated, version = own.get_unit_preferences(pool, code)
    return tagged(request, {"organisation_code": code, "rules": stated}, version=version)


@router.put(
    "/v1/organisations/{code}/preferences",
    openapi_extra=describe_body(RulesBody),
    responses=shows(UnitRules) | refuses(412),
)
def put_unit_preferences(
    request: Request,
    code: CodeText,
    _: Annotated[Principal, Depends(permit("preference.set"))],
    pool: AppPool,
    rules: AppRules,
    body: Annotated[RulesBody, Depends(json_body(RulesBody))],
) -> Response:
    """For everybody who is told of something of this unit or one below it and has not said otherwise."""
    stated = own.put_unit_preferences(pool, code, body.rules, known=_codes(rules), expected=read_expected(request))
    return json_response({"organisation_code": code, "rules": stated})


def _codes(rules: Sequence[Rule]) -> list[str]:
    return [rule.code for rule in rules]


def _show(settings: OwnSettings) -> dict[str, object]:
    return {
        **asdict(settings),
        "quiet_from": f"{settings.quiet_from:%H:%M}",
        "quiet_until": f"{settings.quiet_until:%H:%M}",
        "digest_at": f"{settings.digest_at:%H:%M}",
    }


def _number(cursor: str | None) -> int | None:
    """Raises BadCursor."""
    if cursor is None:
        return None
    text = decode_cursor(cursor, length=1)[0] or ""
    if not (text.isascii() and text.isdigit()):
        raise BadCursor("the cursor is not one of ours")
    return int(text)
