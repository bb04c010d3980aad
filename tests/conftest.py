"""Real servers for the tests: one PostgreSQL and one RabbitMQ a session, one database and one virtual host a test."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from deploy.keys import create_all
from embedded.postgres import PrivatePostgres
from embedded.rabbitmq import PrivateRabbit
from shared.database import Pool, migrate, open_pool

if TYPE_CHECKING:
    from deploy.provision import BrokerUrls

ROOT = Path(__file__).parents[1]
PASSWORDS = {role: f"{role}-of-the-tests-4711" for role in ("owner", "runtime")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A migrated database of one service: as its runtime role and as its owner."""

    name: str
    url: str
    owner_url: str


@pytest.fixture(scope="session")
def postgres_admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("LIANXIN_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    server = PrivatePostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()
    yield server.admin_url
    server.remove()


@pytest.fixture(scope="session")
def rabbit_management_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The broker's AMQP URL and its management URL, both as administrator."""
    given = os.environ.get("LIANXIN_TEST_RABBITMQ_URL"), os.environ.get("LIANXIN_TEST_RABBITMQ_MANAGEMENT_URL")
    if given[0] and given[1]:
        yield given[0], given[1]
        return
    server = PrivateRabbit(tmp_path_factory.mktemp("rabbitmq"))
    server.start()
    yield server.admin_url, server.management_url
    server.remove()


@pytest.fixture(scope="session")
def template_of(postgres_admin_url: str) -> Iterator[Callable[[str], str]]:
    """Give a migrated template database of a service, made at its first use."""
    made: dict[str, str] = {}

    def template(service: str) -> str:
        if service not in made:
            made[service] = _make_template(postgres_admin_url, service)
        return made[service]

    yield template
    with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
        for name in made.values():
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def new_database(postgres_admin_url: str, template_of: Callable[[str], str]) -> Iterator[Callable[[str], Database]]:
    """Give a fresh migrated database of a service, copied from its template and dropped after the test."""
    made: list[str] = []

    def create(service: str) -> Database:
        template = template_of(service)
        name = f"{template.removesuffix('_template')}_{len(made)}"
        with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(template), sql.Identifier(f"test_{service}_owner")
                )
            )
        made.append(name)
        return Database(
            name=name,
            url=_url(postgres_admin_url, f"test_{service}", "runtime", name),
            owner_url=_url(postgres_admin_url, f"test_{service}_owner", "owner", name),
        )

    yield create
    with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
        for name in made:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def new_pool(new_database: Callable[[str], Database]) -> Iterator[Callable[[str], Pool]]:
    """Give a system pool on a fresh migrated database of a service, as its runtime role."""
    pools: list[Pool] = []

    def create(service: str) -> Pool:
        url = new_database(service).url
        pools.append(open_pool(url, size=8, application="test", statement_timeout_seconds=30, system=True))
        return pools[-1]

    yield create
    for pool in pools:
        pool.close()


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of keys for each service, as an installation has them."""
    folder = tmp_path_factory.mktemp("keys")
    create_all(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def sealed_texts(keys_folder: Path) -> Iterator[None]:
    """Keys for intake's handlers, which seal every text; a test that is about keys brings its own."""
    from services.intake import sealing
    from shared.crypto import KeyRing

    sealing.use(sealing.Vault(KeyRing(keys_folder / "intake")))
    yield
    sealing.use(None)


@pytest.fixture
def broker(rabbit_management_url: tuple[str, str], request: pytest.FixtureRequest) -> Iterator["BrokerUrls"]:
    """Fresh virtual hosts with the users and rights of a real installation; topology is declared by who needs it."""
    from deploy.provision import provision_broker, remove_broker

    name = f"test{os.getpid()}x{abs(hash(request.node.nodeid)) % 10**8}"
    amqp_url, management_url = rabbit_management_url
    yield provision_broker(amqp_url, management_url, name=name)
    remove_broker(management_url, name=name)


def _make_template(admin_url: str, service: str) -> str:
    from deploy.provision import FUTURE_RIGHTS

    owner, runtime, name = f"test_{service}_owner", f"test_{service}", f"test_{service}_{os.getpid()}_template"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for role, password in ((owner, PASSWORDS["owner"]), (runtime, PASSWORDS["runtime"])):
            if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
                admin.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
                )
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
    owner_url = _url(admin_url, owner, "owner", name)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        for statement in FUTURE_RIGHTS:
            connection.execute(sql.SQL(statement).format(sql.Identifier(runtime)))
    migrate(owner_url, ROOT / "services" / service / "migrations")
    return name


def _url(admin_url: str, role: str, kind: str, database: str) -> str:
    information = psycopg.conninfo.conninfo_to_dict(admin_url)
    return f"postgresql://{role}:{PASSWORDS[kind]}@{information['host']}:{information['port']}/{database}"
