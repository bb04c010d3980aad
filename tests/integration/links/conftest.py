"""A PostgreSQL and a RabbitMQ that speak TLS with certificates of an authority of the tests."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import trustme
from psycopg import sql
from typing_extensions import override

from embedded.accounts import own
from embedded.layout import free_port
from embedded.postgres import PrivatePostgres
from embedded.rabbitmq import PrivateRabbit

PASSWORD = "a-password-for-the-tests-of-links"
ACCESS = """\
host    all all        127.0.0.1/32 scram-sha-256
hostssl all shows_card ::1/128      scram-sha-256 clientcert=verify-full
hostssl all all        ::1/128      scram-sha-256
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files of one authority, the certificates that it signed, and those of somebody else."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    expired: Path
    expired_key: Path
    foreign_ca: Path
    foreign_client: Path
    foreign_client_key: Path


def write_pair(issued: trustme.LeafCert, folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    return certificate, key


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority, stranger = trustme.CA(), trustme.CA(organization_name="somebody else")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    stranger.cert_pem.write_to_path(str(folder / "foreign_ca.pem"))
    # For the name alone: the same server under its number is a server of another name.
    server = write_pair(authority.issue_cert("localhost"), folder, "server")
    client = write_pair(authority.issue_cert("shows-card", common_name="shows_card"), folder, "client")
    old = authority.issue_cert("localhost", not_after=datetime.now(UTC) - timedelta(days=1))
    expired = write_pair(old, folder, "expired")
    foreign = write_pair(stranger.issue_cert("shows-card", common_name="shows_card"), folder, "foreign_client")
    return Certificates(
        ca=folder / "ca.pem",
        server=server[0],
        server_key=server[1],
        client=client[0],
        client_key=client[1],
        expired=expired[0],
        expired_key=expired[1],
        foreign_ca=folder / "foreign_ca.pem",
        foreign_client=foreign[0],
        foreign_client_key=foreign[1],
    )


class SecurePostgres(PrivatePostgres):
    """Over ::1 it speaks TLS alone, as it would to another machine; 127.0.0.1 stays for the administrator."""

    files: Certificates

    @override
    def prepare(self) -> None:
        super().prepare()
        for source, name in ((self.files.server, "server.pem"), (self.files.server_key, "server.key")):
            self.give(source, name)
        self.give(self.files.ca, "ca.pem")
        (self.data_folder / "pg_hba.conf").write_text(ACCESS)
        with (self.data_folder / "lianxin.conf").open("a") as file:
            file.write("listen_addresses = '127.0.0.1,::1'\nssl = on\nssl_ca_file = 'ca.pem'\n")
            file.write("ssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n")

    def give(self, source: Path, name: str) -> None:
        target = self.data_folder / name
        shutil.copyfile(source, target)
        target.chmod(0o600)
        own(target, self._account)


class SecureRabbit(PrivateRabbit):
    """Beside the administrator's port one that speaks TLS alone, to those who show a certificate of its authority."""

    files: Certificates
    tls_port: int

    @override
    def prepare(self) -> None:
        super().prepare()
        for source, name in ((self.files.server, "server.pem"), (self.files.server_key, "server.key")):
            self._write(name, source.read_text())
        self._write("ca.pem", self.files.ca.read_text())
        with (self.folder / "rabbitmq.conf").open("a") as file:
            file.write(f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}\n")
            file.write(f"ssl_options.cacertfile = {self.folder}/ca.pem\n")
            file.write(f"ssl_options.certfile = {self.folder}/server.pem\n")
            file.write(f"ssl_options.keyfile = {self.folder}/server.key\n")
            file.write("ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n")
            file.write("ssl_options.versions.1 = tlsv1.3\nssl_options.versions.2 = tlsv1.2\n")


@pytest.fixture(scope="session")
def secure_postgres(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[SecurePostgres]:
    server = SecurePostgres(tmp_path_factory.mktemp("secure_postgres"), durable=False)
    server.files = certificates
    server.start()
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        for role in ("shows_card", "shows_none"):
            admin.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
            )
    yield server
    server.remove()


@pytest.fixture(scope="session")
def secure_rabbit(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[SecureRabbit]:
    server = SecureRabbit(tmp_path_factory.mktemp("secure_rabbit"))
    server.files, server.tls_port = certificates, free_port(avoid=server.ports.values())
    server.start()
    yield server
    server.remove()
