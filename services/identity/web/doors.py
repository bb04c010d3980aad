"""What the pages have in common: who is looking, and how a page is rendered."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.identity.domain import cookies
from services.identity.domain.sessions import is_local_path
from services.identity.handlers.desk import Desk
from services.identity.web.texts import TEXTS, Language, choose_language
from shared.access.principal import Asked, Principal
from shared.errors import LianxinError, TooMany, Unauthenticated
from shared.frame.forms import FORM_COOKIE, form_token
from shared.frame.pages import PAGE_HEADERS, make_environment, root_of
from shared.http import STATUS_OF_KIND, let_in
from shared.policy import StepUpNeeded

if TYPE_CHECKING:
    from services.identity.settings import IdentitySettings

_templates = make_environment(Path(__file__).parent / "templates")


class SignInFirst(Unauthenticated):
    """Whoever looks at this page is nobody yet."""


class StepUpFirst(StepUpNeeded):
    """Whoever looks at this page proves anew who they are."""


def for_signed_in(action: str) -> Callable[[Request], Awaitable[Principal]]:
    """Like `permit`, for pages: by the session alone, and with a page where somebody must do something first.

    Raises SignInFirst, StepUpFirst, Forbidden. A form's own token takes the place of the header that programs send.
    """

    async def authorise(request: Request) -> Principal:
        asked = Asked(method="GET", headers={}, cookies=tuple(request.headers.getlist("cookie")))
        try:
            return await let_in(request, action, asked)
        except Unauthenticated:
            raise SignInFirst("sign in first") from None
        except StepUpNeeded as needed:
            raise StepUpFirst(needed.detail) from None

    authorise.action = action  # type: ignore[attr-defined] # read by list_actions
    return authorise


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def language_of(request: Request) -> Language:
    return choose_language(request.headers.get("accept-language", ""))


def render(request: Request, template: str, *, status: int = 200, error: str | None = None, **values: Any) -> Response:  # noqa: ANN401 - whatever the template shows
    language = language_of(request)
    token, is_new = form_token(request)
    texts = TEXTS[language]
    page = _templates.get_template(template).render(
        t=texts,
        language="zh-CN" if language == "zh" else "en",
        root=root_of(request),
        form_token=token,
        error=texts["errors"].get(error, texts["errors"]["other"]) if error else None,
        **values,
    )
    response = HTMLResponse(page, status, {**PAGE_HEADERS, "Content-Language": language})
    if is_new:
        response.headers.append("Set-Cookie", cookies.set_cookie(FORM_COOKIE, token))
    return response


def render_refusal(request: Request, template: str, error: LianxinError, **values: Any) -> Response:  # noqa: ANN401 - as above
    """The same page again, with what was wrong and the status that a program would see."""
    status = next((status for kind, status in STATUS_OF_KIND if isinstance(error, kind)), 500)
    response = render(request, template, status=status, error=error.code, **values)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(int(error.retry_after_seconds) + 1)
    return response


def provider_label(request: Request) -> str | None:
    """What the provider of identities is called on a button, where there is one."""
    settings: IdentitySettings = request.app.state.settings
    return settings.oidc_label if settings.oidc_issuer else None


def read_next(text: str | None) -> str:
    """Where to go afterwards: a path on this host, or nothing."""
    return text if text and is_local_path(text) else ""


def go(request: Request, place: str, *, then: str = "") -> Response:
    """To a page of ours, which carries along where to go afterwards."""
    query = f"?next={quote(then, safe='')}" if then else ""
    return RedirectResponse(f"{root_of(request)}{place}{query}", 303, PAGE_HEADERS)


def go_on(request: Request, then: str) -> Response:
    """To where the person wanted to go, or to their account."""
    return RedirectResponse(then, 303, PAGE_HEADERS) if then else go(request, "account")
