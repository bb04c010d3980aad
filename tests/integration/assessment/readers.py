"""The real app for readers of every kind, and all that one of them can be told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from httpx2 import Client

from services.assessment.api.app import create_api
from services.assessment.settings import AssessmentSettings
from shared.database import Pool
from tests.asking import asking, client_at
from tests.fakes import KnownPrincipals, machine, person

SETTINGS = AssessmentSettings(
    mode="test",
    database_url="postgresql://somebody:a-long-password-1234@localhost/x",
    broker_url="amqp://somebody:another-password-5678@localhost/x",
)
PASSING = {"date", "x-correlation-id"}  # the headers that no two answers share


def readers_of(*, cadres: Any, units: Any, root: str) -> KnownPrincipals:
    """Each cadre, each unit's head, and one machine for everything below the root, under their codes."""
    return KnownPrincipals(
        {code: person("cadre", name=code, staff_number=code) for code in cadres}
        | {code: person("unit_head", code, name=code) for code in units}
        | {"machine": machine("scores.read", organisation_code=root, name="machine")}
    )


def open_door(pool: Pool, readers: KnownPrincipals) -> FastAPI:
    return create_api(SETTINGS, pool, authenticator=readers)


def client_of(app: FastAPI, name: str) -> Client:
    return client_at(app, headers={"Authorization": f"Bearer {name}"})


@contextmanager
def asking_as(app: FastAPI, name: str) -> Iterator[Client]:
    """From the app's start to its end."""
    with asking(app) as client:
        client.headers["Authorization"] = f"Bearer {name}"
        yield client


def hear(app: FastAPI, name: str, paths: list[str]) -> list[tuple[str, int, bytes, list[tuple[str, str]]]]:
    """Everything that reaches this reader over these paths, to the byte."""
    told = []
    with asking_as(app, name) as client:
        for path in paths:
            answer = client.get(path)
            headers = [(key, value) for key, value in answer.headers.multi_items() if key not in PASSING]
            told.append((path, answer.status_code, answer.content, headers))
    return told
