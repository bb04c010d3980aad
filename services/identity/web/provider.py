"""The pages between us and a provider of identities: the way there, and the one address to come back to."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from services.identity.browsing import caller_of, drop_visit, give_session, give_visit, visit_token
from services.identity.domain.provider_visits import ProviderRefused
from services.identity.handlers import provider_visits
from services.identity.handlers.provider_visits import Arrived
from services.identity.providers import Provider
from services.identity.settings import IdentitySettings
from services.identity.web.doors import desk_of, for_signed_in, go_on, read_next
from services.identity.web.sign_in import follow, render_sign_in
from shared.access.principal import Principal
from shared.errors import LianxinError
from shared.frame.pages import PAGE_HEADERS
from shared.http import json_response, leave_open, permit, settings_of, take_routes

router = APIRouter()
CALLBACK = "/sign-in/provider/callback"
LONGEST_PARAMETER = 4_096
anybody = Depends(leave_open("sign_in.give"))
Changing = Annotated[Principal, Depends(for_signed_in("own.change"))]


def make_provider(settings: IdentitySettings) -> Provider | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.public_url is None:
        return None
    secret = settings.oidc_client_secret
    return Provider(
        settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        redirect_uri=settings.public_url.rstrip("/") + CALLBACK,
    )


def add_provider_pages(app: FastAPI, settings: IdentitySettings) -> None:
    app.state.provider = make_provider(settings)
    if app.state.provider is not None:
        take_routes(app, router)


async def provider_of(request: Request) -> Provider:
    """Of an app that takes these routes, which has one."""
    provider: Provider = request.app.state.provider
    return provider


AppProvider = Annotated[Provider, Depends(provider_of)]
AppSettings = Annotated[IdentitySettings, Depends(settings_of)]


@router.get("/sign-in/provider", include_in_schema=False, dependencies=[anybody])
def get_provider(request: Request, provider: AppProvider) -> Response:
    then = read_next(request.query_params.get("next"))
    try:
        sent = provider_visits.send(
            desk_of(request), provider, purpose="sign-in", next_path=then, now=datetime.now(UTC)
        )
    except LianxinError as error:
        return render_sign_in(request, error, then=then)
    return give_visit(RedirectResponse(sent.address, 303, PAGE_HEADERS), sent.browser_token)


@router.get("/account/step-up/provider", include_in_schema=False)
def get_step_up(request: Request, principal: Changing, provider: AppProvider) -> Response:
    sent = provider_visits.send(
        desk_of(request),
        provider,
        purpose="step-up",
        session_id=principal.session_id,
        next_path=read_next(request.query_params.get("next")),
        now=datetime.now(UTC),
    )
    return give_visit(RedirectResponse(sent.address, 303, PAGE_HEADERS), sent.browser_token)


@router.post("/v1/provider-identity")
def post_identity(
    principal: Annotated[Principal, Depends(permit("own.secure"))], provider: AppProvider, request: Request
) -> Response:
    """For programs that show pages of their own: the address to which the same browser is sent."""
    now = datetime.now(UTC)
    sent = provider_visits.send(desk_of(request), provider, purpose="link", session_id=principal.session_id, now=now)
    return give_visit(json_response({"address": sent.address}), sent.browser_token)


@router.get(CALLBACK, include_in_schema=False, dependencies=[anybody])
def get_callback(request: Request, provider: AppProvider, settings: AppSettings) -> Response:
    caller = caller_of(request)
    try:
        returned = provider_visits.take_back(
            desk_of(request), provider, _read(request), caller=caller, provision=settings.oidc_provision
        )
    except LianxinError as error:
        return drop_visit(render_sign_in(request, error))
    if returned.progress is not None:
        return drop_visit(follow(request, returned.progress, then=returned.next_path))
    return drop_visit(give_session(go_on(request, returned.next_path), returned.session_token or ""))


def _read(request: Request) -> Arrived:
    """Raises ProviderRefused for what is missing, too long, given twice, or a refusal of the provider."""
    given = {}
    for name in ("state", "code", "iss", "error"):
        values = request.query_params.getlist(name)
        if len(values) > 1 or any(len(value) > LONGEST_PARAMETER or "\0" in value for value in values):
            raise ProviderRefused("what the provider sent makes no sense")
        given[name] = values[0] if values else ""
    token = visit_token(request)
    if given["error"] or not (given["state"] and given["code"] and token):
        raise ProviderRefused("the provider did not confirm who this is, or another browser was sent off")
    return Arrived(state=given["state"], code=given["code"], issuer=given["iss"] or None, browser_token=token)
