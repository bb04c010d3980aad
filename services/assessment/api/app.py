"""The app: assessment's routes on the app that every service starts from."""

from collections.abc import Iterable

from fastapi import FastAPI

from services.assessment.api.closed_periods import add_closed_period_routes
from services.assessment.api.corrections import add_correction_routes
from services.assessment.api.exports import add_export_routes
from services.assessment.api.fair_profiles import add_fair_profile_routes
from services.assessment.api.fair_scores import add_fair_score_routes
from services.assessment.api.indicators import add_indicator_routes
from services.assessment.api.monitoring import add_monitoring_routes
from services.assessment.api.place_periods import add_place_period_routes
from services.assessment.api.place_scores import add_place_score_routes
from services.assessment.api.published import add_published_routes
from services.assessment.api.rule_schemes import add_rule_scheme_routes
from services.assessment.api.schemes import add_scheme_routes
from services.assessment.api.scores import add_score_routes
from services.assessment.api.signals import add_signal_routes
from services.assessment.api.simulations import add_simulation_routes
from services.assessment.api.standings import add_standing_routes
from services.assessment.handlers import retention
from services.assessment.settings import AssessmentSettings
from shared.access.principal import Authenticator
from shared.audit_door import add_audit
from shared.database import Pool
from shared.http import create_app
from shared.retention_door import add_retention
from shared.throttle import Throttle


def create_api(
    settings: AssessmentSettings, pool: Pool, *, authenticator: Authenticator, form_paths: Iterable[str] = ()
) -> FastAPI:
    """`form_paths` are those of the pages, which send forms; programs send JSON."""
    app = create_app("Lianxin assessment", settings, authenticator=authenticator, form_paths=form_paths)
    add_audit(app, pool)
    add_retention(app, pool, settings, retention.CLASSES, service="assessment")
    app.state.throttle = Throttle(pool, reads_per_minute=settings.reads_per_minute)
    add_export_routes(app, settings, pool)
    add_score_routes(app, settings, pool)
    add_standing_routes(app, settings, pool)
    add_published_routes(app, pool)
    add_closed_period_routes(app, pool)
    add_correction_routes(app, pool)
    add_indicator_routes(app, settings, pool)
    add_scheme_routes(app, pool)
    add_rule_scheme_routes(app, pool)
    add_simulation_routes(app, pool)
    add_place_score_routes(app, pool)
    add_place_period_routes(app, pool)
    add_monitoring_routes(app, pool)
    add_signal_routes(app, pool, settings.zone)
    add_fair_score_routes(app, pool)
    add_fair_profile_routes(app, settings, pool)  # after the routes of words that stand where numbers do
    return app
