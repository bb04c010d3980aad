"""The generated authorisation matrix: roles by routes by places."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from httpx2 import Client

from services.identity.api.app import create_api
from services.identity.settings import IdentitySettings
from shared.access.principal import Principal, Role
from shared.crypto import KeyRing
from shared.database import Pool
from shared.keyfiles import KeyName, create_key
from tests.asking import asking
from tests.fakes import KnownPrincipals, machine, person
from tests.matrix.assessment import AssessmentWorld
from tests.matrix.expectations import PLACES, ROLES
from tests.matrix.identity import IdentityWorld
from tests.matrix.intake import IntakeWorld
from tests.matrix.notify import NotifyWorld
from tests.matrix.places import CODES, staff_number
from tests.matrix.run import actor_name, check_route, routes_of

pytestmark = pytest.mark.integration
KEEPERS = {"auditor", "security_administrator", "operations"}  # theirs are no organisations: they act everywhere
ACTORS = {(role, place): actor_name(role, place) for role in ROLES for place in PLACES}


def everybody() -> KnownPrincipals:
    """Each role with a grant in the organisation `own`; and each once more as the cadre who is complained of."""
    known: dict[str, Principal] = {}
    for role in ROLES:
        for place in ("own", "subject"):
            known[actor_name(role, place)] = _actor(role, is_subject=place == "subject")
    return KnownPrincipals(known)


def _actor(role: Role, *, is_subject: bool) -> Principal:
    name = f"{role} {'complained of' if is_subject else ''}"
    if role == "machine_client":
        return machine(organisation_code=CODES["own"], name=name)
    number = staff_number("own") if is_subject or role == "cadre" else None
    code = None if role in KEEPERS else CODES["own"]
    return person(role, code, name=name, stepped_up_at=datetime.now(UTC), staff_number=number)


@pytest.fixture
def intake(new_pool: Callable[[str], Pool], tmp_path: Path) -> Iterator[tuple[Client, IntakeWorld]]:
    world = IntakeWorld(new_pool("intake"), tmp_path, everybody())
    with asking(world.app) as client:
        world.fill(client)
        yield client, world


@pytest.fixture
def assessment(new_pool: Callable[[str], Pool]) -> Iterator[tuple[Client, AssessmentWorld]]:
    world = AssessmentWorld(new_pool("assessment"), everybody())
    world.fill()
    with asking(world.app) as client:
        yield client, world


@pytest.fixture
def notify(new_pool: Callable[[str], Pool], keys_folder: Path) -> Iterator[tuple[Client, NotifyWorld]]:
    world = NotifyWorld(new_pool("notify"), everybody(), KeyRing(keys_folder / "notify"))
    world.fill()
    with asking(world.app) as client:
        yield client, world


@pytest.fixture
def identity(new_pool: Callable[[str], Pool], tmp_path: Path) -> Iterator[tuple[Client, IdentityWorld]]:
    for purpose in ("second-factor", "token"):
        create_key(tmp_path, KeyName(purpose=purpose, kid=1))
    settings = IdentitySettings(mode="test", database_url="postgresql://somebody:a-long-password-1234@localhost/x")
    app = create_api(settings, new_pool("identity"), authenticator=everybody(), keys=KeyRing(tmp_path))
    world = IdentityWorld(app)
    with asking(app) as client:
        world.fill(client, administrator=actor_name("security_administrator", "own"))
        yield client, world


@pytest.mark.parametrize("service", ["intake", "assessment", "notify", "identity"])
def test_a_service_lets_in_whom_the_matrix_lets_in_and_nobody_else(service, request):
    client, world = request.getfixturevalue(service)
    probes = world.probes()

    missing = routes_of(world.app) - probes.keys()
    deviations = [str(one) for route, probe in probes.items() for one in check_route(client, route, probe, ACTORS)]

    assert not missing, f"routes without a line in the matrix: {sorted(missing)}"
    assert not deviations, "\n".join(deviations)
