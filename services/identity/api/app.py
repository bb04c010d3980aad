"""The app of identity: its routes for programs, to which `web` and others add theirs."""

from collections.abc import Iterable

from fastapi import FastAPI

from services.identity.api import account_proposals, accounts, clients, oauth, own, scim, sign_in
from services.identity.api.doors import make_desk
from services.identity.handlers import retention
from services.identity.settings import IdentitySettings
from shared.access.principal import Authenticator
from shared.audit_door import add_audit
from shared.crypto import CryptoProvider
from shared.database import Pool
from shared.http import create_app, take_routes
from shared.retention_door import add_retention
from shared.throttle import Throttle


def create_api(
    settings: IdentitySettings,
    pool: Pool,
    *,
    authenticator: Authenticator,
    keys: CryptoProvider | None = None,
    form_paths: Iterable[str] = (),
) -> FastAPI:
    """`form_paths` are those of the pages, which send forms; programs send JSON, but for tokens.

    Without keys there are no second factors, and no tokens for machines.
    """
    app = create_app(
        "Lianxin identity", settings, authenticator=authenticator, form_paths=[oauth.TOKEN_PATH, *form_paths]
    )
    app.state.pool = pool
    add_audit(app, pool)
    add_retention(app, settings, retention.CLASSES, service="identity")
    app.state.throttle = Throttle(pool, reads_per_minute=settings.reads_per_minute)
    app.state.desk = make_desk(settings, pool, keys)
    for router in (
        sign_in.router,
        own.router,
        accounts.router,
        *([accounts.linking] if settings.oidc_issuer is not None else []),
        account_proposals.router,
        clients.router,
        scim.router,
    ):
        take_routes(app, router)
    if keys is not None:
        app.state.token_keys = oauth.choose_keys(settings, pool, keys)
        take_routes(app, oauth.router)
    return app
