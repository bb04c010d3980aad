"""What the routes of identity have in common: who calls, which cookies they hold, and what is given back to them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from pydantic import Field

from services.identity.credentials import PasswordHashing
from services.identity.domain import cookies
from services.identity.domain.networks import network_of, sender_of
from services.identity.domain.origins import refuse_cross_site
from services.identity.domain.passwords import PasswordRules
from services.identity.domain.sessions import DEVICE_FAMILIAR_FOR, UNFINISHED_FOR, NothingUnderWay, SessionRules
from services.identity.handlers.desk import Caller, Desk
from services.identity.handlers.opening import Progress
from services.identity.settings import IdentitySettings
from shared.crypto import CryptoProvider
from shared.database import Pool
from shared.http import Body, json_response

# Bounds on the work, not rules: what is too short or too long is refused as a password by its own rules.
GivenPassword = Annotated[str, Field(min_length=1, max_length=1_000)]
GivenName = Annotated[str, Field(min_length=1, max_length=200)]
GivenCode = Annotated[str, Field(min_length=6, max_length=64)]


class CodeBody(Body):
    code: GivenCode


class NewPasswordBody(Body):
    new_password: GivenPassword


def make_desk(settings: IdentitySettings, pool: Pool, keys: CryptoProvider | None) -> Desk:
    return Desk(
        pool=pool,
        hashing=PasswordHashing(),
        keys=keys,
        sessions=SessionRules(
            idle_seconds=settings.session_idle_minutes * 60,
            absolute=timedelta(hours=settings.session_hours),
            most=settings.sessions_per_account,
        ),
        passwords=PasswordRules(
            composition=settings.password_composition,
            valid_for=timedelta(days=settings.password_valid_days) if settings.password_valid_days else None,
        ),
        failures_per_network=settings.sign_in_failures_per_network,
        second_factor_roles=frozenset(settings.require_second_factor),
    )


def desk_of(app: FastAPI) -> Desk:
    desk: Desk = app.state.desk
    return desk


def caller_of(request: Request) -> Caller:
    """Raises CrossSite for a change that a page elsewhere asks for."""
    settings: IdentitySettings = request.app.state.settings
    if request.method not in {"GET", "HEAD"}:
        refuse_cross_site(request.headers, allowed_origins=settings.allowed_origins)
    peer = request.client.host if request.client is not None else None
    sender = sender_of(peer, request.headers.get("x-forwarded-for"), settings.trusted_proxies)
    return Caller(
        network=network_of(sender),
        at=datetime.now(UTC),
        device=request.cookies.get(cookies.DEVICE) or None,
        session=request.cookies.get(cookies.SESSION) or None,
    )


def sign_in_token(request: Request) -> str:
    """Raises NothingUnderWay."""
    token = request.cookies.get(cookies.SIGN_IN)
    if not token:
        raise NothingUnderWay
    return token


def give_progress(response: Response, progress: Progress) -> Response:
    """Put into the browser what it needs from here on, and take away what is over."""
    if progress.session_token is not None:
        _append(response, cookies.set_cookie(cookies.SESSION, progress.session_token))
        _append(response, cookies.drop_cookie(cookies.SIGN_IN))
    elif progress.unfinished_token is not None:
        age = int(UNFINISHED_FOR.total_seconds())
        _append(response, cookies.set_cookie(cookies.SIGN_IN, progress.unfinished_token, max_age=age))
    if progress.device_token is not None:
        age = int(DEVICE_FAMILIAR_FOR.total_seconds())
        _append(response, cookies.set_cookie(cookies.DEVICE, progress.device_token, max_age=age))
    return response


def give_session(response: Response, token: str) -> Response:
    _append(response, cookies.set_cookie(cookies.SESSION, token))
    return response


def end_session(response: Response) -> Response:
    """The browser forgets what it saw while signed in; that it is familiar stays."""
    _append(response, cookies.drop_cookie(cookies.SESSION))
    _append(response, cookies.drop_cookie(cookies.SIGN_IN))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def show_progress(progress: Progress) -> Response:
    """For programs: either signed in, or the step that is still needed."""
    document: dict[str, Any] = {"status": "signed-in" if progress.need is None else f"{progress.need}-needed"}
    if progress.need is None:
        document["account"] = {"id": progress.account.id, "name": progress.account.name}
    if progress.recovery_codes:
        document["recovery_codes"] = list(progress.recovery_codes)
    return give_progress(json_response(document), progress)


def _append(response: Response, cookie: str) -> None:
    response.headers.append("Set-Cookie", cookie)
