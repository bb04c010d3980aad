"""The HTTP door to retention, the same in every service: what is over, who agrees to a change, and what is held."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from shared.access.principal import Principal
from shared.answers import Listing, Shown, refuses, shows
from shared.database import transaction
from shared.edge import CodeText, ShortText
from shared.errors import Conflict, NotFound, Rejected
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit, take_routes
from shared.retention.jobs import (
    NEEDED_APPROVALS,
    DataClass,
    Finding,
    approve,
    list_holds,
    release_hold,
    report,
    set_hold,
)
from shared.retention.records import FILE, audit_classes
from shared.schedule import Period, Schedule, load_schedule
from shared.settings import ProcessSettings

router = APIRouter()


class UnknownClass(NotFound):
    code = "unknown-class"


class NotHeld(NotFound):
    code = "not-held"


class UnknownObjectType(Rejected):
    """Nothing here asks whether such an object is held: the hold would protect nothing."""

    code = "unknown-object-type"


class NothingToApprove(Conflict):
    """The period is the shipped one, or not the one that the approval names."""

    code = "nothing-to-approve"


class ApprovalBody(Body):
    keep: ShortText


class HoldBody(Body):
    reason: ShortText


class ShownPeriod(Shown):
    """A class of data: how long it is kept, how much of it is over, and whether that period is in force."""

    kind: str
    keep: str
    before: datetime
    over: int
    oldest: datetime | None
    approvals: int | None
    is_in_force: bool


class ShownApproval(Shown):
    kind: str
    keep: str
    approvals: int
    needed: int


class HeldObject(Shown):
    object_type: str
    object_id: str


class ShownHold(HeldObject):
    reason: str
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What this app keeps, how long, and as what it may be held."""

    schedule: Schedule
    classes: Sequence[DataClass]
    held_as: Collection[str]


def add_retention(app: FastAPI, settings: ProcessSettings, classes: Sequence[DataClass], *, service: str) -> None:
    exported = settings.audit_export_directory
    app.state.keeping = Keeping(
        schedule=load_schedule(settings.retention_schedule),
        classes=[*classes, *audit_classes(exported / service if exported is not None else None)],
        # Files may be exported later than they are held.
        held_as={FILE, *(name for one in classes for name in one.held_as)},
    )
    take_routes(app, router)


async def keeping_of(request: Request) -> Keeping:
    keeping: Keeping = request.app.state.keeping
    return keeping


Kept = Annotated[Keeping, Depends(keeping_of)]


@router.get("/v1/legal-holds", responses=shows(Listing[ShownHold]))
def list_legal_holds(_: Annotated[Principal, Depends(permit("retention.read"))], pool: AppPool) -> Response:
    with transaction(pool) as connection:
        return json_response({"items": list_holds(connection)})


@router.put(
    "/v1/legal-holds/{object_type}/{object_id}",
    responses=shows(HeldObject, description="It was held already.") | shows(HeldObject, status=201),
    openapi_extra=describe_body(HoldBody),
)
def put_legal_hold(
    object_type: CodeText,
    object_id: CodeText,
    principal: Annotated[Principal, Depends(permit("hold.set"))],
    pool: AppPool,
    keeping: Kept,
    body: Annotated[HoldBody, Depends(json_body(HoldBody))],
) -> Response:
    if object_type not in keeping.held_as:
        raise UnknownObjectType(f"what can be held here is: {', '.join(sorted(keeping.held_as))}")
    with transaction(pool) as connection:
        is_new = set_hold(connection, object_type, object_id, reason=body.reason, set_by=principal.name)
    return json_response({"object_type": object_type, "object_id": object_id}, status=201 if is_new else 200)


@router.delete("/v1/legal-holds/{object_type}/{object_id}", responses=shows(HeldObject))
def delete_legal_hold(
    object_type: CodeText,
    object_id: CodeText,
    _: Annotated[Principal, Depends(permit("hold.release"))],
    pool: AppPool,
) -> Response:
    with transaction(pool) as connection:
        if not release_hold(connection, object_type, object_id):
            raise NotHeld("nothing of that name is held")
    return json_response({"object_type": object_type, "object_id": object_id})


@router.get("/v1/retention", responses=shows(Listing[ShownPeriod]))
def list_retention(
    _: Annotated[Principal, Depends(permit("retention.read"))], pool: AppPool, keeping: Kept
) -> Response:
    findings = report(pool, keeping.schedule, keeping.classes, now=datetime.now(UTC))
    return json_response({"items": [_show(finding) for finding in findings]})


@router.put(
    "/v1/retention/{kind}/approval",
    responses=shows(ShownApproval) | refuses(_409="No such change waits for approval."),
    openapi_extra=describe_body(ApprovalBody),
)
def approve_period(
    kind: CodeText,
    principal: Annotated[Principal, Depends(permit("retention.approve"))],
    pool: AppPool,
    keeping: Kept,
    body: Annotated[ApprovalBody, Depends(json_body(ApprovalBody))],
) -> Response:
    """The period that was read is named again, so that nobody agrees to another one."""
    keep = _changed_period(keeping, kind, body.keep)
    with transaction(pool) as connection:
        count = approve(connection, kind, keep, person_id=principal.person_id, account_id=principal.account_id)
    return json_response({"kind": kind, "keep": keep.text, "approvals": count, "needed": NEEDED_APPROVALS})


def _changed_period(keeping: Keeping, kind: str, stated: str) -> Period:
    keep = keeping.schedule.keep.get(kind)
    if keep is None or kind not in {one.name for one in keeping.classes}:
        raise UnknownClass("there is no such class of data here")
    if kind not in keeping.schedule.changed or keep.text != stated:
        raise NothingToApprove("no such change waits for approval")
    return keep


def _show(finding: Finding) -> dict[str, Any]:
    is_ready = finding.approvals is None or finding.approvals >= NEEDED_APPROVALS
    return {
        "kind": finding.name,
        "keep": finding.keep.text,
        "before": finding.before,
        "over": finding.count,
        "oldest": finding.oldest,
        "approvals": finding.approvals,
        "is_in_force": is_ready,
    }
