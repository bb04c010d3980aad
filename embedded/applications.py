"""The application's processes: which there are, what each is told, and how each shows that it is ready."""

import http.client
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.naming import Names, broker_settings, database_settings
from embedded.accounts import Account, may
from embedded.layout import Layout, Secrets
from embedded.process import MARKER, Child, Command

PROCESSES = {
    "identity": ("serve", "keep"),
    "intake": ("serve", "relay", "work"),
    "assessment": ("serve", "consume", "relay", "work"),
    "notify": ("serve", "consume", "work", "push"),
}
# Started only where this variable says with what.
ON_DEMAND = {("intake", "tell"): "LIANXIN_INTAKE_CITIZEN_GATEWAY"}
# Passed on to the processes: where to find things, and how this machine speaks to the world.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
FOR_MIGRATIONS_ONLY = ("_OWNER_DATABASE_URL", "_DEPLOY_BROKER_URL")
OK = 200


def port_names() -> list[str]:
    doors = [f"{service}-api" for service in PROCESSES]
    management = [f"{service}-{process}" for service, processes in PROCESSES.items() for process in processes]
    return [*doors, *management, *(f"{service}-{process}" for service, process in ON_DEMAND), "mail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The two servers as their administrators reach them."""

    postgres_url: str
    rabbitmq_url: str
    management_url: str
    are_private: bool  # RabbitMQ's, that is: whether its well-known user may be removed


class Applications:
    def __init__(
        self,
        layout: Layout,
        *,
        names: Names,
        servers: Servers,
        ports: Mapping[str, int],
        smtp_url: str | None,
        account: Account | None,
    ) -> None:
        self._layout = layout
        self.has_demo = False  # whether the demo county is in already
        self._names = names
        self._servers = servers
        self._ports = ports
        self._smtp_url = smtp_url
        self._account = account
        self._urls = self._make_urls(Secrets(layout.secrets))

    def _make_urls(self, secrets: Secrets) -> dict[str, str]:
        databases = {role: secrets.get(f"database.{role}") for role in self._names.database_roles}
        users = {user: secrets.get(f"broker.{user}") for user in self._names.broker_users}
        return database_settings(self._servers.postgres_url, self._names, databases) | broker_settings(
            self._servers.rabbitmq_url, self._names, users
        )

    def api_url(self, service: str) -> str:
        return f"http://127.0.0.1:{self._ports[f'{service}-api']}"

    def children(self) -> list[Child]:
        """In the order in which they start: the doors last."""
        inner = [(service, process) for service, each in PROCESSES.items() for process in each if process != "serve"]
        inner += [asked for asked, variable in ON_DEMAND.items() if os.environ.get(variable)]
        doors = [(service, "serve") for service in PROCESSES]
        mail = [] if self._smtp_url else [self._mail_catcher()]
        return [*mail, *(self.process(service, process) for service, process in inner + doors)]

    def process(self, service: str, process: str) -> Child:
        port = self._ports[f"{service}-{process}"]
        environment = self.environment(service) | {f"LIANXIN_{service.upper()}_MANAGEMENT_PORT": str(port)}
        command = self._command(f"{service}-{process}", ("-m", f"services.{service}", process), environment)
        return Child(command, lambda: answers(port, "/readyz"))

    def _mail_catcher(self) -> Child:
        address = f"127.0.0.1:{self._ports['mail']}"
        handler = ("-c", "aiosmtpd.handlers.Mailbox", str(self._layout.mail / "box"))
        command = self._command("mail", ("-m", "aiosmtpd", "-n", "-l", address, *handler), self._base())
        return Child(command, lambda: listens(self._ports["mail"]))

    def provision(self) -> Command:
        servers = {
            "LIANXIN_NAME": self._names.prefix,
            "LIANXIN_POSTGRES_URL": self._servers.postgres_url,
            "LIANXIN_RABBITMQ_URL": self._servers.rabbitmq_url,
            "LIANXIN_RABBITMQ_MANAGEMENT_URL": self._servers.management_url,
            "LIANXIN_RABBITMQ_REMOVE_GUEST": "1" if self._servers.are_private else "0",
        }
        return self._command("provision", ("-m", "deploy.provision"), self._base() | self._urls | servers)

    def migrations(self) -> list[Command]:
        return [
            self._command(
                f"{service}-migrate",
                ("-m", f"services.{service}", "migrate"),
                self.environment(service) | self._urls_of(service, privileged=True),
            )
            for service in PROCESSES
        ]

    def administrator(self, name: str, *, told_in: Path) -> Command:
        """Makes the first one, and tells its one-time password in that file, which only we may read."""
        arguments = ("-m", "services.identity", "administrator", name)
        command = self._command("administrator", arguments, self.environment("identity"))
        return replace(command, log=told_in)

    def demo(self, *arguments: str) -> Command:
        doors = {f"LIANXIN_DEMO_{service.upper()}_URL": self.api_url(service) for service in PROCESSES}
        return self._command(f"demo-{arguments[0]}", ("-m", "demo", *arguments), self._base() | doors)

    def environment(self, service: str) -> dict[str, str]:
        """What every process of a service is told: what a person set goes before defaults, but not before addresses."""
        prefix = f"LIANXIN_{service.upper()}"
        defaults = {
            f"{prefix}_MODE": "embedded",
            f"{prefix}_KEYS_DIRECTORY": str(self._layout.keys / service),
            f"{prefix}_AUDIT_EXPORT_DIRECTORY": str(self._layout.audit),
        }
        if service == "identity":
            defaults[f"{prefix}_PUBLIC_URL"] = self.api_url("identity")
            defaults[f"{prefix}_DESK_URL"] = f"{self.api_url('intake')}/desk"
        if service == "assessment" and self.has_demo:
            defaults[f"{prefix}_CLOSING_DELAY_DAYS"] = "0"  # its year is long over, and nothing late will come in
        if service == "intake":
            defaults[f"{prefix}_IMPORT_DIRECTORY"] = str(self._layout.imports)
        if service in {"assessment", "intake"}:  # those with pages for staff
            defaults[f"{prefix}_IDENTITY_PAGES"] = f"{self.api_url('identity')}/"
            defaults[f"{prefix}_PUBLIC_PATH"] = "/"
        told = {name: value for name, value in os.environ.items() if name.startswith(f"{prefix}_")}
        addresses = {
            f"{prefix}_API_HOST": "127.0.0.1",
            f"{prefix}_API_PORT": str(self._ports[f"{service}-api"]),
            f"{prefix}_MANAGEMENT_HOST": "127.0.0.1",
        }
        if service == "notify":
            defaults[f"{prefix}_DESK_URL"] = f"{self.api_url('intake')}/desk/issues"
            addresses[f"{prefix}_SMTP_URL"] = self._smtp_url or f"smtp://127.0.0.1:{self._ports['mail']}"
        return self._base() | defaults | told | addresses | self._urls_of(service, privileged=False)

    def _urls_of(self, service: str, *, privileged: bool) -> dict[str, str]:
        prefix = f"LIANXIN_{service.upper()}_"
        mine = {name: url for name, url in self._urls.items() if name.startswith(prefix)}
        return {name: url for name, url in mine.items() if name.endswith(FOR_MIGRATIONS_ONLY) == privileged}

    def _base(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return passed | {"PYTHONUNBUFFERED": "1", "HOME": str(self._layout.run), MARKER: str(self._layout.run)}

    def _command(self, name: str, arguments: tuple[str, ...], environment: dict[str, str]) -> Command:
        return Command(
            name=name,
            arguments=(str(self._layout.python), *arguments),
            environment=environment,
            folder=self._layout.root,
            account=self._account,
            stop_seconds=25,
            log=self._layout.log / f"{name}.log",
        )


def can_run_here(layout: Layout, account: Account) -> bool:
    """Whether the account can read the sources and the environment: not so under /root, for example."""
    test = f"cd '{layout.root}' && test -r services && exec '{layout.python}' -c 'import psycopg, services'"
    return may(account, "sh", "-c", test)


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False
