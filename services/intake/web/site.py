"""All pages but the one on which citizens rate, added to the app whose routes for programs stand in `api`."""

from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from services.intake.settings import IntakeSettings
from services.intake.web import (
    call_pages,
    consultation_pages,
    contact_pages,
    issue_pages,
    reception_pages,
    review_pages,
)
from services.intake.web.rendering import is_page, make_site, render_nothing
from shared.http import leave_open, take_routes
from shared.site import add_frame, render

router = APIRouter()
FORM_PATHS = (
    *contact_pages.FORM_PATHS,
    *issue_pages.FORM_PATHS,
    *call_pages.FORM_PATHS,
    *review_pages.FORM_PATHS,
    *reception_pages.FORM_PATHS,
    *consultation_pages.FORM_PATHS,
)
_SCRIPT = (Path(__file__).parent / "desk.js").read_bytes()
anybody = Depends(leave_open("page.open"))


def add_site(app: FastAPI, settings: IntakeSettings) -> None:
    add_frame(app, make_site(settings), is_page=is_page, render_nothing=render_nothing)
    for pages in (contact_pages, issue_pages, call_pages, review_pages, reception_pages, consultation_pages):
        take_routes(app, pages.router)
    take_routes(app, router)


@router.get("/", include_in_schema=False, dependencies=[anybody])
def get_start(request: Request) -> Response:
    return render(request, "start.html")


@router.get("/desk.js", include_in_schema=False, dependencies=[anybody])
def get_script() -> Response:
    return Response(_SCRIPT, media_type="text/javascript")
