"""The app: assessment's routes on the app that every service starts from."""

from collections.abc import Iterable

from fastapi import FastAPI

from services.assessment.api import (
    closed_periods,
    corrections,
    exports,
    fair_profiles,
    fair_scores,
    indicators,
    monitoring,
    place_periods,
    place_scores,
    published,
    rule_schemes,
    schemes,
    scores,
    signals,
    simulations,
    standings,
)
from services.assessment.handlers import retention
from services.assessment.settings import AssessmentSettings
from shared.access.principal import Authenticator
from shared.audit_door import add_audit
from shared.database import Pool
from shared.http import create_app, take_routes
from shared.retention_door import add_retention
from shared.throttle import Throttle


def create_api(
    settings: AssessmentSettings, pool: Pool, *, authenticator: Authenticator, form_paths: Iterable[str] = ()
) -> FastAPI:
    """`form_paths` are those of the pages, which send forms; programs send JSON."""
    app = create_app("Lianxin assessment", settings, authenticator=authenticator, form_paths=form_paths)
    app.state.pool = pool
    add_audit(app, pool)
    add_retention(app, settings, retention.CLASSES, service="assessment")
    app.state.throttle = Throttle(pool, reads_per_minute=settings.reads_per_minute)
    for topic in (
        exports,
        scores,
        standings,
        published,
        closed_periods,
        corrections,
        indicators,
        schemes,
        rule_schemes,
        simulations,
        place_scores,
        place_periods,
        monitoring,
        signals,
        fair_scores,
        fair_profiles,  # after the routes of words that stand where numbers do
    ):
        take_routes(app, topic.router)
    return app
