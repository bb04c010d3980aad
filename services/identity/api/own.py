"""What a person who is signed in does with their own account, for programs."""

from datetime import UTC, datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import model_validator

from services.identity.api import shapes
from services.identity.api.doors import (
    AppDesk,
    CodeBody,
    GivenCode,
    GivenPassword,
)
from services.identity.browsing import end_session, give_session
from services.identity.domain import cookies
from services.identity.handlers import own
from shared.access.principal import Principal
from shared.answers import shows
from shared.http import Body, describe_body, either, json_body, json_response, permit

router = APIRouter()
Reading = Annotated[Principal, Depends(permit("own.read"))]
Changing = Annotated[Principal, Depends(permit("own.change"))]
Securing = Annotated[Principal, Depends(permit("own.secure"))]


class ProofBody(Body):
    """Who has a second factor gives its code, everybody else the password."""

    model_config = either("password", "code")

    password: GivenPassword | None = None
    code: GivenCode | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.password is None) == (self.code is None):
            raise ValueError("either a password or a code")
        return self


class PasswordBody(Body):
    password: GivenPassword
    new_password: GivenPassword


@router.get("/v1/me", responses=shows(shapes.OwnAccount))
def get_me(principal: Reading, desk: AppDesk) -> Response:
    return json_response(_show(own.get_own(desk, principal, now=datetime.now(UTC)), principal))


@router.post("/v1/sign-out", responses=shows(shapes.SignedOut))
def post_sign_out(request: Request, _: Changing, desk: AppDesk) -> Response:
    own.sign_out(desk, request.cookies.get(cookies.SESSION, ""), now=datetime.now(UTC))
    return end_session(json_response({"status": "signed-out"}))


@router.post("/v1/sign-out/everywhere", responses=shows(shapes.SignedOutEverywhere))
def post_sign_out_everywhere(principal: Changing, desk: AppDesk) -> Response:
    ended = own.sign_out_everywhere(desk, principal, now=datetime.now(UTC))
    return end_session(json_response({"status": "signed-out", "sessions_ended": ended}))


@router.post(
    "/v1/step-up",
    responses=shows(shapes.SteppedUp) | shapes.CONTRADICTS,
    openapi_extra=describe_body(ProofBody),
)
def post_step_up(
    principal: Changing, desk: AppDesk, body: Annotated[ProofBody, Depends(json_body(ProofBody))]
) -> Response:
    now = datetime.now(UTC)
    token = own.step_up(desk, principal, password=body.password, code=body.code, now=now)
    return give_session(json_response({"status": "stepped-up", "stepped_up_at": now}), token)


@router.post(
    "/v1/password",
    responses=shows(shapes.PasswordChanged) | shapes.CONTRADICTS,
    openapi_extra=describe_body(PasswordBody),
)
def post_password(
    principal: Changing, desk: AppDesk, body: Annotated[PasswordBody, Depends(json_body(PasswordBody))]
) -> Response:
    token = own.change_password(
        desk,
        principal,
        password=body.password,
        new_password=body.new_password,
        now=datetime.now(UTC),
    )
    return give_session(json_response({"status": "password-changed"}), token)


@router.post(
    "/v1/second-factor",
    status_code=201,
    responses=shows(shapes.FactorProposal, status=201) | shapes.CONTRADICTS,
)
def post_second_factor(principal: Securing, desk: AppDesk) -> Response:
    proposal = own.propose_factor(desk, principal, now=datetime.now(UTC))
    return json_response({"secret": proposal.secret, "address": proposal.address}, status=201)


@router.post(
    "/v1/second-factor/confirmation",
    responses=shows(shapes.RecoveryCodes) | shapes.CONTRADICTS,
    openapi_extra=describe_body(CodeBody),
)
def post_confirmation(
    principal: Changing, desk: AppDesk, body: Annotated[CodeBody, Depends(json_body(CodeBody))]
) -> Response:
    recovery = own.confirm_factor(desk, principal, body.code, now=datetime.now(UTC))
    return json_response({"recovery_codes": list(recovery)})


@router.delete("/v1/second-factor", responses=shows(shapes.RemovedFactor) | shapes.CONTRADICTS)
def delete_second_factor(principal: Securing, desk: AppDesk) -> Response:
    return json_response({"removed": own.remove_factor(desk, principal)})


def _show(mine: own.Own, principal: Principal) -> dict[str, object]:
    account = mine.account
    return {
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "staff_number": account.staff_number,
        "roles": [{"role": grant.role, "organisation_code": grant.organisation_code} for grant in mine.grants],
        "stepped_up_at": principal.stepped_up_at,
        "has_password": mine.has_password,
        "has_second_factor": mine.has_second_factor,
        "sessions": [
            {
                "id": session.id,
                "is_this_one": session.id == principal.session_id,
                "created_at": session.created_at,
                "last_seen_at": session.last_seen_at,
                "expires_at": session.expires_at,
                "method": session.method,
            }
            for session in mine.sessions
        ],
    }
