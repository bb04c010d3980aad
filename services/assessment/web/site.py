"""All of assessment's pages, added to the app whose routes for programs stand in `api`."""

from fastapi import FastAPI

from services.assessment.settings import AssessmentSettings
from services.assessment.web import (
    comparison_pages,
    fair_pages,
    indicator_pages,
    published_pages,
    score_pages,
    signal_pages,
    simulation_pages,
)
from services.assessment.web.rendering import is_page, make_site
from shared.http import take_routes
from shared.site import add_frame, render_nothing

FORM_PATHS = (*signal_pages.FORM_PATHS, *simulation_pages.FORM_PATHS)


def add_site(app: FastAPI, settings: AssessmentSettings) -> None:
    add_frame(app, make_site(settings), is_page=is_page, render_nothing=render_nothing)
    for pages in (
        fair_pages,
        comparison_pages,
        score_pages,
        signal_pages,
        indicator_pages,
        simulation_pages,
        published_pages,
    ):
        take_routes(app, pages.router)
