"""Webhook endpoints: for the systems that have them, and for the people who propose, decide and look after them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.notify.api.agreements import ReasonBody
from services.notify.api.paging import Cursor, Limit, page, read_id
from services.notify.domain.endpoints import (
    LONGEST_OVERLAP,
    OVERLAP,
    DisabledBecause,
    Endpoint,
    EndpointStatus,
    EndpointWish,
    Step,
)
from services.notify.handlers import endpoints
from services.notify.handlers.endpoints import EndpointDesk, MadeKey, Rotation
from services.notify.storage.endpoints import StoredKey
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.conditions import read_expected, tagged
from shared.database import Pool
from shared.http import Body, describe_body, json_body, json_response, permit
from shared.identifiers import new_id

router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhook endpoints"])
Reading = Annotated[Principal, Depends(permit("endpoint.read"))]
Proposing = Annotated[Principal, Depends(permit("endpoint.propose"))]
Deciding = Annotated[Principal, Depends(permit("endpoint.decide"))]
Changing = Annotated[Principal, Depends(permit("endpoint.change"))]
Securing = Annotated[Principal, Depends(permit("endpoint.secure"))]
Types = Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=200)]


class EndpointBody(Body):
    """Types and organisation narrow what the agreement covers. The URL never changes: another is another endpoint."""

    agreement_id: UUID
    url: Annotated[str, Field(min_length=8, max_length=2_000)]
    event_types: Types = ()
    organisation_id: UUID | None = None
    signs_with: Literal["v1", "v1a"] = "v1a"


class FilterBody(Body):
    event_types: Types = ()
    organisation_id: UUID | None = None


class RotationBody(Body):
    """`overlap_hours`: for how long the old key goes on signing beside the new one."""

    kind: Literal["v1", "v1a"]
    overlap_hours: Annotated[int, Field(ge=0, le=int(LONGEST_OVERLAP.total_seconds() // 3600))] = int(
        OVERLAP.total_seconds() // 3600
    )


class ShownKey(Shown):
    """A key that signs. Of a public key (`whpk_...`) there is nothing to hide; a secret is never shown again."""

    id: UUID
    kind: Literal["v1", "v1a"]
    public_key: str | None
    created_at: datetime
    retires_at: datetime | None


class NewKey(ShownKey):
    """`key` is what the receiver verifies by: `whsec_...`, shown this once, or `whpk_...`."""

    key: str


class ShownEndpoint(Shown):
    """`position`: the event up to which deliveries were made out of the log. `failing_since`: no success since."""

    id: UUID
    agreement_id: UUID
    url: str
    event_types: list[str]
    organisation_id: UUID | None
    state: EndpointStatus
    position: int
    rate_per_minute: int | None
    failures: int
    failing_since: datetime | None
    hold_until: datetime | None
    last_success_at: datetime | None
    handshake_fault: str | None
    disabled_because: DisabledBecause | None
    owner_told_at: datetime | None
    proposed_by: str
    created_at: datetime


class EndpointWithKeys(ShownEndpoint):
    keys: list[ShownKey]


class NewEndpoint(ShownEndpoint):
    key: NewKey


STEPPED = shows(ShownEndpoint) | refuses(409, 412)


async def desk_of(request: Request) -> EndpointDesk:
    desk: EndpointDesk = request.app.state.endpoints
    return desk


AppDesk = Annotated[EndpointDesk, Depends(desk_of)]


@router.post(
    "",
    status_code=201,
    openapi_extra=describe_body(EndpointBody),
    responses=shows(NewEndpoint, status=201)
    | refuses(404, _409="It is proposed already, or the agreement is not in force or has as many as it may."),
)
def post_endpoint(
    by: Proposing, desk: AppDesk, body: Annotated[EndpointBody, Depends(json_body(EndpointBody))]
) -> Response:
    """Propose an endpoint. Another person agrees to it, then its receiver is asked, then it is told of events.

    A repeat is refused while the first waits. Whoever lost the answer, and the secret with it, makes a new key.
    """
    wish = EndpointWish(
        url=body.url,
        event_types=tuple(dict.fromkeys(body.event_types)),
        organisation_id=body.organisation_id,
        signs_with=body.signs_with,
    )
    made, key = endpoints.propose_endpoint(desk, body.agreement_id, wish, by=by, new_id=new_id, now=datetime.now(UTC))
    return json_response({**_show(made), "key": _show_new_key(key)}, status=201)


@router.post("/{endpoint_id}/approve", responses=shows(ShownEndpoint) | refuses(409))
def approve_endpoint(endpoint_id: UUID, by: Deciding, desk: AppDesk) -> Response:
    """Agree, as somebody else than whoever proposed it. What happens from now on is told, and nothing before."""
    decided = endpoints.decide_endpoint(desk.pool, endpoint_id, "approve", by=by, now=datetime.now(UTC))
    return json_response(_show(decided))


@router.post(
    "/{endpoint_id}/refuse",
    openapi_extra=describe_body(ReasonBody),
    responses=shows(ShownEndpoint) | refuses(409),
)
def refuse_endpoint(
    endpoint_id: UUID, by: Deciding, desk: AppDesk, body: Annotated[ReasonBody, Depends(json_body(ReasonBody))]
) -> Response:
    """Refuse it, with a reason."""
    decided = endpoints.decide_endpoint(
        desk.pool, endpoint_id, "refuse", by=by, reason=body.reason, now=datetime.now(UTC)
    )
    return json_response(_show(decided))


@router.get("", responses=shows(Page[ShownEndpoint]))
def list_endpoints(
    _: Reading, desk: AppDesk, state: EndpointStatus | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The newest first. A machine client sees its own."""
    found = endpoints.list_endpoints(desk.pool, status=state, before=read_id(cursor), limit=limit + 1)
    shown, next_cursor = page(found, limit, [str(item.id) for item in found])
    return json_response({"items": [_show(item) for item in shown], "next_cursor": next_cursor})


