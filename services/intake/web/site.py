"""All pages but the one on which citizens rate, added to the app whose routes for programs stand in `api`."""

from pathlib import Path

from fastapi import Depends, FastAPI, Request, Response

from services.intake.web import (
    call_pages,
    consultation_pages,
    contact_pages,
    issue_pages,
    reception_pages,
    review_pages,
)
from services.intake.web.rendering import is_page, render, render_nothing
from services.intake.web.staff import NotForThisRole, SignInFirst, go_to_sign_in
from shared.errors import LianxinError
from shared.frame.pages import STYLE
from shared.http import answer_expected, leave_open

FORM_PATHS = (
    *contact_pages.FORM_PATHS,
    *issue_pages.FORM_PATHS,
    *call_pages.FORM_PATHS,
    *review_pages.FORM_PATHS,
    *reception_pages.FORM_PATHS,
    *consultation_pages.FORM_PATHS,
)
_SCRIPT = (Path(__file__).parent / "desk.js").read_bytes()
anybody = Depends(leave_open("link.use"))


def add_site(app: FastAPI) -> None:
    app.add_exception_handler(SignInFirst, go_to_sign_in)
    app.add_exception_handler(NotForThisRole, render_nothing)  # type: ignore[arg-type] # Starlette types by Exception
    app.add_exception_handler(LianxinError, _answer)  # type: ignore[arg-type] # same
    contact_pages.add_contact_pages(app)
    issue_pages.add_issue_pages(app)
    call_pages.add_call_pages(app)
    review_pages.add_review_pages(app)
    reception_pages.add_reception_pages(app)
    consultation_pages.add_consultation_pages(app)

    @app.get("/", include_in_schema=False, dependencies=[anybody])
    def get_start(request: Request) -> Response:
        return render(request, "start.html")

    @app.get("/style.css", include_in_schema=False, dependencies=[anybody])
    def get_style() -> Response:
        return Response(STYLE, media_type="text/css")

    @app.get("/desk.js", include_in_schema=False, dependencies=[anybody])
    def get_script() -> Response:
        return Response(_SCRIPT, media_type="text/javascript")


async def _answer(request: Request, error: LianxinError) -> Response:
    """People see a page, programs a problem document."""
    if is_page(request):
        return render_nothing(request, error)
    return await answer_expected(request, error)
