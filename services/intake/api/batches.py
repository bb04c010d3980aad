"""The route for a phone that was offline: contacts and the issues that came out of them, many in one request.

Each record stands for itself, under an id that the phone made: what is good is kept, what is not is said line by line,
and the whole of it may be sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api import contacts, issues
from services.intake.api.contacts import ContactBody
from services.intake.api.doors import Doors, doors
from services.intake.api.issues import IssueBody
from services.intake.domain.commands.base import Outcome
from shared.access.principal import Principal
from shared.answers import Fault, Shown, shows
from shared.errors import Forbidden, LianxinError, Rejected, Transient
from shared.http import Body, InvalidBody, describe_body, json_response, parse_body, permit
from shared.observability import correlation_id
from shared.policy import decide
from shared.reach import Reach, current

MOST_RECORDS: Final = 200
router = APIRouter(prefix="/v1/contacts", tags=["contacts"])
AnyBody = TypeVar("AnyBody", ContactBody, IssueBody)
Line = dict[str, Any]
LineStatus = Literal["created", "unchanged", "refused", "retry"]


class BatchLine(Shown):
    """`created`: it is committed. `unchanged`: it stood so already. `refused`: `code` says why, and sending it again is
    of no use. `retry`: send it again later. `id` is what was sent as one.
    """

    id: str | None
    status: LineStatus
    code: str | None = None
    detail: str | None = None
    flags: list[str] | None = None
    faults: list[Fault] | None = None


class BatchAnswer(Shown):
    """A line for each record, in the order in which they were sent. What is created or unchanged stays so, whatever
    became of the others.
    """

    contacts: list[BatchLine]
    issues: list[BatchLine]


class BatchBody(Body):
    """Contacts first: an issue may name one of them as its `contact_id`. Each record has an `id`."""

    contacts: Annotated[tuple[dict[str, Any], ...], Field(max_length=MOST_RECORDS)] = ()
    issues: Annotated[tuple[dict[str, Any], ...], Field(max_length=MOST_RECORDS)] = ()


class Nameless(Rejected):
    """Without an id of its own a record that is sent again would be recorded again."""

    code = "id-missing"


@router.post("/batch", responses=shows(BatchAnswer), openapi_extra=describe_body(BatchBody))
async def record_batch(
    request: Request, principal: Annotated[Principal, Depends(permit("contact.record"))]
) -> Response:
    batch = parse_body(BatchBody, await request.body())
    door = doors(request)

    async def record(item: dict[str, Any]) -> Outcome:
        body = _read(ContactBody, item)
        told = _tell(body, current())
        return await door.contacts.submit(contacts.command_of(body, told, principal, door.settings))

    lines = await _do_all(batch.contacts, record)
    raised = await _do_all(batch.issues, _receiver(door, principal))
    return json_response({"contacts": lines, "issues": raised})


def _receiver(door: Doors, principal: Principal) -> Callable[[dict[str, Any]], Awaitable[Outcome]]:
    """Receiving an issue is an action of its own: who may not is told so for each of them."""
    try:
        reach = decide(principal, "issue.receive", now=datetime.now(UTC))
    except Forbidden as refusal:
        told = refusal

        async def refuse(_: dict[str, Any]) -> Outcome:
            raise told

        return refuse

    async def receive(item: dict[str, Any]) -> Outcome:
        body = _read(IssueBody, item)
        return await door.issues.submit(issues.command_of(body, _tell(body, reach), door.settings))

    return receive


def _read(model: type[AnyBody], item: dict[str, Any]) -> AnyBody:
    """Raises InvalidBody, Nameless."""
    body = parse_body(model, orjson.dumps(item))
    if body.id is None:
        raise Nameless("each record of a batch has an id of its own, made by whoever sends it")
    return body


def _tell(body: ContactBody | IssueBody, reach: Reach | None) -> dict[str, Any]:
    return {"id": body.id, "correlation_id": correlation_id(), "reach": reach}


async def _do_all(items: Sequence[dict[str, Any]], do: Callable[[dict[str, Any]], Awaitable[Outcome]]) -> list[Line]:
    """All at once: those that wait together share a commit. Raises what is no expected failure."""
    return list(await asyncio.gather(*(_do(item, do) for item in items)))


async def _do(item: dict[str, Any], do: Callable[[dict[str, Any]], Awaitable[Outcome]]) -> Line:
    given = item.get("id")
    name = given if isinstance(given, str) and len(given) <= len(str(UUID(int=0))) else None
    try:
        outcome = await do(item)
    except LianxinError as error:
        faults = {"faults": error.faults} if isinstance(error, InvalidBody) else {}
        status: LineStatus = "retry" if isinstance(error, Transient) else "refused"
        return {"id": name, "status": status, "code": error.code, "detail": error.detail, **faults}
    line: Line = {"id": name, "status": outcome.status, "flags": list(outcome.flags)}
    if outcome.status in {"rejected", "conflict"}:
        line |= {"status": "refused", "code": outcome.code, "detail": outcome.detail}
    return line
