"""The yardstick for authorisation: intake's own app with nobody asked who they are, and no row held back.

The sender is a constant, the policy is not consulted, and the database role goes around row-level security. All else
is as in production: the guard, group commit, sealing, and the audit of what is read.

Run as a program: python -m bench.unchecked SUPERUSER_DATABASE_URL, with the environment of intake's serve.
"""

import sys
from typing import Any

from services.intake.__main__ import open_vault
from services.intake.api.app import create_intake_app
from services.intake.settings import IntakeSettings
from shared import http
from shared.access.principal import Asked, Principal
from shared.database import open_pool
from shared.observability import configure_logging
from shared.settings import load
from tests.fakes import person

SOMEBODY = person("clerk", name="nobody-in-particular")


class Anybody:
    async def authenticate(self, _: Asked) -> Principal:
        return SOMEBODY

    async def authenticate_client(self, *_: object) -> Principal:
        return SOMEBODY


def _decide_nothing(*_: object, **__: object) -> Any:  # noqa: ANN401 - in the place of a Reach: none is in force
    return None


def main(database_url: str) -> None:
    settings = load(IntakeSettings)
    configure_logging(service="intake", process="unchecked", level=settings.log_level)
    open_vault(settings)
    vars(http)["decide"] = _decide_nothing
    pool = open_pool(database_url, size=settings.pool_size, application="intake.unchecked", system=True)
    http.serve(create_intake_app(settings, pool, authenticator=Anybody()), settings)


if __name__ == "__main__":
    main(sys.argv[1])
