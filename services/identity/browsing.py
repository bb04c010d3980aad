"""What a browser, or a program like one, holds of us and tells of itself: cookies, and where it calls from."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from services.identity.domain import cookies
from services.identity.domain.origins import refuse_cross_site
from services.identity.domain.provider_visits import VISIT_FOR
from services.identity.domain.sessions import DEVICE_FAMILIAR_FOR, UNFINISHED_FOR, NothingUnderWay
from services.identity.handlers.desk import Caller
from services.identity.handlers.opening import Progress
from shared.networks import forwarded_for, network_of, sender_of

if TYPE_CHECKING:
    from services.identity.settings import IdentitySettings


def caller_of(request: Request) -> Caller:
    """Raises CrossSite for a change that a page elsewhere asks for."""
    settings: IdentitySettings = request.app.state.settings
    if request.method not in {"GET", "HEAD"}:
        refuse_cross_site(request.headers, allowed_origins=settings.allowed_origins)
    peer = request.client.host if request.client is not None else None
    sender = sender_of(peer, forwarded_for(request.headers), settings.trusted_proxies)
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


def give_visit(response: Response, token: str) -> Response:
    """Let the browser hold what shows, when it comes back, that it was the one sent off."""
    _append(response, cookies.set_cookie(cookies.VISIT, token, max_age=int(VISIT_FOR.total_seconds())))
    return response


def drop_visit(response: Response) -> Response:
    _append(response, cookies.drop_cookie(cookies.VISIT))
    return response


def visit_token(request: Request) -> str:
    return request.cookies.get(cookies.VISIT, "")


def _append(response: Response, cookie: str) -> None:
    response.headers.append("Set-Cookie", cookie)
