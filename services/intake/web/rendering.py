"""How a page is rendered: in the reader's language, within the common frame, with what was typed after a refusal."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Protocol, cast
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.intake.domain.commands.base import Outcome
from services.intake.settings import IntakeSettings
from services.intake.web.texts.languages import TEXTS, Language, choose_language
from shared.database import Pool
from shared.errors import LianxinError, TooMany
from shared.frame.forms import FORM_COOKIE, form_token
from shared.frame.pages import SCRIPTED_HEADERS, make_environment, root_of
from shared.http import STATUS_OF_KIND
from shared.policy import POLICY

CHINA: Final = ZoneInfo("Asia/Shanghai")
DESK: Final = "/desk"
PUBLIC: Final = ("/reception-days", "/reception-bookings", "/consultations")
LANGUAGE_COOKIE: Final = "__Host-lianxin-language"
LANGUAGE_SECONDS: Final = 365 * 24 * 3600
NAVIGATION: Final = (
    ("desk", "worklist", "issue.read"),
    ("desk/contacts", "my_contacts", "contact.record"),
    ("desk/contacts/new", "new_contact", "contact.record"),
    ("desk/calls", "calls", "callback.read"),
    ("desk/reviews", "reviews", "contact.read_review"),
    ("desk/rating-cases", "rating_cases", "rating_case.read"),
)  # a page, its title and what the reader must be allowed to do
TEMPLATES: Final = make_environment(Path(__file__).parent / "templates")


class Group(Protocol):
    async def submit(self, command: Any) -> Outcome: ...  # noqa: ANN401 - each group takes commands of its own


class Doors(Protocol):
    """The doors of the app that these pages stand on: the same commits that programs share."""

    pool: Pool
    settings: IntakeSettings
    contacts: Group
    amendments: Group
    voids: Group
    issues: Group
    steps: Group
    reviews: Group


def doors_of(request: Request) -> Doors:
    return cast("Doors", request.app.state.doors)


def language_of(request: Request) -> Language:
    asked = request.query_params.get("language")
    return choose_language(asked if asked in {"zh", "en"} else request.cookies.get(LANGUAGE_COOKIE))


def render(request: Request, template: str, *, status: int = 200, error: str | None = None, **values: Any) -> Response:  # noqa: ANN401 - whatever the template shows
    language = language_of(request)
    texts = TEXTS[language]
    token, is_new = form_token(request)
    settings = doors_of(request).settings
    page = TEMPLATES.get_template(template).render(
        t=texts,
        language="zh-CN" if language == "zh" else "en",
        root=root_of(request),
        here=request.url.path.strip("/"),
        navigation=_navigation_for(request),
        account_url=f"{settings.identity_pages}account",
        form_token=token,
        clock=clock,
        now=datetime.now(UTC),
        error=None if error is None else texts["errors"].get(error, texts["errors"]["other"]),
        told=_told(request, texts),
        **values,
    )
    response = HTMLResponse(page, status, {**SCRIPTED_HEADERS, "Content-Language": language})
    if is_new:
        response.headers.append("Set-Cookie", f"{FORM_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax")
    if request.query_params.get("language") in {"zh", "en"}:
        cookie = f"{LANGUAGE_COOKIE}={language}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={LANGUAGE_SECONDS}"
        response.headers.append("Set-Cookie", cookie)
    return response


def _navigation_for(request: Request) -> list[tuple[str, str]]:
    """Where whoever looks has work; all places where nobody knows yet who that is."""
    roles = getattr(request.state, "roles", None)
    return [
        (place, title)
        for place, title, action in NAVIGATION
        if roles is None or not roles.isdisjoint(POLICY[action].roles)
    ]


def _told(request: Request, texts: dict[str, Any]) -> str | None:
    told = {
        "created": texts["saved"],
        "changed": texts["saved"],
        "unchanged": texts["stood_already"],
        "opinion": texts["opinion_received"],
    }
    return told.get(request.query_params.get("done", ""))


def render_with(request: Request, template: str, values: dict[str, Any], error: LianxinError | None) -> Response:
    """A page; after a refusal with all that was typed, what was wrong, and the status that a program would see."""
    if error is None:
        return render(request, template, **values)
    status = next((status for kind, status in STATUS_OF_KIND if isinstance(error, kind)), 500)
    return render(request, template, status=status, error=error.code, **values)


def render_nothing(request: Request, error: LianxinError) -> Response:
    """A page that says that there is nothing to see, and gives a way back."""
    texts = TEXTS[language_of(request)]
    status = next((status for kind, status in STATUS_OF_KIND if isinstance(error, kind)), 500)
    message = texts["not_yours"] if status == 403 else texts["busy"] if status in {429, 503} else texts["nothing_here"]
    layout = "layout.html" if _is_below(request, DESK) else "public.html"
    response = render(request, "nothing.html", status=status, layout=layout, message=message)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(int(error.retry_after_seconds) + 1)
    return response


def is_page(request: Request) -> bool:
    """Whether people look at what this answers; programs have everything below /v1 and the like."""
    return request.url.path == "/" or any(_is_below(request, place) for place in (DESK, *PUBLIC))


def _is_below(request: Request, place: str) -> bool:
    return request.url.path == place or request.url.path.startswith(f"{place}/")


def go(request: Request, place: str) -> Response:
    return RedirectResponse(f"{root_of(request)}{place}", 303, SCRIPTED_HEADERS)


def today() -> date:
    return datetime.now(CHINA).date()


def clock(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
