"""What the pages have in common: who is looking, forms that only our own pages can send, and how a page is rendered."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.identity.domain import cookies
from services.identity.domain.origins import CrossSite
from services.identity.domain.sessions import is_local_path
from services.identity.handlers.desk import Desk, new_token
from services.identity.web.texts import TEXTS, Language, choose_language
from shared.access.principal import Asked, Authenticator, Principal
from shared.errors import LianxinError, TooMany, Unauthenticated
from shared.http import STATUS_OF_KIND
from shared.policy import StepUpNeeded, decide
from shared.reach import enter

if TYPE_CHECKING:
    from services.identity.settings import IdentitySettings

MOST_FIELDS: Final = 20
PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With no-referrer a browser would send our own forms from the origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Language, Cookie",
}
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class SignInFirst(Unauthenticated):
    """Whoever looks at this page is nobody yet."""


class StepUpFirst(StepUpNeeded):
    """Whoever looks at this page proves anew who they are."""


@dataclass(frozen=True, slots=True)
class Form:
    fields: dict[str, str]

    def get(self, name: str) -> str:
        return self.fields.get(name, "")


def for_signed_in(action: str) -> Callable[[Request], Awaitable[Principal]]:
    """Like `permit`, for pages: by the session alone, and with a page where somebody must do something first.

    Raises SignInFirst, StepUpFirst, Forbidden. A form's own token takes the place of the header that programs send.
    """

    async def authorise(request: Request) -> Principal:
        authenticator: Authenticator = request.app.state.authenticator
        asked = Asked(method="GET", headers={}, cookies=tuple(request.headers.getlist("cookie")))
        try:
            principal = await authenticator.authenticate(asked)
        except Unauthenticated:
            raise SignInFirst("sign in first") from None
        try:
            enter(decide(principal, action, now=datetime.now(UTC)))
        except StepUpNeeded as needed:
            raise StepUpFirst(needed.detail) from None
        return principal

    authorise.action = action  # type: ignore[attr-defined] # read by list_actions
    return authorise


async def read_form(request: Request) -> Form:
    """Raises CrossSite for a form that no page of ours gave to this browser."""
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise CrossSite("this form is not one of ours") from None
    form = Form({name: value for name, value in pairs if "\0" not in value})
    known = request.cookies.get(cookies.FORM, "")
    if len(known) < 40 or not hmac.compare_digest(known.encode(), form.get("form_token").encode("utf-8", "replace")):
        raise CrossSite("this form is not one of ours")
    return form


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def language_of(request: Request) -> Language:
    return choose_language(request.headers.get("accept-language", ""))


def root_of(request: Request) -> str:
    """The way up to where this service begins: relative, since a proxy may put it below a path of its own."""
    return "../" * (request.url.path.count("/") - 1) or "./"


def render(request: Request, template: str, *, status: int = 200, error: str | None = None, **values: Any) -> Response:  # noqa: ANN401 - whatever the template shows
    language = language_of(request)
    token = request.cookies.get(cookies.FORM) or new_token()
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
    if token != request.cookies.get(cookies.FORM):
        response.headers.append("Set-Cookie", cookies.set_cookie(cookies.FORM, token))
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
