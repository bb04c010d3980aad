"""Real servers for the tests: one PostgreSQL and RabbitMQ a run, an empty database and a virtual host a test."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings
from typing_extensions import override
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from deploy.keys import create_all
from shared.database import Pool
from tests.shared_servers import RUNNING, SharedServers, Urls, ask_for
from tests.stock import Database, Stock

if TYPE_CHECKING:
    from deploy.provision import BrokerUrls

# How long an example takes is the machine's affair, and what is drawn stays drawn: a failure is found again.
settings.register_profile("suite", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("suite")

# jsonschema would import it, and it builds 38 parsers then, two seconds long: for the format "iri", which none of our
# shapes has. Every process of the tests would wait for them.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment] # as the import system has it for what may not be found

# New objects, and rounds through younger ones, before the collector looks again. Python's own numbers are for programs
# that hold little: beside five thousand collected tests they took it a quarter of all processor time.
COLLECTOR_ROUNDS = (20_000, 20, 10)

SHARED = pytest.StashKey[SharedServers]()


def pytest_configure() -> None:
    gc.disable()
    # An exception that is logged in a test is written plainly, which takes a hundredth of the time.
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Each of several workers imports the tests from another place on: what one has compiled, the others only read.

    To collect them they all come by the same files at the same time, and each would compile every one of them.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    places = [session.config.invocation_params.dir / arg.partition("::")[0] for arg in session.config.args]
    files = sorted({file for place in places for file in (place.rglob("test_*.py") if place.is_dir() else [place])})
    first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for file in (*files[first:], *files[:first]):
        with suppress(Exception, pytest.skip.Exception):  # to be met again, and told of, when it is collected
            import_module(".".join(file.relative_to(session.config.rootpath).with_suffix("").parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: from now on the garbage collector passes over it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_ROUNDS)
    gc.enable()


class _ByFile(LoadScopeScheduling):  # type: ignore[misc] # the package has no types
    """Among several workers a file stays with one, and so do the system tests, with the suite that they share."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "tests/system" if file.startswith("tests/system/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker that is about to start where it finds the servers of the run."""
    if SHARED not in node.config.stash:
        node.config.stash[SHARED] = SharedServers()
    node.workerinput["servers"] = node.config.stash[SHARED].address


def pytest_unconfigure(config: pytest.Config) -> None:
    if shared := config.stash.get(SHARED, None):
        shared.remove()


@contextmanager
def _server(kind: str, config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        yield ask_for(kind, worker["servers"], tmp_path_factory.getbasetemp().parent / kind)
        return
    with RUNNING[kind](tmp_path_factory.mktemp(kind)) as urls:
        yield urls


@pytest.fixture(scope="session")
def postgres_admin_url(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("LIANXIN_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with _server("postgres", pytestconfig, tmp_path_factory) as (url,):
        yield url


@pytest.fixture(scope="session")
def rabbit_management_url(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The broker's AMQP URL and its management URL, both as administrator."""
    given = os.environ.get("LIANXIN_TEST_RABBITMQ_URL"), os.environ.get("LIANXIN_TEST_RABBITMQ_MANAGEMENT_URL")
    if given[0] and given[1]:
        yield given[0], given[1]
        return
    with _server("rabbitmq", pytestconfig, tmp_path_factory) as (amqp_url, management_url):
        yield amqp_url, management_url


@pytest.fixture(scope="session")
def stock(postgres_admin_url: str) -> Iterator[Stock]:
    stock = Stock(postgres_admin_url)
    yield stock
    stock.clear()


@contextmanager
def _lending(stock: Stock) -> Iterator[Callable[[str], Database]]:
    taken: list[tuple[str, str]] = []

    def create(service: str) -> Database:
        database = stock.take(service)
        taken.append((service, database.name))
        return database

    yield create
    for service, name in taken:
        stock.give_back(service, name)


@pytest.fixture
def new_database(stock: Stock) -> Iterator[Callable[[str], Database]]:
    """Give a migrated database of a service with nothing in it."""
    with _lending(stock) as create:
        yield create


@pytest.fixture
def new_pool(stock: Stock, new_database: Callable[[str], Database]) -> Callable[[str], Pool]:
    """Give a system pool on a fresh migrated database of a service, as its runtime role."""
    return lambda service: stock.pool(new_database(service).url, system=True)


@pytest.fixture(scope="module")
def new_shared_pool(stock: Stock) -> Iterator[Callable[[str], Pool]]:
    """The same for all tests of a file that only read what it was filled with once."""
    with _lending(stock) as create:
        yield lambda service: stock.pool(create(service).url, system=True)


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
