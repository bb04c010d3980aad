"""The pages of signing in, one a step. They work without script, and say no more than the routes for programs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.identity.browsing import caller_of, give_progress, sign_in_token
from services.identity.domain.second_factors import SecondFactorUnavailable
from services.identity.domain.sessions import Need, NothingUnderWay
from services.identity.handlers import sign_ins
from services.identity.handlers.opening import Progress
from services.identity.web.doors import (
    desk_of,
    go,
    go_on,
    provider_label,
    read_next,
    render,
    render_refusal,
)
from shared.errors import LianxinError, Rejected
from shared.frame.forms import Form, read_form
from shared.http import leave_open

router = APIRouter()
PLACES: dict[Need, str] = {
    "code": "sign-in/code",
    "new-password": "sign-in/new-password",
    "second-factor": "sign-in/second-factor",
}
FACTOR_PLACE = PLACES["second-factor"]
anybody = Depends(leave_open("sign_in.give"))
Sent = Annotated[Form, Depends(read_form)]


class PasswordsDiffer(Rejected):
    code = "passwords-differ"


@router.get("/sign-in", include_in_schema=False, dependencies=[anybody])
def get_sign_in(request: Request) -> Response:
    return render(request, "sign_in.html", name="", **_sign_in_values(request, request.query_params.get("next")))


@router.post("/sign-in", include_in_schema=False, dependencies=[anybody])
def post_sign_in(request: Request, form: Sent) -> Response:
    then = read_next(form.get("next"))
    name, password = form.get("name")[:200], form.get("password")[:1_000]
    try:
        progress = sign_ins.sign_in(desk_of(request), name, password, caller=caller_of(request))
    except LianxinError as error:
        return render_refusal(request, "sign_in.html", error, name=name, **_sign_in_values(request, then))
    return follow(request, progress, then=then)


@router.get("/sign-in/code", include_in_schema=False, dependencies=[anybody])
def get_code(request: Request) -> Response:
    return _show_step(request, "code", "code.html")


@router.post("/sign-in/code", include_in_schema=False, dependencies=[anybody])
def post_code(request: Request, form: Sent) -> Response:
    then = read_next(form.get("next"))
    try:
        token, caller = sign_in_token(request), caller_of(request)
        progress = sign_ins.give_code(desk_of(request), token, form.get("code")[:64], caller=caller)
    except NothingUnderWay as error:
        return _begin_again(request, error, then)
    except LianxinError as error:
        return render_refusal(request, "code.html", error, next=then)
    return follow(request, progress, then=then)


@router.get("/sign-in/new-password", include_in_schema=False, dependencies=[anybody])
def get_new_password(request: Request) -> Response:
    return _show_step(request, "new-password", "new_password.html", is_own=False)


@router.post("/sign-in/new-password", include_in_schema=False, dependencies=[anybody])
def post_new_password(request: Request, form: Sent) -> Response:
    then = read_next(form.get("next"))
    try:
        token, caller = sign_in_token(request), caller_of(request)
        progress = sign_ins.choose_password(desk_of(request), token, read_new_password(form), caller=caller)
    except NothingUnderWay as error:
        return _begin_again(request, error, then)
    except LianxinError as error:
        return render_refusal(request, "new_password.html", error, next=then, name="", is_own=False)
    return follow(request, progress, then=then)


@router.get("/sign-in/second-factor", include_in_schema=False, dependencies=[anybody])
def get_second_factor(request: Request) -> Response:
    return _show_step(request, "second-factor", "second_factor.html", proposal=None, place=FACTOR_PLACE, is_own=False)


@router.post("/sign-in/second-factor", include_in_schema=False, dependencies=[anybody])
def post_second_factor(request: Request, form: Sent) -> Response:
    then, caller = read_next(form.get("next")), caller_of(request)
    try:
        proposal = sign_ins.propose_factor(desk_of(request), sign_in_token(request), caller=caller)
    except SecondFactorUnavailable as error:
        values = {"proposal": None, "place": FACTOR_PLACE, "is_own": False}
        return render_refusal(request, "second_factor.html", error, next=then, **values)
    except LianxinError as error:
        return _begin_again(request, error, then)
    return render(request, "second_factor.html", next=then, proposal=proposal, place=FACTOR_PLACE, is_own=False)


@router.post("/sign-in/second-factor/confirmation", include_in_schema=False, dependencies=[anybody])
def post_confirmation(request: Request, form: Sent) -> Response:
    then, caller = read_next(form.get("next")), caller_of(request)
    try:
        progress = sign_ins.confirm_factor(
            desk_of(request), sign_in_token(request), form.get("code")[:64], caller=caller
        )
    except NothingUnderWay as error:
        return _begin_again(request, error, then)
    except LianxinError as error:
        values = {"proposal": None, "place": FACTOR_PLACE, "is_own": False}
        return render_refusal(request, "second_factor.html", error, next=then, **values)
    return follow(request, progress, then=then)


def follow(request: Request, progress: Progress, *, then: str) -> Response:
    """To the next step, or to where the person wanted to go; recovery codes are shown on the way."""
    if progress.recovery_codes:
        page = render(request, "recovery.html", codes=progress.recovery_codes, next=then)
        return give_progress(page, progress)
    if progress.need is not None:
        return give_progress(go(request, PLACES[progress.need], then=then), progress)
    return give_progress(go_on(request, then), progress)


def read_new_password(form: Form) -> str:
    """Raises PasswordsDiffer."""
    if form.get("new_password") != form.get("repeated"):
        raise PasswordsDiffer("the two new passwords differ")
    return form.get("new_password")[:1_000]


def render_sign_in(request: Request, error: LianxinError, *, then: str = "") -> Response:
    return render_refusal(request, "sign_in.html", error, name="", **_sign_in_values(request, then))


def _begin_again(request: Request, error: LianxinError, then: str) -> Response:
    return render_sign_in(request, error, then=then)


def _show_step(request: Request, need: Need, template: str, **values: Any) -> Response:  # noqa: ANN401 - what it shows
    """The page of this step, where the sign-in waits for it; else the page of the step that it waits for."""
    then = read_next(request.query_params.get("next"))
    try:
        account, waits_for = sign_ins.get_need(desk_of(request), sign_in_token(request), caller=caller_of(request))
    except NothingUnderWay:
        return go(request, "sign-in", then=then)
    if waits_for != need:
        return go(request, PLACES[waits_for] if waits_for else "sign-in", then=then)
    return render(request, template, next=then, name=account.name, **values)


def _sign_in_values(request: Request, then: str | None) -> dict[str, Any]:
    return {"next": read_next(then), "provider": provider_label(request)}
