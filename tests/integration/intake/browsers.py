"""Browsers of people who are signed in, at the pages at which staff work."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI
from httpx2 import Client

from services.intake.api.app import create_intake_app
from services.intake.settings import IntakeSettings
from services.intake.web.site import FORM_PATHS, add_site
from shared.access.principal import Asked, Principal
from shared.database import Pool
from shared.errors import Unauthenticated
from shared.http import check_routes_are_guarded
from tests.asking import client_at, started

HERE = "https://lianxin.example"


class Browsers:
    """Knows people by a cookie, as the real one does, whatever else they send."""

    def __init__(self, people: Mapping[str, Principal]) -> None:
        self._people = people

    async def authenticate(self, asked: Asked) -> Principal:
        names = [part.strip().removeprefix("who=") for header in asked.cookies for part in header.split(";")]
        for name in names:
            if name in self._people:
                return self._people[name]
        raise Unauthenticated("nobody of this name is known")

    async def authenticate_client(self, *_: object) -> Principal:
        raise Unauthenticated("no machine works at a desk")


def open_site(pool: Pool, folder: Path, people: Mapping[str, Principal]) -> FastAPI:
    settings = IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=folder,
    )
    app = create_intake_app(settings, pool, authenticator=Browsers(people), form_paths=FORM_PATHS)
    add_site(app, settings)
    check_routes_are_guarded(app)
    return app


@contextmanager
def opened(site: FastAPI) -> Iterator[Callable[[str], Client]]:
    """Give the browser of whom is named."""
    with started(site):
        yield lambda who: client_at(site, base_url=HERE, cookies={"who": who})
