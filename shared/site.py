"""Pages for people, in whichever service: who is looking, in which language and frame, and where they sign in."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment

from shared.access.principal import Asked, Principal
from shared.errors import Forbidden, LianxinError, TooMany, Unauthenticated
from shared.frame.forms import FORM_COOKIE, form_token, take_form
from shared.frame.pages import SCRIPTED_HEADERS, STYLE, root_of
from shared.http import STATUS_OF_KIND, answer_expected, leave_open, let_in, take_routes
from shared.policy import POLICY
from shared.witness import asker_of

router = APIRouter()
Language = Literal["zh", "en"]
Texts = Mapping[str, Any]

CHINA: Final = ZoneInfo("Asia/Shanghai")
LANGUAGE_COOKIE: Final = "__Host-lianxin-language"
LANGUAGE_SECONDS: Final = 365 * 24 * 3600


class SignInFirst(Unauthenticated):
    """Whoever looks at this page is nobody yet."""


class NotForThisRole(Forbidden):
    """Whoever looks at this page is known, and has no work here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The pages of one service. `navigation`: a page, the name of its title and what the reader must be allowed to do.

    `home` is the first page for staff. The frame's words, `errors` by code among them, are in `texts`.
    """

    templates: Environment
    texts: Mapping[Language, Texts]
    navigation: tuple[tuple[str, str, str], ...]
    home: str
    public_path: str  # where browsers find this service
    identity_pages: str  # and where those of identity


def add_frame(
    app: FastAPI,
    site: Site,
    *,
    is_page: Callable[[Request], bool],
    render_nothing: Callable[[Request, LianxinError], Response],
) -> None:
    """The look of the pages, and pages for what goes wrong where people look; programs get a problem document."""

    async def answer(request: Request, error: LianxinError) -> Response:
        return render_nothing(request, error) if is_page(request) else await answer_expected(request, error)

    app.state.site = site
    app.add_exception_handler(SignInFirst, go_to_sign_in)
    app.add_exception_handler(NotForThisRole, render_nothing)  # type: ignore[arg-type] # Starlette types by Exception
    app.add_exception_handler(LianxinError, answer)  # type: ignore[arg-type] # same
    take_routes(app, router)


@router.get("/style.css", include_in_schema=False, dependencies=[Depends(leave_open("page.open"))])
def get_style() -> Response:
    return Response(STYLE, media_type="text/css")


def site_of(request: Request) -> Site:
    return cast("Site", request.app.state.site)


def for_staff(action: str) -> Callable[[Request], Awaitable[Principal]]:
    """Like `permit`, for pages: by the session alone, and a form's own token takes the place of the header.

    Raises SignInFirst, NotForThisRole.
    """

    async def authorise(request: Request) -> Principal:
        asked = Asked(method="GET", headers={}, cookies=tuple(request.headers.getlist("cookie")))
        try:
            principal = await let_in(request, action, asked)
        except Unauthenticated:
            raise SignInFirst("sign in first") from None
        except Forbidden as refusal:
            raise NotForThisRole(refusal.detail) from None
        return principal

    authorise.action = action  # type: ignore[attr-defined] # read by list_actions
    return authorise


def choose_language(chosen: str | None) -> Language:
    """Chinese, unless the reader has chosen otherwise."""
    return "en" if chosen == "en" else "zh"


def language_of(request: Request) -> Language:
    asked = request.query_params.get("language")
    return choose_language(asked if asked in {"zh", "en"} else request.cookies.get(LANGUAGE_COOKIE))


def texts_of(request: Request) -> Texts:
    return site_of(request).texts[language_of(request)]


def render(request: Request, template: str, *, status: int = 200, error: str | None = None, **values: Any) -> Response:  # noqa: ANN401 - whatever the template shows
    site, texts = site_of(request), texts_of(request)
    language = "zh-CN" if language_of(request) == "zh" else "en"
    token, is_new = form_token(request)
    page = site.templates.get_template(template).render(
        t=texts,
        language=language,
        root=root_of(request),
        here=request.url.path.strip("/"),
        home=site.home,
        navigation=_navigation_for(request),
        may=_Permissions(asker_of(request.scope)),
        account_url=f"{site.identity_pages}account",
        in_other_language=_in_other_language(request, texts["other_language"]),
        form_token=token,
        clock=clock,
        now=datetime.now(UTC),
        error=None if error is None else texts["errors"].get(error, texts["errors"]["other"]),
        told=texts["done"].get(request.query_params.get("done", "")),
        **values,
    )
    response = HTMLResponse(page, status, {**SCRIPTED_HEADERS, "Content-Language": language})
    if is_new:
        response.headers.append("Set-Cookie", f"{FORM_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax")
    if request.query_params.get("language") in {"zh", "en"}:
        chosen = f"{LANGUAGE_COOKIE}={language_of(request)}"
        cookie = f"{chosen}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={LANGUAGE_SECONDS}"
        response.headers.append("Set-Cookie", cookie)
    return response


def _in_other_language(request: Request, other: str) -> str:
    """The query that shows the same in the other language; what was just done is told once."""
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in {"language", "done"}]
    return urlencode([*asked, ("language", other)])


def _navigation_for(request: Request) -> list[tuple[str, str]]:
    """Where whoever looks has work; all places where nobody knows yet who that is."""
    asker = asker_of(request.scope)
    may = _Permissions(asker)
    return [(place, title) for place, title, action in site_of(request).navigation if asker is None or may(action)]


class _Permissions:
    """What whoever looks may do somewhere. Nobody may do anything."""

    def __init__(self, asker: Principal | None) -> None:
        self._roles = frozenset() if asker is None else frozenset(grant.role for grant in asker.grants)

    def __call__(self, action: str) -> bool:
        return not self._roles.isdisjoint(POLICY[action].roles)


def render_with(request: Request, template: str, values: dict[str, Any], error: LianxinError | None) -> Response:
    """A page; after a refusal with all that was typed, what was wrong, and the status that a program would see."""
    if error is None:
        return render(request, template, **values)
    return render(request, template, status=_status_of(error), error=error.code, **values)


def render_nothing(request: Request, error: LianxinError, *, layout: str = "staff.html") -> Response:
    """A page that says that there is nothing to see, and gives a way back."""
    texts, status = texts_of(request), _status_of(error)
    message = texts["not_yours"] if status == 403 else texts["busy"] if status in {429, 503} else texts["nothing_here"]
    response = render(request, "nothing.html", status=status, layout=layout, message=message)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
    return response


def _status_of(error: LianxinError) -> int:
    return next((status for kind, status in STATUS_OF_KIND if isinstance(error, kind)), 500)


def go(request: Request, place: str) -> Response:
    return RedirectResponse(f"{root_of(request)}{place}", 303, SCRIPTED_HEADERS)


async def go_to_sign_in(request: Request, _: Exception) -> Response:
    """To identity's page. A form of ours that was on its way is kept on a page that sends it again."""
    place = _sign_in_place(site_of(request))
    form, foreign = await take_form(request)
    if request.method != "POST" or foreign is not None:
        return RedirectResponse(place, 303, SCRIPTED_HEADERS)
    fields = {name: value for name, value in form.fields.items() if name != "form_token"}
    return render(request, "send_again.html", status=401, fields=fields, sign_in_place=place)


def _sign_in_place(site: Site) -> str:
    """On the same host the page leads back by itself, on another one the account's page does."""
    is_here = site.identity_pages.startswith("/")
    then = f"?next={quote(f'{site.public_path}{site.home}', safe='')}" if is_here else ""
    return f"{site.identity_pages}sign-in{then}"


def clock(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
