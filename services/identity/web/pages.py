"""All pages of identity, added to the app whose routes for programs stand in `api`."""

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from services.identity.domain.origins import CrossSite
from services.identity.web import account, sign_in
from services.identity.web.doors import SignInFirst, StepUpFirst, go
from services.identity.web.provider import add_provider_pages
from services.identity.web.sign_in import render_sign_in
from shared.errors import LianxinError
from shared.frame.forms import ForeignForm
from shared.frame.pages import STYLE
from shared.http import leave_open, problem, take_routes

router = APIRouter()
FORM_PATHS = (
    "/sign-in",
    "/sign-in/code",
    "/sign-in/new-password",
    "/sign-in/second-factor",
    "/sign-in/second-factor/confirmation",
    "/account/sign-out",
    "/account/sign-out-everywhere",
    "/account/password",
    "/account/step-up",
    "/account/second-factor",
    "/account/second-factor/confirmation",
    "/account/second-factor/removal",
)


def add_pages(app: FastAPI) -> None:
    app.add_exception_handler(SignInFirst, _send_to_sign_in)
    app.add_exception_handler(StepUpFirst, _send_to_step_up)
    app.add_exception_handler(ForeignForm, _refuse_form)  # type: ignore[arg-type] # Starlette types by Exception
    app.add_exception_handler(CrossSite, _refuse_form)  # type: ignore[arg-type] # Starlette types by Exception
    take_routes(app, sign_in.router)
    take_routes(app, account.router)
    add_provider_pages(app, app.state.settings)
    take_routes(app, router)


@router.get("/", include_in_schema=False, dependencies=[Depends(leave_open("sign_in.give"))])
def get_start(request: Request) -> Response:
    return go(request, "account")


@router.get("/style.css", include_in_schema=False, dependencies=[Depends(leave_open("sign_in.give"))])
def get_style() -> Response:
    return Response(STYLE, media_type="text/css")


def _send_to_sign_in(request: Request, _: Exception) -> Response:
    return go(request, "sign-in")


def _send_to_step_up(request: Request, _: Exception) -> Response:
    return go(request, "account/step-up")


def _refuse_form(request: Request, error: LianxinError) -> Response:
    """People see a page from which they can begin again, programs a problem document."""
    if request.url.path.startswith("/v1/"):
        return problem(403, error.code, error.detail)
    return render_sign_in(request, error)
