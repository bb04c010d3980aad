"""The app of identity: its routes for programs, to which `web` and others add theirs."""

from fastapi import FastAPI

from services.identity.settings import IdentitySettings
from shared.access.principal import Authenticator
from shared.database import Pool
from shared.http import create_app


def create_api(settings: IdentitySettings, pool: Pool, *, authenticator: Authenticator) -> FastAPI:
    app = create_app("Lianxin identity", settings, authenticator=authenticator)
    app.state.pool = pool
    return app
