"""Imports over HTTP: what is accepted, what is refused at once, and what can be read of a run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.api.app import create_intake_app
from services.intake.handlers import imports
from services.intake.settings import IntakeSettings
from shared.database import Pool
from tests.fakes import one_of_each_role

pytestmark = pytest.mark.integration

DUTIES = (
    b"post_kind,contact_kind,required_count,per,valid_from,valid_until\ntownship_head,visit,4,month,2025-01-01,\nhalf\n"
)
Talk = Callable[[httpx.AsyncClient], Awaitable[Any]]


class Door:
    """The app with its spool, a worker that is called by hand, and the nudges it was given."""

    def __init__(self, pool: Pool, folder: Path) -> None:
        self.settings = IntakeSettings(
            mode="test",
            database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
            broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
            import_directory=folder / "spool",
            import_max_bytes=100_000,
        )
        self.nudged: list[str] = []
        self.pool = pool
        self.app = create_intake_app(
            self.settings, pool, authenticator=one_of_each_role(), nudge_import=self.nudged.append
        )

    def talk(self, say: Talk, *, role: str = "clerk") -> Any:
        async def run() -> Any:
            transport = httpx.ASGITransport(self.app)
            headers = {"authorization": f"Bearer {role}"}
            async with (
                self.app.router.lifespan_context(self.app),
                httpx.AsyncClient(transport=transport, base_url="http://intake", headers=headers) as client,
            ):
                return await say(client)

        return asyncio.run(run())

    def upload(
        self, body: Any, *, role: str = "clerk", profile: str = "lianxin-duties", **headers: str
    ) -> httpx.Response:
        path = f"/v1/imports?profile={profile}&file_name=duties.csv"
        answer: httpx.Response = self.talk(lambda client: client.post(path, content=body, headers=headers), role=role)
        return answer

    def get(self, path: str, *, role: str = "department_officer") -> httpx.Response:
        answer: httpx.Response = self.talk(lambda client: client.get(path), role=role)
        return answer

    def work(self) -> None:
        for run_id in self.nudged:
            imports.run_import(self.pool, UUID(run_id), imports.settings_of(self.settings))

    def spooled(self) -> list[Path]:
        return list(self.settings.import_directory.glob("*"))


@pytest.fixture
def door(registered: Pool, tmp_path: Path) -> Door:
    return Door(registered, tmp_path)


def test_a_file_is_accepted_stored_nudged_and_then_reported(door: Door):
    accepted = door.upload(DUTIES)
    door.work()
    status = door.get(accepted.headers["location"]).json()
    found = door.get(accepted.headers["location"] + "/findings?limit=1").json()

    assert accepted.status_code == 202
    assert accepted.headers["location"] == f"/v1/imports/{accepted.json()['id']}"
    assert door.nudged == [accepted.json()["id"]]
    assert accepted.json()["state"] == "due"
    assert (status["state"], status["rows_read"], status["created"], status["errors"]) == ("done", 2, 1, 1)
    assert found["items"] == [
        {
            "line": 3,
            "severity": "error",
            "code": "too-few-columns",
            "column": None,
            "detail": "1 columns where the header has 6",
        }
    ]
    assert found["next_cursor"] is None
    assert door.spooled() == []


def test_a_repeat_under_the_same_key_gives_the_same_import(door: Door):
    answers = [door.upload(DUTIES, **{"idempotency-key": "k1"}) for _ in range(2)]
    other = door.upload(DUTIES + b"\n", **{"idempotency-key": "k1"})

    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert other.status_code == 422
    assert len(door.nudged) == 1


def test_a_body_that_is_too_large_or_breaks_off_leaves_nothing_behind(door: Door):
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    too_large = door.upload(endless())
    empty = door.upload(b"")

    assert too_large.status_code == 413
    assert too_large.json()["title"] == "upload-too-large"
    assert empty.status_code == 422
    assert door.spooled() == []
    assert door.nudged == []


@pytest.mark.parametrize("profile", ["nowhere", "..%2Fboston311", "lianxin-duties%00"])
def test_an_unknown_profile_is_refused_before_the_body_is_read(door: Door, profile: str):
    assert door.upload(DUTIES, profile=profile).status_code == (400 if "%00" in profile else 404)
    assert door.spooled() == []


def test_only_those_who_write_may_import_and_operations_read_nothing(door: Door):
    accepted = door.upload(DUTIES)

    assert door.upload(DUTIES, role="department_officer").status_code == 403
    assert door.get(accepted.headers["location"], role="operations").status_code == 403
    assert door.get("/v1/imports/01a201bb-f611-76c0-b173-7993967235ef").status_code == 404
    assert door.get(accepted.headers["location"] + "/findings?cursor=AAAA").status_code == 422
