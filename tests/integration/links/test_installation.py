"""The compose installation's own certificates, rules and settings, on the servers that they are made for."""

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typing_extensions import override

from deploy import credentials
from deploy.provision import Management, ProvisionError, provision_broker
from embedded.accounts import own
from embedded.layout import free_port
from embedded.postgres import PrivatePostgres
from embedded.rabbitmq import PrivateRabbit
from shared.broker.topology import BrokerAway, connect

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]
DEPLOY = Path(__file__).parents[3] / "deploy"


def lines_of(name: str, pattern: str) -> str:
    """What of a file of the installation is about TLS."""
    lines = (DEPLOY / name).read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if re.match(pattern, line)) + "\n"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation") / "secrets"
    credentials.create(folder, name="lianxin")
    return folder


class Postgres(PrivatePostgres):
    secrets: Path

    @override
    def prepare(self) -> None:
        super().prepare()
        settings = lines_of("postgres.conf", "ssl|hba_file").replace("/run/secrets", str(self.data_folder))
        settings = settings.replace("/var/run/postgresql/server.key", f"{self.data_folder}/postgres_key.pem")
        settings = settings.replace("/etc/postgresql", str(self.data_folder))
        with (self.data_folder / "lianxin.conf").open("a") as file:
            file.write(f"listen_addresses = '127.0.0.1,::1'\n{settings}")
        for source in (
            self.secrets / "postgres_certificate.pem",
            self.secrets / "postgres_key.pem",
            DEPLOY / "pg_hba.conf",
        ):
            target = self.data_folder / source.name
            shutil.copyfile(source, target)
            target.chmod(0o600)
            own(target, self._account)


class Rabbit(PrivateRabbit):
    secrets: Path
    tls_ports: dict[str, int]

    @override
    def prepare(self) -> None:
        super().prepare()
        for name in ("internal_ca.pem", "rabbitmq_certificate.pem", "rabbitmq_key.pem"):
            self._write(name, (self.secrets / name).read_text())
        settings = lines_of("rabbitmq.conf", r"listeners\.ssl|ssl_options|management\.ssl")
        for was, port in self.tls_ports.items():
            settings = settings.replace(was, f"= {port}")
        with (self.folder / "rabbitmq.conf").open("a") as file:
            file.write(settings.replace("/run/secrets", str(self.folder)))


@pytest.fixture(scope="module")
def postgres(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres"), durable=False)
    server.secrets = secrets
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def rabbit(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    server = Rabbit(tmp_path_factory.mktemp("rabbit"))
    server.secrets = secrets
    first = free_port(avoid=server.ports.values())
    server.tls_ports = {"= 5671": first, "= 15671": free_port(avoid=[*server.ports.values(), first])}
    server.start()
    yield server
    server.remove()


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within an installation the engine knows where the name leads."""
    ask = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: ask("127.0.0.1" if host in {"rabbitmq", "stranger"} else host, *rest, **more),
    )


def url_of(server: Postgres, secrets: Path, *, host: str = "postgres", **changes: str) -> str:
    account = server.admin_url.partition("//")[2].partition("@")[0]
    written = (secrets / "lianxin_postgres_url").read_text("utf-8")
    query = written.partition("?")[2].replace("/run/secrets", str(secrets))
    for name, value in changes.items():
        query = re.sub(rf"{name}=[^&]*", f"{name}={value}", query)
    return f"postgresql://{account}@{host}:{server.port}/postgres?{query}&hostaddr=::1"


def test_postgres_is_reached_as_the_installations_urls_say(postgres: Postgres, secrets: Path) -> None:
    with psycopg.connect(url_of(postgres, secrets)) as connection:
        shown = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()

    assert shown == (True,)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"host": "rabbitmq"}, "does not match host name"),
        ({"sslmode": "disable"}, "no pg_hba.conf entry|no encryption"),
        ({"sslrootcert": "FOREIGN"}, "certificate verify failed"),
    ],
    ids=["wrong-name", "plain-text", "wrong-authority"],
)
def test_no_other_way_leads_to_postgres(
    postgres: Postgres, secrets: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    if "sslrootcert" in changes:
        credentials.create(tmp_path / "other", name="lianxin")
        changes = {"sslrootcert": str(tmp_path / "other" / "internal_ca.pem")}

    with pytest.raises(psycopg.OperationalError, match=reason):
        psycopg.connect(url_of(postgres, secrets, **changes))


def broker_urls(server: Rabbit, secrets: Path, *, host: str = "rabbitmq") -> tuple[str, str]:
    account = server.admin_url.partition("//")[2].partition("@")[0]
    amqp, management = server.tls_ports.values()
    query = f"cacertfile={secrets}/internal_ca.pem"
    return f"amqps://{account}@{host}:{amqp}/%2F?{query}", f"https://{account}@{host}:{management}?{query}"


@pytest.mark.usefixtures("named")
def test_rabbitmq_is_provisioned_and_reached_as_the_installations_urls_say(rabbit: Rabbit, secrets: Path) -> None:
    amqp_url, management_url = broker_urls(rabbit, secrets)

    made = provision_broker(amqp_url, management_url, name="installed")

    for url in (made.urls["intake"], made.urls["deploy"], made.task_urls["intake"]):
        assert url.startswith("amqps://")
        connect(url, name="test").close()


@pytest.mark.usefixtures("named")
def test_nobody_is_taken_for_rabbitmq_under_another_name(rabbit: Rabbit, secrets: Path) -> None:
    amqp_url, management_url = broker_urls(rabbit, secrets, host="stranger")

    with pytest.raises(BrokerAway):
        connect(amqp_url, name="test")
    with pytest.raises(ProvisionError, match="cannot be reached"):
        Management(management_url).put("vhosts", "x")
