"""What the pages for staff have in common: who is looking, and what happens to those who may not."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.intake.web.rendering import doors_of, render
from shared.access.principal import Asked, Principal
from shared.errors import Forbidden, Unauthenticated
from shared.frame.forms import take_form
from shared.frame.pages import SCRIPTED_HEADERS
from shared.http import let_in
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.reach import current


class SignInFirst(Unauthenticated):
    """Whoever looks at this page is nobody yet."""


class NotForThisRole(Forbidden):
    """Whoever looks at this page is known, and has no work here."""


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
        request.state.roles = {grant.role for grant in principal.grants}
        return principal

    authorise.action = action  # type: ignore[attr-defined] # read by list_actions
    return authorise


def tell(record_id: Any = None) -> dict[str, Any]:  # noqa: ANN401 - a UUID or None
    """What every command has: its id, its correlation id and the sender's reach. The id stands for a key."""
    return {"id": record_id or new_id(), "correlation_id": correlation_id(), "reach": current()}


async def go_to_sign_in(request: Request, _: Exception) -> Response:
    """To identity's page. A form of ours that was on its way is kept on a page that sends it again."""
    place = _sign_in_place(request)
    form, foreign = await take_form(request)
    if request.method != "POST" or foreign is not None:
        return RedirectResponse(place, 303, SCRIPTED_HEADERS)
    fields = {name: value for name, value in form.fields.items() if name != "form_token"}
    return render(request, "send_again.html", status=401, fields=fields, sign_in_place=place)


def _sign_in_place(request: Request) -> str:
    """On the same host the page leads back by itself, on another one the account's page does."""
    settings = doors_of(request).settings
    is_here = settings.identity_pages.startswith("/")
    then = f"?next={quote(f'{settings.public_path}desk', safe='')}" if is_here else ""
    return f"{settings.identity_pages}sign-in{then}"
