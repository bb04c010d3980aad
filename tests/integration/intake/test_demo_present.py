"""What the demo enters of today, through intake's real door: once, and again without harm."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from demo.places import COUNTY_CODE
from demo.present import RULES, Ask, Hands, Present, Unwilling
from services.intake.api.app import create_intake_app
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.registers import RegisterCadre, RegisterOrganisation
from services.intake.handlers import categories, registers
from services.intake.settings import IntakeSettings
from shared.database import Pool
from shared.identifiers import new_id
from tests.asking import asking
from tests.fakes import KnownPrincipals, machine, person

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC)
TOWN = f"{COUNTY_CODE}101"


@pytest.fixture
def county(pool: Pool) -> Pool:
    organisations = [
        RegisterOrganisation(id=new_id(), correlation_id="t", code=code, name=code, level=level, parent_code=parent)
        for code, level, parent in ((COUNTY_CODE, "50", None), (TOWN, "61", COUNTY_CODE))
    ]
    registers.register_organisations(pool, organisations, now=NOW)
    registers.register_cadres(
        pool, [RegisterCadre(id=new_id(), correlation_id="t", staff_number="AL1", name="李明")], now=NOW
    )
    roads = DefineCategory(id=new_id(), correlation_id="t", code="roads", name="道路")
    categories.define_categories(pool, [roads], now=NOW)
    return pool


def hand_of(door: Client, name: str) -> Ask:
    """One of the people, at the one door."""

    def ask(method: str, path: str, **request: Any) -> Any:
        return door.request(method, path, headers={"Authorization": f"Bearer {name}"}, **request)

    return ask


@pytest.fixture
def hands(county: Pool, tmp_path: Path) -> Iterator[Hands]:
    settings = IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        import_directory=tmp_path,
    )
    people = KnownPrincipals(
        {
            "officer": person("department_officer", name="officer"),
            "approver": person("approver", name="approver", stepped_up_at=datetime.now(UTC)),
            "importer": machine("imports.run", "intake.read", "intake.write", "registers.write", name="importer"),
            "app": machine("open311.file", name="app"),
        }
    )
    with asking(create_intake_app(settings, county, authenticator=people)) as door:
        yield Hands(
            officer=hand_of(door, "officer"),
            approver=hand_of(door, "approver"),
            importer=hand_of(door, "importer"),
            app=hand_of(door, "app"),
            step_up=lambda: None,
        )


def counts(ask) -> list[int]:
    tables = ("clock_rule", "reception_day", "consultation", "issue")
    return [ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables]  # noqa: S608 - of the line above


def test_today_is_entered_once_and_again_without_harm(hands: Hands, ask):
    for later in (timedelta(), timedelta(hours=1), timedelta(days=1)):
        Present(hands, now=NOW + later, township=TOWN, staff_number="AL1").enter()

    assert counts(ask) == [len(RULES), 1, 1, 1]


def test_what_comes_in_afterwards_has_its_deadlines(hands: Hands, ask):
    Present(hands, now=NOW, township=TOWN, staff_number="AL1").enter()

    body = {"type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮", "organisation_code": TOWN}
    assert hands.importer("POST", "/v1/issues", json=body).status_code == 201

    [(sign_by, respond_by, due_at, reply_by)] = ask(
        "SELECT sign_by, respond_by, due_at, reply_by FROM issue WHERE organisation_id IS NOT NULL"
    )
    assert sign_by <= due_at <= reply_by
    assert respond_by is not None


def test_a_door_that_is_unwilling_is_told_of(hands: Hands):
    with pytest.raises(Unwilling, match="reception-days was answered 422"):
        Present(hands, now=NOW, township=TOWN, staff_number="nobody").enter()
