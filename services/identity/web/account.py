"""The pages of one's own account: who one is here, another password, a second factor, proving anew, signing out."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.identity.browsing import caller_of, end_session, give_session
from services.identity.domain import cookies
from services.identity.handlers import own
from services.identity.web.doors import (
    desk_of,
    for_signed_in,
    go,
    go_on,
    provider_label,
    read_next,
    render,
    render_refusal,
)
from services.identity.web.sign_in import read_new_password
from shared.access.principal import Principal
from shared.errors import LianxinError
from shared.frame.forms import Form, read_form

router = APIRouter()
Reading = Annotated[Principal, Depends(for_signed_in("own.read"))]
Changing = Annotated[Principal, Depends(for_signed_in("own.change"))]
Securing = Annotated[Principal, Depends(for_signed_in("own.secure"))]
Sent = Annotated[Form, Depends(read_form)]
AT_DESK = {"cadre", "clerk", "department_officer", "approver"}  # who has work on the pages of intake
FACTOR_PLACE = "account/second-factor"
SHOWN: dict[str, Any] = {"place": FACTOR_PLACE, "is_own": True, "next": ""}


@router.get("/account", include_in_schema=False)
def get_account(request: Request, principal: Reading) -> Response:
    return _render_account(request, principal)


@router.post("/account/sign-out", include_in_schema=False)
def post_sign_out(request: Request, _: Changing, __: Sent) -> Response:
    caller = caller_of(request)
    own.sign_out(desk_of(request), request.cookies.get(cookies.SESSION, ""), now=caller.at)
    return end_session(render(request, "signed_out.html"))


@router.post("/account/sign-out-everywhere", include_in_schema=False)
def post_sign_out_everywhere(request: Request, principal: Changing, _: Sent) -> Response:
    own.sign_out_everywhere(desk_of(request), principal, now=caller_of(request).at)
    return end_session(render(request, "signed_out.html"))


@router.get("/account/password", include_in_schema=False)
def get_password(request: Request, principal: Changing) -> Response:
    return render(request, "new_password.html", next="", name=principal.name, is_own=True)


@router.post("/account/password", include_in_schema=False)
def post_password(request: Request, principal: Changing, form: Sent) -> Response:
    try:
        token = own.change_password(
            desk_of(request),
            principal,
            password=form.get("password")[:1_000],
            new_password=read_new_password(form),
            now=caller_of(request).at,
        )
    except LianxinError as error:
        values = {"next": "", "name": principal.name, "is_own": True}
        return render_refusal(request, "new_password.html", error, **values)
    return give_session(go(request, "account"), token)


@router.get("/account/step-up", include_in_schema=False)
def get_step_up(request: Request, principal: Changing) -> Response:
    then = read_next(request.query_params.get("next"))
    return render(request, "step_up.html", **_step_up_values(request, principal, then))


@router.post("/account/step-up", include_in_schema=False)
def post_step_up(request: Request, principal: Changing, form: Sent) -> Response:
    then = read_next(form.get("next"))
    try:
        token = own.step_up(
            desk_of(request),
            principal,
            password=form.get("password")[:1_000],
            code=form.get("code")[:64],
            now=caller_of(request).at,
        )
    except LianxinError as error:
        return render_refusal(request, "step_up.html", error, **_step_up_values(request, principal, then))
    return give_session(go_on(request, then), token)


@router.get("/account/second-factor", include_in_schema=False)
def get_second_factor(request: Request, _: Securing) -> Response:
    return render(request, "second_factor.html", proposal=None, **SHOWN)


@router.post("/account/second-factor", include_in_schema=False)
def post_second_factor(request: Request, principal: Securing, _: Sent) -> Response:
    try:
        proposal = own.propose_factor(desk_of(request), principal, now=caller_of(request).at)
    except LianxinError as error:
        return render_refusal(request, "second_factor.html", error, proposal=None, **SHOWN)
    return render(request, "second_factor.html", proposal=proposal, **SHOWN)


@router.post("/account/second-factor/confirmation", include_in_schema=False)
def post_confirmation(request: Request, principal: Changing, form: Sent) -> Response:
    try:
        recovery = own.confirm_factor(desk_of(request), principal, form.get("code")[:64], now=caller_of(request).at)
    except LianxinError as error:
        return render_refusal(request, "second_factor.html", error, proposal=None, **SHOWN)
    return render(request, "recovery.html", codes=recovery, next="")


@router.post("/account/second-factor/removal", include_in_schema=False)
def post_removal(request: Request, principal: Securing, _: Sent) -> Response:
    caller_of(request)
    try:
        own.remove_factor(desk_of(request), principal)
    except LianxinError as error:
        return _render_account(request, principal, error=error)
    return go(request, "account")


def _render_account(request: Request, principal: Principal, *, error: LianxinError | None = None) -> Response:
    mine = own.get_own(desk_of(request), principal, now=datetime.now(UTC))
    settings = request.app.state.settings
    works_at_desk = any(grant.role in AT_DESK for grant in mine.grants)
    values = {
        "mine": mine,
        "session_id": principal.session_id,
        "zone": settings.zone,
        "desk_url": settings.desk_url if works_at_desk else None,
    }
    if error is not None:
        return render_refusal(request, "account.html", error, **values)
    return render(request, "account.html", **values)


def _step_up_values(request: Request, principal: Principal, then: str) -> dict[str, Any]:
    mine = own.get_own(desk_of(request), principal, now=datetime.now(UTC))
    return {"next": then, "has_second_factor": mine.has_second_factor, "provider": provider_label(request)}
