"""The whole of intake's HTTP door: every topic's routes on one app."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.intake.api import (
    batches,
    callbacks,
    changes,
    citizen_messages,
    clocks,
    consultations,
    contacts,
    corrections,
    imports,
    issues,
    open311,
    rating_cases,
    rating_links,
    rating_samples,
    ratings,
    receptions,
    register_topics,
    reviews,
    shield,
    staff_phones,
    suggestions,
)
from services.intake.api.doors import Doors
from services.intake.api.issue_steps import ending, leading, reviewing, working
from services.intake.handlers import retention
from services.intake.handlers.citizen_rules import load_telling, open_citizen_gateway
from services.intake.handlers.rating_rules import load_rating_rules
from services.intake.settings import IntakeSettings
from shared.access.principal import Authenticator
from shared.audit_door import add_audit
from shared.database import Pool
from shared.http import create_app, take_routes
from shared.retention_door import add_retention
from shared.throttle import Throttle


def create_intake_app(
    settings: IntakeSettings,
    pool: Pool,
    *,
    authenticator: Authenticator,
    nudge_import: Callable[[str], None] = lambda _: None,
    form_paths: Iterable[str] = (),
) -> FastAPI:
    """The app over an open pool. `nudge_import` is told the id of each accepted import; `form_paths` are of `web`."""
    rating_rules = load_rating_rules(settings)
    gateway = open_citizen_gateway(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.doors = Doors(pool, settings, rating_rules)
        yield
        await app.state.doors.drain()

    app = create_app(
        "Lianxin intake",
        settings,
        authenticator=authenticator,
        lifespan=lifespan,
        upload_paths=("/v1/imports",),
        form_paths=("/rate", "/rate/confirmation", *open311.FORM_PATHS, *form_paths),  # the former are pages in `web`
    )
    app.state.pool = pool
    add_audit(app, pool)
    add_retention(app, settings, retention.CLASSES, service="intake")
    app.state.throttle = Throttle(pool, reads_per_minute=settings.reads_per_minute)
    app.state.nudge_import = nudge_import
    app.state.rating_rules = rating_rules
    app.state.telling = load_telling(settings)
    app.state.citizen_receipts = gateway.receipt if gateway is not None else None
    for topic in (
        reviews,  # before contacts, whose ids would take its name for one
        contacts,
        corrections,
        batches,
        issues,
        working,
        ending,
        leading,
        reviewing,
        ratings,
        *register_topics.TOPICS,
        imports,
        shield,
        rating_links,
        receptions,
        consultations,
        suggestions,
        rating_cases,
        staff_phones,
        changes,
        callbacks,
        rating_samples,
        clocks,
        citizen_messages,
    ):  # the busiest first: routes are tried in order
        take_routes(app, topic.router)
    open311.add_open311(app)
    return app
