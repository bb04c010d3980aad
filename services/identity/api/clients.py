"""Machine clients, for the people who propose, approve, equip, disable and audit them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from services.identity.api import shapes
from services.identity.domain.clients import Client, Credential, Registration
from services.identity.handlers import clients, registrations
from services.identity.handlers.clients import Addition
from shared import proposals
from shared.access.principal import Principal
from shared.answers import Page, gives, shows
from shared.database import transaction
from shared.edge import CodeText, LongText, ShortText
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit
from shared.identifiers import new_id
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.policy import POLICY
from shared.proposals import Proposal, ProposalStatus

router = APIRouter()
SCOPES = frozenset(rule.scope for rule in POLICY.values() if rule.scope)
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]
ClientId = Annotated[str, Field(min_length=3, max_length=64)]
Reading = Annotated[Principal, Depends(permit("client.read"))]
Proposing = Annotated[Principal, Depends(permit("client.propose"))]
Deciding = Annotated[Principal, Depends(permit("client.decide"))]
Equipping = Annotated[Principal, Depends(permit("client.equip"))]
Disabling = Annotated[Principal, Depends(permit("client.disable"))]


class RegistrationBody(Body):
    """Without organisations the client may act everywhere; without networks, from anywhere."""

    client_id: ClientId
    name: ShortText
    purpose: LongText
    scopes: Annotated[tuple[CodeText, ...], Field(min_length=1, max_length=50)]
    organisation_codes: Annotated[tuple[CodeText, ...], Field(max_length=200)] = ()
    allowed_networks: Annotated[tuple[CodeText, ...], Field(max_length=50)] = ()
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    valid_days: Annotated[int, Field(ge=1, le=1_096)] = 365


class RefusalBody(Body):
    reason: Annotated[ShortText, Field(min_length=1)]


class SecretBody(Body):
    valid_days: Annotated[int, Field(ge=1, le=400)] = 90


class KeyBody(Body):
    """The public half of a key, as a JWK with `kid`, and `alg` as one of ES256, PS256, EdDSA."""

    jwk: dict[str, Any]
    valid_days: Annotated[int, Field(ge=1, le=400)] = 365


@router.post(
    "/v1/client-proposals",
    status_code=201,
    responses=shows(shapes.ClientProposal, status=201) | shapes.CONTRADICTS,
    openapi_extra=describe_body(RegistrationBody),
)
def post_proposal(
    by: Proposing, pool: AppPool, body: Annotated[RegistrationBody, Depends(json_body(RegistrationBody))]
) -> Response:
    now = datetime.now(UTC)
    wished = body.model_dump(exclude={"valid_days"})
    registration = Registration(**wished, expires_at=now + timedelta(days=body.valid_days))
    proposal = registrations.propose(pool, registration, by=by, known_scopes=SCOPES, new_id=new_id(), now=now)
    return json_response(_show_proposal(proposal), status=201)


@router.get("/v1/client-proposals", responses=shows(Page[shapes.ClientProposal]))
def list_proposals(
    _: Reading, pool: AppPool, state: ProposalStatus | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    with transaction(pool) as connection:
        found = proposals.list_proposals(
            connection,
            registrations.KINDS,
            status=state,
            before=_read_id(cursor),
            limit=limit + 1,
            now=datetime.now(UTC),
        )
    return _page([_show_proposal(one) for one in found], limit, key=lambda one: str(one["id"]))


@router.post("/v1/client-proposals/{proposal_id}/approve", responses=shows(shapes.ClientProposal) | shapes.CONTRADICTS)
def approve(proposal_id: UUID, by: Deciding, pool: AppPool) -> Response:
    now = datetime.now(UTC)
    decided = registrations.approve(pool, proposal_id, by=by, known_scopes=SCOPES, new_id=new_id(), now=now)
    return json_response(_show_proposal(decided))


@router.post(
    "/v1/client-proposals/{proposal_id}/refuse",
    responses=shows(shapes.ClientProposal) | shapes.CONTRADICTS,
    openapi_extra=describe_body(RefusalBody),
)
def refuse(
    proposal_id: UUID, by: Deciding, pool: AppPool, body: Annotated[RefusalBody, Depends(json_body(RefusalBody))]
) -> Response:
    decided = registrations.refuse(pool, proposal_id, by=by, reason=body.reason, now=datetime.now(UTC))
    return json_response(_show_proposal(decided))


@router.get("/v1/clients", responses=shows(Page[shapes.ShownClient]))
def list_clients(_: Reading, pool: AppPool, limit: Limit = 50, cursor: Cursor = None) -> Response:
    after = decode_cursor(cursor, length=1)[0] if cursor else ""
    found = clients.list_clients(pool, after=after or "", limit=limit + 1)
    return _page([_show_client(one) for one in found], limit, key=lambda one: str(one["client_id"]))


@router.get("/v1/clients/{client_id}", responses=shows(shapes.ClientWithCredentials))
def get_client(client_id: CodeText, _: Reading, pool: AppPool) -> Response:
    client, credentials = clients.get_client(pool, client_id, now=datetime.now(UTC))
    return json_response({**_show_client(client), "credentials": [_show_credential(one) for one in credentials]})


@router.post(
    "/v1/clients/{client_id}/secrets",
    status_code=201,
    responses=shows(shapes.NewSecret, status=201) | shapes.CONTRADICTS,
    openapi_extra=describe_body(SecretBody),
)
def post_secret(
    client_id: CodeText, by: Equipping, pool: AppPool, body: Annotated[SecretBody, Depends(json_body(SecretBody))]
) -> Response:
    credential, secret = clients.issue_secret(pool, client_id, _addition(by, body.valid_days))
    return json_response({**_show_credential(credential), "secret": secret}, status=201)


@router.post(
    "/v1/clients/{client_id}/keys",
    status_code=201,
    responses=shows(shapes.ShownCredential, status=201) | shapes.CONTRADICTS,
    openapi_extra=describe_body(KeyBody),
)
def post_key(
    client_id: CodeText, by: Equipping, pool: AppPool, body: Annotated[KeyBody, Depends(json_body(KeyBody))]
) -> Response:
    credential = clients.register_key(pool, client_id, body.jwk, _addition(by, body.valid_days))
    return json_response(_show_credential(credential), status=201)


@router.delete("/v1/clients/{client_id}/credentials/{credential_id}", status_code=204, responses=gives(204))
def delete_credential(client_id: CodeText, credential_id: UUID, _: Equipping, pool: AppPool) -> Response:
    clients.revoke_credential(pool, client_id, credential_id, now=datetime.now(UTC))
    return Response(status_code=204)


@router.post("/v1/clients/{client_id}/disable", responses=shows(shapes.ClientState) | shapes.CONTRADICTS)
def disable(client_id: CodeText, _: Disabling, pool: AppPool) -> Response:
    clients.disable_client(pool, client_id, now=datetime.now(UTC))
    return json_response({"client_id": client_id, "status": "disabled"})


def _addition(by: Principal, valid_days: int) -> Addition:
    return Addition(id=new_id(), by=by.name, valid_for=timedelta(days=valid_days), now=datetime.now(UTC))


def _page(found: list[dict[str, Any]], limit: int, *, key: Callable[[dict[str, Any]], str]) -> Response:
    """One more than the page was asked for: whether it is there tells whether there is a next page."""
    following = encode_cursor([key(found[limit - 1])]) if len(found) > limit else None
    return json_response({"items": found[:limit], "next_cursor": following})


def _read_id(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, length=1)[0])
    except (ValueError, TypeError, AttributeError):
        raise BadCursor("the cursor is not one of ours") from None


def _show_client(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "purpose": client.purpose,
        "scopes": client.scopes,
        "organisation_codes": client.organisation_codes,
        "allowed_networks": client.allowed_networks,
        "requests_per_minute": client.requests_per_minute,
        "status": client.status,
        "created_at": client.created_at,
        "expires_at": client.expires_at,
    }


def _show_credential(credential: Credential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "kind": credential.kind,
        "kid": credential.kid,
        "algorithm": credential.algorithm,
        "created_at": credential.created_at,
        "created_by": credential.created_by,
        "expires_at": credential.expires_at,
        "last_used_on": credential.last_used_on,
    }


def _show_proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "state": proposal.status,
        "registration": proposal.document,
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
        "reason": proposal.reason,
    }
