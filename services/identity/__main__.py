"""The processes of identity: python -m services.identity serve | keep | migrate | administrator | agree | ....

Each imports what it needs itself: a command that opens no door starts in half the time, and in less memory.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from services.identity.settings import IdentitySettings
from shared import commands
from shared.crypto import KeyRing
from shared.database import Pool
from shared.errors import Transient
from shared.settings import UnsafeSetting


def serve(settings: IdentitySettings, pool: Pool, _: Sequence[str]) -> int:
    from services.identity.api.app import create_api
    from services.identity.handlers.keeping import demand_second_factors
    from services.identity.web.pages import FORM_PATHS, add_pages
    from shared import processes

    keys = _open_keys(settings)
    authenticator = processes.open_authenticator(settings, service="identity")
    app = create_api(settings, pool, authenticator=authenticator, keys=keys, form_paths=FORM_PATHS)
    add_pages(app)
    with suppress(Transient):  # then `keep` does it, once the database is there
        demand_second_factors(pool, settings.require_second_factor)
    return processes.serve_api(settings, pool, app)


def administrator(settings: IdentitySettings, pool: Pool, arguments: Sequence[str]) -> int:
    """Make the first security administrator. Who has the machine may do that once; afterwards administrators may."""
    from services.identity.api.doors import make_desk
    from services.identity.handlers.administration import make_first_administrator

    parser = argparse.ArgumentParser(prog="python -m services.identity administrator")
    parser.add_argument("name", help="by which the administrator signs in")
    options = parser.parse_args(arguments)
    one_time = make_first_administrator(make_desk(settings, pool, None), options.name, now=datetime.now(UTC))
    sys.stdout.write(f"{one_time}\n")
    sys.stderr.write("This password is shown once, is good for three days, and must be changed at the first sign-in.\n")
    return 0


def agree(settings: IdentitySettings, pool: Pool, arguments: Sequence[str]) -> int:
    """Be the second person where there is none left: who has the machine may do that, and the audit says so."""
    from services.identity.api.doors import make_desk
    from services.identity.handlers.agreements import agree_as_installation

    parser = argparse.ArgumentParser(
        prog="python -m services.identity agree",
        description="Agree to what an administrator asked for, where nobody else who may is left.",
    )
    parser.add_argument("proposal", type=UUID, help="as GET /v1/account-proposals shows it")
    options = parser.parse_args(arguments)
    decided = agree_as_installation(make_desk(settings, pool, None), options.proposal, now=datetime.now(UTC))
    sys.stdout.write(f"{decided.kind} {decided.object_id}: agreed; {decided.proposed_by} may do it now\n")
    return 0


def keep(settings: IdentitySettings, pool: Pool, _: Sequence[str]) -> int:
    """Whatever falls due by the clock alone. Each duty is one handler, and safe to run in two processes at once."""
    from services.identity.handlers import retention
    from services.identity.handlers.keeping import demand_second_factors, remove_what_is_over
    from services.identity.handlers.token_keys import rotate_due_keys
    from services.identity.handlers.tokens import forget_used_assertions
    from shared import chores, processes

    keys = _open_keys(settings)
    duties = {
        "demand-second-factors": lambda: demand_second_factors(pool, settings.require_second_factor),
        "remove-what-is-over": lambda: remove_what_is_over(pool, now=datetime.now(UTC)),
        "forget-used-assertions": lambda: forget_used_assertions(pool, now=datetime.now(UTC)),
        "rotate-due-token-keys": lambda: rotate_due_keys(pool, keys, issuer=settings.issuer, now=datetime.now(UTC)),
        **chores.open_chores(settings, pool, retention.CLASSES, service="identity"),
    }
    return processes.keep(settings, pool, duties, every=settings.keep_interval_seconds)


def migrate(settings: IdentitySettings, _: Pool, __: Sequence[str]) -> int:
    """Who may ask who somebody is, is granted after the migrations: they know no role's name."""
    from services.identity.storage.rights import grant_doors
    from shared import processes

    owner_url = processes.bring_database_up_to_date(settings, migrations=Path(__file__).parent / "migrations")
    urls = [settings.database_url, settings.identity_database_url]
    grant_doors(owner_url, roles=[urlsplit(url.get_secret_value()).username or "" for url in urls if url is not None])
    return 0


def rotate_token_keys(settings: IdentitySettings, pool: Pool, arguments: Sequence[str]) -> int:
    """Print the id of the new key. What was signed before stays good for its ten minutes, unless it must not."""
    from services.identity.handlers.token_keys import rotate_keys

    parser = argparse.ArgumentParser(
        prog="python -m services.identity rotate-token-keys",
        description="Publish a new key for access tokens; it signs in a minute. In the course of things keep does it.",
    )
    parser.add_argument("--at-once", action="store_true", help="a key may be known to others: end all keys and tokens")
    options = parser.parse_args(arguments)
    now = datetime.now(UTC)
    kid = rotate_keys(pool, _open_keys(settings), issuer=settings.issuer, now=now, at_once=options.at_once)
    sys.stdout.write(f"{kid}\n" if kid else "a new key is published already and waits for its turn\n")
    return 0


def _open_keys(settings: IdentitySettings) -> KeyRing:
    """What seals second factors and token keys. Raises UnsafeSetting."""
    from services.identity.handlers.token_keys import PURPOSE

    if settings.keys_directory is None:
        raise UnsafeSetting("refusing to start: LIANXIN_IDENTITY_KEYS_DIRECTORY: is needed by this command")
    keys = KeyRing(settings.keys_directory, private=settings.mode == "production")
    keys.require(symmetric=[PURPOSE])
    return keys


def retain(settings: IdentitySettings, pool: Pool, arguments: Sequence[str]) -> int:
    from services.identity.handlers import retention
    from shared import chores

    return chores.retain(settings, pool, retention.CLASSES, arguments, service="identity")


def export_audit(settings: IdentitySettings, pool: Pool, arguments: Sequence[str]) -> int:
    from shared import chores

    return chores.export_audit(settings, pool, arguments, service="identity")


COMMANDS = {
    "serve": serve,
    "keep": keep,
    "migrate": migrate,
    "administrator": administrator,
    "agree": agree,
    "rotate-token-keys": rotate_token_keys,
    "audit-export": export_audit,
    "retain": retain,
}

if __name__ == "__main__":
    sys.exit(commands.run("identity", IdentitySettings, COMMANDS, sys.argv[1:]))
