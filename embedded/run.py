"""`make run`: from a bare checkout to a working Lianxin, and back."""

import fcntl
import os
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deploy.naming import Names
from embedded import control, environment, packages
from embedded.accounts import Account, make_folder, service_account
from embedded.applications import PROCESSES, Applications, Servers, can_run_here, port_names
from embedded.console import Progress, complain
from embedded.errors import EmbeddedError
from embedded.layout import Layout, Secrets, State, keep_ports
from embedded.postgres import PrivatePostgres
from embedded.rabbitmq import PORTS as RABBIT_PORTS
from embedded.rabbitmq import PrivateRabbit
from embedded.settings import Given, make_keys, read_given
from embedded.sign_ins import SignIns
from embedded.supervisor import StopRequested, Supervisor, stop_signals

if TYPE_CHECKING:
    from embedded.process import Child

SERVERS_STAGE, PROCESSES_STAGE, DOORS_STAGE = 0, 1, 2
STARTED_SECONDS = 120
CHINA = timezone(timedelta(hours=8))


def set_up(layout: Layout, *, development: bool, given: Given, tell: Callable[[str], None]) -> None:
    """Get what is missing on this machine: servers and the virtual environment. Quick when nothing is."""
    layout.create()
    with (layout.run / "setup.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # `make test` beside `make run` waits here until the other has finished
        _set_up(layout, development=development, given=given, tell=tell)


def _set_up(layout: Layout, *, development: bool, given: Given, tell: Callable[[str], None]) -> None:
    missing = packages.missing_packages(
        layout, with_postgres=given.postgres_url is None, with_rabbit=given.rabbitmq_url is None
    )
    if missing:
        packages.obtain(layout, missing, tell)
        still = packages.missing_packages(
            layout, with_postgres=given.postgres_url is None, with_rabbit=given.rabbitmq_url is None
        )
        if still:
            raise EmbeddedError(f"{', '.join(still)} cannot be found even now; see {layout.log / 'setup.log'}")
    environment.ensure(layout, development=development, tell=tell)


def run(layout: Layout) -> int:
    layout.create()
    progress = Progress()
    try:
        with control.only_one(layout), stop_signals():
            layout.running.unlink(missing_ok=True)
            return Instance(layout, progress).run()
    except control.RunningAlready:
        control.show_addresses(layout)
        return 0


class Instance:
    def __init__(self, layout: Layout, progress: Progress) -> None:
        self._layout = layout
        self._tell = progress
        self._given = read_given()
        self._supervisor = Supervisor(progress, self._remember)
        self._state = State(layout.state)
        self._secrets = Secrets(layout.secrets)
        self._addresses: dict[str, str] = {}
        self._ports: dict[str, int] = {}
        self._is_new = False  # whether the demo was loaded just now

    def run(self) -> int:
        try:
            self._remember(self._supervisor)  # from here on `make stop` knows whom to ask
            self._start()
            self._supervisor.run_for_ever()
        except StopRequested as request:
            print(flush=True)
            self._tell(f"stopping ({request})")
            return 0
        except EmbeddedError as error:
            complain(str(error))
            return 1
        finally:
            self._supervisor.stop()
            self._layout.running.unlink(missing_ok=True)
            self._tell("stopped")
        return 0

    def _start(self) -> None:
        if control.end_leftovers(self._layout):
            self._tell("ended what an earlier run had left behind")
        set_up(self._layout, development=False, given=self._given, tell=self._tell)
        private_ports = ["postgres", *(f"rabbitmq-{name}" for name in RABBIT_PORTS)]
        self._ports = keep_ports(self._state, [*port_names(), *private_ports])
        servers = self._start_servers()
        account = self._application_account()
        applications = Applications(
            self._layout,
            names=Names(prefix=self._given.name),
            servers=servers,
            ports=self._ports,
            smtp_url=self._given.smtp_url,
            account=account,
        )
        applications.has_demo = self._where(servers) in self._state.get("demo_loaded_into", [])
        for folder in (self._layout.imports, self._layout.mail, self._layout.accounts, self._layout.audit):
            make_folder(folder, account)
        make_keys(self._layout, account)
        self._migrate(applications)
        self._start_applications(applications)
        sign_ins = SignIns(self._layout, applications, self._supervisor, account=account, where=self._where(servers))
        self._open_accounts(sign_ins, applications)
        self._welcome(sign_ins)
        if self._is_new:
            self._decide_something(sign_ins)

    def _where(self, servers: Servers) -> str:
        """Which database this is: accounts and the demo are made once for each that we meet."""
        if self._given.postgres_url is None:
            return "private"
        return f"{urlsplit(servers.postgres_url).netloc.rpartition('@')[2]}/{self._given.name}"

    def _start_servers(self) -> Servers:
        """Start those that are not given, both at a time, and wait for both."""
        children: list[Child] = []
        postgres_url, rabbitmq_url = self._given.postgres_url, self._given.rabbitmq_url
        management_url = self._given.management_url or ""
        folders = []
        marker = str(self._layout.run)
        if postgres_url is None:
            self._tell("starting PostgreSQL")
            postgres = PrivatePostgres(
                self._layout.postgres,
                port=self._ports["postgres"],
                password=self._secrets.get("postgres"),
                log=self._layout.log / "postgres.log",
                marker=marker,
            )
            postgres.prepare()
            self._supervisor.start([postgres.child], stage=SERVERS_STAGE)
            children.append(postgres.child)
            folders.append(str(postgres.data_folder))
            postgres_url = postgres.admin_url
        if rabbitmq_url is None:
            self._tell("starting RabbitMQ")
            rabbit = PrivateRabbit(
                self._layout.rabbitmq,
                ports={name: self._ports[f"rabbitmq-{name}"] for name in RABBIT_PORTS},
                password=self._secrets.get("rabbitmq"),
                log=self._layout.log / "rabbitmq.log",
                marker=marker,
            )
            rabbit.prepare()
            self._supervisor.start([rabbit.mapper], stage=SERVERS_STAGE - 1)
            self._supervisor.wait_until_ready([rabbit.mapper], timeout_seconds=10)
            self._supervisor.start([rabbit.child], stage=SERVERS_STAGE)
            children.append(rabbit.child)
            folders.append(str(rabbit.folder))
            rabbitmq_url, management_url = rabbit.admin_url, rabbit.management_url
        self._state.set("data_folders", folders)
        self._supervisor.wait_until_ready(children, timeout_seconds=STARTED_SECONDS)
        return Servers(
            postgres_url=postgres_url,
            rabbitmq_url=rabbitmq_url,
            management_url=management_url,
            are_private=self._given.rabbitmq_url is None,
        )

    def _application_account(self) -> Account | None:
        account = service_account("lianxin")
        if account is None:
            return None
        # Compiled by root, since the account below it may not write beside the sources.
        sources = [name for name in ("services", "shared", "deploy", "demo") if (self._layout.root / name).is_dir()]
        subprocess.run([self._layout.python, "-m", "compileall", "-q", *sources], cwd=self._layout.root, check=False)
        if can_run_here(self._layout, account):
            return account
        self._tell(f"the account {account.name} cannot read {self._layout.root}, so the processes run as root")
        return None

    def _migrate(self, applications: Applications) -> None:
        self._tell("bringing accounts, databases and queues up to date")
        self._supervisor.run_to_the_end([applications.provision()], timeout_seconds=STARTED_SECONDS)
        self._supervisor.run_to_the_end(applications.migrations(), timeout_seconds=STARTED_SECONDS)

    def _start_applications(self, applications: Applications) -> None:
        self._tell(f"starting the processes of {', '.join(PROCESSES)}")
        children = applications.children()
        doors = [child for child in children if child.command.name.endswith("-serve")]
        self._supervisor.start([child for child in children if child not in doors], stage=PROCESSES_STAGE)
        self._supervisor.start(doors, stage=DOORS_STAGE)
        self._addresses = {service: f"{applications.api_url(service)}/v1" for service in PROCESSES}
        self._supervisor.wait_until_ready(children, timeout_seconds=STARTED_SECONDS)

    def _open_accounts(self, sign_ins: SignIns, applications: Applications) -> None:
        """The first administrator, and with the demo everything else. A failure is told and tried again next time."""
        try:
            sign_ins.make_administrator(self._tell)
            if not self._given.with_demo:
                return
            sign_ins.make_people(self._tell)
            if sign_ins.where not in self._state.get("demo_loaded_into", []):
                self._tell("loading the demo county (once; LIANXIN_DEMO=off leaves it out)")
                sign_ins.load_county(self._pass_on, today=self._keep_day(sign_ins.where))
                self._state.set("demo_loaded_into", [*self._state.get("demo_loaded_into", []), sign_ins.where])
                # Before, a month would have been closed that was not whole.
                applications.has_demo = True
                self._supervisor.replace("assessment-work", applications.process("assessment", "work"))
                self._is_new = True
        except EmbeddedError as error:
            complain(f"The demo county could not be loaded; the next start tries again.\n{error}")

    def _decide_something(self, sign_ins: SignIns) -> None:
        """Signals are found some time after the start, for which nobody waits."""
        try:
            sign_ins.decide_something(self._pass_on)
        except EmbeddedError as error:
            complain(f"None of the demo's signals could be decided.\n{error}")

    def _keep_day(self, where: str) -> str:
        """Until when the demo is told. A load that was interrupted goes on with the day on which it began."""
        began = self._state.get("demo_began", {})
        today = datetime.now(CHINA).date().isoformat()
        if where not in began:
            self._state.set("demo_began", {**began, where: today})
        return str(began.get(where, today))

    def _pass_on(self, line: str) -> None:
        """Its own words only: a traceback is shown once, at the end."""
        if line.startswith("demo: "):
            self._tell(line)

    def _welcome(self, sign_ins: SignIns) -> None:
        self._supervisor.changed(self._supervisor)
        self._tell("Lianxin is ready")
        print()
        for name, address in self._addresses.items():
            print(f"  {name:<12} {address}")
        lines = sign_ins.write_down()
        if self._state.get("sign_ins_shown") == sign_ins.where:
            print(f"\n  Sign-ins are in {self._layout.sign_ins}.")
        else:
            print("\n  Sign-ins (shown only now, and kept in .run/sign-ins.txt, which only its owner may read):")
            print("".join(f"  {line}\n" for line in lines), end="")
            self._state.set("sign_ins_shown", sign_ins.where)
        print("\n  Ctrl-C stops everything. From another terminal: make status, make logs, make stop.\n", flush=True)

    def _remember(self, supervisor: Supervisor) -> None:
        processes: list[dict[str, Any]] = [
            {
                "name": entry.child.command.name,
                "pid": entry.child.pid,
                "port": self._management_port(entry.child.command.name),
                "restarts": entry.restarts,
            }
            for entry in supervisor.entries
        ]
        content = {
            "pid": os.getpid(),
            "since": time.time(),
            "addresses": self._addresses,
            "processes": processes,
        }
        control.remember(self._layout.running, content)

    def _management_port(self, name: str) -> int | None:
        return self._ports.get(name) if name.startswith(tuple(PROCESSES)) else None
