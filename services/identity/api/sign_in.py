"""Signing in, step by step, for programs; pages for people do the same in `web`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.identity.api import shapes
from services.identity.api.doors import (
    AppDesk,
    CodeBody,
    GivenName,
    GivenPassword,
    NewPasswordBody,
    show_progress,
)
from services.identity.browsing import caller_of, sign_in_token
from services.identity.handlers import sign_ins
from shared.answers import shows
from shared.http import Body, describe_body, json_body, json_response, leave_open

router = APIRouter()
anybody = Depends(leave_open("sign_in.give"))
PROGRESS = shows(shapes.SignInProgress) | shapes.PROVING


class SignInBody(Body):
    name: GivenName
    password: GivenPassword


@router.post("/v1/sign-in", responses=PROGRESS, openapi_extra=describe_body(SignInBody), dependencies=[anybody])
def post_sign_in(
    request: Request, body: Annotated[SignInBody, Depends(json_body(SignInBody))], desk: AppDesk
) -> Response:
    return show_progress(sign_ins.sign_in(desk, body.name, body.password, caller=caller_of(request)))


@router.post("/v1/sign-in/code", responses=PROGRESS, openapi_extra=describe_body(CodeBody), dependencies=[anybody])
def post_code(request: Request, body: Annotated[CodeBody, Depends(json_body(CodeBody))], desk: AppDesk) -> Response:
    caller = caller_of(request)
    return show_progress(sign_ins.give_code(desk, sign_in_token(request), body.code, caller=caller))


@router.post(
    "/v1/sign-in/new-password",
    responses=PROGRESS,
    openapi_extra=describe_body(NewPasswordBody),
    dependencies=[anybody],
)
def post_new_password(
    request: Request, body: Annotated[NewPasswordBody, Depends(json_body(NewPasswordBody))], desk: AppDesk
) -> Response:
    token, caller = sign_in_token(request), caller_of(request)
    return show_progress(sign_ins.choose_password(desk, token, body.new_password, caller=caller))


@router.post(
    "/v1/sign-in/second-factor",
    responses=shows(shapes.FactorProposal) | shapes.PROVING,
    dependencies=[anybody],
)
def post_second_factor(request: Request, desk: AppDesk) -> Response:
    proposal = sign_ins.propose_factor(desk, sign_in_token(request), caller=caller_of(request))
    return json_response({"secret": proposal.secret, "address": proposal.address})


@router.post(
    "/v1/sign-in/second-factor/confirmation",
    responses=PROGRESS,
    openapi_extra=describe_body(CodeBody),
    dependencies=[anybody],
)
def post_confirmation(
    request: Request, body: Annotated[CodeBody, Depends(json_body(CodeBody))], desk: AppDesk
) -> Response:
    token, caller = sign_in_token(request), caller_of(request)
    return show_progress(sign_ins.confirm_factor(desk, token, body.code, caller=caller))
