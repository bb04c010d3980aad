"""A migrated intake database with a small register, and looks into it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.domain.commands.registers import RegisterCadre, RegisterOrganisation
from services.intake.handlers import contacts, issues, posts, ratings, registers
from shared.database import Pool, transaction
from shared.identifiers import new_id
from tests.integration.intake.commands import a_contact, a_post, a_rating, an_issue

COUNTY = {"county": None, "town": "county", "street": "town", "harbour": "county"}
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@pytest.fixture
def pool(new_pool: Callable[[str], Pool]) -> Pool:
    return new_pool("intake")


@pytest.fixture
def registered(pool: Pool) -> Pool:
    """A pool on a database that knows a county, a town, and two cadres."""
    registers.register_organisations(
        pool,
        [
            RegisterOrganisation(
                id=new_id(), correlation_id="set-up", code=code, name=name, level=level, parent_code=up
            )
            for code, name, level, up in (("county", "测试县", "50", None), ("town", "城关镇", "61", "county"))
        ],
        now=NOW,
    )
    registers.register_cadres(
        pool,
        [
            RegisterCadre(id=new_id(), correlation_id="set-up", staff_number=number, name=name)
            for number, name in (("S1", "李明"), ("S2", "王芳"))
        ],
        now=NOW,
    )
    return pool


@pytest.fixture
def county(pool: Pool) -> dict[str, list[Any]]:
    """S1 holds a post in the street, S2 in the harbour; each has a contact and leads an issue, and both were rated."""
    registers.register_organisations(
        pool,
        [
            RegisterOrganisation(
                id=new_id(), correlation_id="set-up", code=code, name=code, level="61", parent_code=parent
            )
            for code, parent in COUNTY.items()
        ],
        now=NOW,
    )
    cadres = [
        RegisterCadre(id=new_id(), correlation_id="set-up", staff_number=number, name=number)
        for number in ("S1", "S2", "S3")
    ]
    registers.register_cadres(pool, cadres, now=NOW)
    places = {"S1": "street", "S2": "harbour"}
    held = [a_post(staff_number=number, organisation_code=code) for number, code in places.items()]
    posts.record_posts(pool, held, now=NOW)
    met = [a_contact(staff_number=number) for number in places]
    contacts.record_contacts(pool, met, now=NOW)
    told = [an_issue(staff_number=number, organisation_code=code) for number, code in places.items()]
    issues.receive_issues(pool, told, now=NOW)
    outcomes = ratings.submit_ratings(
        pool,
        [a_rating(contact_id=contact.id) for contact in met] + [a_rating(issue_id=one.id) for one in told],
        now=NOW,
    )
    assert {outcome.status for outcome in outcomes} == {"created"}
    return {"posts": held, "contacts": met, "issues": told}


@pytest.fixture
def ask(pool: Pool) -> Callable[..., list[tuple[Any, ...]]]:
    """Run a query of a test and return its rows."""

    def run(query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with transaction(pool) as connection:
            return connection.execute(query, list(parameters)).fetchall()

    return run


@pytest.fixture
def events_of(ask: Callable[..., list[tuple[Any, ...]]]) -> Callable[..., list[tuple[str, int]]]:
    """The events of one aggregate, or of one kind of aggregate: short type and sequence, in the order of writing."""

    def read(aggregate: object) -> list[tuple[str, int]]:
        rows = ask(
            "SELECT event_type, sequence FROM outbox WHERE aggregate_id::text = %s OR aggregate = %s ORDER BY id",
            str(aggregate),
            str(aggregate),
        )
        return [(event_type.removeprefix("cn.lianxin.").removesuffix(".v1"), sequence) for event_type, sequence in rows]

    return read
