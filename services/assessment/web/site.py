"""All of assessment's pages, added to the app whose routes for programs stand in `api`."""

from fastapi import FastAPI

from services.assessment.settings import AssessmentSettings
from services.assessment.web import signal_pages, simulation_pages
from services.assessment.web.comparison_pages import add_comparison_pages
from services.assessment.web.fair_pages import add_fair_pages
from services.assessment.web.indicator_pages import add_indicator_pages
from services.assessment.web.published_pages import add_published_pages
from services.assessment.web.rendering import is_page, make_site
from services.assessment.web.score_pages import add_score_pages
from shared.database import Pool
from shared.site import add_frame, render_nothing

FORM_PATHS = (*signal_pages.FORM_PATHS, *simulation_pages.FORM_PATHS)


def add_site(app: FastAPI, settings: AssessmentSettings, pool: Pool) -> None:
    add_frame(app, make_site(settings), is_page=is_page, render_nothing=render_nothing)
    add_fair_pages(app, settings, pool)
    add_comparison_pages(app, settings, pool)
    add_score_pages(app, settings, pool)
    signal_pages.add_signal_pages(app, pool, settings.zone)
    add_indicator_pages(app, pool)
    simulation_pages.add_simulation_pages(app, pool)
    add_published_pages(app, pool)