@router.get("/{endpoint_id}", responses=shows(EndpointWithKeys, headers=("ETag",)))
def get_endpoint(request: Request, endpoint_id: UUID, _: Reading, desk: AppDesk) -> Response:
    found, keys = endpoints.get_endpoint(desk.pool, endpoint_id, now=datetime.now(UTC))
    document = {**_show(found), "keys": [_show_key(key) for key in keys]}
    return tagged(request, document, version=found.version)


@router.patch("/{endpoint_id}", openapi_extra=describe_body(FilterBody), responses=shows(ShownEndpoint) | refuses(412))
def patch_endpoint(
    request: Request,
    endpoint_id: UUID,
    _: Changing,
    desk: AppDesk,
    body: Annotated[FilterBody, Depends(json_body(FilterBody))],
) -> Response:
    """Put another filter in the place of the one that stands, for events that are not owed yet."""
    changed = endpoints.change_filter(
        desk.pool,
        endpoint_id,
        event_types=tuple(dict.fromkeys(body.event_types)),
        organisation_id=body.organisation_id,
        expected=read_expected(request),
    )
    return json_response(_show(changed))


@router.post(
    "/{endpoint_id}/keys",
    status_code=201,
    openapi_extra=describe_body(RotationBody),
    responses=shows(NewKey, status=201) | refuses(_409="The keys of the last rotations still sign."),
)
def post_key(
    endpoint_id: UUID, by: Securing, desk: AppDesk, body: Annotated[RotationBody, Depends(json_body(RotationBody))]
) -> Response:
    """A new key, which signs from now on. The old one of its kind goes on signing beside it for a while."""
    rotation = Rotation(kind=body.kind, overlap=timedelta(hours=body.overlap_hours))
    made = endpoints.rotate_key(desk, endpoint_id, rotation, by=by, new_id=new_id(), now=datetime.now(UTC))
    return json_response(_show_new_key(made), status=201)


@router.post("/{endpoint_id}/verify", responses=STEPPED)
def verify_endpoint(request: Request, endpoint_id: UUID, _: Changing, desk: AppDesk) -> Response:
    """Ask the receiver anew whether it wants us."""
    return _take(request, desk.pool, endpoint_id, "verify")


@router.post("/{endpoint_id}/pause", responses=STEPPED)
def pause_endpoint(request: Request, endpoint_id: UUID, _: Changing, desk: AppDesk) -> Response:
    """Send nothing until it is resumed. Nothing is lost meanwhile."""
    return _take(request, desk.pool, endpoint_id, "pause")


@router.post("/{endpoint_id}/resume", responses=STEPPED)
def resume_endpoint(request: Request, endpoint_id: UUID, _: Changing, desk: AppDesk) -> Response:
    """Go on where it stopped: after a pause, or after it was switched off for failing."""
    return _take(request, desk.pool, endpoint_id, "resume")


@router.delete("/{endpoint_id}", responses=STEPPED)
def delete_endpoint(request: Request, endpoint_id: UUID, _: Changing, desk: AppDesk) -> Response:
    """Never send it anything again. What it was told stays in the ledger."""
    return _take(request, desk.pool, endpoint_id, "remove")


def _take(request: Request, pool: Pool, endpoint_id: UUID, step: Step) -> Response:
    stepped = endpoints.take_step(pool, endpoint_id, step, expected=read_expected(request), now=datetime.now(UTC))
    return json_response(_show(stepped))


def _show(item: Endpoint) -> dict[str, object]:
    return {
        "id": item.id,
        "agreement_id": item.agreement_id,
        "url": item.url,
        "event_types": item.event_types,
        "organisation_id": item.organisation_id,
        "state": item.status,
        "position": item.position,
        "rate_per_minute": item.rate_per_minute,
        "failures": item.failures,
        "failing_since": item.failing_since,
        "hold_until": item.hold_until,
        "last_success_at": item.last_success_at,
        "handshake_fault": item.handshake_fault,
        "disabled_because": item.disabled_because,
        "owner_told_at": item.owner_told_at,
        "proposed_by": item.proposed_by,
        "created_at": item.created_at,
    }


def _show_key(key: StoredKey) -> dict[str, object]:
    return {
        "id": key.id,
        "kind": key.kind,
        "public_key": key.public_key,
        "created_at": key.created_at,
        "retires_at": key.retires_at,
    }


def _show_new_key(made: MadeKey) -> dict[str, object]:
    return {**_show_key(made.stored), "key": made.shown}
