"""The app of identity: its routes for programs, to which `web` and others add theirs."""

from collections.abc import Iterable

from fastapi import FastAPI

from services.identity.api.account_proposals import add_account_proposals
from services.identity.api.accounts import add_accounts
from services.identity.api.clients import add_clients
from services.identity.api.doors import make_desk
from services.identity.api.oauth import TOKEN_PATH, add_oauth
from services.identity.api.own import add_own
from services.identity.api.scim import add_scim
from services.identity.api.sign_in import add_sign_in
from services.identity.handlers import retention
from services.identity.settings import IdentitySettings
from shared.access.principal import Authenticator
from shared.audit_door import add_audit
from shared.crypto import CryptoProvider
from shared.database import Pool
from shared.http import create_app
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
    app = create_app("Lianxin identity", settings, authenticator=authenticator, form_paths=[TOKEN_PATH, *form_paths])
    app.state.pool = pool
    add_audit(app, pool)
    add_retention(app, settings, retention.CLASSES, service="identity")
    app.state.throttle = Throttle(pool, reads_per_minute=settings.reads_per_minute)
    app.state.desk = make_desk(settings, pool, keys)
    add_sign_in(app)
    add_own(app)
    add_accounts(app, issuer=settings.oidc_issuer)
    add_account_proposals(app)
    add_clients(app, pool)
    add_scim(app, settings, pool)
    if keys is not None:
        add_oauth(app, settings, pool, keys)
    return app
