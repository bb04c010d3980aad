"""Accounts and roles, as a security administrator keeps them and an auditor reads them, for programs."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from services.identity.api import shapes
from services.identity.api.account_proposals import show_proposal
from services.identity.api.doors import AppDesk
from services.identity.domain.accounts import GrantableRole
from services.identity.handlers import administration
from services.identity.handlers.administration import Listed, NewAccount, Person
from services.identity.handlers.agreements import Wish, with_agreement
from shared.access.principal import Principal
from shared.answers import Page, refuses, shows
from shared.conditions import read_expected, tagged
from shared.edge import CodeText, ShortText
from shared.http import Body, describe_body, json_body, json_response, permit
from shared.pages import decode_cursor, encode_cursor
from shared.proposals import Proposal

router = APIRouter()
linking = APIRouter()  # for an installation with a provider of identities
Reading = Annotated[Principal, Depends(permit("account.read"))]
Creating = Annotated[Principal, Depends(permit("account.create"))]
Changing = Annotated[Principal, Depends(permit("account.change"))]
Granting = Annotated[Principal, Depends(permit("account.grant"))]
Resetting = Annotated[Principal, Depends(permit("account.reset"))]


class AccountBody(Body):
    """Accounts with the same person_id belong to one person. Without a password a provider signs its owner in."""

    name: CodeText
    display_name: ShortText
    person_id: CodeText | None = None
    staff_number: CodeText | None = None
    with_password: bool = True


class PersonBody(Body):
    display_name: ShortText
    person_id: CodeText
    staff_number: CodeText | None = None


class IdentityBody(Body):
    subject: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class GrantBody(Body):
    """Without an organisation the role holds everywhere, else in that organisation and all below it."""

    role: GrantableRole
    organisation_code: CodeText | None = None


@router.get("/v1/accounts", responses=shows(Page[shapes.ShownAccount]))
def list_accounts(
    _: Reading,
    desk: AppDesk,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    after = decode_cursor(cursor, length=1)[0] if cursor else ""
    found = administration.list_accounts(desk, after=after or "", limit=limit + 1)
    following = encode_cursor([found[limit - 1].account.name]) if len(found) > limit else None
    return json_response({"items": [_show(one) for one in found[:limit]], "next_cursor": following})


@router.get("/v1/accounts/{account_id}", responses=shows(shapes.ShownAccount))
def get_account(request: Request, account_id: UUID, _: Reading, desk: AppDesk) -> Response:
    found = administration.get_account(desk, account_id)
    return tagged(request, _show(found), version=found.account.version)


@router.post(
    "/v1/accounts",
    status_code=201,
    responses=shows(shapes.NewAccountShown, status=201) | shapes.CONTRADICTS,
    openapi_extra=describe_body(AccountBody),
)
def post_account(_: Creating, desk: AppDesk, body: Annotated[AccountBody, Depends(json_body(AccountBody))]) -> Response:
    wished = NewAccount(**body.model_dump())
    account, one_time = administration.create_account(desk, wished, now=datetime.now(UTC))
    document = _show(Listed(account=account, grants=()))
    return json_response({**document, "one_time_password": one_time}, status=201)


@router.put(
    "/v1/accounts/{account_id}",
    responses=shows(shapes.ShownAccount) | shapes.WAITS | refuses(412),
    openapi_extra=describe_body(PersonBody),
)
def put_person(
    request: Request,
    account_id: UUID,
    acting: Changing,
    desk: AppDesk,
    body: Annotated[PersonBody, Depends(json_body(PersonBody))],
) -> Response:
    person, now = Person(**body.model_dump()), datetime.now(UTC)
    document = {"person_id": person.person_id, "staff_number": person.staff_number}
    wish = Wish(kind="person.set", account_id=account_id, document=document)
    done = with_agreement(
        desk,
        acting,
        wish,
        lambda desk: administration.set_person(desk, acting, account_id, person, now=now),
        now=now,
        expected=read_expected(request),
    )
    return _waiting(done) or json_response(_show(administration.get_account(desk, account_id)))


@router.post("/v1/accounts/{account_id}/disable", responses=shows(shapes.AccountState) | shapes.CONTRADICTS)
def post_disable(account_id: UUID, acting: Changing, desk: AppDesk) -> Response:
    administration.set_status(desk, acting, account_id, "disabled", now=datetime.now(UTC))
    return json_response({"id": account_id, "status": "disabled"})


@router.post("/v1/accounts/{account_id}/enable", responses=shows(shapes.AccountState) | shapes.WAITS)
def post_enable(account_id: UUID, acting: Changing, desk: AppDesk) -> Response:
    now = datetime.now(UTC)
    done = with_agreement(
        desk,
        acting,
        Wish(kind="account.enable", account_id=account_id),
        lambda desk: administration.set_status(desk, acting, account_id, "active", now=now),
        now=now,
    )
    return _waiting(done) or json_response({"id": account_id, "status": "active"})


@router.post(
    "/v1/accounts/{account_id}/roles",
    responses=shows(shapes.GrantedRole, description="It was held already.")
    | shows(shapes.GrantedRole, status=201)
    | shapes.WAITS,
    openapi_extra=describe_body(GrantBody),
)
def post_role(
    account_id: UUID, acting: Granting, desk: AppDesk, body: Annotated[GrantBody, Depends(json_body(GrantBody))]
) -> Response:
    now = datetime.now(UTC)
    wish = Wish(kind="role.grant", account_id=account_id, document=body.model_dump())
    done = with_agreement(
        desk,
        acting,
        wish,
        lambda desk: administration.grant_role(desk, acting, account_id, body.role, body.organisation_code, now=now),
        now=now,
    )
    if isinstance(done, Proposal):
        return _wait(done)
    grant, is_new = done
    document = {"id": grant.id, "role": grant.role, "organisation_code": grant.organisation_code}
    return json_response(document, status=201 if is_new else 200)


@router.delete("/v1/accounts/{account_id}/roles/{grant_id}", responses=shows(shapes.GrantedRole) | shapes.CONTRADICTS)
def delete_role(account_id: UUID, grant_id: UUID, acting: Granting, desk: AppDesk) -> Response:
    revoked = administration.revoke_role(desk, acting, account_id, grant_id)
    return json_response({"id": revoked.id, "role": revoked.role, "organisation_code": revoked.organisation_code})


@router.post("/v1/accounts/{account_id}/password", responses=shows(shapes.AccountPassword) | shapes.WAITS)
def post_password(account_id: UUID, acting: Resetting, desk: AppDesk) -> Response:
    now = datetime.now(UTC)
    done = with_agreement(
        desk,
        acting,
        Wish(kind="password.reset", account_id=account_id),
        lambda desk: administration.reset_password(desk, acting, account_id, now=now),
        now=now,
    )
    return _waiting(done) or json_response({"id": account_id, "one_time_password": done})


@router.delete("/v1/accounts/{account_id}/second-factor", responses=shows(shapes.RemovedProof) | shapes.WAITS)
def delete_second_factor(account_id: UUID, acting: Resetting, desk: AppDesk) -> Response:
    now = datetime.now(UTC)
    done = with_agreement(
        desk,
        acting,
        Wish(kind="second_factor.remove", account_id=account_id),
        lambda desk: administration.remove_second_factor(desk, acting, account_id, now=now),
        now=now,
    )
    return _waiting(done) or json_response({"id": account_id, "removed": done})


async def issuer_of(request: Request) -> str:
    """Of an app that takes the routes of `linking`. Whom it signs in is known by it and the subject there alone."""
    issuer: str = request.app.state.settings.oidc_issuer
    return issuer


@linking.put(
    "/v1/accounts/{account_id}/provider-identity",
    responses=shows(shapes.LinkedIdentity) | shapes.WAITS,
    openapi_extra=describe_body(IdentityBody),
)
def put_identity(
    account_id: UUID,
    acting: Resetting,
    desk: AppDesk,
    issuer: Annotated[str, Depends(issuer_of)],
    body: Annotated[IdentityBody, Depends(json_body(IdentityBody))],
) -> Response:
    now, subject = datetime.now(UTC), body.subject
    wish = Wish(kind="identity.link", account_id=account_id, document={"issuer": issuer, "subject": subject})
    done = with_agreement(
        desk,
        acting,
        wish,
        lambda desk: administration.link_identity(desk, acting, account_id, issuer=issuer, subject=subject, now=now),
        now=now,
    )
    return _waiting(done) or json_response({"id": account_id, "issuer": issuer, "subject": body.subject})


@linking.delete(
    "/v1/accounts/{account_id}/provider-identity", responses=shows(shapes.RemovedProof) | shapes.CONTRADICTS
)
def delete_identity(
    account_id: UUID, acting: Resetting, desk: AppDesk, issuer: Annotated[str, Depends(issuer_of)]
) -> Response:
    removed = administration.unlink_identities(desk, acting, account_id, issuer=issuer, now=datetime.now(UTC))
    return json_response({"id": account_id, "removed": removed})


def _waiting(done: object) -> Response | None:
    return _wait(done) if isinstance(done, Proposal) else None


def _wait(proposal: Proposal) -> Response:
    """Another person has to agree; the same request then does it."""
    location = {"Location": f"/v1/account-proposals?state={proposal.status}"}
    return json_response(show_proposal(proposal), status=202, headers=location)


def _show(listed: Listed) -> dict[str, object]:
    account = listed.account
    return {
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "person_id": account.person_id,
        "staff_number": account.staff_number,
        "status": account.status,
        "created_at": account.created_at,
        "version": account.version,
        "roles": [
            {
                "id": grant.id,
                "role": grant.role,
                "organisation_code": grant.organisation_code,
                "granted_at": grant.granted_at,
                "granted_by": grant.granted_by,
            }
            for grant in listed.grants
        ],
    }
