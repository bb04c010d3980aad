"""The whole suite on private ports: databases, broker accounts, every process of the three services, a mail sink."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from demo.accounts import Accounts, Wanted, WantedClient
from demo.credentials import Credential, Machine, Person, identity_client
from deploy.keys import create_all
from deploy.naming import SERVICES, Names, broker_settings
from deploy.provision import provision_broker, provision_postgres, remove_broker
from embedded.applications import PROCESSES, answers, listens
from embedded.layout import free_port
from embedded.process import Command
from shared.broker.seals import Seals
from shared.crypto import KeyRing
from shared.database import Connection
from shared.policy import POLICY
from shared.worker import connect_celery, make_celery, nudge
from tests.harness.client import Client
from tests.harness.mail import MailSink
from tests.harness.processes import Keeper, Process
from tests.harness.servers import Servers

ROOT = Path(__file__).parents[2]
LEAN = Path(__file__).parent / "lean"  # where a process learns which packages are for the tests alone
ADMINISTRATOR = "administrator"
PEOPLE = tuple(
    Wanted(name=role.replace("_", "-"), display_name=role, role=role)
    for role in ("clerk", "department_officer", "approver")
)
# A client may do whatever any of its scopes allows: experiments are about what becomes of records, not who sends them.
MACHINE = WantedClient(
    client_id="machine",
    scopes=tuple(sorted({rule.scope for rule in POLICY.values() if rule.scope})),
    purpose="experiments",
    requests_per_minute=1_000_000,
)
MIGRATIONS_ONLY = ("OWNER_DATABASE_URL", "DEPLOY_BROKER_URL")
READY_SECONDS = 240  # far beyond what it takes: on a machine that does much else besides, too
LOOK = "-c lianxin.reach=system"  # row-level security holds for the owner too
# The shortest intervals that the services accept: a test waits for nothing that a setting can hasten.
QUICK = {
    "LIANXIN_ASSESSMENT_SCORING_INTERVAL_SECONDS": "0.2",
    "LIANXIN_ASSESSMENT_ANNOUNCE_INTERVAL_SECONDS": "1",
    "LIANXIN_NOTIFY_DIGEST_INTERVAL_SECONDS": "1",
    "LIANXIN_NOTIFY_SWEEP_SECONDS": "0.5",
}


class Suite:
    """Use it as a context manager on a thread that lives as long as the suite.

    `settings` go to every process, under the services' own names (LIANXIN_ASSESSMENT_TIME_ZONE, ...). Of the processes
    of an installation those of `without` are not started.
    """

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        *,
        name: str = "lianxin",
        settings: Mapping[str, str] | None = None,
        people: Sequence[Wanted] = PEOPLE,
        without: Collection[str] = (),
    ) -> None:
        self.servers = servers
        self.folder = folder
        self.names = Names(prefix=name)
        self._passwords = {name: secrets.token_urlsafe(24) for name in (ADMINISTRATOR, *(one.name for one in people))}
        self._people = tuple(people)
        self._without = frozenset(without)
        self._secrets: dict[str, str] = {}
        self._credentials: dict[tuple[str, str], Credential] = {}
        self.processes: dict[str, Process] = {}
        self.ports: dict[str, int] = {}
        self.urls: dict[str, str] = {}
        for port in [*(f"{service}-api" for service in PROCESSES), *process_names(), "mail"]:
            self.ports[port] = free_port(avoid=self.ports.values())
        self.mail = MailSink(self.ports["mail"])
        self._identity = identity_client(f"http://127.0.0.1:{self.ports['identity-api']}")
        self._settings = {**QUICK, **(settings or {})}
        self._clients: list[Client] = []
        self._keeper = Keeper(lambda: list(self.processes.values()))

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        for folder in ("log", "imports", "audit"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        create_all(self.folder / "keys")
        if not self.servers.may_be_killed:
            self._forget()  # what an interrupted run of the same name may have left on a server that stays
        self._provision()
        self._migrate()
        self.mail.start()
        for name in process_names():
            if name in self._without:
                continue
            self.processes[name] = self._make_process(name)
            self.processes[name].start()
        self.wait_until_ready()
        self._open_accounts()
        self._keeper.start()

    def close(self) -> None:
        """End every process and forget databases and virtual hosts; the logs stay in the folder."""
        for process in self.processes.values():
            process.wanted = False
        for process in self.processes.values():
            process.kill9()  # an experiment has been judged by now; a clean end is a test of its own
        if self._keeper.is_running:
            self._keeper.stop()
        if self.mail.is_running:
            self.mail.stop()
        for client in self._clients:
            client.close()
        self._identity.close()
        if self.urls and not self.servers.may_be_killed:
            self._forget()

    def restart(self, name: str, **environment: str) -> None:
        """End one process cleanly and start it anew, with these variables for one life, and wait for it."""
        self.processes[name].stop()
        self.processes[name].start(environment)
        self.processes[name].wait_until_ready(READY_SECONDS)

    def configure(self, name: str, **environment: str) -> None:
        """End one process cleanly and start it anew, with these variables from now on, however often it dies."""
        process = self.processes[name]
        process.stop()
        process.command = replace(process.command, environment={**process.command.environment, **environment})
        process.start()
        process.wait_until_ready(READY_SECONDS)

    def add_twin(self, name: str) -> str:
        """Start a second process of the same kind beside the first, without waiting for it; return its name."""
        twin = f"{name}-twin"
        self.ports[twin] = free_port(avoid=self.ports.values())
        self.processes[twin] = self._make_process(twin)
        self.processes[twin].start()
        return twin

    def start_on_demand(self, name: str, **environment: str) -> None:
        """Start what an installation starts only where it is set up, and wait for it."""
        self.ports[name] = free_port(avoid=self.ports.values())
        self.processes[name] = self._make_process(name)
        self.processes[name].start(environment)
        self.processes[name].wait_until_ready(READY_SECONDS)

    def remove_twin(self, twin: str) -> None:
        process = self.processes.pop(twin)
        process.wanted = False
        process.kill9()

    def wait_until_ready(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Wait for every process; one that died meanwhile may be started again by the keeper."""
        deadline = time.monotonic() + timeout_seconds
        waiting = [process for process in self.processes.values() if process.wanted]
        while waiting := [process for process in waiting if not process.is_ready()]:
            nobody_helps = not self._keeper.is_running and any(process.pid is None for process in waiting)
            if nobody_helps or time.monotonic() > deadline:
                lines = "\n".join(f"{process.command.name}:\n{process.last_lines(15)}" for process in waiting)
                raise TimeoutError(f"not ready, after {timeout_seconds:.0f} seconds or dead at once: {lines}")
            time.sleep(0.1)

    # Clients live as long as the suite: one that is forgotten open is a warning, and a warning fails a test.

    def client(self, service: str, role: str, *, timeout_seconds: float = 10) -> Client:
        """`role` is machine_client or that of a person, who acts everywhere."""
        port = self.ports[f"{service}-api"]
        return self._keep(Client(port, self.credential(service, role), timeout_seconds=timeout_seconds))

    def credential(self, service: str, role: str) -> Credential:
        """One session for each role, one token for each service: shared by all who ask in that role."""
        key = (service, role) if role == "machine_client" else ("", role)
        if key not in self._credentials:
            self._credentials[key] = (
                Machine(self._identity, client_id="machine", secret=self._secrets["machine"], service=service)
                if role == "machine_client"
                else Person(
                    self._identity, name=role.replace("_", "-"), password=self._passwords[role.replace("_", "-")]
                )
            )
        return self._credentials[key]

    def management(self, process: str) -> Client:
        return self._keep(Client(self.ports[process]))

    def _keep(self, client: Client) -> Client:
        self._clients.append(client)
        return client

    @contextmanager
    def database(self, service: str) -> Iterator[Connection]:
        """A connection as the owner, for a look that no service offers."""
        url = self.urls[f"LIANXIN_{service.upper()}_OWNER_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True, options=LOOK) as connection:
            yield connection

    @property
    def deploy_broker_url(self) -> str:
        return self.urls["LIANXIN_INTAKE_DEPLOY_BROKER_URL"]

    def environment(self, service: str, *, privileged: bool = False) -> dict[str, str]:
        prefix = f"LIANXIN_{service.upper()}_"
        values = {
            "MODE": "test",
            "API_PORT": str(self.ports[f"{service}-api"]),
            "KEYS_DIRECTORY": str(self.folder / "keys" / service),
            "AUDIT_EXPORT_DIRECTORY": str(self.folder / "audit"),
            "LOG_LEVEL": "info",
            "READS_PER_MINUTE": "10000000",  # a load of one account is what is measured and tested here
        }
        if service == "identity":
            values["PUBLIC_URL"] = f"http://127.0.0.1:{self.ports['identity-api']}"
        if service == "intake":
            values["IMPORT_DIRECTORY"] = str(self.folder / "imports")
        if service == "notify":
            values["SMTP_URL"] = f"smtp://127.0.0.1:{self.ports['mail']}"
            values["STREAM_SECONDS"] = "1"  # whoever asks for everything waits for the end of every answer
        urls = {
            name: url
            for name, url in (self.urls | self._settings).items()
            if name.startswith(prefix) and (privileged or not name.endswith(MIGRATIONS_ONLY))
        }
        base = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
        base |= {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(LEAN)}
        return base | {prefix + name: value for name, value in values.items()} | urls

    def logs(self, *, lines: int = 30) -> Iterator[tuple[str, str]]:
        """The last lines of every process, for the report of a failed test."""
        for name, process in self.processes.items():
            yield name, process.last_lines(lines)

    def log_file(self, name: str) -> Path:
        return self.folder / "log" / f"{name}.log"

    def run(self, service: str, *arguments: str, timeout_seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a command of a service to its end, such as `replay --list`."""
        return subprocess.run(
            [sys.executable, "-m", f"services.{service}", *arguments],
            env=self.environment(service) | {f"LIANXIN_{service.upper()}_MANAGEMENT_PORT": str(free_port())},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )

    def nudge(self, service: str, task: str, **arguments: str) -> None:
        """Ask a worker for a task now, instead of waiting for its sweep."""
        app = make_celery(service)
        connect_celery(app, self.urls[f"LIANXIN_{service.upper()}_TASK_BROKER_URL"])
        nudge(app, task, **arguments)

    def end_leases(self) -> None:
        """Let the time pass that a dead worker's claims are respected for, without waiting for it."""
        with self.database("intake") as intake:
            intake.execute("UPDATE import_run SET lease_until = now() WHERE state = 'running'")
        with self.database("notify") as notify:
            notify.execute("UPDATE delivery SET next_attempt_at = now() WHERE status IN ('claimed', 'due')")

    def seals(self, service: str) -> Seals:
        """The seals of a service's events, as only itself and its readers can make them."""
        return Seals(KeyRing(self.folder / "keys" / service), service=service)

    def _open_accounts(self) -> None:
        """As in an installation: the command makes the first account, which makes the others."""
        made = self.run("identity", "administrator", ADMINISTRATOR)
        if made.returncode != 0:
            raise RuntimeError(f"no first administrator: {made.stderr}")
        accounts = Accounts(self._identity, administrator=ADMINISTRATOR, passwords=self._passwords)
        accounts.begin(made.stdout.split()[-1])
        accounts.open(self._people)
        self._secrets = accounts.open_clients(
            [MACHINE], proposer="department-officer", approver="approver", secrets=self._secrets
        )

    def _provision(self) -> None:
        database = {role: secrets.token_urlsafe(24) for role in self.names.database_roles}
        broker = {user: secrets.token_urlsafe(24) for user in self.names.broker_users}
        self.urls = provision_postgres(self.servers.postgres_url, name=self.names.prefix, passwords=database)
        provision_broker(self.servers.rabbit_url, self.servers.management_url, name=self.names.prefix, passwords=broker)
        self.urls |= broker_settings(self.servers.rabbit_url, self.names, broker)

    def _migrate(self) -> None:
        """All three at once: each has a database and exchanges of its own."""
        running = {}
        for service in PROCESSES:
            log = self.log_file(f"{service}-migrate")
            with log.open("wb") as output:
                running[log] = subprocess.Popen(
                    [sys.executable, "-m", f"services.{service}", "migrate"],
                    env=self.environment(service, privileged=True),
                    cwd=ROOT,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        for log, process in running.items():
            if process.wait(READY_SECONDS) != 0:
                raise RuntimeError(f"{log.stem} failed:\n{log.read_text()}")

    def _make_process(self, name: str) -> Process:
        service, kind = name.split("-")[:2]
        port = self.ports[name]
        command = Command(
            name=name,
            arguments=(sys.executable, "-m", f"services.{service}", kind),
            environment=self.environment(service) | {f"LIANXIN_{service.upper()}_MANAGEMENT_PORT": str(port)},
            folder=ROOT,
            stop_seconds=25,
            log=self.log_file(name),
        )
        door = self.ports[f"{service}-api"] if kind == "serve" else None
        return Process(command, lambda: answers(port, "/readyz") and (door is None or listens(door)))

    def _forget(self) -> None:
        remove_broker(self.servers.management_url, name=self.names.prefix)
        with psycopg.connect(self.servers.postgres_url, autocommit=True) as admin:
            for service in SERVICES:
                name = sql.Identifier(self.names.database(service))
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            for role in self.names.database_roles:
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def process_names() -> list[str]:
    return [f"{service}-{process}" for service, each in PROCESSES.items() for process in each]


def crash_points(service: str, plan: str) -> dict[str, str]:
    """The variable that arms crash points of a service, such as `relay.after_select:3`."""
    return {f"LIANXIN_{service.upper()}_CRASH_POINTS": plan}
