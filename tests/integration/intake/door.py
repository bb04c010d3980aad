"""Intake's HTTP door in this process, asked by named people one after another."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from httpx2 import Response

from services.intake.api.app import create_intake_app
from services.intake.settings import IntakeSettings
from shared.access.principal import Principal
from shared.database import Pool
from tests.asking import client_at, started
from tests.fakes import KnownPrincipals


class Door:
    def __init__(self, pool: Pool, people: Mapping[str, Principal], folder: Path, **changes: Any) -> None:
        settings = IntakeSettings(
            mode="test",
            database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
            broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
            import_directory=folder,
            **changes,
        )
        self.pool = pool
        self.people = KnownPrincipals(people)
        self._app = create_intake_app(settings, pool, authenticator=self.people)  # once: that takes long

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Response:
        return self._send(who, method, path, body, headers)

    def get(self, who: str, path: str) -> Response:
        return self.ask(who, "GET", path)

    def post(self, who: str, path: str, body: Any = None, **headers: str) -> Response:
        return self.ask(who, "POST", path, {} if body is None else body, **headers)

    def upload(self, who: str, path: str, file: bytes) -> Response:
        return self._send(who, "POST", path, file, {"content-type": "text/csv"})

    def _send(self, who: str, method: str, path: str, body: Any, headers: dict[str, str]) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with started(self._app), client_at(self._app, base_url="http://intake") as client:
            return client.request(
                method,
                path,
                content=body if body is None or isinstance(body, bytes) else json.dumps(body).encode(),
                headers={"content-type": "application/json", "authorization": f"Bearer {who}", **named},
            )
